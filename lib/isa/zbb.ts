/** Zbb: basic bit manipulation. Logic with negation, counting, minimum and maximum, extension, rotation, bytes. */
import { asU64 } from "../bits/int64.ts";
import { computing, type Insn } from "./insn.ts";

const registers = computing("registers");
const unary = computing("unary");
const shift = computing("shift");

const word = (value: bigint): bigint => BigInt.asIntN(32, value);
const unsignedWord = (value: bigint): bigint => BigInt.asUintN(32, value);

/** The bits of an unsigned value as text, most significant first. */
const binary = (value: bigint, widthBits: number): string => value.toString(2).padStart(widthBits, "0");

/** Zeroes above the highest one; the whole width for 0. */
const leadingZeroes = (value: bigint, widthBits: number): bigint =>
  BigInt(value === 0n ? widthBits : binary(value, widthBits).indexOf("1"));

/** Zeroes below the lowest one; the whole width for 0. */
const trailingZeroes = (value: bigint, widthBits: number): bigint =>
  BigInt(value === 0n ? widthBits : widthBits - 1 - binary(value, widthBits).lastIndexOf("1"));

const countOnes = (value: bigint): bigint => BigInt(value.toString(2).replaceAll("0", "").length);

/** An unsigned value turned right; bits that leave below come in above. @spec norm:zbb_rotate_semantics */
const rotateRight = (value: bigint, amount: bigint, widthBits: bigint): bigint =>
  (value >> amount) | (value << (widthBits - amount));

const rotateRight64 = (value: bigint, amount: bigint): bigint => rotateRight(asU64(value), amount & 63n, 64n);
const rotateRight32 = (value: bigint, amount: bigint): bigint =>
  word(rotateRight(unsignedWord(value), amount & 31n, 32n));

const LOW_BITS = 0x7f7f_7f7f_7f7f_7f7fn;
const TOP_BITS = 0x8080_8080_8080_8080n;

/** Every byte that is not zero becomes 0xff: its top bit is found, and then spread. `strlen` lives on it. */
function combinedBytes(value: bigint): bigint {
  const tops = BigInt.asUintN(64, ((value & LOW_BITS) + LOW_BITS) | value) & TOP_BITS;
  return tops | (tops - (tops >> 7n));
}

const EVEN_BYTES = 0x00ff_00ff_00ff_00ffn;
const EVEN_HALVES = 0x0000_ffff_0000_ffffn;

/** The bytes of a value in the other order: bytes change places, then halfwords, then words. */
function reversedBytes(value: bigint): bigint {
  const bytes = ((value & EVEN_BYTES) << 8n) | ((value >> 8n) & EVEN_BYTES);
  const halves = ((bytes & EVEN_HALVES) << 16n) | ((bytes >> 16n) & EVEN_HALVES);
  return BigInt.asUintN(64, halves << 32n) | (BigInt.asUintN(64, halves) >> 32n);
}

/** Basic bit manipulation. @spec unpriv §"Zbb: Basic bit-manipulation" */
export const zbb = {
  // norm:andn_enc
  andn: registers("0100000 rs2 rs1 111 rd 0110011", "norm:andn_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] & ~x[rs2];
  }),
  // norm:orn_enc
  orn: registers("0100000 rs2 rs1 110 rd 0110011", "norm:orn_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] | ~x[rs2];
  }),
  // norm:xnor_enc
  xnor: registers("0100000 rs2 rs1 100 rd 0110011", "norm:xnor_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = ~(x[rs1] ^ x[rs2]);
  }),
  // norm:clz_enc
  clz: unary("011000000000 rs1 001 rd 0010011", "norm:clz_op", ({ x }, { rd, rs1 }) => {
    x[rd] = leadingZeroes(asU64(x[rs1]), 64);
  }),
  // norm:clzw_enc
  clzw: unary("011000000000 rs1 001 rd 0011011", "norm:clzw_op", ({ x }, { rd, rs1 }) => {
    x[rd] = leadingZeroes(unsignedWord(x[rs1]), 32);
  }),
  // norm:ctz_enc
  ctz: unary("011000000001 rs1 001 rd 0010011", "norm:ctz_op", ({ x }, { rd, rs1 }) => {
    x[rd] = trailingZeroes(asU64(x[rs1]), 64);
  }),
  // norm:ctzw_enc
  ctzw: unary("011000000001 rs1 001 rd 0011011", "norm:ctzw_op", ({ x }, { rd, rs1 }) => {
    x[rd] = trailingZeroes(unsignedWord(x[rs1]), 32);
  }),
  // norm:cpop_enc
  cpop: unary("011000000010 rs1 001 rd 0010011", "norm:cpop_op", ({ x }, { rd, rs1 }) => {
    x[rd] = countOnes(asU64(x[rs1]));
  }),
  // norm:cpopw_enc
  cpopw: unary("011000000010 rs1 001 rd 0011011", "norm:cpopw_op", ({ x }, { rd, rs1 }) => {
    x[rd] = countOnes(unsignedWord(x[rs1]));
  }),
  // norm:max_enc
  max: registers("0000101 rs2 rs1 110 rd 0110011", "norm:max_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] < x[rs2] ? x[rs2] : x[rs1];
  }),
  // norm:maxu_enc
  maxu: registers("0000101 rs2 rs1 111 rd 0110011", "norm:maxu_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = asU64(x[rs1]) < asU64(x[rs2]) ? x[rs2] : x[rs1];
  }),
  // norm:min_enc
  min: registers("0000101 rs2 rs1 100 rd 0110011", "norm:min_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] < x[rs2] ? x[rs1] : x[rs2];
  }),
  // norm:minu_enc
  minu: registers("0000101 rs2 rs1 101 rd 0110011", "norm:minu_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = asU64(x[rs1]) < asU64(x[rs2]) ? x[rs1] : x[rs2];
  }),
  // norm:sext_b_enc
  "sext.b": unary("011000000100 rs1 001 rd 0010011", "norm:sext_b_op", ({ x }, { rd, rs1 }) => {
    x[rd] = BigInt.asIntN(8, x[rs1]);
  }),
  // norm:sext_h_enc
  "sext.h": unary("011000000101 rs1 001 rd 0010011", "norm:sext_h_op", ({ x }, { rd, rs1 }) => {
    x[rd] = BigInt.asIntN(16, x[rs1]);
  }),
  // norm:zext_h_rv64_enc
  "zext.h": unary("000010000000 rs1 100 rd 0111011", "norm:zext_h_op", ({ x }, { rd, rs1 }) => {
    x[rd] = BigInt.asUintN(16, x[rs1]);
  }),
  // norm:rol_enc
  rol: registers("0110000 rs2 rs1 001 rd 0110011", "norm:rol_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = rotateRight64(x[rs1], -x[rs2]);
  }),
  // norm:rolw_enc
  rolw: registers("0110000 rs2 rs1 001 rd 0111011", "norm:rolw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = rotateRight32(x[rs1], -x[rs2]);
  }),
  // norm:ror_enc
  ror: registers("0110000 rs2 rs1 101 rd 0110011", "norm:ror_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = rotateRight64(x[rs1], x[rs2]);
  }),
  // norm:rori_rv64_enc
  rori: shift("011000 shamt[5:0] rs1 101 rd 0010011", "norm:rori_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = rotateRight64(x[rs1], imm);
  }),
  // norm:roriw_enc
  roriw: shift("0110000 shamt[4:0] rs1 101 rd 0011011", "norm:roriw_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = rotateRight32(x[rs1], imm);
  }),
  // norm:rorw_enc
  rorw: registers("0110000 rs2 rs1 101 rd 0111011", "norm:rorw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = rotateRight32(x[rs1], x[rs2]);
  }),
  // norm:orc_b_enc
  "orc.b": unary("001010000111 rs1 101 rd 0010011", "norm:orc_b_op", ({ x }, { rd, rs1 }) => {
    x[rd] = combinedBytes(x[rs1]);
  }),
  // norm:rev8_rv64_enc
  rev8: unary("011010111000 rs1 101 rd 0010011", "norm:rev8_op", ({ x }, { rd, rs1 }) => {
    x[rd] = reversedBytes(x[rs1]);
  }),
} as const satisfies Record<string, Insn>;
