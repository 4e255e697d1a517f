/** Zba, Zbb and Zbs. WebAssembly counts and rotates as RISC-V does: of zero, it counts the whole width. */
import type { zba } from "../../../isa/zba.ts";
import type { zbb } from "../../../isa/zbb.ts";
import type { zbs } from "../../../isa/zbs.ts";
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { compute, immediate, registers, unary, wordImmediate, wordRegisters, wordUnary } from "./shape.ts";

/** `rs2 + (rs1 << amount)`, of the whole of rs1 or of its low half. */
const shiftAndAdd = (pushIndex: (e: Emission) => void, amount: bigint): Emitter =>
  compute((e) => {
    pushIndex(e);
    e.code.i64(amount);
    e.code.op("i64.shl");
    e.rs2();
    e.code.op("i64.add");
  });

const pushWhole = (e: Emission): void => e.rs1();

function pushUnsignedWord(e: Emission): void {
  e.rs1Word();
  e.code.op("i64.extend_i32_u");
}

/** Address generation. */
export const ADDRESS_EMITTERS: { readonly [M in keyof typeof zba]: Emitter } = {
  "add.uw": compute((e) => {
    pushUnsignedWord(e);
    e.rs2();
    e.code.op("i64.add");
  }),
  sh1add: shiftAndAdd(pushWhole, 1n),
  sh2add: shiftAndAdd(pushWhole, 2n),
  sh3add: shiftAndAdd(pushWhole, 3n),
  "sh1add.uw": shiftAndAdd(pushUnsignedWord, 1n),
  "sh2add.uw": shiftAndAdd(pushUnsignedWord, 2n),
  "sh3add.uw": shiftAndAdd(pushUnsignedWord, 3n),
  "slli.uw": compute((e) => {
    pushUnsignedWord(e);
    e.imm();
    e.code.op("i64.shl");
  }),
};

const ALL_ONES = -1n;

/** `rs1 op ~rs2`. */
const withInverted = (op: PlainName): Emitter =>
  compute((e) => {
    e.rs1();
    e.rs2();
    e.code.i64(ALL_ONES);
    e.code.ops("i64.xor", op);
  });

/** rs1 where it compares so with rs2, else rs2. */
const choice = (comparison: PlainName): Emitter =>
  compute((e) => {
    const { code } = e;
    const [first, second] = [e.temp64(0), e.temp64(1)] as const;
    e.rs1();
    code.tee(first);
    e.rs2();
    code.tee(second);
    code.get(first);
    code.get(second);
    code.ops(comparison, "select");
  });

const LOW_BITS = 0x7f7f_7f7f_7f7f_7f7fn;
const TOP_BITS = 0x8080_8080_8080_8080n;

/** Finds the top bit of every byte that is not zero, and spreads it: 1 × 255 in each byte. */
function combineBytes(e: Emission): void {
  const { code } = e;
  const value = e.temp64(0);
  e.rs1();
  code.tee(value);
  code.i64(LOW_BITS);
  code.op("i64.and");
  code.i64(LOW_BITS);
  code.op("i64.add");
  code.get(value);
  code.op("i64.or");
  code.i64(TOP_BITS);
  code.op("i64.and");
  code.i64(7n);
  code.op("i64.shr_u");
  code.i64(255n);
  code.op("i64.mul");
}

/** Bytes change places, then halfwords, then words. */
function reverseBytes(e: Emission): void {
  e.rs1();
  exchange(e, 8n, 0x00ff_00ff_00ff_00ffn);
  exchange(e, 16n, 0x0000_ffff_0000_ffffn);
  e.code.i64(32n);
  e.code.op("i64.rotl");
}

/** `(value & mask) << amount | (value >>> amount) & mask`. */
function exchange(e: Emission, amount: bigint, mask: bigint): void {
  const { code } = e;
  const value = e.temp64(0);
  code.tee(value);
  code.i64(mask);
  code.op("i64.and");
  code.i64(amount);
  code.op("i64.shl");
  code.get(value);
  code.i64(amount);
  code.op("i64.shr_u");
  code.i64(mask);
  code.ops("i64.and", "i64.or");
}

/** Basic bit manipulation. */
export const BIT_EMITTERS: { readonly [M in keyof typeof zbb]: Emitter } = {
  andn: withInverted("i64.and"),
  orn: withInverted("i64.or"),
  xnor: withInverted("i64.xor"),
  clz: unary("i64.clz"),
  clzw: wordUnary("i32.clz", "i64.extend_i32_u"),
  ctz: unary("i64.ctz"),
  ctzw: wordUnary("i32.ctz", "i64.extend_i32_u"),
  cpop: unary("i64.popcnt"),
  cpopw: wordUnary("i32.popcnt", "i64.extend_i32_u"),
  max: choice("i64.gt_s"),
  maxu: choice("i64.gt_u"),
  min: choice("i64.lt_s"),
  minu: choice("i64.lt_u"),
  "sext.b": unary("i64.extend8_s"),
  "sext.h": unary("i64.extend16_s"),
  "zext.h": compute((e) => {
    e.rs1();
    e.code.i64(0xffffn);
    e.code.op("i64.and");
  }),
  rol: registers("i64.rotl"),
  rolw: wordRegisters("i32.rotl"),
  ror: registers("i64.rotr"),
  rori: immediate("i64.rotr"),
  roriw: wordImmediate("i32.rotr"),
  rorw: wordRegisters("i32.rotr"),
  "orc.b": compute(combineBytes),
  rev8: compute(reverseBytes),
};

type Push = (e: Emission) => void;
const pushRegister: Push = (e) => e.rs2();
const pushImmediate: Push = (e) => e.imm();

/** `rs1 op (1 << number)`. */
const withBit = (op: PlainName, pushNumber: Push): Emitter =>
  compute((e) => {
    e.rs1();
    e.code.i64(1n);
    pushNumber(e);
    e.code.ops("i64.shl", op);
  });

/** `rs1 & ~(1 << number)`: all ones but one, turned to its place. */
const withoutBit = (pushNumber: Push): Emitter =>
  compute((e) => {
    e.rs1();
    e.code.i64(~1n);
    pushNumber(e);
    e.code.ops("i64.rotl", "i64.and");
  });

const bitAt = (pushNumber: Push): Emitter =>
  compute((e) => {
    e.rs1();
    pushNumber(e);
    e.code.op("i64.shr_u");
    e.code.i64(1n);
    e.code.op("i64.and");
  });

/** Single bits. */
export const SINGLE_BIT_EMITTERS: { readonly [M in keyof typeof zbs]: Emitter } = {
  bclr: withoutBit(pushRegister),
  bclri: withoutBit(pushImmediate),
  bext: bitAt(pushRegister),
  bexti: bitAt(pushImmediate),
  binv: withBit("i64.xor", pushRegister),
  binvi: withBit("i64.xor", pushImmediate),
  bset: withBit("i64.or", pushRegister),
  bseti: withBit("i64.or", pushImmediate),
};
