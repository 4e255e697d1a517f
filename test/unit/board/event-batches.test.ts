/** Events that come by the handful on their way through breakpoints and trap loop to the trace. */
import { describe, expect, it } from "vitest";
import { Trace } from "../../../lib/board/trace.ts";
import { TrapLoop } from "../../../lib/board/trap-loop.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { RECORD_BYTES, recordEach, writeRecord } from "../../../lib/bus/event-record.ts";
import { batchSink, EventKind, NO_EVENTS } from "../../../lib/bus/event-sink.ts";
import { assembled } from "../../support/assembled.ts";

/** Records of kinds with the retired count of each. */
function records(...events: readonly (readonly [kind: EventKind, retired: number])[]): Uint8Array {
  const bytes = new Uint8Array(events.length * RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, [kind, retired]] of events.entries())
    writeRecord(view, index * RECORD_BYTES, kind, 0, 0x31, retired, 8n, -1n, 0n);
  return bytes;
}

const { EXCEPTION, INTERRUPT, CSR_WRITE, TRAP_RETURN } = EventKind;

describe("events by the handful", () => {
  it("count in the trap loop as if they had come one by one", () => {
    const batches = [
      records([CSR_WRITE, 1], [EXCEPTION, 2], [CSR_WRITE, 3]),
      records([CSR_WRITE, 4], [TRAP_RETURN, 5]),
      records([EXCEPTION, 6], [CSR_WRITE, 6], [INTERRUPT, 7]),
      records([EXCEPTION, 9]),
    ];
    const [together, single] = [new Trace(""), new Trace("")].map((trace) => ({
      trace,
      loop: new TrapLoop(trace, () => expect.unreachable()),
    })) as [{ trace: Trace; loop: TrapLoop }, { trace: Trace; loop: TrapLoop }];
    for (const batch of batches) {
      together.loop.recordAll(batch);
      recordEach(single.loop, batch);
      expect(together.loop.save()).toEqual(single.loop.save());
      expect(together.trace.hash()).toBe(single.trace.hash());
    }
    expect(together.loop.trapsAt(9)).toBe(1);
  });

  it("reach a sink that takes single events alone, one by one", () => {
    const kinds: number[] = [];
    const loop = new TrapLoop({ record: (kind) => kinds.push(kind) }, () => {});
    expect(loop.takesBatches).toBe(false);
    loop.recordAll(records([CSR_WRITE, 1], [EXCEPTION, 2]));
    expect(kinds).toEqual([CSR_WRITE, EXCEPTION]);
  });

  it("are welcome on a board, but not where a breakpoint waits for an event", () => {
    const { breakpoints } = buildBoard();
    expect(batchSink(breakpoints)?.takesBatches).toBe(true);
    const address = breakpoints.add({ kind: "execute", address: 0x8000_0000n });
    expect(breakpoints.takesBatches).toBe(true);
    const trap = breakpoints.add({ kind: "trap" });
    expect(breakpoints.takesBatches).toBe(false);
    for (const breakpoint of [address, trap]) if ("id" in breakpoint) breakpoints.remove(breakpoint);
    expect(breakpoints.takesBatches).toBe(true);
    expect(batchSink(NO_EVENTS)).toBe(NO_EVENTS);
    expect(batchSink({ record() {} })).toBeUndefined();
  });
});

/** User mode calls machine mode, which counts, until it has counted to a thousand; then the handler itself traps for ever. */
const CALLS = `
      la t0, handler
      csrw mtvec, t0
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 0x1f
      csrw pmpcfg0, t0
      la t0, user
      csrw mepc, t0
      mret
user: addi a0, a0, 1
      ecall
      j user
.balign 4
handler:
      csrrw t1, mscratch, t1
      csrr t0, mepc
      addi t0, t0, 4
      csrw mepc, t0
      li t2, 1000
      beq a0, t2, stuck
      mret
stuck: la t0, again
      csrw mtvec, t0
.balign 4
again: ecall
`;

describe("traps without the slow path", () => {
  const boardWith = (engine: "reference" | "translator") => {
    const board = buildBoard({ engine });
    board.load(assembled(CALLS));
    return board;
  };

  it("tell the same on both engines, and end in the same loop of traps, however the run is cut", () => {
    const plain = boardWith("reference");
    const end = plain.run({ instructions: 1_000_000 });
    expect(end.reason).toBe("trap-loop");
    for (const piece of [1, 7, 100, 1_000_000]) {
      const board = boardWith("translator");
      let stop = board.run({ instructions: piece });
      while (stop.reason === "budget") stop = board.run({ instructions: piece });
      expect(stop).toEqual(end);
      expect(board.trace.count).toBe(plain.trace.count);
      expect(board.trace.hash()).toBe(plain.trace.hash());
    }
  });

  it("stop at breakpoints on traps, modes and CSRs where the reference engine stops", () => {
    const specs = [{ kind: "trap" }, { kind: "mode", mode: "U" }, { kind: "csr", csr: "mscratch" }] as const;
    for (const spec of specs) {
      const places = (["reference", "translator"] as const).map((engine) => {
        const board = boardWith(engine);
        board.run({ instructions: 5000 });
        board.breakpoints.add(spec);
        return [1, 2, 3].map(() => [
          board.run({ instructions: 1000 }).retired,
          board.hart.pc,
          board.trace.hash(),
        ]);
      });
      expect(places[1]).toEqual(places[0]);
    }
  });

  it("are all announced to observers", () => {
    const counts = (["reference", "translator"] as const).map((engine) => {
      const board = boardWith(engine);
      board.run({ instructions: 3000 });
      let traps = 0;
      const stop = board.onTrap(() => traps++);
      board.run({ instructions: 3000 });
      stop();
      board.run({ instructions: 3000 });
      return [traps, board.trace.hash()];
    });
    expect(counts[1]).toEqual(counts[0]);
    expect(counts[0]?.[0]).toBeGreaterThan(200);
  });
});
