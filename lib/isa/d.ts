/** D: double-precision floating point, and the conversions between the two precisions. */

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
  conversion,
  conversionFromInteger,
  conversionToInteger,
  DOUBLE,
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
const widen = floating("floatWiden");
const widenInteger = floating("floatWidenInteger");
const moveFrom = floating("floatMoveFromInteger");

/** Rules that several records share. */
const COMPUTE = "norm:D_computational_instrs";
const SIGN = "norm:fsgnj-d_fsgnjn-d_fsgnjx-d_op";
const MINMAX = "norm:D_computational_instrs";
const COMPARE = "norm:D_compare_instrs";
const TO_INTEGER = "norm:fcvt-w-d_fcvt-l-d_op";
const FROM_INTEGER = "norm:fcvt-d-w_fcvt-d-l_op";
const TO_UNSIGNED = "norm:fcvt-wu-d_fcvt-lu-d_fcvt-d-wu_fcvt-d-lu_op";

/** Double-precision instructions. @spec unpriv §"D Extension for Double-Precision Floating-Point" */
export const d = {
  fld: load("imm[11:0] rs1 011 rd 0000111", "norm:fld_op", loading(DOUBLE)),
  fsd: store("imm[11:5] rs2 rs1 011 imm[4:0] 0100111", "norm:fsd_op", storing(DOUBLE)),
  "fmadd.d": fused("rs3 01 rs2 rs1 rm rd 1000011", COMPUTE, arithmetic(DOUBLE, multiplyAdd)),
  "fmsub.d": fused("rs3 01 rs2 rs1 rm rd 1000111", COMPUTE, arithmetic(DOUBLE, multiplySubtract)),
  "fnmsub.d": fused("rs3 01 rs2 rs1 rm rd 1001011", COMPUTE, arithmetic(DOUBLE, negatedMultiplySubtract)),
  "fnmadd.d": fused("rs3 01 rs2 rs1 rm rd 1001111", COMPUTE, arithmetic(DOUBLE, negatedMultiplyAdd)),
  "fadd.d": binary("0000001 rs2 rs1 rm rd 1010011", COMPUTE, arithmetic(DOUBLE, two(add))),
  "fsub.d": binary("0000101 rs2 rs1 rm rd 1010011", COMPUTE, arithmetic(DOUBLE, two(subtract))),
  "fmul.d": binary("0001001 rs2 rs1 rm rd 1010011", COMPUTE, arithmetic(DOUBLE, two(multiply))),
  "fdiv.d": binary("0001101 rs2 rs1 rm rd 1010011", COMPUTE, arithmetic(DOUBLE, two(divide))),
  "fsqrt.d": unary("0101101 00000 rs1 rm rd 1010011", COMPUTE, arithmetic(DOUBLE, one(squareRoot))),
  "fsgnj.d": pair("0010001 rs2 rs1 000 rd 1010011", SIGN, injection(DOUBLE, copySign)),
  "fsgnjn.d": pair("0010001 rs2 rs1 001 rd 1010011", SIGN, injection(DOUBLE, copyOppositeSign)),
  "fsgnjx.d": pair("0010001 rs2 rs1 010 rd 1010011", SIGN, injection(DOUBLE, multiplySigns)),
  "fmin.d": pair("0010101 rs2 rs1 000 rd 1010011", MINMAX, selection(DOUBLE, minimum)),
  "fmax.d": pair("0010101 rs2 rs1 001 rd 1010011", MINMAX, selection(DOUBLE, maximum)),
  "feq.d": compare("1010001 rs2 rs1 010 rd 1010011", COMPARE, comparison(DOUBLE, equal)),
  "flt.d": compare("1010001 rs2 rs1 001 rd 1010011", COMPARE, comparison(DOUBLE, less)),
  "fle.d": compare("1010001 rs2 rs1 000 rd 1010011", COMPARE, comparison(DOUBLE, lessOrEqual)),
  "fclass.d": toInteger("1110001 00000 rs1 001 rd 1010011", "norm:fclass-d_op", classification(DOUBLE)),
  "fcvt.w.d": roundToInteger(
    "1100001 00000 rs1 rm rd 1010011",
    TO_INTEGER,
    conversionToInteger(DOUBLE, INT32),
  ),
  "fcvt.wu.d": roundToInteger(
    "1100001 00001 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionToInteger(DOUBLE, UINT32),
  ),
  "fcvt.l.d": roundToInteger(
    "1100001 00010 rs1 rm rd 1010011",
    TO_INTEGER,
    conversionToInteger(DOUBLE, INT64),
  ),
  "fcvt.lu.d": roundToInteger(
    "1100001 00011 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionToInteger(DOUBLE, UINT64),
  ),
  "fcvt.d.w": widenInteger(
    "1101001 00000 rs1 rm rd 1010011",
    FROM_INTEGER,
    conversionFromInteger(DOUBLE, INT32),
  ),
  "fcvt.d.wu": widenInteger(
    "1101001 00001 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionFromInteger(DOUBLE, UINT32),
  ),
  "fcvt.d.l": fromInteger(
    "1101001 00010 rs1 rm rd 1010011",
    FROM_INTEGER,
    conversionFromInteger(DOUBLE, INT64),
  ),
  "fcvt.d.lu": fromInteger(
    "1101001 00011 rs1 rm rd 1010011",
    TO_UNSIGNED,
    conversionFromInteger(DOUBLE, UINT64),
  ),
  "fcvt.s.d": unary(
    "0100000 00001 rs1 rm rd 1010011",
    "norm:fcvt-s-d_fcvt-d-s_op",
    conversion(DOUBLE, SINGLE),
  ),
  "fcvt.d.s": widen(
    "0100001 00000 rs1 rm rd 1010011",
    "norm:fcvt-s-d_fcvt-d-s_op",
    conversion(SINGLE, DOUBLE),
  ),
  "fmv.x.d": toInteger("1110001 00000 rs1 000 rd 1010011", "norm:fmv-x-d_op", moveToInteger(DOUBLE)),
  "fmv.d.x": moveFrom("1111001 00000 rs1 000 rd 1010011", "norm:fmv-d-x_op", moveFromInteger(DOUBLE)),
} as const satisfies Record<string, Insn>;
