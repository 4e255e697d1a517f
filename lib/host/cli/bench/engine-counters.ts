/** What a board's engine counts about itself, as plain numbers by name. */
import type { Board } from "../../../board/board.ts";
import { INTERPRETER_OPS } from "../../../engine/translator/interpreter/op.ts";

/** Numbers by name; lists by the name of what they count. */
export type PlainCounters = Record<string, number | Record<string, number>>;

/** Counters of the board's engine; none when it counts nothing. */
export function engineCounters({ counters }: Board): PlainCounters {
  if (counters === undefined) return {};
  const numbers = Object.entries(counters).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const byOperation = counters.bailsByOperation.map((count, number) => [nameOfOp(number), count] as const);
  return {
    ...Object.fromEntries(numbers),
    fastSteps: counters.fastSteps,
    bailsByOperation: Object.fromEntries(byOperation.filter(([, count]) => count > 0)),
  };
}

const nameOfOp = (number: number): string =>
  INTERPRETER_OPS.find((op) => op.number === number)?.name ?? `operation ${number}`;
