/** F: single-precision floating point. A record is the manual's row, its rule, and which operation it is. */

import {
  multiplySubtract,
  negatedMultiplyAdd,
  negatedMultiplySubtract,
  one,
  two,
} from "./float-arithmetic.ts";
import {
  arithmetic,
  classification,
  comparison,
  conversionFromInteger,
  conversionToInteger,
  floating,
  injection,
  loading,
  moveFromInteger,
  moveToInteger,
  SINGLE,
  selection,
  storing,
} from "./float-semantics.ts";
import type { Insn } from "./insn.ts";
import { add, divide, multiply, multiplyAdd, squareRoot, subtract } from "./softfloat/arithmetic.ts";
import {
  copyOppositeSign,
  copySign,
  equal,
  less,
  lessOrEqual,
  maximum,
  minimum,
  multiplySigns,
} from "./softfloat/comparison.ts";
import { INT32, INT64, UINT32, UINT64 } from "./softfloat/conversion.ts";

const load = floating("floatLoad");
const store = floating("floatStore");
const fused = floating("floatFused");
const binary = floating("floatBinary");
const unary = floating("floatUnary");
const pair = floating("floatPair");
const compare = floating("floatCompare");
const toInteger = floating("floatToInteger");
const roundToInteger = floating("floatRoundToInteger");
const fromInteger = floating("floatFromInteger");
const moveFrom = floating("floatMoveFromInteger");

/** Rules that several records share. */
const SIGN = "norm:fsgnj-s_fsgnjn-s_fsgnjx-s_op";
const MINMAX = "norm:fmin-s_fmax-s_op";
const COMPARE = "norm:feq-s_flt-s_fle-s_op";
const TO_INTEGER = "norm:fcvt-l-s_fcvt-w-s_op";
const FROM_INTEGER = "norm:fcvt-s-w_fcvt-s-l_op";
const TO_UNSIGNED = "norm:fcvt-wu-s_fcvt-lu-s_fcvt-s-wu_fcvt-s-lu_op";

/** Single-precision instructions. @spec unpriv §"F Extension for Single-Precision Floating-Point" */
export const f = {
  flw: load("imm[11:0] rs1 010 rd 0000111", "norm:fsw_flw_op", loading(SINGLE)),
  fsw: store("imm[11:5] rs2 rs1 010 imm[4:0] 0100111", "norm:fsw_flw_op", storing(SINGLE)),
  "fmadd.s": fused("rs3 00 rs2 rs1 rm rd 1000011", "norm:fmadd-s_op", arithmetic(SINGLE, multiplyAdd)),
  "fmsub.s": fused("rs3 00 rs2 rs1 rm rd 1000111", "norm:fmsub-s_op", arithmetic(SINGLE, multiplySubtract)),
  "fnmsub.s": fused(
    "rs3 00 rs2 rs1 rm rd 1001011",
    "norm:fnmsub-s_op",
    arithmetic(SINGLE, negatedMultiplySubtract),
  ),
  "fnmadd.s": fused(
    "rs3 00 rs2 rs1 rm rd 1001111",
    "norm:fnmadd-s_op",
    arithmetic(SINGLE, negatedMultiplyAdd),
  ),
  "fadd.s": binary("0000000 rs2 rs1 rm rd 1010011", "norm:fadd-s_fmul-s_op", arithmetic(SINGLE, two(add))),
  "fsub.s": binary("0000100 rs2 rs1 rm rd 1010011", "norm:fsub-s_op", arithmetic(SINGLE, two(subtract))),
  "fmul.s": binary(
    "0001000 rs2 rs1 rm rd 1010011",
    "norm:fadd-s_fmul-s_op",
    arithmetic(SINGLE, two(multiply)),
  ),
  "fdiv.s": binary("0001100 rs2 rs1 rm rd 1010011", "norm:fdiv-s_op", arithmetic(SINGLE, two(divide))),
  "fsqrt.s": unary("0101100 00000 rs1 rm rd 1010011", "norm:fsqrt-s_op", arithmetic(SINGLE, one(squareRoot))),
  "fsgnj.s": pair("0010000 rs2 rs1 000 rd 1010011", SIGN, injection(SINGLE, copySign)),
  "fsgnjn.s": pair("0010000 rs2 rs1 001 rd 1010011", SIGN, injection(SINGLE, copyOppositeSign)),
  "fsgnjx.s": pair("0010000 rs2 rs1 010 rd 1010011", SIGN, injection(SINGLE, multiplySigns)),
  "fmin.s": pair("0010100 rs2 rs1 000 rd 1010011", MINMAX, selection(SINGLE, minimum)),
  "fmax.s": pair("0010100 rs2 rs1 001 rd 1010011", MINMAX, selection(SINGLE, maximum)),
  "feq.s": compare("1010000 rs2 rs1 010 rd 1010011", COMPARE, comparison(SINGLE, equal)),
  "flt.s": compare("1010000 rs2 rs1 001 rd 1010011", COMPARE, comparison(SINGLE, less)),
  "fle.s": compare("1010000 rs2 rs1 000 rd 1010011", COMPARE, comparison(SINGLE, lessOrEqual)),
  "fclass.s": toInteger("1110000 00000 rs1 001 rd 1010011", "norm:fclass-s_op", classification(SINGLE)),
  "fcvt.w.s": roundToInteger(
    "1100000 00000 rs1 rm rd 1010011",
    TO_INTEGER,
    conversionToInteger(SINGLE, INT32),
  ),
  "fcvt.wu.s": roundToInteger(
    "1100000 00001 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionToInteger(SINGLE, UINT32),
  ),
  "fcvt.l.s": roundToInteger(
    "1100000 00010 rs1 rm rd 1010011",
    TO_INTEGER,
    conversionToInteger(SINGLE, INT64),
  ),
  "fcvt.lu.s": roundToInteger(
    "1100000 00011 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionToInteger(SINGLE, UINT64),
  ),
  "fcvt.s.w": fromInteger(
    "1101000 00000 rs1 rm rd 1010011",
    FROM_INTEGER,
    conversionFromInteger(SINGLE, INT32),
  ),
  "fcvt.s.wu": fromInteger(
    "1101000 00001 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionFromInteger(SINGLE, UINT32),
  ),
  "fcvt.s.l": fromInteger(
    "1101000 00010 rs1 rm rd 1010011",
    FROM_INTEGER,
    conversionFromInteger(SINGLE, INT64),
  ),
  "fcvt.s.lu": fromInteger(
    "1101000 00011 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionFromInteger(SINGLE, UINT64),
  ),
  "fmv.x.w": toInteger("1110000 00000 rs1 000 rd 1010011", "norm:fmv-x-w_op", moveToInteger(SINGLE)),
  "fmv.w.x": moveFrom("1111000 00000 rs1 000 rd 1010011", "norm:fmv-w-x_op", moveFromInteger(SINGLE)),
} as const satisfies Record<string, Insn>;
