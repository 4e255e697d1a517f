/** Handlers in the middle of their work: other harts run, snapshots are taken, and the handler goes on as if nothing had been. */
import { describe, expect, it } from "vitest";
import { Board } from "../../../lib/board/board.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { installFirmware, PAYLOAD_ENTRY } from "../../../lib/firmware/firmware.ts";
import { type HsContext, isRefused } from "../../../lib/hs/context.ts";
import {
  type HandlerOptions,
  type HsHandlers,
  installHandlers,
  type Steps,
} from "../../../lib/hs/install.ts";
import { handlersFromSource } from "../../../lib/hs/source.ts";
import { paddr } from "../../../lib/isa/address.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { boardWith } from "../../support/assembled.ts";
import { boardThatCalls, callOnce, placeIn, runToCall } from "./support.ts";

const COUNTER = paddr(0x8001_0000n);
const ROUNDS = 60;
/** Every hart calls the handler so many times, and sleeps. */
const EVERYBODY_CALLS = `csrr t0, mhartid\n slli t0, t0, 10\n la sp, areas\n add sp, sp, t0\n li s0, ${ROUNDS}
  loop: hx 1\n addi s0, s0, -1\n bnez s0, loop\n end: wfi\n j end\n .balign 8\n areas: .zero 2048`;
const SHORT_TURNS: BoardConfig = { harts: 2, turns: { min: 1, max: 5 }, seed: 3 };

type Handle = (context: HsContext) => undefined | Steps;

const plainly: Handle = (context) => {
  context.store(COUNTER, 8, context.load(COUNTER, 8) + 1n);
  return undefined;
};
const politely: Handle = function* (context) {
  const count = context.load(COUNTER, 8);
  yield;
  context.store(COUNTER, 8, count + 1n);
};
const atomically: Handle = (context) => {
  context.atomic("add", COUNTER, 1n);
  return undefined;
};

function boardOf(handle: Handle, options: HandlerOptions = {}, config: BoardConfig = SHORT_TURNS): Board {
  const board = boardWith(EVERYBODY_CALLS, config);
  installHandlers(board, () => ({ 1: { name: "count", handle } }), options);
  return board;
}

function countOf(board: Board): bigint {
  expect(board.run({ instructions: 100_000 }).reason).toBe("wfi");
  const count = board.memory.load(COUNTER, 8);
  return typeof count === "bigint" ? count : -1n;
}

describe("two harts that count in one word", () => {
  const all = BigInt(2 * ROUNDS);

  it.each([
    ["without race mode lose nothing: a handler runs to its end", plainly, false, true],
    ["in race mode lose some: each operation may be the last of a turn", plainly, true, false],
    ["in race mode lose nothing when the change is atomic", atomically, true, true],
    ["lose some where a generator yields between load and store", politely, false, false],
  ] as const)("%s", (_, handle, races, isExact) => {
    const count = countOf(boardOf(handle, { races }));
    if (isExact) expect(count).toBe(all);
    else expect(count).toBeLessThan(all);
    expect(count).toBeGreaterThan(1n);
  });

  it("have the same race again with the same seed, and another one with another", () => {
    const hashOf = (seed: number): string => {
      const board = boardOf(plainly, { races: true }, { ...SHORT_TURNS, seed });
      countOf(board);
      return board.trace.hash();
    };
    expect(hashOf(3)).toBe(hashOf(3));
    expect(hashOf(3)).not.toBe(hashOf(4));
  });
});

/** Three words summed up with a yield between each two; a refusal on the way. */
const summing: Handle = function* (context) {
  let sum = 0n;
  for (let index = 0n; index < 3n; index++) {
    sum += context.load(paddr(COUNTER + 8n * index), 8);
    yield;
  }
  if (isRefused(context.attempt(() => context.load(paddr(0x4000_0000n), 8)))) sum += 1n;
  yield;
  context.store(paddr(COUNTER + 24n), 8, sum);
};

function summingBoard(options: HandlerOptions = {}): Board {
  const board = boardThatCalls(summing, { options });
  for (const [index, value] of [100n, 20n, 3n].entries())
    board.memory.store(COUNTER + 8n * BigInt(index), 8, value);
  runToCall(board);
  return board;
}

const sumIn = (board: Board): unknown => board.memory.load(COUNTER + 24n, 8);

describe("a generator", () => {
  it("takes a step for each part, in which hx retires and stands where it stood", () => {
    const board = summingBoard();
    const { retired } = board.clock;
    const places: bigint[] = [];
    for (let part = 0; part < 5; part++) {
      places.push(board.hart.pc);
      board.step();
    }
    const call = placeIn(board, "call");
    expect(places).toEqual([call, call, call, call, call]);
    expect(board.hart.pc).toBe(placeIn(board, "done"));
    expect(board.clock.retired - retired).toBe(5 + 4); // each hx; three loads and a store, for the fourth load trapped
    expect(sumIn(board)).toBe(124n);
    expect(board.handlers.unfinished.count).toBe(0);
  });

  it.each([1, 2, 3, 4])(
    "goes on from a snapshot behind part %i, with the values that it had then",
    (parts) => {
      const board = summingBoard();
      for (let part = 0; part < parts; part++) board.step();
      const middle = board.snapshot();
      board.memory.store(COUNTER, 8, 7000n); // read long ago
      board.run({ instructions: 100 });
      const hash = board.trace.hash();
      expect(sumIn(board)).toBe(124n);
      board.revert(middle);
      expect(board.handlers.unfinished.count).toBe(1);
      expect(sumIn(board)).toBe(0n);
      board.memory.store(COUNTER, 8, 7000n);
      board.run({ instructions: 100 });
      expect(sumIn(board)).toBe(124n);
      expect(board.trace.hash()).toBe(hash);
    },
  );

  it("goes on in another process: an image holds what it was given, and no function", () => {
    const board = summingBoard();
    for (let part = 0; part < 4; part++) board.step();
    const opened = openImage(board.saveImage(), { prepare: (copy) => void installSumming(copy) });
    if (!(opened instanceof Board)) throw new Error(opened.message);
    opened.run({ instructions: 100 });
    board.run({ instructions: 100 });
    expect(sumIn(opened)).toBe(124n);
    expect(opened.trace.hash()).toBe(board.trace.hash());
  });

  it("gives the same run cut in pieces, stepped, in amnesia mode, and after going back", () => {
    const hashes = [
      (board: Board) => board.run({ instructions: 60 }),
      (board: Board) => {
        for (let piece = 0; piece < 60; piece++) board.run({ instructions: 1 });
      },
      (board: Board) => {
        for (let step = 0; step < 3; step++) board.step();
        board.stepBack(2);
        board.run({ instructions: 60 });
      },
    ].flatMap((run) =>
      [{}, { amnesia: { seed: 5 } }].map((options) => {
        const board = summingBoard(options);
        run(board);
        expect(sumIn(board)).toBe(124n);
        return board.trace.hash();
      }),
    );
    expect(new Set(hashes).size).toBe(1);
  });

  it("is forgotten by a reset, and a call from elsewhere is another call", () => {
    const board = summingBoard();
    board.step();
    board.hart.write("t6", 5n); // whoever comes with other registers has not been here
    board.step();
    expect(board.handlers.unfinished.count).toBe(2);
    board.reset();
    expect(board.handlers.unfinished.count).toBe(0);
  });

  it("that is left alone again and again takes no more than a little room", () => {
    const board = summingBoard();
    for (let call = 0n; call < 100n; call++) {
      board.hart.write("t6", call + 1000n);
      board.step();
    }
    expect(board.handlers.unfinished.count).toBeLessThanOrEqual(8);
  });
});

function installSumming(board: Board): void {
  installHandlers(board, () => ({ 1: { name: "test", handle: summing } }));
}

/** A generator whose module counts calls; used for what it does, or not. */
const sourceOf = (use: string): string => `
  let parts = 0n;
  return { 1: { name: "parts", *handle(context) {
    parts += 1n;
    context.store(COUNTER, 8, 1n);
    yield;
    ${use}
  } } };`;

describe("a generator that keeps something outside RAM", () => {
  const board = (use: string, options: HandlerOptions): Board => {
    const made = boardWith(
      "la sp, area\n li s0, 5\n loop: hx 1\n addi s0, s0, -1\n bnez s0, loop\n end: wfi\n j end\n area: .zero 1024",
    );
    installHandlers(made, handlersFromSource(sourceOf(use), { COUNTER }), options);
    return made;
  };
  const hashOf = (use: string, options: HandlerOptions = {}): string => {
    const made = board(use, options);
    made.run({ instructions: 1000 });
    return made.trace.hash();
  };

  it("has another trace in amnesia mode; one that does not has the same", () => {
    const amnesia = { amnesia: { seed: 1 } };
    const innocent = 'context.csr.write("mscratch", 7n);';
    const guilty = 'context.csr.write("mscratch", parts);';
    expect(hashOf(innocent, amnesia)).toBe(hashOf(innocent));
    expect(hashOf(guilty, amnesia)).not.toBe(hashOf(guilty));
  });

  it("is named where running it again goes another way", () => {
    let runs = 0;
    const wayward = (): HsHandlers => ({
      1: {
        name: "wayward",
        *handle(context) {
          runs += 1;
          if (runs > 1) context.csr.read("mstatus");
          else context.load(COUNTER, 8);
          yield;
        },
      },
    });
    const made = boardWith("hx 1\n end: wfi\n j end");
    installHandlers(made, wayward, { amnesia: { seed: 1 } });
    expect(made.run({ instructions: 10 })).toMatchObject({
      reason: "handler-error",
      message: expect.stringContaining(
        "run again from its beginning with the same values and did something else",
      ),
    });
  });
});

describe("what never ends", () => {
  it.each([
    [
      "yields alone",
      {},
      function* (): Steps {
        for (;;) yield;
      },
    ],
    [
      "operations and yields",
      {},
      function* (context: HsContext): Steps {
        for (;;) {
          context.load(COUNTER, 8);
          yield;
        }
      },
    ],
    [
      "operations in race mode",
      { races: true },
      (context: HsContext): undefined => {
        for (;;) context.load(COUNTER, 8);
      },
    ],
    [
      "operations in race mode, with a hand over its ears",
      { races: true },
      (context: HsContext): undefined => {
        for (;;) {
          try {
            context.load(COUNTER, 8);
          } catch {
            return undefined;
          }
        }
      },
    ],
  ] as const)("is stopped by the budget: %s", (_, options, handle) => {
    const board = boardThatCalls(handle, { options: { ...options, operations: 300 } });
    expect(board.run({ instructions: 10_000 })).toMatchObject({
      reason: "handler-error",
      message: expect.stringContaining("made 300 operations and did not end"),
    });
  });

  it("may also throw in a later part, and is named", () => {
    const board = boardThatCalls(function* (): Steps {
      yield;
      throw new RangeError("too late");
    });
    expect(board.run({ instructions: 100 })).toMatchObject({
      message: expect.stringContaining("threw RangeError: too late"),
    });
  });

  it("and what traps in a later part takes the exception where hx stands", () => {
    const board = boardThatCalls(function* (context): Steps {
      yield;
      context.load(paddr(0x4000_0000n), 8);
    });
    expect(callOnce(board).trap).toBeUndefined();
    expect(board.step().trap).toMatchObject({ cause: 5 });
    expect(board.hart.csr("mepc")).toBe(placeIn(board, "call"));
    expect(board.handlers.unfinished.count).toBe(0);
  });
});

describe("a context that was kept", () => {
  it("does nothing between calls, and says so", () => {
    let kept: HsContext | undefined;
    const board = boardThatCalls((context) => {
      kept = context;
    });
    callOnce(board);
    const { retired } = board.clock;
    expect(() => kept?.load(COUNTER, 8)).toThrow("outside the call");
    expect(board.clock.retired).toBe(retired);
  });
});

/** Hart 0 works in HS-mode, hart 1 knocks at it through the firmware, whose handlers are TypeScript too. */
const KNOCKED = `la sp, area\n li a7, 0x48534d\n li a6, 0\n li a0, 1\n la a1, other\n ecall
  call: hx 20\n done: wfi\n j done
  other: li s0, 15\n knock: li a7, 0x735049\n li a6, 0\n li a0, 1\n li a1, 0\n ecall\n addi s0, s0, -1\n bnez s0, knock
  rest: wfi\n j rest\n .balign 8\n area: .zero 512`;

const COUNTER_HERE = paddr(0x8030_0000n);

describe("a handler of supervisor mode", () => {
  it.each([{}, { races: true }, { amnesia: { seed: 2 } }])(
    "is interrupted by machine mode's handlers on the same hart, and goes on: %o",
    (options) => {
      const board = buildBoard({ harts: 2, turns: { min: 1, max: 9 } });
      const payload = assemble(KNOCKED, { origin: PAYLOAD_ENTRY });
      if (payload.kind !== "program") throw new Error(payload.message);
      board.memory.write(PAYLOAD_ENTRY, payload.bytes);
      expect(installFirmware(board).kind).toBe("firmware");
      const handle: Handle = function* (context) {
        let sum = 0n;
        for (let round = 0n; round < 600n; round++) {
          context.store(COUNTER_HERE, 8, round);
          yield;
          sum += context.load(COUNTER_HERE, 8);
        }
        context.registers.a0 = sum;
      };
      installHandlers(board, () => ({ 20: { name: "long", handle } }), options);
      const symbol = (name: string): bigint => payload.symbols.get(name) ?? 0n;
      let interrupted = 0;
      board.onTrap(({ hart, trap, epc }) => {
        if (hart === 0 && trap.isInterrupt && epc === symbol("call")) interrupted += 1;
      });
      board.run({ instructions: 400_000 });
      expect(board.memory.load(symbol("area") + 80n, 8)).toBe((599n * 600n) / 2n);
      expect(interrupted).toBeGreaterThan(3);
      expect(board.handlers.unfinished.count).toBe(0);
    },
  );
});
