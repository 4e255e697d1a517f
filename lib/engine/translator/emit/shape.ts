/** Emitters of the common shapes: operands, then one WebAssembly instruction, or two. */
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";

/** An emitter that writes `rd`. */
export const compute = (value: (e: Emission) => void): Emitter => ({ kind: "compute", value });

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

/** The same three for the low halves of registers; what comes out is sign-extended. @spec norm:rv64_w_sex */
export const wordRegisters = (op: PlainName): Emitter =>
  compute((e) => {
    e.rs1Word();
    e.rs2Word();
    e.code.ops(op, "i64.extend_i32_s");
  });

export const wordImmediate = (op: PlainName): Emitter =>
  compute((e) => {
    e.rs1Word();
    e.immWord();
    e.code.ops(op, "i64.extend_i32_s");
  });

export const wordUnary = (...ops: PlainName[]): Emitter =>
  compute((e) => {
    e.rs1Word();
    e.code.ops(...ops);
  });

/** A branch that compares `rs1` and `rs2`. */
export const branch = (op: PlainName): Emitter => ({
  kind: "branch",
  condition: (e) => {
    e.rs1();
    e.rs2();
    e.code.op(op);
  },
});

/** A branch that compares `rs1` with zero. */
export const branchOnZero = (...ops: PlainName[]): Emitter => ({
  kind: "branch",
  condition: (e) => {
    e.rs1();
    e.code.ops(...ops);
  },
});
