/**
 * A whole board as a file: every hart, every device, the clock, the trace so far, what was printed, and RAM without its zero
 * pages. A board from a file goes on with the same trace hash as the board that it was taken of.
 */
import type { DeviceState, StateValue } from "../bus/device.ts";
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import { HART_STATE_BYTES } from "../hart/layout.ts";
import { parseRemembered } from "../hart/remembered-translations.ts";
import { HartState } from "../hart/state.ts";
import { STANDARD_ISA, variantFrom, variantText } from "../isa/variant.ts";
import {
  type ArchiveError,
  type ArchiveFormat,
  archiveError,
  packArchive,
  unpackArchive,
} from "./archive.ts";
import { captureParts, restoreParts } from "./capture.ts";
import type { Machine, MachineShape } from "./machine.ts";
import { peripheralFields, peripheralsFrom } from "./peripheral-fields.ts";
import { type PeripheralConfig, peripheralNote } from "./peripherals.ts";
import { decodePlain, encodePlain, type Plain } from "./plain-data.ts";
import { type PlainFields, readFields } from "./plain-fields.ts";
import type { Snapshot, SnapshotParts } from "./snapshot.ts";
import { type ImageSymbol, SymbolTable } from "./symbols.ts";
import { TRACE_RING_BYTES } from "./trace.ts";
import { unfinishedFields, unfinishedFrom } from "./unfinished-fields.ts";

const FORMAT: ArchiveFormat = { name: "dom0 board image", version: 3, maxContentBytes: 2 ** 31 };
const TRACE_CHAIN_BYTES = 32;
const MODE_NUMBERS = [0, 1, 3, 4, 5];
const MAX_SYMBOLS = 1_000_000;

/** What a file holds, checked as far as it can be without a machine. */
export interface ImageContent {
  readonly shape: MachineShape;
  readonly peripherals: PeripheralConfig;
  readonly parts: SnapshotParts;
  readonly consoleBytes: Uint8Array;
  /** Numbers of the pages that are not zero, ascending. */
  readonly pages: Uint32Array;
  /** Their bytes, in the same order. */
  readonly contents: Uint8Array;
}

/** A machine as a file. */
export function packImage(machine: Machine): Uint8Array {
  return packArchive(FORMAT, encodePlain(imageFields(machine)));
}

/** The manual's instruction set needs no name. */
const shapeFields = ({ isa, ...shape }: MachineShape): Plain => ({
  ...shape,
  turns: { ...shape.turns },
  ...(isa === undefined ? {} : { isa: variantText(isa) }),
});

function imageFields(machine: Machine): Plain {
  const { ram, console } = machine;
  const { stateBlock, devices, clock, trace, trapLoop, turns, finish, symbols, unfinishedCalls } =
    captureParts(machine);
  const used = usedPages(machine);
  const contents = new Uint8Array(used.length * PAGE_BYTES);
  for (const [index, page] of used.entries())
    contents.set(ram.u8.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES), index * PAGE_BYTES);
  return {
    shape: shapeFields(machine.shape),
    peripherals: peripheralFields(machine.peripherals),
    stateBlock,
    devices: Object.fromEntries(devices),
    remembered: machine.harts.map(({ remembered }) => (remembered?.answers ? remembered.describe() : "")),
    unfinishedCalls: unfinishedFields(unfinishedCalls),
    clock: { ...clock },
    trace: { ...trace },
    trapLoop: { ...trapLoop },
    turns: { ...turns },
    finish: finish === undefined ? undefined : { ...finish },
    consoleLength: console.length,
    consoleBytes: console.bytes,
    symbols: symbolLines(symbols),
    pages: Array.from(used),
    contents,
  };
}

function usedPages({ ram }: Machine): Uint32Array {
  const used: number[] = [];
  const words = PAGE_BYTES / 8;
  for (let page = 0; page < ram.pageCount; page++)
    if (ram.i64.subarray(page * words, (page + 1) * words).some((word) => word !== 0n)) used.push(page);
  return Uint32Array.from(used);
}

const symbolLines = ({ symbols }: SymbolTable): string =>
  symbols
    .map(({ name, address, sizeBytes }) => `${address.toString(16)} ${sizeBytes.toString(16)} ${name}`)
    .join("\n");

function symbolsFrom(lines: string): SymbolTable {
  const found: ImageSymbol[] = [];
  for (const line of lines.split("\n", MAX_SYMBOLS)) {
    const match = /^([0-9a-f]{1,16}) ([0-9a-f]{1,16}) (.+)$/.exec(line);
    if (match?.[3] !== undefined)
      found.push({ name: match[3], address: BigInt(`0x${match[1]}`), sizeBytes: BigInt(`0x${match[2]}`) });
  }
  return new SymbolTable(found);
}

/** What a file holds; whatever the bytes are, the answer is a content or a sentence. */
export function unpackImage(file: Uint8Array): ImageContent | ArchiveError {
  const content = unpackArchive(FORMAT, file);
  if (!(content instanceof Uint8Array)) return content;
  const plain = decodePlain(content);
  if (plain.kind === "plain-error") return damaged(plain.message);
  const read = readFields(plain.value, "image", contentOf);
  return read.kind === "read" ? read.result : damaged(read.message);
}

const damaged = (how: string): ArchiveError =>
  archiveError("damaged", `The file is no image of a board: ${how}. Make it again.`);

function contentOf(fields: PlainFields): ImageContent {
  const shape = shapeOf(fields.fields("shape"));
  const stateBlock = fields.bytes("stateBlock", HART_STATE_BYTES * shape.harts);
  if (!hasLegalModes(stateBlock, shape.harts)) fields.refuse("stateBlock", "the state of harts");
  const pageCount = shape.ramBytes / PAGE_BYTES;
  const pages = fields.list("pages");
  const isAscending = pages.every((page, index) => {
    const before = index === 0 ? -1 : pages[index - 1];
    return (
      typeof page === "number" &&
      typeof before === "number" &&
      Number.isInteger(page) &&
      page > before &&
      page < pageCount
    );
  });
  if (!isAscending) fields.refuse("pages", "a list of pages in order");
  const clock = fields.fields("clock");
  return {
    shape,
    peripherals: peripheralsFrom(fields.fields("peripherals")),
    parts: {
      retired: clock.whole("retired"),
      stateBlock,
      devices: new Map(
        fields.fields("devices").names.map((name) => [name, deviceState(fields.fields("devices"), name)]),
      ),
      remembered: rememberedOf(fields),
      fences: undefined,
      unfinishedCalls: unfinishedFrom(fields),
      clock: {
        retired: clock.whole("retired"),
        sleptInsns: clock.whole("sleptInsns"),
        tickOffset: clock.bigint("tickOffset"),
      },
      ...progressOf(fields, shape),
    },
    consoleBytes: fields.bytes("consoleBytes"),
    pages: Uint32Array.from(pages as readonly number[]),
    contents: fields.bytes("contents", pages.length * PAGE_BYTES),
  };
}

function rememberedOf(fields: PlainFields): Snapshot["remembered"] {
  const lists = fields
    .list("remembered")
    .map((text) => (typeof text === "string" ? parseRemembered(text) : undefined));
  if (lists.includes(undefined)) fields.refuse("remembered", "what harts remember of translations");
  return lists;
}

function progressOf(fields: PlainFields, shape: MachineShape) {
  const [trace, trapLoop, turns] = [
    fields.fields("trace"),
    fields.fields("trapLoop"),
    fields.fields("turns"),
  ];
  return {
    trace: {
      chain: trace.bytes("chain", TRACE_CHAIN_BYTES),
      ring: trace.bytes("ring", TRACE_RING_BYTES),
      count: trace.whole("count"),
    },
    trapLoop: { retired: trapLoop.whole("retired"), traps: trapLoop.whole("traps") },
    turns: {
      current: turns.whole("current", 0, shape.harts - 1),
      endsAtRetired: turns.count("endsAtRetired"),
      numbers: turns.whole("numbers", -(2 ** 32), 2 ** 32),
    },
    consoleLength: fields.whole("consoleLength"),
    finish: finishOf(fields),
    symbols: symbolsFrom(fields.text("symbols", 2 ** 28)),
  };
}

/** What was asked of `buildBoard`, within what a board can have. */
export function shapeOf(shape: PlainFields): MachineShape {
  const ramBytes = shape.whole("ramBytes", 64 * 1024, 2 ** 31);
  if (ramBytes % PAGE_BYTES !== 0) shape.refuse("ramBytes", "whole pages");
  const turns = shape.fields("turns");
  const min = turns.whole("min", 1, 2 ** 32);
  return {
    ramBytes,
    harts: shape.whole("harts", 1, 4) as MachineShape["harts"],
    seed: shape.whole("seed", -(2 ** 53), 2 ** 53),
    turns: { min, max: turns.whole("max", min, 2 ** 32) },
    iommu: iommuOf(shape),
    translations: translationsOf(shape),
    ...isaOf(shape),
  };
}

function iommuOf(shape: PlainFields): MachineShape["iommu"] {
  const mode = shape.any("iommu");
  return mode === undefined || mode === "off" || mode === "bare"
    ? mode
    : shape.refuse("iommu", '"off" or "bare"');
}

function isaOf(shape: PlainFields): Pick<MachineShape, "isa"> {
  if (shape.any("isa") === undefined) return {};
  const isa = variantFrom(shape.text("isa"));
  return isa === undefined ? shape.refuse("isa", "the name of a variant") : { isa };
}

function translationsOf(shape: PlainFields): MachineShape["translations"] {
  const mode = shape.text("translations");
  return mode === "coherent" || mode === "sticky"
    ? mode
    : shape.refuse("translations", '"coherent" or "sticky"');
}

function hasLegalModes(block: Uint8Array, harts: number): boolean {
  const copy = block.slice().buffer;
  return Array.from({ length: harts }, (_, hart) => new HartState(copy, hart * HART_STATE_BYTES)).every(
    (state) => MODE_NUMBERS.includes(state.modeNumber),
  );
}

function deviceState(devices: PlainFields, name: string): DeviceState {
  const fields = devices.fields(name);
  return Object.fromEntries(
    fields.names.map((field) => {
      const value = fields.any(field);
      return [field, isStateValue(value) ? value : fields.refuse(field, "the state of a device")];
    }),
  );
}

/** Anything plain but text. */
function isStateValue(value: Plain): value is StateValue {
  if (Array.isArray(value)) return value.every(isStateValue);
  if (typeof value !== "object" || value instanceof Uint8Array) return typeof value !== "string";
  return Object.values(value).every(isStateValue);
}

function finishOf(fields: PlainFields): Snapshot["finish"] {
  if (fields.any("finish") === undefined) return undefined;
  const finish = fields.fields("finish");
  const kind = finish.text("kind");
  if (kind === "poweroff") return { kind, code: finish.whole("code", 0, 0xffff) };
  if (kind === "handler-error") return { kind, message: finish.text("message") };
  return kind === "reset" ? { kind } : finish.refuse("kind", "an end of a run");
}

/**
 * Makes a machine what the file says.
 *
 * @returns  Undefined, or why the machine stays as it was: it has another shape, or its devices have.
 */
export function restoreImage(machine: Machine, content: ImageContent): ArchiveError | undefined {
  const { ram, console } = machine;
  const isSameShape =
    JSON.stringify(encodedShape(content.shape)) === JSON.stringify(encodedShape(machine.shape));
  if (!isSameShape || peripheralNote(content.peripherals) !== peripheralNote(machine.peripherals.config))
    return archiveError(
      "damaged",
      "The image is of a board of another shape: RAM, harts, seed, turns or devices differ.",
    );
  for (const { device } of machine.bus.regions)
    if (!isAlike(content.parts.devices.get(device.name), device.save()))
      return damaged(`it does not describe the device ${device.name}`);
  let next = 0;
  for (let page = 0; page < ram.pageCount; page++) {
    const offset = page * PAGE_BYTES;
    if (content.pages[next] === page)
      ram.write(offset, content.contents.subarray(next * PAGE_BYTES, ++next * PAGE_BYTES));
    else ram.fill(offset, PAGE_BYTES, 0);
  }
  restoreParts(machine, content.parts);
  console.refill(content.consoleBytes, content.parts.consoleLength);
  return undefined;
}

const encodedShape = ({
  ramBytes,
  harts,
  seed,
  turns,
  iommu,
  translations,
  isa = STANDARD_ISA,
}: MachineShape) => [ramBytes, harts, seed, turns.min, turns.max, iommu, translations, variantText(isa)];

/** The same fields with the same kinds of values, and lists of as many parts; other lists may have any length. */
function isAlike(saved: StateValue, present: StateValue): boolean {
  if (typeof saved !== typeof present || Array.isArray(saved) !== Array.isArray(present)) return false;
  if (isList(present)) {
    const parts = present.some((part) => isRecord(part)) ? present : [];
    return isList(saved) && (parts.length === 0 ? !saved.some(isRecord) : areAlike(saved, parts));
  }
  if (!isRecord(present)) return saved instanceof Uint8Array === present instanceof Uint8Array;
  if (!isRecord(saved)) return false;
  const names = Object.keys(present);
  return (
    names.length === Object.keys(saved).length && names.every((name) => isAlike(saved[name], present[name]))
  );
}

const areAlike = (saved: readonly StateValue[], present: readonly StateValue[]): boolean =>
  saved.length === present.length && present.every((part, index) => isAlike(saved[index], part));

const isList = (value: StateValue): value is readonly StateValue[] => Array.isArray(value);

function isRecord(value: StateValue): value is { readonly [field: string]: StateValue } {
  return typeof value === "object" && !Array.isArray(value) && !(value instanceof Uint8Array);
}
