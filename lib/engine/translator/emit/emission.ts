/**
 * What an emitter sees of the place that it emits for. Two places exist: a region (operands are constants, registers are
 * locals) and the cold tier's interpreter (operands are read from the slot, registers from the state block). One emitter
 * serves both, so that an instruction has one meaning.
 */
import type { Code, Local } from "../wasm/code.ts";

/**
 * Where an instruction is emitted. `push` means: leaves the value on WebAssembly's stack.
 *
 * Emitters push operands in straight code only, never inside a block that may be skipped: a region may read a register when
 * it is first asked for it, and believe ever after that it has it.
 */
export interface Emission {
  readonly code: Code;
  /** Pushes the address of the hart's state block, i32. */
  hart(): void;
  /** Pushes a source register, i64. */
  rs1(): void;
  rs2(): void;
  /** Pushes the immediate or shift amount, i64, sign-extended as the record says. */
  imm(): void;
  /** The same as i32: the low half. */
  rs1Word(): void;
  rs2Word(): void;
  immWord(): void;
  /** Pushes the address of this instruction, i64. */
  pc(): void;
  /** Pushes the address behind it, i64. */
  followingPc(): void;
  /** Evaluates `value`, which pushes an i64, and writes the destination register. x0 stays zero: then `value` may not be evaluated at all. */
  setRd(value: () => void): void;
  /** Pushes a floating-point source register as f64: its 64 bits, whatever they mean. */
  f1(): void;
  f2(): void;
  f3(): void;
  /** The same as i64. */
  f1Bits(): void;
  f2Bits(): void;
  f3Bits(): void;
  /** Evaluates `value`, which pushes an f64, and writes the floating-point destination register. */
  setF(value: () => void): void;
  /** The same for `value` that pushes an i64. */
  setFBits(value: () => void): void;
  /** Working locals, undefined in the beginning; 0 to 5 of each type. Good for this instruction alone. */
  temp32(index: number): Local;
  temp64(index: number): Local;
  tempF32(index: number): Local;
  tempF64(index: number): Local;
  /**
   * Pops an i32. If it is not zero, the instruction is given up here and the slow path executes it from its beginning: so
   * this must come before the first effect.
   */
  bailIf(): void;
  /**
   * Emits `check` so that it runs where NX may not be set yet. It must bail unless the instruction rounds nothing. Each
   * emitter that needs "fast" asks for it, behind its other checks and before its first effect. In regions it is left out:
   * they are not entered before NX is set.
   */
  whereNxIsClear(check: () => void): void;
  /**
   * Pushes the address in WebAssembly's memory, i32, of the RAM that `rs1 + imm` means; bails where it is not known, on two
   * pages (atomic ones: not aligned), or (for stores) where somebody wants to hear of stores to the page.
   *
   * @returns  The offset to give to the load or store.
   */
  locate(kind: "load" | "store", widthBytes: 1 | 2 | 4 | 8): number;
}
