/** Where Spike differs from our board on random programs, and the manual's word on each. */
import { isUpdated, type KnownDifference } from "./known-differences.ts";

export const SPIKE_DIFFERENCES: readonly KnownDifference[] = [
  {
    id: "tinst-zero",
    spec: "norm:H_trap_xtinst_val",
    about: "where we describe the instruction that faulted, Spike may write zero",
    scope: "word",
    matches: ({ difference: { name, theirs } }) => /tinst$/.test(name) && theirs === 0n,
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
      theirs?.cause === ours.cause + 1n,
  },
  {
    id: "guest-accessed",
    spec: 'priv §"Addressing and Memory Protection": "a trap may occur between the PTE update and the memory access"',
    about: "Spike sets A and D in the guest's entry before the second stage refuses the access",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name.includes("entry") && isUpdated(ours, theirs),
  },
  {
    id: "hedeleg-hardware",
    spec: "norm:hedeleg_img",
    about: "Spike knows exception 19, the hardware error",
    scope: "word",
    matches: ({ difference: { name, ours, theirs } }) => name === "hedeleg" && (ours ^ theirs) === 1n << 19n,
  },
];
