import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import type { Breakpoint, BreakpointSpec } from "../../../lib/board/breakpoint.ts";
import type { BoardConfig } from "../../../lib/board/virt.ts";
import { boardWith } from "../../support/assembled.ts";

/** Counts in memory, writes a CSR and makes a call each time round. */
const LOOP = `la t0, handler
  csrw mtvec, t0
  la s0, counter
  li s1, 0
  again:
  load: ld t1, 0(s0)
  addi t1, t1, 1
  store: sd t1, 0(s0)
  write: csrw mscratch, t1
  call: ecall
  j again
  .balign 4
  handler: csrr t2, mepc
  addi t2, t2, 4
  csrw mepc, t2
  mret
  .balign 8
  counter: .dword 0
  other: .dword 0`;

function set(board: Board, spec: BreakpointSpec): Breakpoint {
  const breakpoint = board.breakpoints.add(spec);
  if ("kind" in breakpoint) throw new Error(breakpoint.message);
  return breakpoint;
}

const at = (board: Board, name: string): bigint => board.symbols.addressOf(name) ?? -1n;
const run = (board: Board) => board.run({ instructions: 1000 });

/** Both settings of the accelerations: what is watched must not depend on what is remembered. */
const SETTINGS: readonly BoardConfig[] = [
  {},
  { accelerations: { decodeMemo: false, translationCache: false } },
];

describe.each(SETTINGS)("a breakpoint, with %o", (config) => {
  it("on an instruction stops before it, each time it comes round, and lets the run go on", () => {
    const board = boardWith(LOOP, config);
    run(board); // everything is remembered by now
    const breakpoint = set(board, { kind: "execute", address: at(board, "store") });
    for (let round = 0; round < 3; round++) {
      const stop = run(board);
      const count = board.memory.load(at(board, "counter"), 8) as bigint;
      expect(stop).toMatchObject({ reason: "breakpoint", at: "pc", hits: [{ breakpoint, hart: 0 }] });
      expect(board.hart.pc).toBe(at(board, "store"));
      expect(board.hart.read("t1")).toBe(count + 1n); // added, and not yet stored
    }
    expect(board.breakpoints.remove(breakpoint)).toBe(true);
    expect(run(board)).toMatchObject({ reason: "budget" });
  });

  it("on data tells who touched it, and its value before and after", () => {
    const board = boardWith(LOOP, config);
    run(board);
    const address = at(board, "counter");
    const before = board.memory.load(address, 8) as bigint;
    for (const space of ["virtual", "physical"] as const) {
      const count = board.memory.load(address, 8) as bigint;
      const writes = set(board, { kind: "write", address, length: 8, space });
      const stop = run(board);
      const data = { kind: "write", paddr: address, length: 8, before: count, after: count + 1n };
      expect(stop).toMatchObject({
        reason: "breakpoint",
        at: "write",
        hits: [{ pc: at(board, "store"), data }],
      });
      expect(board.hart.pc).toBe(at(board, "write")); // the next instruction
      board.breakpoints.remove(writes);
    }
    const reads = set(board, { kind: "read", address: address + 7n });
    expect(run(board)).toMatchObject({
      at: "read",
      hits: [{ pc: at(board, "load"), data: { after: before + 2n } }],
    });
    board.breakpoints.remove(reads);
    set(board, { kind: "access", address: at(board, "other"), length: 8 });
    expect(run(board)).toMatchObject({ reason: "budget" }); // the same page, other bytes
  });

  it("on CSRs, modes and traps says which and why in words", () => {
    const board = boardWith(LOOP, config);
    set(board, { kind: "csr", csr: "mscratch" });
    const written = run(board);
    expect(written).toMatchObject({
      at: "csr",
      hits: [{ text: "hart 0 at write wrote mscratch: 0x0 → 0x1" }],
    });
    board.breakpoints.clear();
    set(board, { kind: "trap", causes: [11] });
    set(board, { kind: "trap", causes: [2] });
    expect(run(board)).toMatchObject({ at: "trap", hits: [{ breakpoint: { spec: { causes: [11] } } }] });
    expect(board.hart.pc).toBe(at(board, "handler"));
    board.breakpoints.clear();
    set(board, { kind: "mode", to: "U" });
    board.hart.state.setStored("mstatus", 0n); // the next return goes to user mode
    expect(run(board)).toMatchObject({
      at: "mode",
      hits: [{ text: expect.stringContaining("from M to U") }],
    });
    expect(board.hart.mode).toBe("U");
  });

  it("changes nothing of the run", () => {
    const plain = boardWith(LOOP, config);
    plain.run({ instructions: 5000 });
    const watched = boardWith(LOOP, config);
    set(watched, { kind: "access", address: at(watched, "counter"), length: 8 });
    set(watched, { kind: "execute", address: at(watched, "call") });
    set(watched, { kind: "trap" });
    let stops = 0;
    while (watched.clock.retired < 5000) {
      watched.run({ instructions: 5000 - watched.clock.retired });
      stops++;
    }
    expect(stops).toBeGreaterThan(1000);
    expect(watched.trace.hash()).toBe(plain.trace.hash());
  });
});

describe("breakpoints", () => {
  it("meant for one hart leave the others alone", () => {
    const board = boardWith("again: addi t0, t0, 1\n place: addi t1, t1, 1\n j again", {
      harts: 3,
      turns: { min: 5, max: 20 },
    });
    set(board, { kind: "execute", address: at(board, "place"), hart: 2 });
    for (let round = 0; round < 5; round++)
      expect(run(board)).toMatchObject({ reason: "breakpoint", hart: 2 });
    expect(board.harts.map((hart) => hart.read("t1")).slice(0, 2)).not.toContain(0n);
  });

  it("stop a run backward just before what they wait for, as often as there was one", () => {
    const board = boardWith(LOOP);
    run(board);
    run(board);
    const end = board.memory.load(at(board, "counter"), 8) as bigint;
    set(board, { kind: "write", address: at(board, "counter"), length: 8 });
    for (let back = 1n; back <= 3n; back++) {
      expect(board.reverseContinue()).toMatchObject({ kind: "moment", hits: [{ data: { kind: "write" } }] });
      expect(board.hart.pc).toBe(at(board, "store"));
      expect(board.memory.load(at(board, "counter"), 8)).toBe(end - back);
    }
    board.breakpoints.clear();
    expect(board.reverseContinue()).toMatchObject({ kind: "moment", isStart: true, moment: { retired: 0 } });
  });

  it("that make no sense are refused with the reason", () => {
    const board = boardWith(LOOP);
    for (const [spec, why] of [
      [{ kind: "execute", address: -1n }, /64 bits/],
      [{ kind: "write", address: 0n, length: 0 }, /1 to/],
      [{ kind: "trap", hart: 1 }, /no hart 1/],
      [{ kind: "csr", csr: "nonsense" }, /no CSR/],
    ] as const)
      expect(board.breakpoints.add(spec as BreakpointSpec)).toMatchObject({
        kind: "breakpoint-error",
        message: why,
      });
  });
});
