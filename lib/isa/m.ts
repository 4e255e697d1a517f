/** M: integer multiplication and division. Division never traps: its odd cases have values. */
import { asU64 } from "../bits/int64.ts";
import { computing, type Insn } from "./insn.ts";

const registers = computing("registers");

const word = (value: bigint): bigint => BigInt.asIntN(32, value);
const unsignedWord = (value: bigint): bigint => BigInt.asUintN(32, value);

/**
 * Quotient rounded towards zero. By zero it is all ones. The most negative number by −1 overflows to itself, because
 * a register keeps the low bits only.
 * @spec norm:div_by_zero
 * @spec norm:signed_div_overflow
 */
const quotient = (dividend: bigint, divisor: bigint): bigint => (divisor === 0n ? -1n : dividend / divisor);

/** Remainder with the dividend's sign. By zero it is the dividend. @spec norm:rem_by_zero @spec norm:rem_result_sign */
const remainder = (dividend: bigint, divisor: bigint): bigint =>
  divisor === 0n ? dividend : dividend % divisor;

/** Rules that several records share. */
const MULH = "norm:mulh_mulhu_mulhsu_op";
const DIV = "norm:div_divu_op";
const REM = "norm:rem_remu_op";
const DIVW = "norm:divw_divuw_op";
const REMW = "norm:remw_remuw_op";

/** Multiplication and division. @spec unpriv §"M Extension for Integer Multiplication and Division" */
export const m = {
  mul: registers("0000001 rs2 rs1 000 rd 0110011", "norm:mul_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] * x[rs2];
  }),
  mulh: registers("0000001 rs2 rs1 001 rd 0110011", MULH, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = (x[rs1] * x[rs2]) >> 64n;
  }),
  mulhsu: registers("0000001 rs2 rs1 010 rd 0110011", MULH, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = (x[rs1] * asU64(x[rs2])) >> 64n;
  }),
  mulhu: registers("0000001 rs2 rs1 011 rd 0110011", MULH, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = (asU64(x[rs1]) * asU64(x[rs2])) >> 64n;
  }),
  div: registers("0000001 rs2 rs1 100 rd 0110011", DIV, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = quotient(x[rs1], x[rs2]);
  }),
  divu: registers("0000001 rs2 rs1 101 rd 0110011", DIV, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = quotient(asU64(x[rs1]), asU64(x[rs2]));
  }),
  rem: registers("0000001 rs2 rs1 110 rd 0110011", REM, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = remainder(x[rs1], x[rs2]);
  }),
  remu: registers("0000001 rs2 rs1 111 rd 0110011", REM, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = remainder(asU64(x[rs1]), asU64(x[rs2]));
  }),
  mulw: registers("0000001 rs2 rs1 000 rd 0111011", "norm:mulw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(x[rs1] * x[rs2]);
  }),
  divw: registers("0000001 rs2 rs1 100 rd 0111011", DIVW, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(quotient(word(x[rs1]), word(x[rs2])));
  }),
  divuw: registers("0000001 rs2 rs1 101 rd 0111011", DIVW, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(quotient(unsignedWord(x[rs1]), unsignedWord(x[rs2])));
  }),
  remw: registers("0000001 rs2 rs1 110 rd 0111011", REMW, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(remainder(word(x[rs1]), word(x[rs2])));
  }),
  remuw: registers("0000001 rs2 rs1 111 rd 0111011", REMW, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(remainder(unsignedWord(x[rs1]), unsignedWord(x[rs2])));
  }),
} as const satisfies Record<string, Insn>;
