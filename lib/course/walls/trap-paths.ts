/** Trap paths: which way programs left user mode, what it cost, and who ran next. Read off the trace of a run. */
import type { Board } from "../../board/board.ts";
import type { StepRecord } from "../../board/step-record.ts";
import type { SymbolTable } from "../../board/symbols.ts";
import { causeWords } from "../../isa/trap.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { groupDigits } from "../marks/scale.ts";
import { type LoggedRun, stepsOf } from "../run-steps.ts";

/** All trips from one program into the kernel for one reason. */
export interface TrapPath {
  readonly program: string;
  readonly why: string;
  /** The program that ran next. */
  readonly next: string;
  readonly times: number;
  /** Instructions from the trap until user mode ran again: least and most. */
  readonly least: number;
  readonly most: number;
}

const functionOf = (symbols: SymbolTable, pc: bigint): string =>
  symbols.nameOf(pc)?.replace(/\+.*$/, "") ?? "?";

/** Reads the paths off a logged run. */
export function trapPathsOf(
  run: readonly StepRecord[] | LoggedRun<StepRecord>,
  symbols: SymbolTable,
): TrapPath[] {
  const paths = new Map<string, TrapPath>();
  const programs = new Map<bigint, string>();
  let space = 0n;
  let program = "";
  let open: { readonly at: number; readonly why: string } | undefined;
  let arrives = true;
  for (const { retired, pc, modeBefore, modeAfter, trap, csrs } of stepsOf(run)) {
    space = csrs.find(({ csr }) => csr === "satp")?.after ?? space;
    if (modeBefore === "U" && arrives) {
      // An address space is named after the function that its program began with.
      const next = programs.get(space) ?? functionOf(symbols, pc);
      programs.set(space, next);
      if (open !== undefined) addTrip(paths, { program, why: open.why, next }, retired - open.at);
      open = undefined;
      program = next;
    }
    arrives = modeBefore !== "U" || modeAfter !== "U";
    if (modeBefore === "U" && trap !== undefined) open = { at: retired, why: causeWords(trap) };
  }
  return [...paths.values()];
}

function addTrip(
  paths: Map<string, TrapPath>,
  trip: Pick<TrapPath, "program" | "why" | "next">,
  cost: number,
): void {
  const key = `${trip.program} ${trip.why} ${trip.next}`;
  const path = paths.get(key);
  paths.set(key, {
    ...trip,
    times: (path?.times ?? 0) + 1,
    least: Math.min(path?.least ?? cost, cost),
    most: Math.max(path?.most ?? cost, cost),
  });
}

/** Shows the trap paths of a logged run. */
export function trapPaths(
  run: readonly StepRecord[] | LoggedRun<StepRecord>,
  { symbols }: Pick<Board, "symbols">,
  title = "Ways into the kernel, and out",
): FigureBundle {
  const table: Table = {
    caption: title,
    columns: ["program", "trapped by", "times", "instructions, least to most", "then runs"],
    namesRows: true,
    rightColumns: [2, 3],
    rows: trapPathsOf(run, symbols).map(({ program, why, times, least, most, next }) => [
      program,
      why,
      String(times),
      least === most ? groupDigits(least) : `${groupDigits(least)} to ${groupDigits(most)}`,
      next === program ? "the same" : next,
    ]),
  };
  return markupBundle(tableHtml(table), tableText(table));
}
