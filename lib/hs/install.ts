/**
 * Registers handlers with a board.
 *
 * One thing cannot be caught here: a loop of pure TypeScript, without any operation, hangs the thread that it runs in, as it
 * would anywhere. Whoever runs other people's handlers runs them in a process that can be killed.
 */
import { SeededNumbers } from "../bits/seeded-numbers.ts";
import type { Board } from "../board/board.ts";
import { HandlerCalls, type HsHandlers } from "./handler-calls.ts";

export type { HsHandler, HsHandlers, Steps } from "./handler-calls.ts";

/** How handlers are run. */
export interface HandlerOptions {
  /** Operations that one call may make; 100,000 when left out, 2,000 in race mode. A handler that makes more is stopped. */
  readonly operations?: number;
  /**
   * *Amnesia mode*: the handlers are made afresh for each of the first 1000 calls, then for one in a hundred, drawn by this seed. A
   * handler that kept something in a closure or on an object forgets it, and the trace hash differs from an ordinary run. What a
   * module keeps at its top level survives, unless the handlers come from `handlersFromSource`.
   */
  readonly amnesia?: { readonly seed: number };
  /**
   * *Race mode*: other harts may run behind each operation of every handler, as they may behind each instruction of real code. Make
   * turns short (`buildBoard({ turns: { min: 1, max: 4 } })`) to meet races. Without, others run at a generator's `yield`s alone.
   */
  readonly races?: boolean;
}

const DEFAULT_OPERATIONS = 100_000;
/** In race mode a call of n operations repeats half of n² of them. */
const DEFAULT_RACE_OPERATIONS = 2_000;
const ALWAYS_FORGOTTEN_CALLS = 1000;
const FORGOTTEN_ONE_IN = 100;

/**
 * Lets `hx` call handlers on every hart of a board.
 *
 * @param makeHandlers  Makes the handlers. It must give the same ones each time, for amnesia mode calls it again and again.
 */
export function installHandlers(
  board: Board,
  makeHandlers: () => HsHandlers,
  options: HandlerOptions = {},
): void {
  const { races = false, operations = races ? DEFAULT_RACE_OPERATIONS : DEFAULT_OPERATIONS } = options;
  const current =
    options.amnesia === undefined ? remembered(makeHandlers) : forgetful(makeHandlers, options.amnesia.seed);
  const calls = new HandlerCalls(board, current, { operations, preemptsAccesses: races });
  for (const number of Object.keys(makeHandlers()).map(Number)) {
    board.handlers.register(number, (call) => calls.make(call, number));
  }
}

function remembered(makeHandlers: () => HsHandlers): () => HsHandlers {
  const handlers = makeHandlers();
  return () => handlers;
}

/** Counting calls is the host's business: whether handlers are made afresh must make no difference. */
function forgetful(makeHandlers: () => HsHandlers, seed: number): () => HsHandlers {
  const numbers = new SeededNumbers(seed);
  let handlers = makeHandlers();
  let calls = 0;
  return () => {
    calls += 1;
    if (calls <= ALWAYS_FORGOTTEN_CALLS || numbers.between(1, FORGOTTEN_ONE_IN) === 1)
      handlers = makeHandlers();
    return handlers;
  };
}
