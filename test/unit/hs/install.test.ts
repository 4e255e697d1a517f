/** What goes wrong in a handler stops the machine with a sentence; runs and snapshots do not notice where handlers are. */
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { type HandlerOptions, type HsHandlers, installHandlers } from "../../../lib/hs/install.ts";
import { handlersFromSource } from "../../../lib/hs/source.ts";
import { paddr } from "../../../lib/isa/address.ts";
import { boardWith } from "../../support/assembled.ts";
import { boardThatCalls, callOnce, placeIn } from "./support.ts";

const COUNTER = paddr(0x8001_0000n);

/** The message with which a board stops. */
function failureOf(board: Board): string {
  const stop = board.run({ instructions: 1000 });
  if (stop.reason !== "handler-error") throw new Error(`stopped with ${stop.reason}`);
  return stop.message;
}

/** What handlers come back with, and words of the sentence about it. */
const ANSWERS: readonly (readonly [title: string, handle: () => unknown, words: string])[] = [
  [
    "undefined is thrown",
    () => {
      throw undefined;
    },
    "threw undefined",
  ],
  ["a number", () => 5, "returned number 5; a handler answers"],
  ["null", () => null, "returned null"],
  ["an iterator that is no generator", () => ({ next: () => ({ done: false }) }), "returned an object"],
  ["a promise", async () => {}, "returned a promise; a handler is synchronous"],
  [
    "a generator that yields something",
    function* () {
      yield 1;
    },
    "yielded number 1; a bare yield lets other harts run",
  ],
  ["itself", () => boardThatCalls, "returned function"],
  [
    "a proxy that throws",
    () =>
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("no");
          },
          has: () => {
            throw new Error("no");
          },
        },
      ),
    "gave something that cannot be shown",
  ],
  [
    "an error that throws",
    () => {
      throw Object.defineProperty(new Error(), "message", {
        get: () => {
          throw new Error("no");
        },
      });
    },
    "cannot be shown",
  ],
];

describe("a handler that", () => {
  it("throws is named, with hart, place and error, and the machine stays off", () => {
    const board = boardThatCalls(() => {
      throw new RangeError("no such domain");
    });
    const at = placeIn(board, "call").toString(16);
    const failure = failureOf(board);
    const { retired } = board.clock;
    const message = `Handler "test" (hx 1) on hart 0, called at 0x${at} in step ${retired - 1}, threw RangeError: no such domain.`;
    expect(failure).toBe(message);
    expect(board.run({ instructions: 1000 })).toEqual({ reason: "handler-error", message, retired });
  });

  it.each(ANSWERS)("answers with %s is told what is wrong", (_, handle, words) => {
    expect(failureOf(boardThatCalls(handle))).toContain(words);
  });

  it("never ends is stopped by its budget of operations, however it tries to go on", () => {
    const board = boardThatCalls(
      (context) => {
        for (;;) {
          try {
            context.load(COUNTER, 8);
          } catch {
            break;
          }
        }
        context.attempt(() => context.load(COUNTER, 8));
      },
      { options: { operations: 500 } },
    );
    expect(failureOf(board)).toContain("made 500 operations and did not end");
    expect(board.clock.retired).toBeLessThan(600);
  });

  it.each([
    [
      "a number for an address",
      (context: HsContext) => context.load(5 as unknown as never, 8),
      "the address is 5 (number); it must be a bigint",
    ],
    [
      "a number for a value",
      (context: HsContext) => context.store(COUNTER, 8, 5 as unknown as bigint),
      "the value is 5 (number)",
    ],
    [
      "nothing for a value",
      (context: HsContext) => context.csr.write("mscratch", undefined as unknown as bigint),
      "the value is undefined",
    ],
    [
      "a width of three",
      (context: HsContext) => context.load(COUNTER, 3 as never),
      "1, 2, 4 or 8 bytes, not 3",
    ],
    [
      "a CSR that does not exist",
      (context: HsContext) => context.csr.read("mstat" as never),
      'there is no CSR called "mstat"',
    ],
    [
      "a method of Object as a CSR",
      (context: HsContext) => context.csr.read("constructor" as never),
      "there is no CSR",
    ],
    [
      "an atomic that does not exist",
      (context: HsContext) => context.atomic("xor" as never, COUNTER, 1n),
      "threw",
    ],
  ] as const)("gives %s gets a sentence, not a crash", (_, act, words) => {
    expect(failureOf(boardThatCalls((context) => void act(context)))).toContain(words);
  });

  it("recurses for ever ends as an error too", () => {
    const deeper = (): number => deeper() + 1;
    expect(failureOf(boardThatCalls(deeper))).toContain("RangeError");
  });

  it("fails again after a revert, and runs on from there with another handler in its place", () => {
    const board = boardThatCalls(() => {
      throw new Error("first");
    });
    const before = board.snapshot();
    failureOf(board);
    board.revert(before);
    installHandlers(board, () => ({ 1: { name: "second", handle: () => {} } }));
    expect(board.run({ instructions: 1000 })).toMatchObject({ reason: "wfi" });
  });
});

/** Counts in RAM, and prints; with a counter of its own if it is badly written. */
function counting(keepsInClosure: boolean): () => HsHandlers {
  return () => {
    let calls = 0n;
    const handle = (context: HsContext): void => {
      calls += 1n;
      const count = context.load(COUNTER, 8) + 1n;
      context.store(COUNTER, 8, count);
      context.csr.write("mscratch", keepsInClosure ? calls : count);
      context.csr.read("time");
    };
    return { 1: { name: "count", handle } };
  };
}

const LOOP = "li a0, 3000\n loop: hx 1\n addi a0, a0, -1\n bnez a0, loop\n end: wfi\n j end";

function hashOf(makeHandlers: () => HsHandlers, options: HandlerOptions = {}): string {
  const board = boardWith(LOOP);
  installHandlers(board, makeHandlers, options);
  expect(board.run({ instructions: 100_000 })).toMatchObject({ reason: "wfi" });
  return board.trace.hash();
}

describe("amnesia mode", () => {
  it("changes nothing for handlers that keep everything in RAM, whatever its seed", () => {
    const ordinary = hashOf(counting(false));
    expect(hashOf(counting(false), { amnesia: { seed: 1 } })).toBe(ordinary);
    expect(hashOf(counting(false), { amnesia: { seed: 2 } })).toBe(ordinary);
  });

  it("catches a counter in a closure", () => {
    expect(hashOf(counting(true), { amnesia: { seed: 1 } })).not.toBe(hashOf(counting(true)));
  });
});

/** A module as source text, with a counter at its top level that is used or not. */
const sourceOf = (counter: "calls" | "count"): string => `
  let calls = 0n;
  function handle(context) {
    calls += 1n;
    const count = context.load(COUNTER, 8) + 1n;
    context.store(COUNTER, 8, count);
    context.csr.write("mscratch", ${counter});
  }
  return { 1: { name: "count", handle } };`;

describe("handlers from source text", () => {
  it("are evaluated afresh in amnesia mode: a counter at the top level is caught, one in RAM is not", () => {
    const hash = (counter: "calls" | "count", options: HandlerOptions = {}): string =>
      hashOf(handlersFromSource(sourceOf(counter), { COUNTER }), options);
    expect(hash("calls")).toBe(hash("count")); // without amnesia nobody can tell
    expect(hash("count", { amnesia: { seed: 1 } })).toBe(hash("count"));
    expect(hash("calls", { amnesia: { seed: 1 } })).not.toBe(hash("calls"));
  });

  it("are strict, and know what they are given and no name of ours", () => {
    const board = boardWith("hx 1");
    installHandlers(board, handlersFromSource('return { 1: { name: "s", handle() { undeclared = 1; } } };'));
    expect(failureOf(board)).toContain("ReferenceError: undeclared is not defined");
    expect(() => installHandlers(board, handlersFromSource("return {"))).toThrow(SyntaxError);
  });
});

describe("a run with handlers", () => {
  const LONG = "li a0, 200000\n loop: hx 1\n addi a0, a0, -1\n bnez a0, loop\n end: wfi\n j end";
  const long = (): Board => {
    const board = boardWith(LONG);
    installHandlers(board, counting(false));
    return board;
  };

  it("is the same run cut in pieces: budgets that end inside a handler, and state digests that fall there", () => {
    const whole = long();
    whole.run({ instructions: 1_400_000 });
    const cut = long();
    for (let piece = 1; cut.clock.retired < whole.clock.retired; piece++)
      cut.run({
        instructions: Math.min(1 + ((piece * 7919) % 30_011), whole.clock.retired - cut.clock.retired),
      });
    expect(cut.clock.retired).toBe(whole.clock.retired);
    expect(cut.trace.hash()).toBe(whole.trace.hash());
    expect(whole.trace.events.length).toBeGreaterThan(0);
  });

  it("takes a digest for each million instructions, where the handler that passes it has ended", () => {
    const board = boardWith("loop: hx 1\n j loop");
    installHandlers(board, counting(false)); // 4 operations, hx and j: six to a round
    board.run({ instructions: 999_990 });
    board.run({ instructions: 20 });
    const digests = board.trace.events.filter(({ kind }) => kind === "state-digest");
    expect(digests).toHaveLength(1);
    expect(digests[0]?.retired).toBeGreaterThanOrEqual(1_000_000);
    expect(digests[0]?.retired).toBeLessThan(1_000_006);
  });

  it("goes on from a snapshot as it did before", () => {
    const board = long();
    board.run({ instructions: 50_001 });
    const here = board.snapshot();
    board.run({ instructions: 100_000 });
    const [hash, count] = [board.trace.hash(), board.memory.load(COUNTER, 8)];
    board.revert(here);
    expect(board.memory.load(COUNTER, 8)).not.toBe(count);
    board.run({ instructions: 100_000 });
    expect(board.trace.hash()).toBe(hash);
    expect(board.memory.load(COUNTER, 8)).toBe(count);
  });

  it("goes back over a call as over one step, and forward again to the same", () => {
    const board = boardThatCalls((context) => {
      for (let count = 0n; count < 50n; count++) context.store(COUNTER, 8, count);
    });
    callOnce(board);
    const [retired, hash] = [board.clock.retired, board.trace.hash()];
    expect(board.stepBack(1)).toMatchObject({ kind: "moment" });
    expect([board.hart.pc, board.clock.retired]).toEqual([placeIn(board, "call"), retired - 51]);
    expect(board.memory.load(COUNTER, 8)).toBe(0n);
    board.step();
    expect([board.clock.retired, board.trace.hash()]).toEqual([retired, hash]);
  });

  it("steps over a call as one step", () => {
    const board = boardThatCalls((context) => context.csr.write("mscratch", 5n));
    const record = callOnce(board);
    expect(record).toMatchObject({ text: "hx 1", csrs: [{ csr: "mscratch", before: 0n, after: 5n }] });
    expect(record.writes).toEqual([{ register: "t6", before: 0n, after: 5n }]);
  });
});
