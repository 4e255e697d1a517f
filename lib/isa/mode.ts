/** Privilege modes. */

/** The names of the privilege modes, least privileged first. Virtual modes join with the H extension. */
export const MODES = ["U", "S", "M"] as const;
/** Name of a privilege mode. */
export type Mode = (typeof MODES)[number];

/** The 2-bit number of each mode, as `MPP` and CSR addresses encode it. @spec priv §"Privilege Modes" */
export const MODE_NUMBER = { U: 0, S: 1, M: 3 } as const satisfies Record<Mode, number>;
/** Number of a privilege mode. */
export type ModeNumber = (typeof MODE_NUMBER)[Mode];

const MODE_NAME: readonly (Mode | undefined)[] = ["U", "S", undefined, "M"];

/** The mode with this number; 2 is reserved and never stored. Throws `RangeError` for it: that would be our own bug. */
export function modeName(number: number): Mode {
  const name = MODE_NAME[number];
  if (name === undefined) throw new RangeError(`no privilege mode has number ${number}`);
  return name;
}

/** The mode in words, for sentences. */
export const MODE_WORDS = {
  U: "user mode",
  S: "supervisor mode",
  M: "machine mode",
} as const satisfies Record<Mode, string>;
