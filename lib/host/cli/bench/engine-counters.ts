/** What a board's engine counts about itself, as plain numbers by name. */
import type { Board } from "../../../board/board.ts";

/** Numbers by name; lists by the name of what they count. */
export type PlainCounters = Record<string, number | Record<string, number>>;

/** Counters of the board's engine; none when it counts nothing. */
export function engineCounters(board: Board): PlainCounters {
  const { counters } = board as { readonly counters?: object };
  const plain: PlainCounters = {};
  for (const [name, value] of Object.entries(counters ?? {})) {
    if (typeof value === "number") plain[name] = value;
    else if (typeof value === "object" && value !== null) plain[name] = namedNumbers(value);
  }
  return plain;
}

const namedNumbers = (value: object): Record<string, number> =>
  Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
