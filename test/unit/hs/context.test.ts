/** What a handler may do: each operation is the instruction that it stands for. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { type HsContext, isRefused } from "../../../lib/hs/context.ts";
import { installHandlers } from "../../../lib/hs/install.ts";
import { paddr, vaddr } from "../../../lib/isa/address.ts";
import { EXCEPTION } from "../../../lib/isa/trap.ts";
import { assembled } from "../../support/assembled.ts";
import { boardThatCalls, callOnce, placeIn, runToCall } from "./support.ts";

const SCRATCH = paddr(0x8001_0000n);
const UART = paddr(0x1000_0000n);
/** Where nothing answers. */
const NOWHERE = paddr(0x4000_0000n);

describe("an operation", () => {
  it("retires as one instruction, and the call as one more", () => {
    const board = boardThatCalls((context) => {
      context.store(SCRATCH, 8, 1n);
      context.load(SCRATCH, 4);
      context.csr.read("mstatus");
      context.csr.write("mscratch", 5n);
      context.fenceInstructions();
      context.fenceTranslations(vaddr(0n), 3n);
      context.fenceGuestTranslations();
      context.fenceSecondStage(undefined, 1n);
      context.atomic("add", SCRATCH, 2n);
    });
    runToCall(board);
    const { retired } = board.clock;
    board.step();
    expect(board.clock.retired - retired).toBe(9 + 1);
    expect(board.hart.csr("minstret")).toBe(BigInt(board.clock.retired));
  });

  it("lets time pass between two reads of it", () => {
    const times: bigint[] = [];
    const board = boardThatCalls(({ csr }) => {
      for (let read = 0; read < 31; read++) times.push(csr.read("time"));
    });
    callOnce(board);
    expect((times.at(-1) ?? 0n) - (times[0] ?? 0n)).toBe(3n); // thirty instructions, ten to a tick
  });

  it.each([
    [1, 0x88n],
    [2, 0x7788n],
    [4, 0xff66_7788n],
    [8, 0x1122_3344_ff66_7788n],
  ] as const)("loads %i bytes zero-extended, and stores the low ones", (width, expected) => {
    let loaded: bigint | undefined;
    const board = boardThatCalls((context) => {
      context.store(SCRATCH, 8, 0x1122_3344_ff66_7788n);
      loaded = context.load(SCRATCH, width);
      context.store(paddr(SCRATCH + 8n), width, -1n);
    });
    callOnce(board);
    expect(loaded).toBe(expected);
    expect(board.memory.load(SCRATCH + 8n, 8)).toBe(2n ** BigInt(8 * width) - 1n);
  });

  it("lets alarms ring behind it, as between two instructions, and interrupts wait", () => {
    let looks = 0;
    const board = boardThatCalls(
      ({ csr }) => {
        for (looks = 1; (csr.read("mip") & 0x80n) === 0n; looks++);
      },
      {
        before: "li t0, 0x2004000\n li t1, 100\n sd t1, (t0)\n li t0, 0x80\n csrw mie, t0\n csrsi mstatus, 8",
      },
    );
    const { trap } = callOnce(board);
    expect(trap).toBeUndefined();
    expect(looks).toBeGreaterThan(900); // a hundred ticks of ten instructions
    expect(looks).toBeLessThan(1000);
    expect(board.step().trap).toMatchObject({ isInterrupt: true, cause: 7 });
  });

  it("is an event where the instruction would be one", () => {
    const board = boardThatCalls((context) => {
      context.csr.write("mscratch", 0x77n);
      context.csr.set("mscratch", 0x8n);
      context.store(UART, 1, 65n);
    });
    runToCall(board);
    const { retired } = board.clock;
    board.step();
    const [call, write, set, store] = board.trace.events.slice(-4);
    expect(call).toMatchObject({ kind: "hx-call", number: 1, retired });
    expect(write).toMatchObject({ kind: "csr-write", csr: 0x340, value: 0x77n, retired });
    expect(set).toMatchObject({ kind: "csr-write", csr: 0x340, value: 0x7fn, retired: retired + 1 });
    expect(store).toMatchObject({ kind: "device-store", paddr: UART, value: 65n, retired: retired + 2 });
    expect(board.console.text).toBe("A");
  });

  it("changes a word at once, and tells what it was", () => {
    const seen: bigint[] = [];
    const board = boardThatCalls((context) => {
      context.store(SCRATCH, 8, 0b1100n);
      seen.push(context.atomic("or", SCRATCH, 0b0011n));
      seen.push(context.atomic("and", SCRATCH, 0b0110n));
      seen.push(context.atomic("swap", SCRATCH, 2n ** 64n - 1n));
      seen.push(context.atomic("add", SCRATCH, 2n));
      seen.push(context.load(SCRATCH, 8));
    });
    callOnce(board);
    expect(seen).toEqual([0b1100n, 0b1111n, 0b0110n, 2n ** 64n - 1n, 1n]);
  });

  it("sees changes of the access context at once: MPRV, and PMP", () => {
    const seen: unknown[] = [];
    const board = boardThatCalls((context) => {
      const load = (): unknown => context.attempt(() => context.load(SCRATCH, 8));
      context.store(SCRATCH, 8, 9n);
      seen.push(load());
      context.csr.set("mstatus", 1n << 17n); // MPRV, with MPP = U
      seen.push(load());
      context.csr.write("pmpaddr0", 2n ** 54n - 1n);
      context.csr.write("pmpcfg0", 0x19n); // all addresses, read only
      seen.push(load());
      seen.push(context.attempt(() => context.store(SCRATCH, 8, 1n)));
    });
    callOnce(board);
    const [first, withoutRule, withRule, store] = seen;
    expect([first, withRule]).toEqual([9n, 9n]);
    expect(isRefused(withoutRule) && withoutRule.trap.cause).toBe(EXCEPTION.loadAccessFault);
    expect(isRefused(store) && store.trap).toMatchObject({
      cause: EXCEPTION.storeAccessFault,
      tval: SCRATCH,
    });
  });
});

describe("an operation that traps", () => {
  it("ends the handler, and the hart takes the exception where hx stands", () => {
    let isBehind = false;
    const board = boardThatCalls((context) => {
      context.csr.write("mscratch", 1n);
      context.load(NOWHERE, 8);
      isBehind = true;
    });
    const record = callOnce(board);
    expect(isBehind).toBe(false);
    expect(record.trap).toMatchObject({ cause: EXCEPTION.loadAccessFault, tval: NOWHERE });
    expect(board.hart.csr("mepc")).toBe(placeIn(board, "call"));
    expect(board.hart.csr("mscratch")).toBe(1n); // what came before has happened
    expect(board.hart.pc).toBe(placeIn(board, "trap"));
  });

  it("cannot be caught by try, for real code could not either", () => {
    let operationsBehind = 0;
    const board = boardThatCalls((context) => {
      try {
        context.load(NOWHERE, 8);
      } catch {
        // a handler that thinks that it may go on
      }
      try {
        context.csr.write("mscratch", 1n);
        operationsBehind += 1;
      } catch {}
    });
    expect(callOnce(board).trap).toMatchObject({ cause: EXCEPTION.loadAccessFault });
    expect(operationsBehind).toBe(0);
    expect(board.hart.csr("mscratch")).toBe(0n);
  });

  it("is a value inside attempt, and the handler goes on", () => {
    const board = boardThatCalls((context) => {
      const loaded = context.attempt(() => context.load(NOWHERE, 8));
      context.csr.write("mscratch", isRefused(loaded) ? loaded.trap.tval : 0n);
    });
    expect(callOnce(board).trap).toBeUndefined();
    expect(board.hart.csr("mscratch")).toBe(NOWHERE);
    expect(board.hart.csr("mcause")).toBe(0n);
  });

  it("lets an error of the action itself through attempt", () => {
    const board = boardThatCalls((context) => {
      context.attempt(() => {
        throw new TypeError("mine");
      });
    });
    callOnce(board);
    expect(board.run({ instructions: 1 })).toMatchObject({
      reason: "handler-error",
      message: /TypeError: mine/,
    });
  });

  it("is an illegal instruction for a CSR that the mode may not use, with the word of the CSR instruction", () => {
    const board = boardThatCalls((context) => context.csr.read("mstatus"), {
      before: `li t1, -1
 csrw pmpaddr0, t1
 li t1, 0x1f
 csrw pmpcfg0, t1
        li t1, 0x1800
 csrc mstatus, t1
 li t1, 0x800
 csrs mstatus, t1
        la t1, call
 csrw mepc, t1
 mret`,
    });
    const { trap } = callOnce(board);
    expect(trap).toMatchObject({ cause: EXCEPTION.illegalInstruction, tval: 0x3000_2ff3n }); // csrr t6, mstatus
  });
});

describe("WFI in a handler", () => {
  it("jumps to the moment when an enabled interrupt is pending, on a hart that is alone", () => {
    const board = boardThatCalls(({ csr, store, waitForInterrupt }) => void [csr, store, waitForInterrupt]);
    const wake = (context: HsContext): void => {
      context.csr.write("mie", 1n << 7n);
      context.store(paddr(0x200_4000n), 8, 5000n); // mtimecmp
      context.waitForInterrupt();
      context.store(SCRATCH, 8, context.csr.read("time"));
    };
    installHandlers(board, () => ({ 1: { name: "wake", handle: wake } }));
    callOnce(board);
    expect(board.memory.load(SCRATCH, 8)).toBe(5000n);
    expect(board.hart.state.waiting).toBe(false);
  });

  it("ends at once when nothing will ever wake the hart, or another hart is awake", () => {
    for (const harts of [1, 2] as const) {
      const board = boardThatCalls((context) => context.waitForInterrupt(), { config: { harts } });
      callOnce(board);
      expect(board.hart.state.waiting).toBe(false);
    }
  });
});

describe("a guest's memory", () => {
  it("is read and written with the guest's rights by HLV, HLVX and HSV", () => {
    const seen: unknown[] = [];
    const board = boardThatCalls((context) => {
      const there = vaddr(SCRATCH); // both stages are Bare
      context.csr.set("hstatus", 1n << 8n); // SPVP
      context.csr.write("pmpaddr0", 2n ** 54n - 1n);
      context.csr.write("pmpcfg0", 0x1dn); // read and execute
      seen.push(isRefused(context.attempt(() => context.storeAsGuest(there, 8, 5n))));
      context.csr.write("pmpcfg0", 0x1fn);
      context.storeAsGuest(there, 8, 0x1_8765_4321n);
      seen.push(context.loadAsGuest(there, 4), context.fetchAsGuest(there, 2));
    });
    callOnce(board);
    expect(seen).toEqual([true, 0x8765_4321n, 0x4321n]);
  });
});

describe("the second hart", () => {
  it("is told its own number, and has its own registers", () => {
    const seen: number[] = [];
    const board = buildBoard({ harts: 2 });
    board.load(
      assembled(
        "csrr t0, mhartid\n slli t0, t0, 10\n la sp, areas\n add sp, sp, t0\n hx 1\n end: wfi\n j end\n .balign 8\n areas: .zero 2048",
      ),
    );
    installHandlers(board, () => ({
      1: {
        name: "number",
        handle: (context) => {
          seen.push(context.hart);
          context.registers.a0 = BigInt(context.hart) + 100n;
        },
      },
    }));
    board.run({ instructions: 100_000 });
    expect(seen.sort()).toEqual([0, 1]);
    const areas = placeIn(board, "areas");
    expect([0n, 1n].map((hart) => board.memory.load(areas + hart * 1024n + 80n, 8))).toEqual([100n, 101n]);
  });
});
