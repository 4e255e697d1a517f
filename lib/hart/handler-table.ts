/**
 * TypeScript handlers by number: what the instruction `hx n` calls. The table is wiring and no state: it is the same before
 * and after a snapshot, a revert and a reset. Calls that are not at their end are state, and have a place of their own.
 */
import type { Decoded } from "../isa/decode.ts";
import type { Trap } from "../isa/trap.ts";
import type { Hart } from "./hart.ts";
import { UnfinishedCalls } from "./unfinished-calls.ts";

/**
 * Executes one more instruction in the place of `hx`, as if it stood there: with the hart's mode and rights, and retired
 * like any other. It may be any that does not change `pc` or the mode.
 *
 * @returns  The exception that it raised; then nothing retired.
 */
export type Issue = (insn: Decoded) => Trap | undefined;

/** What a handler works with: the hart that called it, and the means to execute instructions there. */
export interface HandlerCall {
  readonly hart: Hart;
  readonly issue: Issue;
}

/**
 * How a call came back: with the exception that `hx` raises; at its end (`undefined`), so that the hart goes on behind `hx`; or
 * *unfinished*: then `hx` retires as a jump to itself, and the hart calls again when it comes to it.
 */
export type HandlerOutcome = Trap | "unfinished" | undefined;

/** A handler. It must not throw: whoever runs other people's code in it catches what they throw. */
export type HostHandler = (call: HandlerCall) => HandlerOutcome;

/** Numbers have twelve bits. */
export const HANDLER_NUMBERS = 4096;

/** The handlers of a board. All its harts share them. */
export class HandlerTable {
  /** Calls that are to be gone on with. */
  readonly unfinished: UnfinishedCalls = new UnfinishedCalls();
  readonly #handlers = new Map<number, HostHandler>();

  /** Makes `hx number` call `handler`; the one that had the number is replaced. Throws `RangeError` for a number that no `hx` can have. */
  register(number: number, handler: HostHandler): void {
    if (!Number.isInteger(number) || number < 0 || number >= HANDLER_NUMBERS)
      throw new RangeError(`handler numbers go from 0 to ${HANDLER_NUMBERS - 1}, not ${number}`);
    this.#handlers.set(number, handler);
  }

  /** The handler with this number. */
  get(number: number): HostHandler | undefined {
    return this.#handlers.get(number);
  }

  /** Numbers in use, smallest first. */
  get numbers(): readonly number[] {
    return [...this.#handlers.keys()].sort((a, b) => a - b);
  }
}
