/**
 * Registers handlers with a board, and stands between them and the machine: what a handler throws, returns or never ends
 * stops the machine with a sentence, and never reaches the host.
 *
 * One thing cannot be caught here: a loop of pure TypeScript, without any operation, hangs the thread that it runs in, as it
 * would anywhere. Whoever runs other people's handlers runs them in a process that can be killed.
 */
import { SeededNumbers } from "../bits/seeded-numbers.ts";
import type { Board } from "../board/board.ts";
import type { HandlerCall } from "../hart/handler-table.ts";
import { enabledPending } from "../hart/interrupts.ts";
import type { Trap } from "../isa/trap.ts";
import type { HsContext } from "./context.ts";
import { IssuingContext } from "./issuing-context.ts";

/** A handler. It is synchronous, answers through registers, CSRs and memory, and keeps nothing outside machine RAM. */
export interface HsHandler {
  /** What messages call it. */
  readonly name: string;
  handle(context: HsContext): void;
}

/** Handlers by the number that `hx` calls. */
export type HsHandlers = Readonly<Record<number, HsHandler>>;

/** How handlers are run. */
export interface HandlerOptions {
  /** Operations that one call may make; 100,000 when left out. A handler that makes more is stopped. */
  readonly operations?: number;
  /**
   * *Amnesia mode*: the handlers are made afresh for each of the first 1000 calls, then for one in a hundred, drawn by this seed. A
   * handler that kept something in a closure or on an object forgets it, and the trace hash differs from an ordinary run. What a
   * module keeps at its top level survives, unless the handlers come from `handlersFromSource`.
   */
  readonly amnesia?: { readonly seed: number };
}

const DEFAULT_OPERATIONS = 100_000;
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
  const { operations = DEFAULT_OPERATIONS } = options;
  const current =
    options.amnesia === undefined ? remembered(makeHandlers) : forgetful(makeHandlers, options.amnesia.seed);
  for (const number of Object.keys(makeHandlers()).map(Number)) {
    board.handlers.register(number, (call) => callSafely(board, call, number, current, operations));
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

function callSafely(
  board: Board,
  call: HandlerCall,
  number: number,
  current: () => HsHandlers,
  operations: number,
): Trap | undefined {
  const isAnyoneElse = (): boolean => board.harts.some((hart) => hart !== call.hart && !sleeps(hart));
  const context = new IssuingContext(call, operations, isAnyoneElse);
  let problem: string | undefined;
  let name = "";
  try {
    const handler = current()[number];
    name = handler?.name ?? "";
    problem = describeAnswer(handler?.handle(context));
  } catch (thrown) {
    if (context.ending === undefined) problem = `threw ${describeThrown(thrown)}`;
  }
  if (context.ending?.kind === "trap") return context.ending.trap;
  if (context.ending?.kind === "budget") problem = `made ${operations} operations and did not end`;
  if (problem !== undefined) {
    const place = `called at 0x${call.hart.pc.toString(16)}`;
    board.handlerFailed(`Handler "${name}" (hx ${number}) on hart ${call.hart.id}, ${place}, ${problem}.`);
  }
  return undefined;
}

const sleeps = ({ state }: HandlerCall["hart"]): boolean => state.waiting && enabledPending(state) === 0n;

/** Handlers return nothing; a value is a misunderstanding that would otherwise go unnoticed. */
function describeAnswer(answer: unknown): string | undefined {
  if (answer === undefined) return undefined;
  return inWords(() =>
    isPromise(answer)
      ? "returned a promise; a handler is synchronous, like the trap that it handles"
      : `returned ${describe(answer)}; a handler answers through registers and memory and returns nothing`,
  );
}

const isPromise = (value: unknown): boolean => typeof value === "object" && value !== null && "then" in value;

const describeThrown = (thrown: unknown): string =>
  inWords(() => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : describe(thrown)));

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
}

const LONGEST = 200;

/** What somebody else's value says of itself. It may be one that throws when it is looked at. */
function inWords(say: () => string): string {
  try {
    return say().slice(0, LONGEST);
  } catch {
    return "gave something that cannot be shown";
  }
}
