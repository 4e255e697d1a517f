/**
 * Exercise 06.2, change: the fast path of page-table updates. An entry that changes only in harmless bits need not be checked again; which
 * bits are harmless is one number, and Xen's was once wrong (XSA-182).
 */
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { PTE, pteFlagsText } from "../../mmu/pte.ts";
import { meaningOf } from "../../vmm/paravirtual/entries.ts";
import { seedOf, wholeNumber } from "../exercises/countdown.ts";

/** The instance of exercise 06.2. */
export interface FastPathDraft {
  /** Bits in which an entry may change without a check. */
  readonly mask: bigint;
}

/** Bits 8 and 9: software's own. @spec priv §"Sv39: Page-Based 39-bit Virtual-Memory System" */
const SOFTWARE = 3n << 8n;
/** All that is harmless in a leaf of the last level. */
export const HARMLESS: bigint = PTE.U | PTE.A | PTE.D | SOFTWARE;
const TOO_MUCH = [PTE.W, PTE.W | PTE.V, PTE.W | PTE.X, PTE.W | PTE.R] as const;
const TOO_LITTLE = [PTE.A, PTE.D, PTE.U, SOFTWARE] as const;

export function fastPathDraft(seed: number): FastPathDraft {
  const word = seededWords(seed ^ 0x0602);
  const pick = (list: readonly bigint[]): bigint => list[(word() >>> 8) % list.length] ?? 0n;
  return { mask: (HARMLESS | pick(TOO_MUCH)) & ~pick(TOO_LITTLE) };
}

/** Names of bits, highest first. */
const bitText = (bit: number): string =>
  bit < 8
    ? pteFlagsText(1n << BigInt(bit)).replaceAll("-", "")
    : bit < 10
      ? `bit ${bit}`
      : bit < 54
        ? "the page number"
        : `bit ${bit}`;

const WHY: Readonly<Record<string, string>> = {
  W: "W must be looked at: a frame that is read may be a page table, and with W it could be written (XSA-182).",
  V: "V must be looked at: an entry that appears or goes is a reference more or less.",
  R: "R must be looked at: W without R is reserved, and a leaf without rights is a pointer.",
  X: "X must be looked at: without R, W and X the entry is no leaf any more.",
  G: "G must be looked at: a global page of one such guest is everybody's.",
};

const maskOf = (answer: Answer): bigint | Finding => {
  const mask = wholeNumber(answer, "mask");
  return mask === undefined || mask < 0n || mask >> 64n !== 0n
    ? fails("mask must be a number of 64 bits.")
    : mask;
};

/** Whether two entries ask the same of the hypervisor: the same frame, the same right, the same counts. */
const isSame = (left: bigint, right: bigint): boolean => {
  const [one, other] = [meaningOf(left, 0), meaningOf(right, 0)];
  return (
    one?.kind === "page" &&
    other?.kind === "page" &&
    one.to === other.to &&
    one.isWritable === other.isWritable
  );
};

function judgeSound(answer: Answer, run: CheckRun): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const mask = maskOf(answer);
  if (typeof mask !== "bigint") return mask;
  if (mask === 0n) return fails("A mask of 0 lets nothing through: there is no fast path.");
  const word = seededWords(run.seed.value);
  for (let bit = 0; bit < 64; bit++) {
    if ((mask & (1n << BigInt(bit))) === 0n) continue;
    for (let trial = 0; trial < 16; trial++) {
      const rights = [PTE.R, PTE.R | PTE.W, PTE.X, PTE.R | PTE.X][word() % 4] ?? PTE.R;
      const old =
        (BigInt(0x80400 + (word() % 0x100)) << 10n) | BigInt(word() & Number(HARMLESS)) | rights | PTE.V;
      const next = old ^ (1n << BigInt(bit));
      if (isSame(old, next)) continue;
      const name = bitText(bit);
      return fails(
        WHY[name] ?? `An entry that changes in ${name} is another one: it must be looked at.`,
        `${pteFlagsText(old)} becomes ${pteFlagsText(next)} without a check`,
      );
    }
  }
  return HOLDS;
}

function judgeFast(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const mask = maskOf(answer);
  if (typeof mask !== "bigint") return mask;
  const missing = HARMLESS & ~mask;
  if (missing === 0n) return HOLDS;
  const bit =
    Array.from({ length: 10 }, (_, index) => index).find(
      (index) => (missing & (1n << BigInt(index))) !== 0n,
    ) ?? 0;
  return fails(
    `A change of ${bitText(bit)} alone goes the slow way, and it need not: neither frame nor right nor count depends on it. What hart or guest note for themselves, and what divides a guest from its own programs, is no business of the hypervisor's.`,
  );
}

/** Check of exercise 06.2. */
export const fastPathCheck: Check = defineCheck({
  id: "06.2",
  title: "The fast path",
  points: 3,
  properties: [
    { id: "sound", says: "nothing dangerous goes without a check", weight: 2, run: judgeSound },
    { id: "fast", says: "everything harmless does", weight: 1, run: judgeFast },
  ],
});
