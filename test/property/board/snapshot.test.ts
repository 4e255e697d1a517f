import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import type { Snapshot } from "../../../lib/board/snapshot.ts";
import { buildBoard, type HartCount } from "../../../lib/board/virt.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";

const KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const RAM_BYTES = 2 << 20;

type Op =
  | { kind: "run"; instructions: number }
  | { kind: "step" }
  | { kind: "type"; text: string }
  | { kind: "poke"; offset: number; value: bigint }
  | { kind: "device"; paddr: number; value: bigint }
  | { kind: "snapshot" }
  | { kind: "revert"; pick: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ kind: fc.constant("run" as const), instructions: fc.nat(4000) }),
  fc.record({ kind: fc.constant("step" as const) }),
  fc.record({ kind: fc.constant("type" as const), text: fc.string({ maxLength: 20 }) }),
  fc.record({
    kind: fc.constant("poke" as const),
    offset: fc.nat(RAM_BYTES - 8),
    value: fc.bigInt(0n, 2n ** 64n - 1n),
  }),
  fc.record({
    kind: fc.constant("device" as const),
    paddr: fc.constantFrom(
      0x1000_0001,
      0x1000_0002,
      0x1000_0003,
      0x1000_0007,
      0x200_4000,
      0x200_bff8,
      0x200_0000,
    ),
    value: fc.bigInt(0n, 2n ** 32n - 1n),
  }),
  fc.record({ kind: fc.constant("snapshot" as const) }),
  fc.record({ kind: fc.constant("revert" as const), pick: fc.nat() }),
);

/** Everything guest-visible, by value, RAM included. */
function everything(board: Board) {
  return {
    ram: Buffer.from(board.bus.ram.u8).toString("latin1"),
    state: board.harts.map(({ state }) => [...state.bytes]),
    devices: board.bus.regions.map(({ device }) => device.save()),
    clock: [board.clock.save(), board.clock.alarmAtRetired],
    trace: [board.trace.hash(), board.trace.count, board.trace.events.length],
    console: board.console.text,
  };
}

function apply(board: Board, step: Op): void {
  switch (step.kind) {
    case "run":
      board.run({ instructions: step.instructions });
      return;
    case "step":
      board.step();
      return;
    case "type":
      board.type(step.text);
      return;
    case "poke":
      board.memory.store(0x8000_0000n + BigInt(step.offset), 8, step.value);
      return;
    case "device":
      board.bus.store(step.paddr, step.paddr < 0x1000_0000 ? 4 : 1, step.value);
      return;
    default:
  }
}

function kernelBoard(harts: HartCount): Board {
  const board = buildBoard({ ramBytes: RAM_BYTES, harts, turns: { min: 5, max: 500 } });
  board.loadElf(KERNEL);
  return board;
}

describe("snapshots of a board", () => {
  it("give back everything guest-visible, and what is done afterwards ends the same as without the detour", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 25 }), fc.constantFrom<HartCount>(1, 1, 2, 3), (ops, harts) => {
        const board = kernelBoard(harts);
        const taken: { snapshot: Snapshot; path: Op[] }[] = [];
        let path: Op[] = [];
        for (const step of ops) {
          apply(board, step);
          if (step.kind === "snapshot") taken.push({ snapshot: board.snapshot(), path: [...path] });
          else if (step.kind !== "revert") path.push(step);
          const target = step.kind === "revert" ? taken[step.pick % Math.max(1, taken.length)] : undefined;
          if (target === undefined) continue;
          board.revert(target.snapshot);
          path = [...target.path];
        }
        // The same machine by the straight way: only the steps on the path that was kept.
        const straight = kernelBoard(harts);
        for (const step of path) apply(straight, step);
        expect(everything(board)).toEqual(everything(straight));
      }),
      { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 500 : 40 },
    );
  });
});
