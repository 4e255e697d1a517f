/** Where Spike differs from our board on random programs, and the manual's word on each. */
import { GUEST_ACCESSED } from "./guest-accessed.ts";
import type { KnownDifference } from "./known-differences.ts";
import { isDataFault } from "./trap-facts.ts";

/** Where one of these is due, zero is not allowed: norm:H_trap_xtinst_guestpage. */
const PSEUDOINSTRUCTIONS: readonly bigint[] = [0x3000n, 0x3020n];

export const SPIKE_DIFFERENCES: readonly KnownDifference[] = [
  {
    id: "tinst-zero",
    spec: "norm:H_trap_xtinst_val",
    about: "where we describe the instruction that faulted, Spike may write zero",
    scope: "word",
    matches: ({ difference: { name, ours, theirs }, ours: trap, ourTraps }) =>
      theirs === 0n &&
      !PSEUDOINSTRUCTIONS.includes(ours) &&
      (name === "tinst"
        ? trap !== undefined && isDataFault(trap)
        : /tinst$/.test(name) && ourTraps.some(({ tinst }) => tinst === ours)),
  },
  {
    id: "misaligned-atomic",
    spec: "norm:lr_sc_alignment",
    about: "Spike answers a misaligned atomic access with an access fault, which the manual allows as well",
    scope: "trap",
    matches: ({ difference: { name }, ours, theirs, mnemonic = "" }) =>
      name !== "status" &&
      /^(amo|lr|sc)/.test(mnemonic) &&
      ours !== undefined &&
      (ours.cause === 4n || ours.cause === 6n) &&
      theirs?.epc === ours.epc &&
      theirs.cause === ours.cause + 1n,
  },
  GUEST_ACCESSED,
  {
    id: "hedeleg-hardware",
    spec: "norm:hedeleg_img",
    about: "Spike knows exception 19, the hardware error",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) =>
      name === "hedeleg" && theirs === (ours | (1n << 19n)),
  },
];
