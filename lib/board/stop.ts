/** Why a run ended. */
import type { BreakpointHit } from "./breakpoint.ts";
import type { StepRecord } from "./step-record.ts";

/** Which condition of `until` was met, or which kind of breakpoint. */
export type BreakKind = "pc" | "mode" | "trap" | "read" | "write" | "access" | "csr";

/**
 * The ways in which a run ends; none is an error of the host.
 *
 * - `budget`: the instructions asked for have retired
 * - `time`: guest time has come to where it was to end
 * - `poweroff`: the guest switched the machine off
 * - `reset`: the guest asked for a reset; `board.reset()` does it
 * - `wfi`: all harts wait and nothing will ever wake one
 * - `trap-loop`: a hart takes trap after trap and retires nothing between them, because its handler itself traps;
 *   a guest in a virtual machine only when no interrupt will ever take the hart away from it
 * - `handler-error`: a TypeScript handler failed; the message says which and how
 * - `breakpoint`: what `until` or a breakpoint asked for has happened, to this hart; `hits` says which breakpoints, and why
 */
export type StopReason =
  | { readonly reason: "budget" | "time" | "reset" | "wfi" | "trap-loop" }
  | { readonly reason: "poweroff"; readonly exitCode: number }
  | { readonly reason: "handler-error"; readonly message: string }
  | {
      readonly reason: "breakpoint";
      readonly at: BreakKind;
      readonly hart: number;
      readonly hits?: readonly BreakpointHit[];
    };

/** Why a run ended, and when. */
export type Stop = StopReason & {
  /** Instructions that the machine has retired since power-on. */
  readonly retired: number;
  /** With `log: true`: every instruction and trap of the run, in order. */
  readonly steps?: readonly StepRecord[];
};
