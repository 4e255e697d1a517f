/**
 * Runs handlers for the harts of a board, and stands between them and the machine: what a handler throws, returns or never
 * ends stops the machine with a sentence, and never reaches the host.
 *
 * A handler that lets others run is kept as a log of what its operations gave (`UnfinishedCalls`). Going on with it means to run it
 * again from its beginning with the same values; a generator that is still at hand saves that work and changes nothing.
 */
import type { Board } from "../board/board.ts";
import type { HandlerCall, HandlerOutcome } from "../hart/handler-table.ts";
import type { Hart } from "../hart/hart.ts";
import { enabledPending } from "../hart/interrupts.ts";
import { tellingRegisters, type UnfinishedCall } from "../hart/unfinished-calls.ts";
import { describeAnswer, describeThrown, describeYield, isGenerator } from "./answer-words.ts";
import { CallLog, differs } from "./call-log.ts";
import type { HsContext } from "./context.ts";
import { type CallLimits, IssuingContext } from "./issuing-context.ts";

/** What a generator's handler is between its `yield`s. */
export type Steps = Generator<undefined, void, undefined>;

/** A handler. It answers through registers, CSRs and memory, and keeps nothing outside machine RAM. */
export interface HsHandler {
  /** What messages call it. */
  readonly name: string;
  /** The work. A generator lets other harts run at each of its bare `yield`s; any other runs to its end at once. */
  readonly handle: ((context: HsContext) => void) | ((context: HsContext) => Steps);
}

/** Handlers by the number that `hx` calls. */
export type HsHandlers = Readonly<Record<number, HsHandler>>;

/** How calls are made. */
export interface CallRules {
  /** Operations that one call may make. */
  readonly operations: number;
  /** Whether others run behind each operation, whatever the handler is. */
  readonly preemptsAccesses: boolean;
}

/** One turn of a call. */
interface Turn {
  readonly context: IssuingContext;
  readonly call: HandlerCall;
  readonly number: number;
  readonly handlers: HsHandlers;
  readonly unfinished: UnfinishedCall | undefined;
  log: CallLog | undefined;
  steps: Generator<unknown, unknown, unknown> | undefined;
  isYielded: boolean;
}

/** A generator that waits, and the handlers that it is one of. */
interface Waiting {
  readonly handlers: HsHandlers;
  readonly steps: Generator<unknown, unknown, unknown>;
  readonly log: CallLog;
}

/** All calls of a board's handlers. */
export class HandlerCalls {
  readonly #board: Board;
  readonly #current: () => HsHandlers;
  readonly #rules: CallRules;
  readonly #atOnce: CallLimits;
  readonly #contexts: readonly IssuingContext[];
  readonly #waiting = new WeakMap<UnfinishedCall, Waiting>();

  /** @param current  The handlers, for each turn of a call; in amnesia mode they may be new ones. */
  constructor(board: Board, current: () => HsHandlers, rules: CallRules) {
    this.#board = board;
    this.#current = current;
    this.#rules = rules;
    this.#atOnce = { operations: rules.operations, log: undefined, isPreempted: false };
    this.#contexts = board.harts.map(
      (hart) => new IssuingContext(hart, () => board.harts.some((other) => other !== hart && !sleeps(other))),
    );
  }

  /** Calls the handler with this number, or goes on with the call that this hart has left unfinished here. */
  make(call: HandlerCall, number: number): HandlerOutcome {
    const context = this.#contexts[call.hart.id];
    if (context === undefined) return undefined;
    const unfinished = this.#board.handlers.unfinished.take(call.hart, number);
    let problem: string | undefined;
    let turn: Turn | undefined;
    try {
      const handlers = this.#current();
      turn = {
        context,
        call,
        number,
        handlers,
        unfinished,
        log: undefined,
        steps: undefined,
        isYielded: false,
      };
      problem = this.#work(turn);
    } catch (thrown) {
      if (!context.isOpen || context.ending === undefined) problem = `threw ${describeThrown(thrown)}`;
    }
    const outcome = this.#conclude(context, call, number, turn, problem);
    context.close();
    return outcome;
  }

  /** Runs the handler as far as it goes. What is wrong with its answer, if anything is. */
  #work(turn: Turn): string | undefined {
    const { context, call, number, handlers, unfinished } = turn;
    const { operations, preemptsAccesses } = this.#rules;
    const waiting = unfinished === undefined ? undefined : this.#waiting.get(unfinished);
    const logged = (log: CallLog): CallLimits => ({
      operations: Math.max(0, operations - log.operations.length),
      log,
      isPreempted: preemptsAccesses,
    });
    if (waiting !== undefined && waiting.handlers === handlers) {
      turn.log = waiting.log;
      context.open(call.issue, logged(waiting.log));
      return this.#drive(turn, waiting.steps, waiting.log);
    }
    if (unfinished !== undefined || preemptsAccesses) turn.log = new CallLog(unfinished?.log);
    context.open(call.issue, turn.log === undefined ? this.#atOnce : logged(turn.log));
    const answer: unknown = handlers[number]?.handle(context);
    if (answer === undefined) return undefined;
    if (!isGenerator(answer)) return describeAnswer(answer);
    if (turn.log === undefined) {
      turn.log = new CallLog();
      context.open(call.issue, logged(turn.log));
    }
    return this.#drive(turn, answer, turn.log);
  }

  /** Lets a generator work up to the next `yield` that is new. */
  #drive(turn: Turn, steps: Generator<unknown, unknown, unknown>, log: CallLog): string | undefined {
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return describeAnswer(value);
      if (value !== undefined) return describeYield(value);
      if (turn.context.ending !== undefined) return undefined; // it has caught what was to end it
      if (log.passYield()) continue;
      turn.isYielded = true;
      turn.steps = steps;
      return undefined;
    }
  }

  /** What `hx` is told. */
  #conclude(
    context: IssuingContext,
    { hart }: HandlerCall,
    number: number,
    turn: Turn | undefined,
    problem: string | undefined,
  ): HandlerOutcome {
    const ending = context.isOpen ? context.ending : undefined;
    const log = turn?.log;
    if (ending?.kind === "trap") return ending.trap;
    let wrong = problem;
    const { operations } = this.#rules;
    const isUnfinished = ending?.kind === "preempted" || (wrong === undefined && turn?.isYielded === true);
    if (
      ending?.kind === "budget" ||
      (isUnfinished && log !== undefined && log.operations.length >= operations)
    )
      wrong = `made ${operations} operations and did not end`;
    else if (ending?.kind === "preempted") wrong = undefined;
    else if (wrong === undefined && log?.isReplaying === true) wrong = `threw ${describeThrown(differs())}`;
    if (wrong !== undefined) {
      this.#fail(hart, number, turn?.handlers[number]?.name ?? "", wrong);
      return undefined;
    }
    if (!isUnfinished || turn === undefined || log === undefined) return undefined;
    this.#leave(hart, turn, log);
    return "unfinished";
  }

  #leave(hart: Hart, { number, handlers, steps }: Turn, log: CallLog): void {
    const call: UnfinishedCall = {
      hart: hart.id,
      number,
      pc: hart.state.pc,
      mode: hart.state.modeNumber,
      registers: tellingRegisters(hart),
      log: log.operations,
    };
    this.#board.handlers.unfinished.put(call);
    if (steps !== undefined) this.#waiting.set(call, { handlers, steps, log });
  }

  #fail(hart: Hart, number: number, name: string, problem: string): void {
    const place = `called at 0x${hart.pc.toString(16)} in step ${this.#board.clock.retired}`;
    this.#board.handlerFailed(`Handler "${name}" (hx ${number}) on hart ${hart.id}, ${place}, ${problem}.`);
  }
}

const sleeps = ({ state }: Hart): boolean => state.waiting && enabledPending(state) === 0n;
