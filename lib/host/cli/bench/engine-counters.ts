/** What a board's engine counts about itself, as plain numbers by name. */
import type { Board } from "../../../board/board.ts";
import { FIRST_OP, INTERPRETER_OPS } from "../../../engine/translator/interpreter/op.ts";
import { PAIRS } from "../../../engine/translator/interpreter/pair.ts";

/** Numbers by name; lists by the name of what they count. */
export type PlainCounters = Record<string, number | Record<string, number>>;

/** Counters of the board's engine; none when it counts nothing. */
export function engineCounters({ counters }: Board): PlainCounters {
  if (counters === undefined) return {};
  const numbers = Object.entries(counters).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const byOperation: Record<string, number> = {};
  for (const [number, count] of counters.bailsByOperation.entries())
    if (count > 0) byOperation[nameOfOp(number)] = (byOperation[nameOfOp(number)] ?? 0) + count;
  return {
    ...Object.fromEntries(numbers),
    fastSteps: counters.fastSteps,
    regionSteps: counters.regionSteps,
    bailsByOperation: byOperation,
  };
}

function nameOfOp(number: number): string {
  if (number < FIRST_OP) return "none that generated code has";
  const pair = PAIRS.find((each) => each.number === number);
  if (pair !== undefined) return `${pair.first.name} or ${pair.second.name}, a pair`;
  return INTERPRETER_OPS.find((op) => op.number === number)?.name ?? `operation ${number}`;
}
