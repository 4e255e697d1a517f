/**
 * Loads and stores that generated code has given up although nothing unusual is about them: their page was not known, or a
 * store's page has somebody who wants to hear of it. They need no step of the slow path. What is done here is what it would do.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../../../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../../../bus/ram.ts";
import { HART_LAYOUT } from "../../../hart/layout.ts";
import type { SlowPath } from "../../engine.ts";
import { FIRST_PAIR, INTERPRETER_OPS, type InterpreterOp } from "../interpreter/op.ts";
import { firstOf } from "../interpreter/pair.ts";
import { SLOT_IMM, SLOT_OP, SLOT_RD, SLOT_RS1 } from "../interpreter/slot.ts";
import { xOffset } from "../layout.ts";
import type { EngineMemory } from "./engine-memory.ts";
import type { TranslationBanks } from "./translation-banks.ts";

/** What came of it. */
export const Attempt = {
  /** Nothing: the slow path must make a step. */
  LEFT: 0,
  /** The page is known now: generated code can do it. */
  FOUND: 1,
  /** The instruction has been executed; the pc is behind it. */
  DONE: 2,
} as const;
/** One of them. */
export type Attempt = (typeof Attempt)[keyof typeof Attempt];

/** Those who want to hear of a store, and look at nothing but its bytes. */
const HEARD_HERE = PageFlag.FEEDS_TRANSLATION | PageFlag.HOLDS_DECODED_CODE | PageFlag.HOLDS_RESERVATION;
const OFFSET_MASK = PAGE_BYTES - 1;
const HALF = 2 ** 32;

/** What an op accesses. */
interface Access {
  readonly kind: "load" | "store";
  readonly widthBytes: number;
  readonly hasImmediate: boolean;
  /** Bytes of the instruction, if it may be executed here: a store of an integer; else 0. */
  readonly storeBytes: number;
}

const WIDTHS: Readonly<Record<string, number>> = { w: 4, d: 8 };
const LOAD_RESERVED = /^lr[.]([wd])$/;
const ATOMIC = /^(?:sc|amo\w+)[.]([wd])$/;
const FLOAT = /^(?:c[.])?f([ls])([wd])$/;

function accessOf({ name, emitter, hasImmediate, sizeBytes }: InterpreterOp): Access | undefined {
  if (emitter.kind === "load" || emitter.kind === "store") {
    const { kind, widthBytes } = emitter;
    return { kind, widthBytes, hasImmediate, storeBytes: kind === "store" ? sizeBytes : 0 };
  }
  const [, direction = LOAD_RESERVED.test(name) ? "l" : "s", width] = FLOAT.exec(name) ?? [
    "",
    undefined,
    (LOAD_RESERVED.exec(name) ?? ATOMIC.exec(name))?.[1],
  ];
  const widthBytes = WIDTHS[width ?? ""];
  if (widthBytes === undefined) return undefined;
  return { kind: direction === "l" ? "load" : "store", widthBytes, hasImmediate, storeBytes: 0 };
}

const ACCESSES: readonly (Access | undefined)[] = [
  ...new Array<undefined>(FIRST_PAIR - INTERPRETER_OPS.length).fill(undefined),
  ...INTERPRETER_OPS.map(accessOf),
];

/** For one hart. */
export class PlainAccesses {
  readonly #memory: EngineMemory;
  readonly #ram: Ram;
  readonly #banks: TranslationBanks;
  readonly #slow: SlowPath;
  readonly #storeFlags: number;
  readonly #h: number;
  readonly #address = new BigUint64Array(1);
  readonly #halves = new Int32Array(this.#address.buffer);

  constructor(parts: {
    readonly memory: EngineMemory;
    readonly ram: Ram;
    readonly banks: TranslationBanks;
    readonly slow: SlowPath;
    readonly storeFlags: number;
    readonly h: number;
  }) {
    this.#memory = parts.memory;
    this.#ram = parts.ram;
    this.#banks = parts.banks;
    this.#slow = parts.slow;
    this.#storeFlags = parts.storeFlags;
    this.#h = parts.h;
  }

  /**
   * Tries the instruction at the pc.
   *
   * @param slot  Address of its slot; 0: not known.
   */
  attempt(slot: number): Attempt {
    const { u8, u16, i32 } = this.#memory;
    const access = ACCESSES[firstOf(u16[(slot + SLOT_OP) >>> 1] as number)];
    if (access === undefined) return Attempt.LEFT;
    const base = (this.#h + xOffset(0) + (u8[slot + SLOT_RS1] as number)) >>> 2;
    const imm = access.hasImmediate ? (i32[(slot + SLOT_IMM) >>> 2] as number) : 0;
    const sum = ((i32[base] as number) >>> 0) + imm;
    const low = sum | 0;
    const high = ((i32[base + 1] as number) + (sum < 0 ? -1 : sum >= HALF ? 1 : 0)) | 0;
    const { kind, widthBytes } = access;
    if ((low & OFFSET_MASK) + widthBytes > PAGE_BYTES) return Attempt.LEFT;
    let offset = this.#banks.locatePage(kind, low, high);
    const isKnown = offset >= 0;
    if (!isKnown) {
      this.#lookUp(kind, low, high);
      offset = this.#banks.locatePage(kind, low, high);
      if (offset < 0) return Attempt.LEFT;
    }
    const flags = (this.#ram.pageFlags[offset >>> PAGE_SHIFT] as number) & this.#storeFlags;
    if (kind === "load" || flags === 0) return isKnown ? Attempt.LEFT : Attempt.FOUND;
    if (access.storeBytes === 0 || (flags & ~HEARD_HERE) !== 0) return Attempt.LEFT;
    this.#store(offset, widthBytes, u8[slot + SLOT_RD] as number);
    this.#goOn(access.storeBytes);
    return Attempt.DONE;
  }

  #lookUp(kind: "load" | "store", low: number, high: number): void {
    this.#halves[0] = low;
    this.#halves[1] = high;
    this.#slow.lookUp(this.#address[0] as bigint, kind);
  }

  /** Tells whoever listens, and stores the low bytes of a register. */
  #store(offset: number, widthBytes: number, register: number): void {
    const { u8 } = this.#memory;
    const from = this.#h + xOffset(0) + register;
    this.#ram.beforeStore(offset >>> PAGE_SHIFT, offset, widthBytes);
    for (let byte = 0; byte < widthBytes; byte++) this.#ram.u8[offset + byte] = u8[from + byte] as number;
  }

  #goOn(bytes: number): void {
    const { i32 } = this.#memory;
    const pc = (this.#h + HART_LAYOUT.pc.offset) >>> 2;
    const low = ((i32[pc] as number) >>> 0) + bytes;
    i32[pc] = low;
    if (low >= HALF) i32[pc + 1] = (i32[pc + 1] as number) + 1;
  }
}
