/**
 * Instructions that are younger than the tools of Debian 12, with which we compare: QEMU 7.2 finds them illegal, and GNU as 2.40
 * knows no names for them. Here is how it writes each as numbers instead, up to the operands.
 */
export const YOUNGER_INSTRUCTIONS: Readonly<Record<string, string>> = {
  "czero.eqz": ".insn r 0x33, 5, 7,",
  "czero.nez": ".insn r 0x33, 7, 7,",
};

/** Their names, for those who draw instructions. */
export const NOT_ON_QEMU_7: ReadonlySet<string> = new Set(Object.keys(YOUNGER_INSTRUCTIONS));
