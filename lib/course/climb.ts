/**
 * The privilege ladder as data: how long the hart stayed on each rung, and what made it change.
 *
 * A climb is a trap; a descent is MRET or SRET. Counts are retired instructions since the first step.
 */
import type { TraceEvent } from "../board/trace-event.ts";
import { causeWords, type Trap } from "../isa/trap.ts";
import type { LadderMode } from "./palette.ts";
import { type LoggedRun, stepsOf } from "./run-steps.ts";

/** The part of a step record that the ladder reads; `retired` counts instructions retired before the step. */
export interface LadderStep {
  readonly retired: number | bigint;
  readonly modeBefore: LadderMode;
  readonly modeAfter: LadderMode;
  readonly text?: string;
  readonly trap?: Pick<Trap, "isInterrupt" | "cause"> | undefined;
}

/** An uninterrupted stay on one rung, in retired instructions since the first step. */
export interface LadderSpan {
  readonly mode: LadderMode;
  readonly from: number;
  readonly to: number;
}

/** One change of mode. */
export interface Crossing {
  readonly at: number;
  readonly from: LadderMode;
  readonly to: LadderMode;
  readonly why: string;
  readonly isTrap: boolean;
}

/** What the figure shows, as data. */
export interface Ladder {
  readonly spans: readonly LadderSpan[];
  readonly crossings: readonly Crossing[];
  /** Instructions retired from the first step to the last. */
  readonly length: number;
}

/** The modes in words. */
export const RUNG_WORDS: Readonly<Record<LadderMode, string>> = {
  M: "machine",
  HS: "hypervisor",
  S: "supervisor",
  VS: "virtual supervisor",
  U: "user",
  VU: "virtual user",
};
/** Rungs by privilege, highest first. */
const RUNGS = ["M", "HS", "S", "VS", "U", "VU"] as const satisfies readonly LadderMode[];

/** Reads stays and crossings off consecutive steps, or off a logged run. */
export function climb(run: readonly LadderStep[] | LoggedRun<LadderStep>): Ladder {
  const steps = stepsOf(run);
  const spans: LadderSpan[] = [];
  const crossings: Crossing[] = [];
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined) return { spans, crossings, length: 0 };
  const origin = Number(first.retired);
  let from = 0;
  for (const step of steps) {
    if (step.modeBefore === step.modeAfter && step.trap === undefined) continue;
    const isTrap = step.trap !== undefined;
    const at = Number(step.retired) - origin + (isTrap ? 0 : 1);
    if (at > from) spans.push({ mode: step.modeBefore, from, to: at });
    from = at;
    crossings.push({
      at,
      from: step.modeBefore,
      to: step.modeAfter,
      why: step.trap === undefined ? (step.text ?? "") : causeWords(step.trap),
      isTrap,
    });
  }
  const length = Number(last.retired) - origin + (last.trap === undefined ? 1 : 0);
  if (length > from) spans.push({ mode: last.modeAfter, from, to: length });
  return { spans, crossings, length };
}

/**
 * Reads stays and crossings off trace events, for runs too long to log step by step.
 *
 * @param end  Instructions retired when the run ended.
 */
export function climbEvents(events: readonly TraceEvent[], end: number): Ladder {
  const spans: LadderSpan[] = [];
  const crossings: Crossing[] = [];
  let from = 0;
  let mode: LadderMode = "M";
  for (const event of events) {
    if (event.kind !== "exception" && event.kind !== "interrupt" && event.kind !== "trap-return") continue;
    const isTrap = event.kind !== "trap-return";
    const at = event.retired + (isTrap ? 0 : 1);
    if (at > from) spans.push({ mode: event.from, from, to: at });
    from = at;
    mode = event.to;
    const why = isTrap
      ? causeWords({ isInterrupt: event.kind === "interrupt", cause: event.cause })
      : event.from === "M"
        ? "mret"
        : "sret";
    crossings.push({ at, from: event.from, to: event.to, why, isTrap });
  }
  if (end > from) spans.push({ mode, from, to: end });
  return { spans, crossings, length: end };
}

/** Instructions that a run retired in one mode. */
export const retiredIn = (run: readonly LadderStep[] | LoggedRun<LadderStep>, mode: LadderMode): number =>
  climb(run)
    .spans.filter((span) => span.mode === mode)
    .reduce((sum, span) => sum + span.to - span.from, 0);

/** Crossings that figures number; more than these are drawn without numbers. */
export const MOST_NUMBERED = 20;

/** The rungs that a figure shows, highest first: M, S and U always, the others when visited. */
export function rungsOf(ladder: Ladder): LadderMode[] {
  const visited = new Set(ladder.spans.map((span) => span.mode));
  return RUNGS.filter((mode) => mode === "M" || mode === "S" || mode === "U" || visited.has(mode));
}

/** A crossing as "U → S". */
export const crossingText = (crossing: Crossing): string => `${crossing.from} \u2192 ${crossing.to}`;
