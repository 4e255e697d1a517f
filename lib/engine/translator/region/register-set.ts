/** Sets of registers in an i32: bit n is register n. */

/** Calls `use` with each register of a set, the lowest first. */
export function eachRegister(set: number, use: (register: number) => void): void {
  for (let rest = set; rest !== 0; rest &= rest - 1) use(31 - Math.clz32(rest & -rest));
}
