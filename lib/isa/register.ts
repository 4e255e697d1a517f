/** The integer registers: numbers, ABI names, and the register file that instructions see. */

/** ABI names in register order. `fp` is a second name of `s0`. */
export const REGISTER_NAMES = [
  ...(["zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2"] as const),
  ...(["s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5"] as const),
  ...(["a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7"] as const),
  ...(["s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"] as const),
] as const;

/** ABI name of an integer register. */
export type AbiName = (typeof REGISTER_NAMES)[number];

/** Number of an integer register. */
export type RegisterIndex =
  | (0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15)
  | (16 | 17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31);

/** Anything that names an integer register in assembly: `a0`, `fp` or `x10`. */
export type RegisterName = AbiName | "fp" | `x${RegisterIndex}`;

/** Compressed encodings have three bits for a register and name eight of them, from this number up. @spec norm:Zca_regs8 */
export const COMPRESSED_REGISTER_BASE = 8;

/** A register that three bits can name. */
export type CompressedRegisterName =
  | ("s0" | "fp" | "s1" | "a0" | "a1" | "a2" | "a3" | "a4" | "a5")
  | `x${8 | 9 | 10 | 11 | 12 | 13 | 14 | 15}`;

/** x0…x31 as signed 64-bit words. A slot keeps the low 64 bits of what is written to it. */
export type RegisterFile = { [R in RegisterIndex]: bigint };

const NUMBER_OF: ReadonlyMap<string, RegisterIndex> = new Map([
  ...REGISTER_NAMES.map((name, index) => [name as string, index as RegisterIndex] as const),
  ...REGISTER_NAMES.map((_, index) => [`x${index}`, index as RegisterIndex] as const),
  ["fp", 8] as const,
]);

/** The number of a register by name, or `undefined` for a name that no register has. */
export const findRegister = (name: string): RegisterIndex | undefined => NUMBER_OF.get(name);

/** The number of a register whose name the compiler has checked. */
export function registerIndex(name: RegisterName): RegisterIndex {
  const index = NUMBER_OF.get(name);
  if (index === undefined) throw new RangeError(`no register is called ${name}`);
  return index;
}

/** The ABI name of a register number. */
export function registerName(index: number): AbiName {
  const name = REGISTER_NAMES[index];
  if (name === undefined) throw new RangeError(`no register has number ${index}`);
  return name;
}
