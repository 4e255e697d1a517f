/** What happened last, as text: a line for each step or event, with names for addresses. */
import { causeWords } from "../isa/trap.ts";
import type { StepRecord } from "./step-record.ts";

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * A step in one line: when, in which mode, where, which instruction, and what it changed.
 *
 * `   120431  S  mm_fault+0x14          ld a0, 8(sp)              a0: 0x0 → 0x5; load 8 bytes at 0x80007f08`
 */
export function stepText(step: StepRecord): string {
  const place = step.where ?? hex(step.pc);
  const hart = step.hart === 0 ? "" : `hart ${step.hart} `;
  const head = `${String(step.retired).padStart(10)}  ${hart}${step.modeBefore.padEnd(2)} ${place.padEnd(24)} ${step.text.padEnd(28)}`;
  return `${head} ${effectOf(step)}`.trimEnd();
}

function effectOf({ trap, writes, csrs, memory, modeBefore, modeAfter }: StepRecord): string {
  const mode = modeBefore === modeAfter ? "" : ` (${modeBefore} → ${modeAfter})`;
  if (trap !== undefined) return `trap: ${causeWords(trap)}${mode}`;
  const changed = [
    ...writes.map(({ register, before, after }) => `${register}: ${hex(before)} → ${hex(after)}`),
    ...csrs.map(({ csr, before, after }) => `${csr}: ${hex(before)} → ${hex(after)}`),
    ...(memory === undefined ? [] : [`${memory.kind} ${memory.width} bytes at ${hex(memory.vaddr)}`]),
  ];
  return `${changed.join("; ")}${mode}`.trimStart();
}
