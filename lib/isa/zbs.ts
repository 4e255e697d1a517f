/** Zbs: one bit of a register, chosen by number, cleared, read out, inverted or set. */
import { asU64 } from "../bits/int64.ts";
import { computing, type Insn } from "./insn.ts";

const registers = computing("registers");
const shift = computing("shift");

/** The mask of a bit; six bits of the number count. @spec norm:zbs_single_bit_functionality */
const bit = (number: bigint): bigint => 1n << (number & 63n);
const bitAt = (value: bigint, number: bigint): bigint => (asU64(value) >> (number & 63n)) & 1n;

/** Single-bit instructions. @spec unpriv §"Zbs: Single-bit instructions" */
export const zbs = {
  // norm:bclr_enc
  bclr: registers("0100100 rs2 rs1 001 rd 0110011", "norm:bclr_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] & ~bit(x[rs2]);
  }),
  // norm:bclri_rv64_enc
  bclri: shift("010010 shamt[5:0] rs1 001 rd 0010011", "norm:bclri_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] & ~bit(imm);
  }),
  // norm:bext_enc
  bext: registers("0100100 rs2 rs1 101 rd 0110011", "norm:bext_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = bitAt(x[rs1], x[rs2]);
  }),
  // norm:bexti_rv64_enc
  bexti: shift("010010 shamt[5:0] rs1 101 rd 0010011", "norm:bexti_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = bitAt(x[rs1], imm);
  }),
  // norm:binv_enc
  binv: registers("0110100 rs2 rs1 001 rd 0110011", "norm:binv_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] ^ bit(x[rs2]);
  }),
  // norm:binvi_rv64_enc
  binvi: shift("011010 shamt[5:0] rs1 001 rd 0010011", "norm:binvi_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] ^ bit(imm);
  }),
  // norm:bset_enc
  bset: registers("0010100 rs2 rs1 001 rd 0110011", "norm:bset_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] | bit(x[rs2]);
  }),
  // norm:bseti_rv64_enc
  bseti: shift("001010 shamt[5:0] rs1 001 rd 0010011", "norm:bseti_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] | bit(imm);
  }),
} as const satisfies Record<string, Insn>;
