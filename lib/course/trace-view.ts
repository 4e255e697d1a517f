/** The trace view: one line for each step, with what it changed. */

import { groupedHex } from "../bits/hex.ts";
import { causeWords, type Trap } from "../isa/trap.ts";
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";
import type { LadderMode } from "./palette.ts";
import { readableWord } from "./register-diff.ts";
import { type LoggedRun, stepsOf } from "./run-steps.ts";

/** The part of a step record that the trace view reads. */
export interface TracedStep {
  readonly retired: number | bigint;
  readonly pc: bigint;
  /** `symbol+0x10` for `pc`, when there is a name. */
  readonly where?: string | undefined;
  readonly text: string;
  readonly modeBefore: LadderMode;
  readonly writes: readonly { readonly register: string; readonly before: bigint; readonly after: bigint }[];
  readonly memory?:
    | { readonly kind: string; readonly vaddr: bigint; readonly width: number; readonly value: bigint }
    | undefined;
  readonly csrs?: readonly { readonly csr: string; readonly before: bigint; readonly after: bigint }[];
  readonly trap?: Pick<Trap, "isInterrupt" | "cause"> | undefined;
}

/** Steps that one view shows at most. */
const MOST_STEPS = 24;

function effectOf(step: TracedStep): string {
  if (step.trap !== undefined) return `trap: ${causeWords(step.trap)}`;
  const registers = step.writes.map(
    (write) => `${write.register}: ${readableWord(write.before)} \u2192 ${readableWord(write.after)}`,
  );
  const memory =
    step.memory === undefined
      ? []
      : [`${step.memory.kind} ${step.memory.width} bytes at ${groupedHex(step.memory.vaddr, 8)}`];
  const csrs = (step.csrs ?? []).map(
    (change) => `${change.csr}: ${readableWord(change.before)} \u2192 ${readableWord(change.after)}`,
  );
  return [...registers, ...csrs, ...memory].join("; ");
}

/** Shows the first steps of a run: mode, address, instruction, and the registers and memory that it touched. */
export function traceView(
  run: readonly TracedStep[] | LoggedRun<TracedStep>,
  title = "The trace",
): FigureBundle {
  const steps = stepsOf(run);
  const shown = steps.slice(0, MOST_STEPS);
  const more = steps.length - shown.length;
  const hasNames = shown.some(({ where }) => where !== undefined);
  const table: Table = {
    caption: more > 0 ? `${title} (the first ${MOST_STEPS} of ${steps.length} steps)` : title,
    columns: ["retired", "mode", "pc", ...(hasNames ? ["where"] : []), "instruction", "what it changed"],
    rows: shown.map((step) => [
      { text: String(step.retired) },
      { text: step.modeBefore, strong: true },
      { text: groupedHex(step.pc, 8), code: true },
      ...(hasNames ? [{ text: step.where ?? "", code: true }] : []),
      { text: step.text, code: true },
      { text: effectOf(step), code: step.trap === undefined, strong: step.trap !== undefined },
    ]),
    rightColumns: [0],
  };
  return markupBundle(tableHtml(table), tableText(table));
}

/** The part of a board that the event view reads. */
export interface EventSource {
  lastEvents(count: number): string;
}

/** Shows the last events of a board: traps, CSR writes, device accesses, with names for addresses. */
export function eventsView(board: EventSource, count = MOST_STEPS, title = "The last events"): FigureBundle {
  const lines = board
    .lastEvents(count)
    .split("\n")
    .filter((line) => line !== "");
  const table: Table = {
    caption: title,
    columns: ["retired", "event"],
    rows: lines.map((line) => {
      const [, retired = "", words = ""] = /^ *(\d+) +(.*)$/.exec(line) ?? [];
      return [{ text: retired }, { text: words, code: true }];
    }),
    rightColumns: [0],
  };
  return markupBundle(tableHtml(table), tableText(table));
}
