/** The shapes that arithmetic instructions have: one, two or three operands, and the four signs of a fused operation. */
import { type BinaryOperation, multiplyAdd } from "./softfloat/arithmetic.ts";
import type { FloatFormat } from "./softfloat/format.ts";
import type { FloatResult, Rounding } from "./softfloat/rounding.ts";

type Operation = (of: FloatFormat, a: bigint, b: bigint, c: bigint, mode: Rounding) => FloatResult;
type UnaryOperation = (of: FloatFormat, a: bigint, mode: Rounding) => FloatResult;

/** An operation of one operand. */
export const one =
  (operation: UnaryOperation): Operation =>
  (of, a, _b, _c, mode) =>
    operation(of, a, mode);

/** An operation of two operands. */
export const two =
  (operation: BinaryOperation): Operation =>
  (of, a, b, _c, mode) =>
    operation(of, a, b, mode);

/** Turns the sign around, even that of a NaN: it makes no difference, for results are canonical. */
const negated = ({ signMask }: FloatFormat, word: bigint): bigint => word ^ signMask;

/** a × b − c. @spec norm:fmsub-s_op */
export const multiplySubtract: Operation = (of, a, b, c, mode) => multiplyAdd(of, a, b, negated(of, c), mode);

/** −(a × b) + c. @spec norm:fnmsub-s_op */
export const negatedMultiplySubtract: Operation = (of, a, b, c, mode) =>
  multiplyAdd(of, negated(of, a), b, c, mode);

/** −(a × b) − c: the operands change signs, not the rounded result. @spec norm:fnmadd-s_op */
export const negatedMultiplyAdd: Operation = (of, a, b, c, mode) =>
  multiplyAdd(of, negated(of, a), b, negated(of, c), mode);
