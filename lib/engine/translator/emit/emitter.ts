/** How an instruction is translated: data where data says it all, a function where it computes. */
import type { LoadName, StoreName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";

/**
 * What a float instruction needs before it may run without the slow path: see the words `codeBitFloatOn` and
 * `codeBitFloatFast`. "fast" is not needed in the cold tier, where it is enough that nothing is rounded.
 */
export type FloatNeed = "on" | "fast";

/**
 * How a computation is done in 32 bits, where its result is a word: the sign extension of its own low half. Regions keep words
 * as i32, so that nothing is extended that nobody reads as a whole.
 */
export interface WordForm {
  /** Whether the result is a word whatever the operands are, or if the registers that are read hold words. */
  readonly of: "any" | "words";
  /** Pushes the result's low half, i32, reading the same registers as the computation of 64 bits, by their low halves. */
  readonly value: (e: Emission) => void;
}

/** One instruction's translation. */
export type Emitter =
  /** Writes `rd` from registers, immediate and pc; no effect but that. */
  | { readonly kind: "compute"; readonly value: (e: Emission) => void; readonly word?: WordForm }
  /** `rd = memory[rs1 + imm]`. */
  | {
      readonly kind: "load";
      readonly op: Extract<LoadName, `i64.${string}`>;
      readonly widthBytes: 1 | 2 | 4 | 8;
    }
  /** `memory[rs1 + imm] = rs2`. */
  | {
      readonly kind: "store";
      readonly op: Extract<StoreName, `i64.${string}`>;
      readonly widthBytes: 1 | 2 | 4 | 8;
    }
  /** Goes to pc + imm if what it pushes, an i32, is not zero. */
  | {
      readonly kind: "branch";
      readonly condition: (e: Emission) => void;
      /** The same where the registers that it reads are words. */
      readonly wordCondition?: (e: Emission) => void;
    }
  /** JAL: links if rd is not x0, and goes to pc + imm. */
  | { readonly kind: "jump" }
  /** JALR: the same for (rs1 + imm) & ~1. */
  | { readonly kind: "jumpRegister" }
  /** Anything else that goes on with the following instruction: memory, registers, flags. May bail before its first effect. */
  | { readonly kind: "effect"; readonly emit: (e: Emission) => void }
  /** The same, with floating point. */
  | { readonly kind: "float"; readonly needs: FloatNeed; readonly emit: (e: Emission) => void }
  /** Nothing to do. */
  | { readonly kind: "nothing" }
  /** Privileged: by the function in `SLOT_PRIVILEGED`, which gets the instruction word. */
  | { readonly kind: "privileged" };

/** An emitter, or: the slow path executes it. */
export type Emit = Emitter | "interpret";
