/**
 * The oracle's view of a cage: a student's functions as plain, blocking calls, a student's values as inert data.
 *
 * A test says `decodeMstatus(word)` as if the function were here. What crosses is bytes of the codec, in both ways.
 */
import {
  type Answer,
  AnswerLost,
  Answer as AnswerOf,
  type Outcome,
  type RemoteCalls,
} from "../../checks/answer.ts";
import { decodeInert } from "../../checks/decode.ts";
import { encodeInert } from "../../checks/encode.ts";
import { FunctionHandle, type Inert, isInertRecord, member, Opaque } from "../../checks/inert.ts";
import { UNWRITTEN } from "../../checks/thrown.ts";

/** Sends one request to the cage and blocks for the reply; `undefined` once the cage is gone. */
export type Ask = (request: Uint8Array) => Uint8Array | undefined;

/** What a student's function did instead of returning: a test may catch it, and usually does not. */
export class StudentError extends Error {
  /** What happened, without any text of the student's: safe to show where inputs are hidden. */
  readonly category: string;
  constructor(category: string, message: string) {
    super(message);
    this.name = "StudentError";
    this.category = category;
  }
}

/** Most calls that go in one message. */
const BATCH = 100;

/** One cage, seen from the oracle. */
export class Student {
  readonly #ask: Ask;
  readonly #handles = new WeakMap<object, FunctionHandle>();
  #calls = 0;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Calls made so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Sends a request that is a list and returns the reply; throws when there is none. */
  request(parts: readonly Inert[]): Inert {
    const encoded = encodeInert(parts, { handleOf: (found) => this.#handles.get(found)?.id ?? 0 });
    if (!encoded.ok) throw new StudentError("got an argument that cannot cross", encoded.reason);
    const reply = this.#ask(encoded.bytes);
    if (reply === undefined) throw new AnswerLost();
    const decoded = decodeInert(reply);
    if (!decoded.ok) throw new StudentError("returned a value that cannot cross", decoded.reason);
    return decoded.value;
  }

  /** Calls a function of the student's once per argument list. */
  readonly callEach: RemoteCalls["callEach"] = (handle, lists) => {
    const outcomes: Outcome[] = [];
    for (let at = 0; at < lists.length; at += BATCH) {
      const batch = lists.slice(at, at + BATCH);
      this.#calls += batch.length;
      const reply = this.request(["call", handle.id, batch]);
      for (let index = 0; index < batch.length; index += 1) {
        outcomes.push(outcomeOf(Array.isArray(reply) ? reply[index] : undefined));
      }
    }
    return outcomes;
  };

  /** A reply's value as tests see it: handles become functions. */
  thaw(value: Inert): unknown {
    if (value instanceof FunctionHandle) return this.#stub(value);
    if (Array.isArray(value)) return value.map((item: Inert) => this.thaw(item));
    if (value instanceof Map)
      return new Map([...value].map(([key, item]) => [this.thaw(key), this.thaw(item)]));
    if (value instanceof Set) return new Set([...value].map((item) => this.thaw(item)));
    if (!isInertRecord(value)) return value;
    const record = Object.create(null) as Record<string, unknown>;
    for (const key of Object.keys(value)) {
      Object.defineProperty(record, key, {
        value: this.thaw(value[key]),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return record;
  }

  /** What a test passes to `check(...)`, with the student's functions found again inside it. */
  answer(value: unknown): Answer {
    const encoded = encodeInert(value, { handleOf: (found) => this.#handles.get(found)?.id ?? 0 });
    const decoded = encoded.ok ? decodeInert(encoded.bytes) : encoded;
    return new AnswerOf(decoded.ok ? decoded.value : new Opaque(decoded.reason), this);
  }

  #stub(handle: FunctionHandle): (...args: readonly Inert[]) => unknown {
    const stub = (...args: readonly Inert[]): unknown => {
      const outcome = this.callEach(handle, [args])[0];
      if (outcome?.ok !== true)
        throw new StudentError(outcome?.category ?? "did not answer", outcome?.message ?? "");
      return this.thaw(outcome.value);
    };
    this.#handles.set(stub, handle);
    return stub;
  }
}

function outcomeOf(reply: Inert): Outcome {
  if (member(reply, "ok") === true) return { ok: true, value: member(reply, "value") };
  const category = member(reply, "category");
  const message = member(reply, "message");
  return {
    ok: false,
    category: typeof category === "string" ? safeCategory(category) : "did not answer",
    message: typeof message === "string" ? message.slice(0, 400) : "",
  };
}

/** The cage names the kind of error; only known names pass, so that a name cannot smuggle an input out. */
function safeCategory(category: string): string {
  if (KNOWN_CATEGORIES.has(category)) return category;
  const name = category.startsWith("threw ") ? category.slice("threw ".length) : undefined;
  if (name === undefined) return "did not answer";
  return KNOWN_ERRORS.has(name) ? `threw ${name}` : "threw an error";
}

const KNOWN_ERRORS = new Set([
  "Error",
  "TypeError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "URIError",
  "EvalError",
]);
const KNOWN_CATEGORIES = new Set([
  "is not a function",
  UNWRITTEN,
  "did not settle in time",
  "threw an error",
  "returned a value that cannot cross",
]);
