/**
 * How floating-point emitters read operands and write results.
 *
 * A single sits boxed in the lower half of a register. One that is not boxed counts as a NaN; that is left to the slow path.
 */
import type { Local } from "../wasm/code.ts";
import type { Emission } from "./emission.ts";

/** The upper half of a register that holds a single. @spec norm:fp_nan-boxing */
const BOX = -(1n << 32n);
const SINGLE_BITS = 32n;

const pushOperand = [
  (e: Emission): void => e.f1(),
  (e: Emission): void => e.f2(),
  (e: Emission): void => e.f3(),
] as const;
const pushOperandBits = [
  (e: Emission): void => e.f1Bits(),
  (e: Emission): void => e.f2Bits(),
  (e: Emission): void => e.f3Bits(),
] as const;

/** How many sources an instruction has. */
export type SourceCount = 1 | 2 | 3;

/** Reads the sources, doubles, into `tempF64(0…)`. */
export function readDoubles(e: Emission, count: SourceCount): Local[] {
  return pushOperand.slice(0, count).map((push, index) => {
    const local = e.tempF64(index);
    push(e);
    e.code.set(local);
    return local;
  });
}

/** Reads the bits of the sources, singles, into `temp64(0…)`; bails where one is not boxed. */
export function readSingleBits(e: Emission, count: SourceCount): Local[] {
  const { code } = e;
  const locals = pushOperandBits.slice(0, count).map((push, index) => {
    const local = e.temp64(index);
    push(e);
    code.tee(local);
    if (index > 0) code.op("i64.and");
    return local;
  });
  code.i64(SINGLE_BITS);
  code.op("i64.shr_s");
  code.i64(-1n);
  code.op("i64.ne");
  e.bailIf();
  return locals;
}

/** Reads the sources, singles, into `tempF32(0…)`; bails where one is not boxed. */
export function readSingles(e: Emission, count: SourceCount): Local[] {
  return readSingleBits(e, count).map((bits, index) => {
    const local = e.tempF32(index);
    e.code.get(bits);
    e.code.ops("i32.wrap_i64", "f32.reinterpret_i32");
    e.code.set(local);
    return local;
  });
}

/** Boxes the single whose bits, an i32, are on the stack: leaves an i64. */
export function boxSingle(e: Emission): void {
  e.code.op("i64.extend_i32_u");
  boxBits(e);
}

/** Boxes the lower half of the i64 on the stack, whose upper half does not matter. */
export function boxBits(e: Emission): void {
  e.code.i64(BOX);
  e.code.op("i64.or");
}

/** Types of numbers. */
export type FloatType = "f32" | "f64";

/** Reads the sources of a precision into working locals of its type. */
export const readFloats = (e: Emission, type: FloatType, count: SourceCount): Local[] =>
  type === "f64" ? readDoubles(e, count) : readSingles(e, count);

/** Bails if a number is a NaN. */
export function bailIfNan(e: Emission, type: FloatType, value: Local): void {
  e.code.get(value);
  e.code.get(value);
  e.code.op(`${type}.ne`);
  e.bailIf();
}
