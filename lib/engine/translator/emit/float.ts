/** Floating-point instructions: one emitter for each, and for each rounding mode that has one. */
import type { d } from "../../../isa/d.ts";
import type { f } from "../../../isa/f.ts";
import type { Emit, Emitter } from "./emitter.ts";
import { FLOAT_ARITHMETIC } from "./float-arithmetic.ts";
import { FLOAT_COMPARISONS } from "./float-compare.ts";
import { FLOAT_CONVERSIONS, type RoundingName } from "./float-conversion.ts";
import { FLOAT_FUSED } from "./float-fused.ts";
import { FLOAT_MOVES } from "./float-move.ts";
import { SIGN_INJECTIONS } from "./float-sign.ts";

export type { RoundingName } from "./float-conversion.ts";

/** Names of floating-point instructions, without the compressed ones. */
export type FloatMnemonic = keyof typeof f | keyof typeof d;

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
  ...FLOAT_COMPARISONS,
  ...FLOAT_CONVERSIONS,
  ...allNearest(FLOAT_FUSED),
};
