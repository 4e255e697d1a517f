/**
 * What a handler has done so far in a call that lets other harts run in between: written while it works, read back when it is
 * run again to be brought to the same place. A handler that does something else then keeps state outside machine RAM.
 */
import type { LoggedOperation } from "../hart/unfinished-calls.ts";

/** A handler that was run again and went another way. */
export class WentAnotherWay extends Error {
  override readonly name = "WentAnotherWay";
}

/** The log of one call. */
export class CallLog {
  readonly #operations: LoggedOperation[];
  #next = 0;

  /** @param operations  What was done before; none for a new call. */
  constructor(operations: readonly LoggedOperation[] = []) {
    this.#operations = [...operations];
  }

  /** All that was done. */
  get operations(): readonly LoggedOperation[] {
    return this.#operations;
  }

  /** Whether the handler has not come to where it was yet. */
  get isReplaying(): boolean {
    return this.#next < this.#operations.length;
  }

  /** From the beginning again. */
  rewind(): void {
    this.#next = 0;
  }

  /** What the operation gave when it was done. Only while replaying. */
  replay(word: number): Exclude<LoggedOperation, { kind: "yield" }> {
    const operation = this.#operations[this.#next++];
    if (operation === undefined || operation.kind === "yield" || operation.word !== word) throw differs();
    return operation;
  }

  /** Passes a place where the handler let others run. False: it is a new one, and now noted. */
  passYield(): boolean {
    const operation = this.#operations[this.#next++];
    if (operation === undefined) this.#operations.push({ kind: "yield" });
    else if (operation.kind !== "yield") throw differs();
    return operation !== undefined;
  }

  /** Notes what a new operation gave. */
  note(operation: LoggedOperation): void {
    this.#operations.push(operation);
    this.#next = this.#operations.length;
  }
}

/** What tells that a handler went another way. */
export const differs = (): WentAnotherWay =>
  new WentAnotherWay(
    "it was run again from its beginning with the same values and did something else; what it keeps must be in machine RAM",
  );
