import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { VirtioConsole } from "../../../lib/devices/virtio/console.ts";
import { VirtioNet } from "../../../lib/devices/virtio/net.ts";
import { VirtioRng } from "../../../lib/devices/virtio/rng.ts";
import { DriverQueue, RAM_BASE, SlotBench, VERSION_1 } from "../../support/virtio-driver.ts";

const RINGS = RAM_BASE + 0x1_0000;
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const BUFFER = RAM_BASE + 0x2_0000;

/** A device with two queues of 8, running. */
function started(bench: SlotBench): [DriverQueue, DriverQueue] {
  expect(bench.negotiate(VERSION_1)).toBe(true);
  const queues = [0, 1].map((index) => new DriverQueue(bench, index, 8, RINGS + 0x1000 * index));
  bench.ready();
  return queues as [DriverQueue, DriverQueue];
}

describe("virtio console", () => {
  function terminal() {
    let model: VirtioConsole | undefined;
    const printed: number[] = [];
    const bench = new SlotBench(() => {
      model = new VirtioConsole({
        print: (byte) => printed.push(byte),
        truncate: (length) => {
          printed.length = Math.min(printed.length, length);
        },
      });
      return model;
    });
    const [receive, transmit] = started(bench);
    return { bench, receive, transmit, printed, model: model! };
  }

  it("prints what the guest sends", () => {
    const { bench, transmit, printed } = terminal();
    bench.put(BUFFER, [72, 105, 10]);
    transmit.offer([
      { address: BUFFER, length: 2 },
      { address: BUFFER + 2, length: 1 },
    ]);
    transmit.kick();
    bench.pass();
    expect([printed, transmit.collect()]).toEqual([[72, 105, 10], [{ head: 0, written: 0 }]]);
  });

  it("holds what is typed until there are buffers, and fills them in order", () => {
    const { bench, receive, model } = terminal();
    model.receive([1, 2, 3, 4, 5]);
    bench.pass();
    expect(receive.collect()).toEqual([]);
    for (const at of [0, 1]) receive.offer([{ address: BUFFER + 16 * at, length: 3, isWritable: true }]);
    receive.kick();
    bench.pass();
    expect(receive.collect()).toEqual([
      { head: 0, written: 3 },
      { head: 1, written: 2 },
    ]);
    expect([bench.get(BUFFER, 3), bench.get(BUFFER + 16, 2)]).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    // A buffer that waits is filled as soon as something is typed.
    receive.offer([{ address: BUFFER, length: 3, isWritable: true }]);
    receive.kick();
    bench.pass();
    expect([receive.collect(), bench.needsReset]).toEqual([[], false]);
    model.receive([9]);
    bench.pass();
    expect(receive.collect()).toEqual([{ head: 2, written: 1 }]);
  });

  it("prints the emergency word's low byte, before there are queues", () => {
    const { bench, printed } = terminal();
    bench.write(0x70, 0);
    bench.write(0x108, 0x41);
    expect(printed).toEqual([0x41]);
  });

  it("takes back what it printed when the machine goes back", () => {
    const { bench, printed } = terminal();
    bench.write(0x108, 0x41);
    const state = bench.slot.save();
    bench.write(0x108, 0x42);
    bench.slot.restore(state);
    expect(printed).toEqual([0x41]);
  });
});

describe("virtio entropy", () => {
  it("fills buffers with SHA-256 of seed and block number, at most 256 bytes a request", () => {
    const bench = new SlotBench(() => new VirtioRng(77));
    bench.negotiate(VERSION_1);
    const queue = new DriverQueue(bench, 0, 8, RINGS);
    bench.ready();
    const block = (number: number) => {
      const input = Buffer.alloc(16);
      input.writeBigUInt64LE(77n, 0);
      input.writeBigUInt64LE(BigInt(number), 8);
      return [...createHash("sha256").update(input).digest()];
    };
    queue.offer([{ address: BUFFER, length: 40, isWritable: true }]);
    queue.offer([{ address: BUFFER + 64, length: 4096, isWritable: true }]);
    queue.kick();
    bench.pass();
    expect(queue.collect().map(({ written }) => written)).toEqual([40, 256]);
    expect(bench.get(BUFFER, 40)).toEqual([...block(0), ...block(1)].slice(0, 40));
    expect(bench.get(BUFFER + 64, 32)).toEqual(block(2));
  });

  it("goes on in its stream after a driver's reset, from where it was after a snapshot, from the start after power-on", () => {
    const bench = new SlotBench(() => new VirtioRng(1));
    const draw = () => {
      bench.negotiate(VERSION_1);
      const queue = new DriverQueue(bench, 0, 8, RINGS);
      bench.put(RINGS, new Uint8Array(0x1000));
      bench.ready();
      queue.offer([{ address: BUFFER, length: 8, isWritable: true }]);
      queue.kick();
      bench.pass();
      return bench.get(BUFFER, 8).join();
    };
    const [first, second] = [draw(), draw()];
    expect(second).not.toBe(first);
    const state = bench.slot.save();
    const third = draw();
    bench.slot.restore(state);
    expect(draw()).toBe(third);
    bench.slot.reset();
    expect(draw()).toBe(first);
  });
});

describe("virtio network card", () => {
  function card() {
    let model: VirtioNet | undefined;
    const sent: { frame: number[]; at: number }[] = [];
    const bench = new SlotBench((clock) => {
      model = new VirtioNet(clock, MAC);
      model.plug((frame, at) => sent.push({ frame: [...frame], at }));
      return model;
    });
    const [receive, transmit] = started(bench);
    return { bench, receive, transmit, sent, model: model! };
  }

  it("tells its address", () => {
    const { bench } = card();
    expect([0, 1, 2, 3, 4, 5].map((at) => Number(bench.slot.load(0x100 + at, 1)))).toEqual([...MAC]);
  });

  it("sends frames without the header, at the time of the work", () => {
    const { bench, transmit, sent } = card();
    bench.put(BUFFER, [...new Uint8Array(12), 7, 8, 9]);
    transmit.offer([{ address: BUFFER, length: 15 }]);
    transmit.kick();
    const kickedAt = bench.clock.now;
    bench.pass();
    expect(sent).toEqual([{ frame: [7, 8, 9], at: kickedAt + 500 }]);
  });

  it("takes a frame from the wire at its time, behind a header that counts one buffer", () => {
    const { bench, receive, model } = card();
    for (let at = 0; at < 2; at++)
      receive.offer([{ address: BUFFER + 64 * at, length: 64, isWritable: true }]);
    receive.kick();
    model.deliver(Uint8Array.of(4, 5), 20_000);
    model.deliver(Uint8Array.of(6), 10_000);
    bench.pass(10_499);
    expect(receive.collect()).toEqual([]);
    bench.pass(1);
    expect(receive.collect()).toEqual([{ head: 0, written: 13 }]);
    expect(bench.get(BUFFER, 13)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 6]);
    bench.pass();
    expect(receive.collect()).toEqual([{ head: 1, written: 14 }]);
  });

  it("loses what does not fit: frames too long for Ethernet or the buffer, and those that nobody reads", () => {
    const { bench, receive, transmit, sent, model } = card();
    transmit.offer([{ address: BUFFER, length: 12 + 1519 }]);
    transmit.kick();
    bench.pass();
    expect([sent, transmit.collect().length]).toEqual([[], 1]);
    for (let frame = 0; frame < 2000; frame++) {
      model.deliver(new Uint8Array(60), 0);
      if (frame % 100 === 0) bench.pass();
    }
    expect((model.save()["waiting"] as unknown[]).length).toBe(256);
    receive.offer([{ address: BUFFER, length: 40, isWritable: true }]);
    receive.kick();
    bench.pass();
    expect([receive.collect(), bench.needsReset]).toEqual([[], false]);
  });

  it("wants room for a whole header", () => {
    const { bench, receive } = card();
    receive.offer([{ address: BUFFER, length: 11, isWritable: true }]);
    receive.kick();
    bench.pass();
    expect(bench.needsReset).toBe(true);
  });

  it("carries frames on the wire through a snapshot", () => {
    const { bench, receive, model } = card();
    receive.offer([{ address: BUFFER, length: 64, isWritable: true }]);
    receive.kick();
    bench.pass();
    const now = bench.clock.now;
    model.deliver(Uint8Array.of(6), now + 10_000);
    const [clock, state] = [bench.clock.save(), bench.slot.save()];
    bench.slot.reset();
    bench.clock.restore(clock);
    bench.slot.restore(state);
    bench.pass(10_500);
    expect(receive.collect()).toEqual([{ head: 0, written: 13 }]);
  });
});
