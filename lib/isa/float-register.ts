/** The floating-point registers: numbers, ABI names, and the register file that instructions see. */
import type { RegisterIndex } from "./register.ts";

/** ABI names in register order. */
export const FLOAT_REGISTER_NAMES = [
  ...(["ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7"] as const),
  ...(["fs0", "fs1", "fa0", "fa1", "fa2", "fa3", "fa4", "fa5"] as const),
  ...(["fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7"] as const),
  ...(["fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11"] as const),
] as const;

/** ABI name of a floating-point register. */
export type FloatAbiName = (typeof FLOAT_REGISTER_NAMES)[number];

/** Number of a floating-point register. */
export type FloatRegisterIndex = RegisterIndex;

/** Anything that names a floating-point register in assembly: `fa0` or `f10`. */
export type FloatRegisterName = FloatAbiName | `f${FloatRegisterIndex}`;

/** A floating-point register that three bits can name: f8…f15. */
export type CompressedFloatRegisterName =
  | ("fs0" | "fs1" | "fa0" | "fa1" | "fa2" | "fa3" | "fa4" | "fa5")
  | `f${8 | 9 | 10 | 11 | 12 | 13 | 14 | 15}`;

/** f0…f31 as unsigned 64-bit words. @spec norm:D_flen_64 */
export type FloatRegisterFile = { [R in FloatRegisterIndex]: bigint };

const NUMBER_OF: ReadonlyMap<string, FloatRegisterIndex> = new Map([
  ...FLOAT_REGISTER_NAMES.map((name, index) => [name as string, index as FloatRegisterIndex] as const),
  ...FLOAT_REGISTER_NAMES.map((_, index) => [`f${index}`, index as FloatRegisterIndex] as const),
]);

/** The number of a floating-point register by name, or `undefined` for a name that none has. */
export const findFloatRegister = (name: string): FloatRegisterIndex | undefined => NUMBER_OF.get(name);

/** The number of a floating-point register whose name the compiler has checked. */
export function floatRegisterIndex(name: FloatRegisterName): FloatRegisterIndex {
  const index = NUMBER_OF.get(name);
  if (index === undefined) throw new RangeError(`no floating-point register is called ${name}`);
  return index;
}

/** The ABI name of a floating-point register number. */
export function floatRegisterName(index: number): FloatAbiName {
  const name = FLOAT_REGISTER_NAMES[index];
  if (name === undefined) throw new RangeError(`no floating-point register has number ${index}`);
  return name;
}
