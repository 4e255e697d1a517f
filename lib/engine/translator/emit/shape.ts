/** Emitters of the common shapes: operands, then one WebAssembly instruction, or two. */
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter, WordForm } from "./emitter.ts";

/** An emitter that writes `rd`. */
export const compute = (value: (e: Emission) => void): Emitter => ({ kind: "compute", value });

/** The same, with a form for words. */
export const computeAlso = (value: (e: Emission) => void, word: WordForm): Emitter => ({
  kind: "compute",
  value,
  word,
});

/** Writes the sign extension of an i32, whatever its operands are. @spec norm:rv64_w_sex */
export const computeWord = (value: (e: Emission) => void): Emitter =>
  computeAlso(
    (e) => {
      value(e);
      e.code.op("i64.extend_i32_s");
    },
    { of: "any", value },
  );

/** `rs1 op rs2`, then more of them. */
export const registers = (...ops: PlainName[]): Emitter =>
  compute((e) => {
    e.rs1();
    e.rs2();
    e.code.ops(...ops);
  });

/** `rs1 op imm`. */
export const immediate = (...ops: PlainName[]): Emitter =>
  compute((e) => {
    e.rs1();
    e.imm();
    e.code.ops(...ops);
  });

/** `op rs1`. */
export const unary = (...ops: PlainName[]): Emitter =>
  compute((e) => {
    e.rs1();
    e.code.ops(...ops);
  });

/** An operation that makes a word of two words. */
type Bitwise = "and" | "or" | "xor";

/** `rs1 op rs2`, a word if both are. */
export const bitwiseRegisters = (op: Bitwise): Emitter =>
  computeAlso(
    (e) => {
      e.rs1();
      e.rs2();
      e.code.op(`i64.${op}`);
    },
    {
      of: "words",
      value: (e) => {
        e.rs1Word();
        e.rs2Word();
        e.code.op(`i32.${op}`);
      },
    },
  );

/** `rs1 op imm`, a word if rs1 is one. */
export const bitwiseImmediate = (op: Bitwise): Emitter =>
  computeAlso(
    (e) => {
      e.rs1();
      e.imm();
      e.code.op(`i64.${op}`);
    },
    {
      of: "words",
      value: (e) => {
        e.rs1Word();
        e.immWord();
        e.code.op(`i32.${op}`);
      },
    },
  );

/** The first three for the low halves of registers. */
export const wordRegisters = (op: PlainName): Emitter =>
  computeWord((e) => {
    e.rs1Word();
    e.rs2Word();
    e.code.op(op);
  });

export const wordImmediate = (op: PlainName): Emitter =>
  computeWord((e) => {
    e.rs1Word();
    e.immWord();
    e.code.op(op);
  });

export const wordUnary = (...ops: PlainName[]): Emitter =>
  compute((e) => {
    e.rs1Word();
    e.code.ops(...ops);
  });

/** Comparisons; of words, those of their low halves say the same, signed or not. */
type Comparison = "eq" | "ne" | "lt_s" | "ge_s" | "lt_u" | "ge_u";

/** A branch that compares `rs1` and `rs2`. */
export const branch = (comparison: Comparison): Emitter => ({
  kind: "branch",
  condition: (e) => {
    e.rs1();
    e.rs2();
    e.code.op(`i64.${comparison}`);
  },
  wordCondition: (e) => {
    e.rs1Word();
    e.rs2Word();
    e.code.op(`i32.${comparison}`);
  },
});

/** A branch that compares `rs1` with zero. */
export const branchOnZero = (isTaken: "zero" | "other"): Emitter => ({
  kind: "branch",
  condition: (e) => {
    e.rs1();
    e.code.op("i64.eqz");
    if (isTaken === "other") e.code.op("i32.eqz");
  },
  wordCondition: (e) => {
    e.rs1Word();
    if (isTaken === "zero") e.code.op("i32.eqz");
  },
});
