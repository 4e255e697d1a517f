/** Every device under a hostile kernel: no exception, bounded state, and the same continuation after going back. */
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { sha256Hex } from "../../../lib/board/trace.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import type { StateValue } from "../../../lib/bus/device.ts";
import { DeviceFuzzer } from "../../support/device-fuzzer.ts";

const OPERATIONS = process.env["DOM0_TEST_FULL"] === "1" ? 10_000_000 : 100_000;
const BOARDS = process.env["DOM0_TEST_FULL"] === "1" ? 100 : 10;
const PER_BOARD = OPERATIONS / BOARDS;
/** Far more than all devices need; without end for a leak. */
const MAX_STATE_VALUES = 100_000;

const board = (seed: number): Board =>
  buildBoard({
    ramBytes: 1 << 20,
    disk: new Uint8Array(200_000),
    network: { peer: (frame) => (frame.length % 2 === 0 ? [frame] : []) },
    virtioConsole: true,
    entropySeed: seed,
    harts: seed % 2 === 0 ? 1 : 2,
    ...(seed % 3 === 0 ? {} : { iommu: seed % 3 === 1 ? ("bare" as const) : ("off" as const) }),
  });

function valuesIn(value: StateValue): number {
  if (typeof value !== "object" || value instanceof Uint8Array) return 1;
  return Object.values(value).reduce<number>((sum, part) => sum + valuesIn(part), 1);
}

/** Everything that a guest can find out about a machine. */
function fingerprint({ bus, trace, clock, disk }: Board): string[] {
  return [
    trace.hash(),
    `${clock.now} ${clock.mtime}`,
    sha256Hex(bus.ram.u8),
    sha256Hex(disk?.bytes() ?? new Uint8Array()),
    ...bus.regions.map(({ device }) =>
      JSON.stringify([device.name, device.save()], (_, value) =>
        typeof value === "bigint" ? `${value}n` : value,
      ),
    ),
  ];
}

describe("devices under a hostile kernel", () => {
  it(
    `bear ${OPERATIONS.toLocaleString("en")} random operations, and go on the same after a snapshot`,
    () => {
      for (let seed = 1; seed <= BOARDS; seed++) {
        const machine = board(seed);
        let operation = 0;
        try {
          const fuzzer = new DeviceFuzzer(machine, seed);
          for (; operation < PER_BOARD * 0.9; operation++) fuzzer.step();
          const snapshot = machine.snapshot();
          const tail = (): string[] => {
            const again = new DeviceFuzzer(machine, 1_000_000 + seed);
            const seen = Array.from({ length: PER_BOARD * 0.05 }, () => again.step());
            return [seen.join(), ...fingerprint(machine)];
          };
          const first = tail();
          machine.revert(snapshot);
          expect(tail(), `seed ${seed}`).toEqual(first);
        } catch (problem) {
          throw new Error(`seed ${seed}, operation ${operation}`, { cause: problem });
        }
        const size = machine.bus.regions.reduce((sum, { device }) => sum + valuesIn(device.save()), 0);
        expect(size, `seed ${seed}`).toBeLessThan(MAX_STATE_VALUES);
      }
    },
    60 * 60_000,
  );

  it("reach their work: requests are served, rings break, interrupts rise", () => {
    const machine = board(1);
    const fuzzer = new DeviceFuzzer(machine, 1);
    const seen = { needsReset: 0, external: 0 };
    for (let operation = 0; operation < 20_000; operation++) {
      fuzzer.step();
      const slots = [0, 1, 2, 3].map((slot) => machine.bus.load(0x1000_1070 + 0x1000 * slot, 4));
      if (slots.some((status) => typeof status === "bigint" && (status & 0x40n) !== 0n)) seen.needsReset++;
      if ((machine.hart.state.wiresPending & 0xa00n) !== 0n) seen.external++; // MEIP, SEIP
    }
    expect(seen.needsReset).toBeGreaterThan(100);
    expect(seen.external).toBeGreaterThan(100);
    expect(machine.trace.events.some(({ kind }) => kind === "dma-write")).toBe(true);
    expect(machine.disk?.writtenChunks).toBeGreaterThan(0);
    expect(machine.virtioConsole?.length).toBeGreaterThan(0);
  });
});
