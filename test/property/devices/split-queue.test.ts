/** The virtqueue against a naive model that holds chains in a list: what is offered comes back once, in order, with its bytes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeviceState } from "../../../lib/bus/device.ts";
import type { VirtioModel } from "../../../lib/devices/virtio/model.ts";
import { type Chain, gather, scatter } from "../../../lib/devices/virtio/split-queue.ts";
import { DriverQueue, EVENT_IDX, RAM_BASE, SlotBench, VERSION_1 } from "../../support/virtio-driver.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 2000 : 150;
const SIZE = 8;
const BUFFERS = RAM_BASE + 0x4_0000;

/** A device that writes into its writable buffers what it found in the readable ones, each byte plus one. */
class Echo implements VirtioModel {
  readonly deviceId = 99;
  readonly features = 0n;
  readonly queueCount = 1;
  readonly maxChainBytes = 1 << 16;
  readonly delayInsns = 10;
  connect(): void {}
  config(): Uint8Array {
    return new Uint8Array(0);
  }
  configure(): void {}
  serve(_queue: number, chain: Chain, dma: Parameters<VirtioModel["serve"]>[2]) {
    const bytes = gather(dma, chain.readable);
    if (!(bytes instanceof Uint8Array)) return bytes;
    const room = chain.writable.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
    const answer = bytes.map((byte) => byte + 1).subarray(0, room);
    return scatter(dma, chain.writable, answer) ?? answer.length;
  }
  reset(): void {}
  powerOn(): void {}
  save(): DeviceState {
    return {};
  }
  restore(): void {}
}

const lengths = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 3 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("offer" as const), readable: lengths, writable: lengths }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("kick" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("snapshot" as const) }) },
);

describe("a virtqueue", () => {
  it.each([
    ["without event index", VERSION_1],
    ["with event index", VERSION_1 | EVENT_IDX],
  ])("gives back every chain once, in order, with the bytes its model expects: %s", (_, features) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bench = new SlotBench(() => new Echo());
        bench.negotiate(features);
        const queue = new DriverQueue(bench, 0, SIZE, RAM_BASE + 0x1000);
        bench.ready();
        let place = BUFFERS;
        let descriptorsInUse = 0;
        const open: { head: number; expected: number[]; at: number[]; descriptors: number }[] = [];
        const settle = () => {
          for (const { head, written } of queue.collect()) {
            const chain = open.shift();
            expect({ head, written }).toEqual({ head: chain?.head, written: chain?.expected.length });
            expect(chain?.at.slice(0, written).flatMap((address) => bench.get(address, 1))).toEqual(
              chain?.expected,
            );
            descriptorsInUse -= chain?.descriptors ?? 0;
          }
        };
        for (const { kind, ...rest } of steps) {
          if (kind === "offer") {
            const { readable, writable } = rest as { readable: number[]; writable: number[] };
            const count = readable.length + writable.length;
            if (count === 0 || descriptorsInUse + count > SIZE) continue;
            const buffer = (length: number, isWritable: boolean) => {
              const address = place;
              place = BUFFERS + ((place - BUFFERS + 64) % 0x8_0000);
              bench.put(
                address,
                Array.from({ length }, (_, at) => (address / 64 + at * 3) & 0xff),
              );
              return { address, length, isWritable };
            };
            const offers = [
              ...readable.map((length) => buffer(length, false)),
              ...writable.map((length) => buffer(length, true)),
            ];
            const bytesAt = (isWritable: boolean) =>
              offers
                .filter((offer) => offer.isWritable === isWritable)
                .flatMap(({ address, length }) => Array.from({ length }, (_, at) => address + at));
            const sent = bytesAt(false).flatMap((address) => bench.get(address, 1));
            const at = bytesAt(true);
            const expected = sent.slice(0, at.length).map((byte) => (byte + 1) & 0xff);
            open.push({ head: queue.offer(offers), expected, at, descriptors: count });
            descriptorsInUse += count;
          } else if (kind === "kick") queue.kick();
          else if (kind === "pass") {
            bench.pass(100);
            settle();
          } else {
            const [clock, state] = [bench.clock.save(), bench.slot.save()];
            bench.slot.reset();
            bench.clock.restore(clock);
            bench.slot.restore(state);
          }
          expect(bench.needsReset).toBe(false);
        }
        queue.kick();
        bench.pass(100);
        settle();
        expect(open).toEqual([]);
      }),
      { seed: 1, numRuns: RUNS },
    );
  });
});
