/** The working words of one hart that the runtime keeps: how much may happen before it is asked, and what code may run. */

import { fieldMask } from "../../../bits/field.ts";
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { isVirtual, type ModeNumber } from "../../../isa/mode.ts";
import { INTERPRETED } from "../interpreter/ending.ts";
import { csrOffset, FETCH_BANK_AREA, FETCH_BANK_BYTES, WORD } from "../layout.ts";
import type { EngineMemory } from "./engine-memory.ts";

const FS = Number(fieldMask(CSRS.mstatus.fields.FS));
const RNE_AND_INEXACT = 0x01;
/** `frm` and NX in `fcsr`. */
const FRM_AND_NX = 0xe1;
const HALF = 2 ** 32;

/** One hart's words. */
export class HartWords {
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;
  readonly #retiredBase: number;
  readonly #instretBase: number;
  readonly #instret: number;
  readonly #mode: number;
  readonly #mstatus: number;
  readonly #vsstatus: number;
  readonly #fcsr: number;
  readonly #fetchBank: number;
  readonly #codeBit: number;
  readonly #floatOn: number;
  readonly #floatFast: number;
  readonly #fastPrivileged: number;
  readonly #interpreted: number;

  /** @param h  Address of the hart's state block. */
  constructor({ i32, f64 }: EngineMemory, h: number) {
    this.#i32 = i32;
    this.#f64 = f64;
    const word = (offset: number): number => (h + offset) >>> 2;
    this.#retiredBase = (h + WORD.retiredBase) >>> 3;
    this.#instretBase = word(WORD.instretBase);
    this.#instret = word(HART_LAYOUT.instret.offset);
    this.#mode = word(HART_LAYOUT.mode.offset);
    this.#mstatus = word(csrOffset("mstatus"));
    this.#vsstatus = word(csrOffset("vsstatus"));
    this.#fcsr = word(csrOffset("fcsr"));
    this.#fetchBank = word(WORD.fetchBank);
    this.#codeBit = word(WORD.codeBit);
    this.#floatOn = word(WORD.codeBitFloatOn);
    this.#floatFast = word(WORD.codeBitFloatFast);
    this.#fastPrivileged = word(WORD.fastPrivileged);
    this.#interpreted = word(INTERPRETED);
  }

  get codeBit(): number {
    return this.#i32[this.#codeBit] ?? 0;
  }
  get codeBitFloatOn(): number {
    return this.#i32[this.#floatOn] ?? 0;
  }
  get codeBitFloatFast(): number {
    return this.#i32[this.#floatFast] ?? 0;
  }

  /**
   * Gives generated code a budget: sets the bases from which it and we count what has retired.
   *
   * @param retired  The machine's count now. The hart's is in the state block.
   */
  give(budget: number, retired: number): void {
    this.#f64[this.#retiredBase] = retired + budget;
    this.#addInto(this.#instretBase, this.#instret, budget);
  }

  /**
   * Takes back what is left of a budget: the state block's `instret` counts again.
   *
   * @returns  The machine's retired count.
   */
  take(budget: number): number {
    this.#addInto(this.#instret, this.#instretBase, -budget);
    return (this.#f64[this.#retiredBase] as number) - budget;
  }

  /** Steps that the cold tier's dispatch loop has made for this hart since this was last asked. */
  takeInterpreted(): number {
    const i32 = this.#i32;
    const at = this.#interpreted;
    const steps = (i32[at + 1] as number) * HALF + ((i32[at] as number) >>> 0);
    i32[at] = 0;
    i32[at + 1] = 0;
    return steps;
  }

  /** `i64[to] = i64[from] + addend`, without a BigInt: `addend` has less than 32 bits. */
  #addInto(to: number, from: number, addend: number): void {
    const i32 = this.#i32;
    const low = ((i32[from] as number) >>> 0) + addend;
    const carry = low >= HALF ? 1 : low < 0 ? -1 : 0;
    i32[to] = low - carry * HALF;
    i32[to + 1] = (i32[from + 1] as number) + carry;
  }

  /** Looks at everything that decides which code may run. Must come when mode, `mstatus`, `fcsr` or banks may have changed. */
  refresh(isFastPrivileged: boolean): void {
    const i32 = this.#i32;
    const bit = 1 << (((i32[this.#fetchBank] as number) - FETCH_BANK_AREA) / FETCH_BANK_BYTES);
    const isGuest = isVirtual(i32[this.#mode] as ModeNumber);
    const status = (i32[this.#mstatus] as number) & (isGuest ? (i32[this.#vsstatus] as number) : -1);
    const onBit = (status & FS) === FS ? bit : 0;
    i32[this.#codeBit] = bit;
    i32[this.#floatOn] = onBit;
    i32[this.#floatFast] = ((i32[this.#fcsr] as number) & FRM_AND_NX) === RNE_AND_INEXACT ? onBit : 0;
    i32[this.#fastPrivileged] = isFastPrivileged ? 1 : 0;
  }
}
