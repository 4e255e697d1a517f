/** M. WebAssembly has no upper half of a product, and traps where RISC-V's division has values. */
import type { m } from "../../../isa/m.ts";
import type { Local } from "../wasm/code.ts";
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";
import { compute, computeWord, registers, wordRegisters } from "./shape.ts";

const LOW_HALF = 0xffff_ffffn;

type ShiftRight = "i64.shr_s" | "i64.shr_u";

/**
 * The upper half of a product, from four products of halves. Each factor is shifted as it is: signed or not. No sum
 * overflows, because a product of two halves leaves room for two more halves.
 * @spec Hacker's Delight, 2nd edition, §8-2: multiply high
 */
function multiplyHigh(shiftFirst: ShiftRight, shiftSecond: ShiftRight): Emitter {
  return compute((e) => {
    const { code } = e;
    const low1 = e.temp64(0);
    const low2 = e.temp64(1);
    const high1 = e.temp64(2);
    const high2 = e.temp64(3);
    const middle = e.temp64(4);
    e.rs1();
    split(e, shiftFirst, low1, high1);
    e.rs2();
    split(e, shiftSecond, low2, high2);
    // middle = high1 * low2 + (low1 * low2 >>> 32)
    product(e, high1, low2);
    product(e, low1, low2);
    shift(e, "i64.shr_u");
    code.op("i64.add");
    code.tee(middle);
    // (middle >> 32) + high1 * high2 + ((low1 * high2 + low half of middle) >> 32)
    shift(e, shiftFirst);
    product(e, high1, high2);
    code.op("i64.add");
    product(e, low1, high2);
    code.get(middle);
    code.i64(LOW_HALF);
    code.ops("i64.and", "i64.add");
    shift(e, shiftSecond);
    code.op("i64.add");
  });
}

function shift({ code }: Emission, op: ShiftRight): void {
  code.i64(32n);
  code.op(op);
}

function product({ code }: Emission, a: Local, b: Local): void {
  code.get(a);
  code.get(b);
  code.op("i64.mul");
}

/** Pops a factor and puts its halves into locals. */
function split(e: Emission, op: ShiftRight, low: Local, high: Local): void {
  e.code.tee(high);
  e.code.i64(LOW_HALF);
  e.code.op("i64.and");
  e.code.set(low);
  e.code.get(high);
  shift(e, op);
  e.code.set(high);
}

/** How a division of one width is written. */
interface Division {
  readonly type: "i64" | "i32";
  readonly op: PlainName;
  readonly result: "quotient" | "remainder";
}

const computeIn = (type: Division["type"], value: (e: Emission) => void): Emitter =>
  type === "i32" ? computeWord(value) : compute(value);

/** Unsigned: by zero, the quotient is all ones and the remainder the dividend. @spec norm:div_by_zero @spec norm:rem_by_zero */
const divideUnsigned = ({ type, op, result }: Division): Emitter =>
  computeIn(type, (e) => {
    const { code } = e;
    const [dividend, divisor] = pushOperands(e, type);
    code.get(divisor);
    code.op(`${type}.eqz`);
    code.if(type);
    if (result === "remainder") code.get(dividend);
    else pushConstant(e, type, -1);
    code.else();
    code.get(dividend);
    code.get(divisor);
    code.op(op);
    code.end();
  });

/**
 * Signed: as unsigned by zero. By −1 the quotient is the negated dividend and the remainder zero, also where that
 * overflows; so both odd divisors leave by one comparison.
 * @spec norm:signed_div_overflow
 */
const divideSigned = ({ type, op, result }: Division): Emitter =>
  computeIn(type, (e) => {
    const { code } = e;
    const [dividend, divisor] = pushOperands(e, type);
    code.get(divisor);
    pushConstant(e, type, 1);
    code.op(`${type}.add`);
    pushConstant(e, type, 1);
    code.op(`${type}.gt_u`);
    code.if(type);
    code.get(dividend);
    code.get(divisor);
    code.op(op);
    code.else();
    pushOddResult(e, type, result, dividend);
    code.get(divisor);
    code.op(`${type}.eqz`);
    code.op("select");
    code.end();
  });

/** Pushes what a division by zero gives, and above it what one by −1 gives. */
function pushOddResult(e: Emission, type: "i64" | "i32", result: Division["result"], dividend: Local): void {
  if (result === "remainder") {
    e.code.get(dividend);
    pushConstant(e, type, 0);
    return;
  }
  pushConstant(e, type, -1);
  pushConstant(e, type, 0);
  e.code.get(dividend);
  e.code.op(`${type}.sub`);
}

/** Puts both operands into locals, before the division branches. */
function pushOperands(e: Emission, type: "i64" | "i32"): [dividend: Local, divisor: Local] {
  const isWord = type === "i32";
  const locals: [Local, Local] = isWord ? [e.temp32(0), e.temp32(1)] : [e.temp64(0), e.temp64(1)];
  if (isWord) e.rs1Word();
  else e.rs1();
  e.code.set(locals[0]);
  if (isWord) e.rs2Word();
  else e.rs2();
  e.code.set(locals[1]);
  return locals;
}

function pushConstant(e: Emission, type: "i64" | "i32", value: number): void {
  if (type === "i64") e.code.i64(BigInt(value));
  else e.code.i32(value);
}

/** Multiplication and division. */
export const MULTIPLICATION_EMITTERS: { readonly [M in keyof typeof m]: Emitter } = {
  mul: registers("i64.mul"),
  mulh: multiplyHigh("i64.shr_s", "i64.shr_s"),
  mulhsu: multiplyHigh("i64.shr_s", "i64.shr_u"),
  mulhu: multiplyHigh("i64.shr_u", "i64.shr_u"),
  div: divideSigned({ type: "i64", op: "i64.div_s", result: "quotient" }),
  divu: divideUnsigned({ type: "i64", op: "i64.div_u", result: "quotient" }),
  rem: divideSigned({ type: "i64", op: "i64.rem_s", result: "remainder" }),
  remu: divideUnsigned({ type: "i64", op: "i64.rem_u", result: "remainder" }),
  mulw: wordRegisters("i32.mul"),
  divw: divideSigned({ type: "i32", op: "i32.div_s", result: "quotient" }),
  divuw: divideUnsigned({ type: "i32", op: "i32.div_u", result: "quotient" }),
  remw: divideSigned({ type: "i32", op: "i32.rem_s", result: "remainder" }),
  remuw: divideUnsigned({ type: "i32", op: "i32.rem_u", result: "remainder" }),
};
