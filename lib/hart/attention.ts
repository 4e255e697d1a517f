/** What an engine must look at again before the next instruction. */

/** Why the engine must look up from its loop: bits of `attention`. */
export const Attention = {
  /** Something that decides about interrupts has changed. */
  INTERRUPTS: 1,
  /** The mode, or a bit of `mstatus` that changes what an access may do. */
  ACCESS_CONTEXT: 2,
  /** PMP, `menvcfg` or `henvcfg`, or a fence: translations made before no longer hold. */
  TRANSLATIONS: 4,
  /** `satp`, `vsatp` or `hgatp`: translations made before hold in the address space before, and are good when it is back. */
  ADDRESS_SPACE: 8,
  /** State was replaced from outside. */
  ALL: 15,
} as const;
