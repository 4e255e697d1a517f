/** Two passes over a list of items: first addresses, then bytes. */
import { hex, hexWord } from "../../bits/hex.ts";
import { asU64 } from "../../bits/int64.ts";
import { instructionBytes } from "../encoding.ts";
import { didYouMean } from "./closest.ts";
import type { Item } from "./item.ts";
import {
  type AssemblyError,
  assemblyError,
  isMistake,
  type LocatedMistake,
  type Mistake,
  mistake,
} from "./mistake.ts";
import type { OperandValue } from "./operand.ts";

/** Where a program begins, and how far a program may grow. */
export interface ProgramOptions {
  /** Address of the first byte. RAM of the board begins at 0x8000_0000. */
  readonly origin?: bigint | number;
}

/** One line of a listing. */
export interface ListingLine {
  readonly address: bigint;
  /** The instruction word; `undefined` for data. */
  readonly word: number | undefined;
  readonly bytes: Uint8Array;
  /** What was written. */
  readonly text: string;
  /** Line of the text, or number of the item in the list, from 1. */
  readonly line: number;
}

/** An assembled program. */
export interface Program {
  readonly kind: "program";
  readonly origin: bigint;
  readonly bytes: Uint8Array;
  /** Labels and their addresses. */
  readonly symbols: ReadonlyMap<string, bigint>;
  readonly listing: readonly ListingLine[];
}

/** Where RAM begins, and programs by default. */
export const DEFAULT_ORIGIN = 0x8000_0000n;
/** A program larger than this is a mistake (a runaway `.zero`). */
const MAX_PROGRAM_BYTES = 2 ** 28;

/** An item and where it was written. */
export interface SourceItem {
  readonly item: Item;
  readonly line: number;
  readonly source: string;
}

/**
 * Assembles a list of items.
 *
 * @example program({ origin: 0x8000_0000n }, [asm.li("a0", 42), label("loop"), asm.j("loop")])
 */
export function program(options: ProgramOptions, items: readonly Item[]): Program | AssemblyError {
  return link(
    options,
    items.map((item, index) => ({ item, line: index + 1, source: item.text })),
  );
}

interface Placed extends SourceItem {
  readonly address: bigint;
}

/** Assembles items that know where they were written. `constants` are names that stand for numbers. */
export function link(
  { origin = DEFAULT_ORIGIN }: ProgramOptions,
  items: readonly SourceItem[],
  constants: ReadonlyMap<string, bigint> = new Map(),
): Program | AssemblyError {
  const start = asU64(BigInt(origin));
  const mistakes: LocatedMistake[] = [];
  const symbols = new Map<string, bigint>();
  const placed: Placed[] = [];
  let end = start;
  for (const source of items) {
    const { label } = source.item;
    if (label !== undefined && symbols.has(label))
      mistakes.push(located(source, mistake(`label "${label}" is defined twice`)));
    if (label !== undefined) symbols.set(label, end);
    placed.push({ ...source, address: end });
    end += BigInt(source.item.sizeBytes(end));
  }
  if (end - start > MAX_PROGRAM_BYTES) {
    return assemblyError([
      { line: 1, source: "", operand: 0, message: `the program has ${end - start} bytes, more than 256 MiB` },
    ]);
  }
  return encodeAll(start, Number(end - start), placed, symbols, constants, mistakes);
}

const located = ({ line, source }: SourceItem, { message, operand }: Mistake): LocatedMistake => ({
  line,
  source,
  operand,
  message,
});

function encodeAll(
  origin: bigint,
  sizeBytes: number,
  placed: readonly Placed[],
  symbols: ReadonlyMap<string, bigint>,
  constants: ReadonlyMap<string, bigint>,
  mistakes: LocatedMistake[],
): Program | AssemblyError {
  const bytes = new Uint8Array(sizeBytes);
  const listing: ListingLine[] = [];
  for (const source of placed) {
    const { item, address, line } = source;
    const encoded = item.encode({
      address,
      resolve: (target) => resolve(target, address, symbols, constants),
    });
    if (isMistake(encoded)) {
      mistakes.push(located(source, encoded));
      continue;
    }
    bytes.set(encoded, Number(address - origin));
    listing.push(...listingOf(item, address, line, encoded));
  }
  return mistakes.length > 0 ? assemblyError(mistakes) : { kind: "program", origin, bytes, symbols, listing };
}

/** The address that a target names: a label, `.`, `.+8`, or an address itself. */
function resolve(
  target: OperandValue,
  address: bigint,
  symbols: ReadonlyMap<string, bigint>,
  constants: ReadonlyMap<string, bigint>,
): bigint | Mistake {
  if (typeof target !== "string") return asU64(BigInt(target));
  const [, base = "", sign = "+", digits = "0"] =
    /^([^+\s-]+)(?:([+-])(\d+))?$/.exec(target.replaceAll(/\s/g, "")) ?? [];
  const known = base === "." ? address : (symbols.get(base) ?? constants.get(base));
  if (known === undefined) return mistake(unknownLabel(target, [...symbols.keys()]));
  return asU64(sign === "-" ? known - BigInt(digits) : known + BigInt(digits));
}

function unknownLabel(target: string, known: readonly string[]): string {
  const names = known.filter((name) => !name.includes("@"));
  const close = didYouMean(target, names);
  const list = names.slice(0, 8).join(", ");
  return `there is no label "${target}"${close !== "" || list === "" ? close : `; labels here: ${list}`}`;
}

/** A line for each instruction; the first carries the text, the others of an expansion say so. */
function listingOf(item: Item, address: bigint, line: number, bytes: Uint8Array): ListingLine[] {
  if (!item.isCode) {
    return bytes.length === 0 ? [] : [{ address, word: undefined, bytes, text: item.text, line }];
  }
  const lines: ListingLine[] = [];
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.slice(at, at + instructionBytes(bytes[at] ?? 0));
    const word = part.reduceRight((high, byte) => high * 256 + byte, 0);
    lines.push({
      address: address + BigInt(at),
      word,
      bytes: part,
      text: at === 0 ? item.text : `  … ${item.text}`,
      line,
    });
    at += part.length;
  }
  return lines;
}

const wordText = (word: number | undefined): string =>
  word === undefined ? "" : hexWord(word, instructionBytes(word)).slice(2);

/** A listing as text: address, word, source. */
export const listingText = ({ listing }: Program): string =>
  listing
    .map(({ address, word, text }) => `${hex(address, 8)}  ${wordText(word).padEnd(8)}  ${text}`)
    .join("\n");
