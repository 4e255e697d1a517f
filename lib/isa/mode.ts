/**
 * Privilege modes. With the hypervisor extension a mode is a privilege level and the virtualization mode V: S-mode is then
 * the manual's HS-mode, and VS and VU are a guest's supervisor and user mode.
 */

/** The names of the privilege modes: the guest's, then the machine's own, least privileged first. */
export const MODES = ["VU", "VS", "U", "S", "M"] as const;
/** Name of a privilege mode. */
export type Mode = (typeof MODES)[number];

/** What V=1 adds to a mode's number. */
const V = 4;

/**
 * The number of each mode: the privilege level's two bits, as `MPP` and CSR addresses encode it, and V above them.
 * @spec norm:priv_levels_tbl
 * @spec norm:priv_levels-txt
 */
export const MODE_NUMBER = { U: 0, S: 1, M: 3, VU: 4, VS: 5 } as const satisfies Record<Mode, number>;
/** Number of a privilege mode. */
export type ModeNumber = (typeof MODE_NUMBER)[Mode];
/** Number of a privilege level: the mode without V. */
export type PrivilegeNumber = 0 | 1 | 3;

/** Whether a guest runs: the virtualization mode V. */
export const isVirtual = (mode: ModeNumber): boolean => mode >= V;

/** The privilege level of a mode: VS has that of S, VU that of U. */
export const privilegeOf = (mode: ModeNumber): PrivilegeNumber => (mode & (V - 1)) as PrivilegeNumber;

/** A privilege level and V together. M-mode is never virtual. */
export const modeOf = (privilege: PrivilegeNumber, virtual: boolean): ModeNumber =>
  (virtual && privilege !== MODE_NUMBER.M ? privilege + V : privilege) as ModeNumber;

const MODE_NAME: readonly (Mode | undefined)[] = ["U", "S", undefined, "M", "VU", "VS"];

/** The mode with this number; the others are reserved and never stored. Throws `RangeError` for them: that would be our own bug. */
export function modeName(number: number): Mode {
  const name = MODE_NAME[number];
  if (name === undefined) throw new RangeError(`no privilege mode has number ${number}`);
  return name;
}

/** The mode in words, for sentences. */
export const MODE_WORDS = {
  VU: "virtual user mode",
  VS: "virtual supervisor mode",
  U: "user mode",
  S: "supervisor mode",
  M: "machine mode",
} as const satisfies Record<Mode, string>;
