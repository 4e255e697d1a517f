/** What to say about a walk that came out wrong: the rule that decided, without the input. */
import type { WalkFaultReason } from "../../mmu/page-walk.ts";
import type { WalkOutcome } from "./walk-cases.ts";

/** Rule by rule. */
const RULES: { readonly [Reason in WalkFaultReason]?: string } = {
  "not-canonical":
    "Bits above the highest translated one must all equal it; otherwise the access faults before any table is read.",
  invalid: "An entry with V = 0 ends the walk with a page fault, whatever its other bits say.",
  "write-without-read": "W = 1 with R = 0 is reserved and ends the walk, in a pointer as in a leaf.",
  "reserved-bits": "Bits 60 to 54 of an entry are reserved: one that is set ends the walk.",
  "pointer-with-leaf-bits": "A pointer (R, W and X are 0) must have A, D and U clear too.",
  "pointer-at-last-level": "A pointer in the last level leads nowhere: page fault.",
  "misaligned-superpage":
    "A leaf above the last level maps a large page; the low bits of its PPN must be 0, 9 for each level.",
  "supervisor-page": "User mode reaches only pages with U = 1.",
  "user-page": "Supervisor mode may load from and store to a page with U = 1 only while SUM is 1.",
  "user-page-fetch": "Supervisor mode never executes a page with U = 1, whatever SUM says.",
  "not-readable": "A load needs R; with MXR = 1, X will do instead.",
  "not-writable": "A store needs W.",
  "not-executable": "A fetch needs X; MXR is about loads alone.",
  "not-accessed": "Here software sets A: a leaf with A = 0 faults.",
  "not-dirty": "Here software sets D: a store to a leaf with D = 0 faults.",
};

/** Why a result is wrong. */
export function walkHint({ found, result }: WalkOutcome, got: unknown): string {
  if (found.kind === "walk-fault") {
    const rule = RULES[found.reason] ?? "The walk ends here with a page fault.";
    return typeof got === "number"
      ? `It faults, but with another code. Fetch 12, load 13, store 15. ${rule}`
      : rule;
  }
  if (typeof got === "number" && typeof result === "bigint")
    return found.level > 0
      ? "This is allowed. A leaf may stand above the last level: stop where R, W or X is set."
      : "This is allowed. Which of your rules says no? U with SUM, R with MXR, and only a store needs D.";
  return found.level > 0
    ? "The right entry, the wrong place: below a large page the rest of the address, more than 12 bits, comes from the virtual address."
    : "It leads elsewhere. PPN is bits 53 to 10; the index of level n begins at bit 12 + 9n; an entry has 8 bytes.";
}
