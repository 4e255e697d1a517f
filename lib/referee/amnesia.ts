/** I10: a hypervisor keeps everything in machine RAM. A comparison of two runs: one whose handlers forget all else, and an ordinary one. */
import type { Board } from "../board/board.ts";
import { sha256Hex } from "../board/trace.ts";
import { eventText, type TraceEvent } from "../board/trace-event.ts";
import type { HandlerOptions } from "../hs/install.ts";
import type { Violation } from "./violation.ts";

/** What to compare. */
export interface AmnesiaQuestion {
  /** Builds a board whose handlers run with these options; the same one each time but for them. */
  readonly build: (handlers: HandlerOptions) => Board;
  /** How long both run. */
  readonly instructions: number;
  /** Which calls forget. */
  readonly seed: number;
}

/** So long that differences are found while the trace still shows them. */
const PIECE = 500;
const LINES = 20;

/**
 * Runs both, piece by piece.
 *
 * @returns  `undefined`: they did the same. Else where they parted: the first event that differs.
 */
export function compareAmnesia({ build, instructions, seed }: AmnesiaQuestion): Violation | undefined {
  const ordinary = build({});
  const forgetful = build({ amnesia: { seed } });
  for (let done = 0; done < instructions; done += PIECE) {
    const piece = { instructions: Math.min(PIECE, instructions - done) };
    const [left, right] = [ordinary.run(piece), forgetful.run(piece)];
    if (ordinary.trace.hash() !== forgetful.trace.hash()) return parted(ordinary, forgetful);
    if (left.reason !== right.reason) return ended(forgetful, left.reason, right.reason);
    if (left.reason !== "budget") break;
  }
  const [before, after] = [ordinary, forgetful].map((board) => sha256Hex(board.bus.ram.u8));
  return before === after
    ? undefined
    : violation(forgetful, "RAM", "Both runs have the same trace, and at the end their RAM differs.");
}

const keyOf = (event: TraceEvent | undefined): string =>
  JSON.stringify(event ?? null, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));

function parted(ordinary: Board, forgetful: Board): Violation {
  const [left, right] = [ordinary.trace.events, forgetful.trace.events];
  // Both rings end where their boards stand: line their first events up by number.
  const [firstLeft, firstRight] = [ordinary.trace.count - left.length, forgetful.trace.count - right.length];
  let number = Math.max(firstLeft, firstRight);
  const eventsAt = () => [left[number - firstLeft], right[number - firstRight]] as const;
  while (keyOf(eventsAt()[0]) === keyOf(eventsAt()[1]) && eventsAt()[0] !== undefined) number += 1;
  const [was, is] = eventsAt().map((event) =>
    event === undefined ? "nothing" : eventText(event, forgetful.symbols).trim(),
  );
  const sentence = `Event ${number} is “${is}” where handlers forget, and “${was}” where they do not: something is kept outside machine RAM.`;
  const lines = right.slice(0, number - firstRight + 1).slice(-LINES);
  return {
    ...violation(forgetful, `event ${number}`, sentence),
    step: right[number - firstRight]?.retired ?? forgetful.clock.retired,
    lastEvents: lines.map((event) => eventText(event, forgetful.symbols)).join("\n"),
  };
}

const ended = (board: Board, ordinary: string, forgetful: string): Violation =>
  violation(
    board,
    "end of the run",
    `The ordinary run ended with “${ordinary}”, the one that forgets with “${forgetful}”.`,
  );

const violation = (board: Board, object: string, sentence: string): Violation => ({
  invariant: "I10",
  object,
  sentence,
  walk: [],
  step: board.clock.retired,
  hart: board.hart.id,
  pc: board.hart.pc,
  after: "a comparison of two runs",
  lastEvents: board.lastEvents(LINES),
});
