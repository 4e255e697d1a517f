/** What a run asks of the page tables: each fetch, load and store as one touch of a virtual address. */
import type { StepRecord } from "../../board/step-record.ts";
import { type LoggedRun, stepsOf } from "../run-steps.ts";

/** One use of an address, or a fence that makes the hart forget every translation. */
export type Touch =
  | { readonly what: "touch"; readonly mode: string; readonly vaddr: bigint }
  | { readonly what: "fence" };

/** The touches of a logged run, in order. An instruction that trapped counts with its fetch, if it was fetched. */
export function touchesOf(run: readonly StepRecord[] | LoggedRun<StepRecord>): Touch[] {
  const touches: Touch[] = [];
  for (const { modeBefore: mode, pc, word, text, memory, trap } of stepsOf(run)) {
    if (word !== undefined) touches.push({ what: "touch", mode, vaddr: pc });
    if (memory !== undefined) touches.push({ what: "touch", mode, vaddr: memory.vaddr });
    if (text.startsWith("sfence.vma") && trap === undefined) touches.push({ what: "fence" });
  }
  return touches;
}
