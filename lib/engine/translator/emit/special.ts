/**
 * Instructions that some operands make simpler. Assemblers know most of them by a name of their own: `mv`, `li`, `beqz`.
 * Both tiers gain: fewer registers read, and a shorter function.
 */
import type { Decoded } from "../../../isa/decode.ts";
import type { Mnemonic } from "../../../isa/instructions.ts";
import type { Emitter } from "./emitter.ts";
import { SELF_INJECTIONS } from "./float-sign.ts";
import { branchOnZero, compute, computeAlso, computeWord, unary, wordUnary } from "./shape.ts";

/**
 * `li` serves LUI, too: the immediate is the value. `mv2` copies rs2, as `c.mv` does. `nop` is also what fences are, and
 * `privileged` all that one function executes.
 */
export const SPECIAL_EMITTERS = {
  nop: { kind: "nothing" },
  privileged: { kind: "privileged" },
  li: compute((e) => e.imm()),
  mv: computeAlso((e) => e.rs1(), { of: "words", value: (e) => e.rs1Word() }),
  mv2: computeAlso((e) => e.rs2(), { of: "words", value: (e) => e.rs2Word() }),
  "sext.w": computeWord((e) => e.rs1Word()),
  "zext.w": wordUnary("i64.extend_i32_u"),
  seqz: unary("i64.eqz", "i64.extend_i32_u"),
  snez: compute((e) => {
    e.rs2();
    e.code.ops("i64.eqz", "i32.eqz", "i64.extend_i32_u");
  }),
  beqz: branchOnZero("zero"),
  bnez: branchOnZero("other"),
  ...SELF_INJECTIONS,
} as const satisfies Record<string, Emitter>;

/** Name of a simpler instruction. */
export type SpecialName = keyof typeof SPECIAL_EMITTERS;

/** What an instruction is with these operands, if it is something simpler. */
type Simplification = (operands: Decoded) => SpecialName | undefined;

const ofOneRegister =
  (name: SpecialName): Simplification =>
  ({ rs1, rs2 }) =>
    rs1 === rs2 ? name : undefined;

export const SIMPLIFICATIONS: { readonly [M in Mnemonic]?: Simplification } = {
  addi: ({ rs1, imm }) => (rs1 === 0 ? "li" : imm === 0n ? "mv" : undefined),
  add: ({ rs1, rs2 }) => (rs2 === 0 ? "mv" : rs1 === 0 ? "mv2" : undefined),
  addiw: ({ imm }) => (imm === 0n ? "sext.w" : undefined),
  "add.uw": ({ rs2 }) => (rs2 === 0 ? "zext.w" : undefined),
  sltiu: ({ imm }) => (imm === 1n ? "seqz" : undefined),
  sltu: ({ rs1 }) => (rs1 === 0 ? "snez" : undefined),
  beq: ({ rs2 }) => (rs2 === 0 ? "beqz" : undefined),
  bne: ({ rs2 }) => (rs2 === 0 ? "bnez" : undefined),
  "fsgnj.d": ofOneRegister("fmv.d"),
  "fsgnjn.d": ofOneRegister("fneg.d"),
  "fsgnjx.d": ofOneRegister("fabs.d"),
  "fsgnj.s": ofOneRegister("fmv.s"),
  "fsgnjn.s": ofOneRegister("fneg.s"),
  "fsgnjx.s": ofOneRegister("fabs.s"),
};
