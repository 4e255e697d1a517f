/** RV64I, and Zicond. WebAssembly's shifts take their amount modulo the width, as RISC-V's do. */
import type { rv64i } from "../../../isa/rv64i.ts";
import type { zicond } from "../../../isa/zicond.ts";
import type { zifencei } from "../../../isa/zifencei.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import {
  bitwiseImmediate,
  bitwiseRegisters,
  branch,
  compute,
  immediate,
  registers,
  wordImmediate,
  wordRegisters,
} from "./shape.ts";
import type { SpecialName } from "./special.ts";

type IntegerMnemonic = keyof typeof rv64i | keyof typeof zifencei;

const pushZero = (e: Emission): void => e.code.i64(0n);

/** The base instruction set and its fences. Fences have nothing to do: harts take turns, and fetches see the newest bytes. */
export const INTEGER_EMITTERS: { readonly [M in IntegerMnemonic]: Emitter | SpecialName } = {
  lui: "li",
  auipc: compute((e) => {
    e.pc();
    e.imm();
    e.code.op("i64.add");
  }),
  jal: { kind: "jump" },
  jalr: { kind: "jumpRegister" },
  beq: branch("eq"),
  bne: branch("ne"),
  blt: branch("lt_s"),
  bge: branch("ge_s"),
  bltu: branch("lt_u"),
  bgeu: branch("ge_u"),
  lb: { kind: "load", op: "i64.load8_s", widthBytes: 1 },
  lh: { kind: "load", op: "i64.load16_s", widthBytes: 2 },
  lw: { kind: "load", op: "i64.load32_s", widthBytes: 4 },
  ld: { kind: "load", op: "i64.load", widthBytes: 8 },
  lbu: { kind: "load", op: "i64.load8_u", widthBytes: 1 },
  lhu: { kind: "load", op: "i64.load16_u", widthBytes: 2 },
  lwu: { kind: "load", op: "i64.load32_u", widthBytes: 4 },
  sb: { kind: "store", op: "i64.store8", widthBytes: 1 },
  sh: { kind: "store", op: "i64.store16", widthBytes: 2 },
  sw: { kind: "store", op: "i64.store32", widthBytes: 4 },
  sd: { kind: "store", op: "i64.store", widthBytes: 8 },
  addi: immediate("i64.add"),
  slti: immediate("i64.lt_s", "i64.extend_i32_u"),
  sltiu: immediate("i64.lt_u", "i64.extend_i32_u"),
  xori: bitwiseImmediate("xor"),
  ori: bitwiseImmediate("or"),
  andi: bitwiseImmediate("and"),
  slli: immediate("i64.shl"),
  srli: immediate("i64.shr_u"),
  srai: immediate("i64.shr_s"),
  add: registers("i64.add"),
  sub: registers("i64.sub"),
  sll: registers("i64.shl"),
  slt: registers("i64.lt_s", "i64.extend_i32_u"),
  sltu: registers("i64.lt_u", "i64.extend_i32_u"),
  xor: bitwiseRegisters("xor"),
  srl: registers("i64.shr_u"),
  sra: registers("i64.shr_s"),
  or: bitwiseRegisters("or"),
  and: bitwiseRegisters("and"),
  addiw: wordImmediate("i32.add"),
  slliw: wordImmediate("i32.shl"),
  srliw: wordImmediate("i32.shr_u"),
  sraiw: wordImmediate("i32.shr_s"),
  addw: wordRegisters("i32.add"),
  subw: wordRegisters("i32.sub"),
  sllw: wordRegisters("i32.shl"),
  srlw: wordRegisters("i32.shr_u"),
  sraw: wordRegisters("i32.shr_s"),
  fence: "nop",
  "fence.i": "nop",
  ecall: "privileged",
  ebreak: "privileged",
};

/** Conditional operations. */
export const CONDITIONAL_EMITTERS: { readonly [M in keyof typeof zicond]: Emitter } = {
  "czero.eqz": compute((e) => {
    pushZero(e);
    e.rs1();
    e.rs2();
    e.code.ops("i64.eqz", "select");
  }),
  "czero.nez": compute((e) => {
    e.rs1();
    pushZero(e);
    e.rs2();
    e.code.ops("i64.eqz", "select");
  }),
};
