/**
 * What a student handed in, as a check sees it: inert data, and functions that can be called with inert data.
 *
 * In a page or a notebook the function is called on the spot; in the grader it lives in another process. Either way
 * arguments and results pass the same codec, so a check cannot tell the difference, and neither can a verdict.
 */

import { decodeInert } from "./decode.ts";
import { encodeInert } from "./encode.ts";
import { FunctionHandle, type Inert, isInertRecord, Opaque } from "./inert.ts";
import { thrown } from "./thrown.ts";

/** Result of one call of a student's function. `category` is safe to show to anyone; `message` may quote an input. */
export type Outcome =
  | { readonly ok: true; readonly value: Inert }
  | { readonly ok: false; readonly category: string; readonly message: string };

/** Calls of functions that live on the other side of a wall. */
export interface RemoteCalls {
  /** One outcome per argument list, in order. */
  callEach(handle: FunctionHandle, argumentLists: readonly (readonly Inert[])[]): readonly Outcome[];
}

/** The other side is gone: no check can go on. The one exception that passes through a check. */
export class AnswerLost extends Error {
  constructor() {
    super("the submission does not answer any more");
    this.name = "AnswerLost";
  }
}

/** A submitted value. */
export class Answer {
  readonly #value: Inert;
  readonly #calls: RemoteCalls;

  constructor(value: Inert, calls: RemoteCalls) {
    this.#value = value;
    this.#calls = calls;
  }

  /** The value as inert data. */
  get value(): Inert {
    return this.#value;
  }

  /** A member by name; an answer of `undefined` when there is none. */
  at(name: string): Answer {
    const value = this.#value;
    const found = isInertRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    return new Answer(found, this.#calls);
  }

  /** True when the answer is a function. */
  get isFunction(): boolean {
    return this.#value instanceof FunctionHandle;
  }

  /** Calls the answer once. */
  call(...args: readonly Inert[]): Outcome {
    return this.callEach([args])[0] ?? noFunction;
  }

  /** Calls the answer once per argument list. In the grader this is one message, so prefer it to a loop of calls. */
  callEach(argumentLists: readonly (readonly Inert[])[]): readonly Outcome[] {
    const handle = this.#value;
    if (!(handle instanceof FunctionHandle)) return argumentLists.map(() => noFunction);
    return this.#calls.callEach(handle, argumentLists);
  }
}

const noFunction: Outcome = { ok: false, category: "is not a function", message: "is not a function" };

/** Wraps a value of this very realm: what `check(...)` in a page or a notebook does. */
export function localAnswer(value: unknown): Answer {
  const functions: object[] = [];
  const handleOf = (found: object) => functions.push(found) - 1;
  const inert = (from: unknown): Inert => {
    const encoded = encodeInert(from, { handleOf });
    if (!encoded.ok) return new Opaque(encoded.reason);
    const decoded = decodeInert(encoded.bytes);
    return decoded.ok ? decoded.value : new Opaque(decoded.reason);
  };
  const callEach: RemoteCalls["callEach"] = (handle, lists) =>
    lists.map((args): Outcome => {
      const target = functions[handle.id];
      if (typeof target !== "function") return noFunction;
      try {
        const copied = inert(args);
        return {
          ok: true,
          value: inert(Reflect.apply(target, undefined, Array.isArray(copied) ? copied : [])),
        };
      } catch (error) {
        return thrown(error);
      }
    });
  return new Answer(inert(value), { callEach });
}
