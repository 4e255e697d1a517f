/** Where QEMU 7.2 differs from our board on random programs, and the manual's word on each. */
import type { KnownDifference, Sight } from "./known-differences.ts";

const isAmo = ({ mnemonic = "" }: Sight): boolean => /^(amo|sc)/.test(mnemonic);

/** Causes of loads and of the stores and AMOs that correspond to them: misaligned, access fault, page fault. */
const STORE_OF_LOAD: ReadonlyMap<bigint, bigint> = new Map([
  [4n, 6n],
  [5n, 7n],
  [13n, 15n],
]);
const isLoadForStore = ({ difference: { ours, theirs } }: Sight): boolean =>
  STORE_OF_LOAD.get(theirs) === ours;

/** SD and FS. */
const FLOATING_STATUS = (1n << 63n) | 0x6000n;
const ACCESSED = 0x40n;
const STORE_FAULTS: readonly bigint[] = [6n, 7n, 15n, 23n];
const FS = 0x6000n;
/** Interrupts for M-mode, the highest first. */
const INTERRUPT_ORDER: readonly bigint[] = [11n, 3n, 7n, 9n, 1n, 5n, 12n, 10n, 2n, 6n];
const rank = (cause: bigint): number => INTERRUPT_ORDER.indexOf(cause & 63n);

/** We call FS dirty, and they what it was, which was not off; nothing else differs but bits of `ignored`. */
export const isDirtyHere = (ours: bigint, theirs: bigint, ignored = 0n): boolean =>
  ((ours ^ theirs) & ~(FLOATING_STATUS | ignored)) === 0n &&
  (ours & FLOATING_STATUS) === FLOATING_STATUS &&
  (theirs & FS) !== 0n &&
  (theirs & FS) !== FS;

export const QEMU_7_DIFFERENCES: readonly KnownDifference[] = [
  {
    id: "adue",
    spec: "norm:menvcfg_adue_op",
    about: "menvcfg.ADUE is younger than QEMU 7.2, which always sets A and D itself",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "menvcfg" && ours === (theirs | (1n << 61n)),
  },
  {
    id: "amo-as-load",
    spec: "norm:mcause_exccode_st_sc_amo",
    about: "QEMU 7.2 reports the faults of AMOs as faults of loads",
    scope: "word",
    matches: (sight) =>
      sight.difference.name === "cause" ? isAmo(sight) && isLoadForStore(sight) : isFinalCause(sight),
  },
  {
    id: "amo-accessed",
    spec: 'priv §"Addressing and Memory Protection": "Updates of the A bit may be performed as a result of speculation"',
    about: "QEMU 7.2 sets A when an AMO's load would be allowed, although its store is not",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name.includes("entry") && theirs === (ours | ACCESSED),
  },
  {
    id: "sc-first",
    spec: "norm:sc_retire_permission",
    about: "QEMU 7.2 fails an SC without a reservation before it looks at the address",
    scope: "trap",
    matches: ({ difference: { trap }, mnemonic = "", ours, theirs }) =>
      trap !== undefined &&
      mnemonic.startsWith("sc.") &&
      ours !== undefined &&
      STORE_FAULTS.includes(ours.cause) &&
      ours.epc !== theirs?.epc,
  },
  {
    id: "misaligned-tval",
    spec: "norm:mtval_vaddr_wr2",
    about:
      "for a misaligned access that fails, QEMU gives the start of the doubleword, which the access may not touch",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      /tval$/.test(name) && theirs < ours && ours < (theirs | 7n) + 1n,
  },
  {
    id: "interrupt-order",
    spec: "norm:intr_M_mode_pri",
    about: "of several interrupts for M-mode QEMU takes the one with the lowest number first",
    scope: "trap",
    matches: ({ difference: { name, ours, theirs }, ours: trap, theirs: other }) =>
      name === "cause" &&
      (ours & theirs) >> 63n === 1n &&
      trap?.epc === other?.epc &&
      theirs < ours &&
      rank(ours) >= 0 &&
      rank(ours) < rank(theirs),
  },
  {
    id: "flags-not-dirty",
    spec: "norm:mstatus_fs_imprecise",
    about: "QEMU leaves FS as it was when an instruction with an integer result raises a floating-point flag",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name === "status" && isDirtyHere(ours, theirs),
  },
  {
    id: "vector-status",
    spec: "norm:mstatus_vs_rdonly0_s_no_v",
    about: "QEMU 7.2 keeps VS, the vector unit's status, on a hart without one",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "status" && (ours & 0x600n) === 0n && ((ours ^ theirs) & ~(FLOATING_STATUS | 0x600n)) === 0n,
  },
  {
    id: "odd-epc",
    spec: "norm:mepc_align",
    about: "QEMU keeps bit 0 of sepc and its kin",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => /^(m|s|vs)epc$/.test(name) && theirs === (ours | 1n),
  },
  {
    id: "ebreak-tval",
    spec: "norm:stval_op_breakpoint",
    about: "after EBREAK QEMU writes zero, the other allowed value",
    scope: "word",
    matches: ({ difference: { name, ours, theirs }, ours: trap }) =>
      theirs === 0n && (name === "tval" ? trap?.cause === 3n && trap.epc === ours : isFinalTval(name)),
  },
];

/** What is left of the cause at the end, whatever was written over it: bit 1 is all that tells loads from stores. */
const isFinalCause = ({ difference: { name, ours, theirs } }: Sight): boolean =>
  (name === "scause" || name === "mcause") && ours === (theirs | 2n);
const isFinalTval = (name: string): boolean => name === "stval" || name === "mtval";
