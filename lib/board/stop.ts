/** Why a run ended. */
import type { StepRecord } from "./step-record.ts";

/** What every stop says. */
interface StopBase {
  /** Instructions that the machine has retired since power-on. */
  readonly retired: number;
  /** With `log: true`: every instruction and trap of the run, in order. */
  readonly steps?: readonly StepRecord[];
}

/** Why a run ended. Every run ends with one of these; none is an error of the host. */
export type Stop = StopBase &
  (
    | { /** The instructions asked for have retired. */ readonly reason: "budget" }
    | { /** The guest switched the machine off. */ readonly reason: "poweroff"; readonly exitCode: number }
    | { /** The guest asked for a reset; `board.reset()` does it. */ readonly reason: "reset" }
    | { /** Every hart waits and nothing will ever wake one. */ readonly reason: "wfi" }
    | {
        /** A hart takes trap after trap and retires nothing between them: its handler itself traps, for ever. */
        readonly reason: "trap-loop";
      }
    | { /** What `until` asked for has happened. */ readonly reason: "breakpoint"; readonly at: BreakKind }
  );

/** Which condition of `until` was met. */
export type BreakKind = "pc" | "mode" | "trap";
