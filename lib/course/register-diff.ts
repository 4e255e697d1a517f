/** The register diff: which registers a run changed, from what to what. */
import { groupedHex } from "../bits/hex.ts";
import { type AbiName, REGISTER_NAMES } from "../isa/register.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";

/** Register values by name, 64 bits each; `pc` may be among them. */
export type RegisterFile = Readonly<Record<string, bigint>>;

/** One changed register. */
export interface RegisterChange {
  readonly register: string;
  readonly before: bigint;
  readonly after: bigint;
}

/** Where registers can be read from: a hart. */
export interface RegisterSource {
  readonly pc: bigint;
  read(name: AbiName): bigint;
}

/** Reads all registers and the pc, to compare with a later reading. */
export function readRegisters(hart: RegisterSource): RegisterFile {
  return {
    pc: BigInt.asUintN(64, hart.pc),
    ...Object.fromEntries(REGISTER_NAMES.slice(1).map((name) => [name, hart.read(name)])),
  };
}

/** Registers whose values differ between two readings, in the order of the first. */
export function changedRegisters(before: RegisterFile, after: RegisterFile): RegisterChange[] {
  return Object.keys(before)
    .map((register) => ({ register, before: before[register] ?? 0n, after: after[register] ?? 0n }))
    .filter((change) => change.before !== change.after);
}

/** A 64-bit value as people read it: small ones in decimal, the rest in hexadecimal. */
export function readableWord(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  if (signed > -10_000n && signed < 10_000n) return signed.toString();
  return groupedHex(value);
}

/** Shows what changed between two readings of the registers. */
export function registerDiff(
  before: RegisterFile,
  after: RegisterFile,
  title = "Registers that changed",
): FigureBundle {
  const changes = changedRegisters(before, after);
  if (changes.length === 0)
    return markupBundle(`<p>${title}: no register differs.</p>`, `${title}: no register differs.`);
  const table: Table = {
    caption: title,
    columns: ["register", "before", "after"],
    rows: changes.map((change) => [
      { text: change.register, code: true },
      { text: readableWord(change.before), code: true },
      { text: readableWord(change.after), code: true, strong: true },
    ]),
    rightColumns: [1, 2],
  };
  return markupBundle(tableHtml(table), tableText(table));
}
