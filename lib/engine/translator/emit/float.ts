/** Floating-point instructions: one emitter for each, and for each rounding mode that has one. */
import type { d } from "../../../isa/d.ts";
import type { f } from "../../../isa/f.ts";
import type { Emit, Emitter } from "./emitter.ts";
import { FLOAT_ARITHMETIC } from "./float-arithmetic.ts";
import { FLOAT_MOVES } from "./float-move.ts";
import { SIGN_INJECTIONS } from "./float-sign.ts";

/** Names of floating-point instructions, without the compressed ones. */
export type FloatMnemonic = keyof typeof f | keyof typeof d;

/** Rounding modes that an instruction may name. */
export type RoundingName = "rne" | "rtz" | "rdn" | "rup" | "rmm";

/** Emitters by rounding mode. `rne` serves the dynamic mode, too; the slow path executes modes that have none. */
export type EmitByRounding = { readonly rne: Emit } & { readonly [R in RoundingName]?: Emit };

const nearest = (rne: Emit): EmitByRounding => ({ rne });

type NearestOf<T> = { readonly [M in keyof T]: EmitByRounding };
/** A table of emitters that round to nearest only. */
const allNearest = <T extends Record<string, Emitter>>(table: T): NearestOf<T> =>
  Object.fromEntries(
    Object.entries(table).map(([name, emitter]) => [name, nearest(emitter)]),
  ) as NearestOf<T>;

/** All floating-point instructions. One that names no rounding mode, or rounds in none, has one emitter. */
export const FLOAT_EMITTERS: { readonly [M in FloatMnemonic]: Emit | EmitByRounding } = {
  ...FLOAT_MOVES,
  ...SIGN_INJECTIONS,
  ...allNearest(FLOAT_ARITHMETIC),
  "fmadd.s": "interpret",
  "fmsub.s": "interpret",
  "fnmsub.s": "interpret",
  "fnmadd.s": "interpret",
  "fmadd.d": "interpret",
  "fmsub.d": "interpret",
  "fnmsub.d": "interpret",
  "fnmadd.d": "interpret",
  "fmin.s": "interpret",
  "fmax.s": "interpret",
  "feq.s": "interpret",
  "flt.s": "interpret",
  "fle.s": "interpret",
  "fclass.s": "interpret",
  "fmin.d": "interpret",
  "fmax.d": "interpret",
  "feq.d": "interpret",
  "flt.d": "interpret",
  "fle.d": "interpret",
  "fclass.d": "interpret",
  "fcvt.w.s": "interpret",
  "fcvt.wu.s": "interpret",
  "fcvt.l.s": "interpret",
  "fcvt.lu.s": "interpret",
  "fcvt.s.w": "interpret",
  "fcvt.s.wu": "interpret",
  "fcvt.s.l": "interpret",
  "fcvt.s.lu": "interpret",
  "fcvt.w.d": "interpret",
  "fcvt.wu.d": "interpret",
  "fcvt.l.d": "interpret",
  "fcvt.lu.d": "interpret",
  "fcvt.d.w": "interpret",
  "fcvt.d.wu": "interpret",
  "fcvt.d.l": "interpret",
  "fcvt.d.lu": "interpret",
  "fcvt.s.d": "interpret",
  "fcvt.d.s": "interpret",
};
