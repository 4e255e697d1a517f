/** Floating-point instructions. */
import type { d } from "../../../isa/d.ts";
import { d as doubles } from "../../../isa/d.ts";
import { f } from "../../../isa/f.ts";
import type { Emit } from "./emitter.ts";

/** Names of floating-point instructions, without the compressed ones. */
export type FloatMnemonic = keyof typeof f | keyof typeof d;

/** Rounding modes that an instruction may name. */
export type RoundingName = "rne" | "rtz" | "rdn" | "rup" | "rmm";

/** Emitters by rounding mode. `rne` serves the dynamic mode, too; the slow path executes modes that have none. */
export type EmitByRounding = { readonly rne: Emit } & { readonly [R in RoundingName]?: Emit };

/** All floating-point instructions. One that names no rounding mode, or rounds in none, has one emitter. */
export const FLOAT_EMITTERS: { readonly [M in FloatMnemonic]: Emit | EmitByRounding } = Object.fromEntries(
  Object.keys({ ...f, ...doubles }).map((mnemonic) => [mnemonic, "interpret"]),
) as { [M in FloatMnemonic]: Emit };
