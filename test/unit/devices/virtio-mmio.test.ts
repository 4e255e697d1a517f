import { describe, expect, it } from "vitest";
import { ACCESS_FAULT } from "../../../lib/bus/device.ts";
import { VirtioBlock } from "../../../lib/devices/virtio/block.ts";
import { BlockStore } from "../../../lib/devices/virtio/block-store.ts";
import {
  DriverQueue,
  EVENT_IDX,
  INDIRECT,
  RAM_BASE,
  Register,
  SlotBench,
  VERSION_1,
} from "../../support/virtio-driver.ts";

const RINGS = RAM_BASE + 0x1_0000;
const HEADER = RAM_BASE + 0x2_0000;
const DATA = RAM_BASE + 0x3_0000;
const STATUS = RAM_BASE + 0x4_0000;
const DISK_BYTES = 64 * 512;

const diskByte = (at: number): number => (at * 7 + (at >> 9)) & 0xff;
const disk = () => new BlockStore(Uint8Array.from({ length: DISK_BYTES }, (_, at) => diskByte(at)));

/** A disk whose driver has come to DRIVER_OK with a queue of 8. */
function running(features = VERSION_1, store = disk()) {
  const bench = new SlotBench(() => new VirtioBlock(store));
  expect(bench.negotiate(features)).toBe(true);
  const queue = new DriverQueue(bench, 0, 8, RINGS);
  bench.ready();
  return { bench, queue, store };
}

function header(bench: SlotBench, type: number, sector: number): void {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  bench.put(HEADER, bytes);
  bench.put(STATUS, [0xee]);
}

const readOne = [
  { address: HEADER, length: 16 },
  { address: DATA, length: 512, isWritable: true },
  { address: STATUS, length: 1, isWritable: true },
];

describe("an empty virtio slot", () => {
  it("says that it is one, takes no stores and never interrupts", () => {
    const bench = new SlotBench(() => undefined);
    for (let offset = 0; offset < 0x200; offset += 4) bench.write(offset, 0xffff_ffff);
    expect([0, 4, 8].map((offset) => bench.read(offset))).toEqual([0x7472_6976, 2, 0]);
    expect([0x10, 0x34, 0x70, 0x60, 0x100].map((offset) => bench.read(offset))).toEqual([0, 0, 0, 0, 0]);
    expect(bench.line).toBe(false);
  });
});

describe("the virtio transport", () => {
  it("offers version 1, indirect descriptors and event indexes, and refuses features that nobody offered", () => {
    const bench = new SlotBench(() => new VirtioBlock(disk()));
    const common = VERSION_1 | EVENT_IDX | INDIRECT;
    expect(bench.features() & common).toBe(common);
    expect(bench.negotiate(bench.features())).toBe(true);
    expect(bench.negotiate(VERSION_1 | (1n << 40n))).toBe(false);
    expect(bench.negotiate(EVENT_IDX)).toBe(false);
  });

  it("keeps features as they were agreed on", () => {
    const { bench } = running();
    bench.write(0x24, 0);
    bench.write(0x20, Number(EVENT_IDX));
    bench.write(Register.status, 0xf);
    const queue = new DriverQueue(bench, 0, 8, RINGS);
    header(bench, 0, 0);
    queue.offer(readOne);
    queue.kick();
    bench.pass();
    expect(queue.availableEvent()).toBe(0);
  });

  it("shows wide accesses as two words, narrow ones of registers as nothing, and configuration byte by byte", () => {
    const { bench } = running();
    expect(bench.slot.load(0, 8)).toBe(0x2_7472_6976n);
    expect([bench.slot.load(0, 1), bench.slot.load(0, 2)]).toEqual([0n, 0n]);
    expect([0x100, 0x101, 0x102].map((offset) => bench.slot.load(offset, 1))).toEqual([64n, 0n, 0n]);
    expect(bench.slot.load(0x1f8, 8)).toBe(2n ** 64n - 1n);
    expect(bench.slot.store(0x70, 1, 0n)).not.toBe(ACCESS_FAULT);
    expect(bench.read(Register.status)).toBe(0xf);
  });

  it("does nothing for a notification until its time has come, and then interrupts until that is acknowledged", () => {
    const { bench, queue } = running();
    header(bench, 0, 3);
    const head = queue.offer(readOne);
    queue.kick();
    expect([bench.line, bench.get(STATUS, 1)]).toEqual([false, [0xee]]);
    bench.pass(999);
    expect(bench.line).toBe(false);
    bench.pass(1);
    expect([bench.line, bench.get(STATUS, 1)]).toEqual([true, [0]]);
    expect(queue.collect()).toEqual([{ head, written: 513 }]);
    expect(bench.get(DATA, 512)).toEqual(Array.from({ length: 512 }, (_, at) => diskByte(3 * 512 + at)));
    bench.write(Register.interruptAck, 1);
    expect([bench.line, bench.read(Register.interruptStatus)]).toEqual([false, 0]);
  });

  it("ignores notifications before DRIVER_OK, of queues that are not ready or that it lacks", () => {
    const bench = new SlotBench(() => new VirtioBlock(disk()));
    bench.negotiate(VERSION_1);
    const queue = new DriverQueue(bench, 0, 8, RINGS);
    header(bench, 0, 0);
    queue.offer(readOne);
    queue.kick();
    bench.write(Register.notify, 1);
    bench.write(Register.notify, 0xffff_ffff);
    bench.pass();
    expect(queue.collect()).toEqual([]);
    bench.ready();
    bench.write(Register.queueReady, 0);
    queue.kick();
    bench.pass();
    expect([queue.collect(), bench.needsReset]).toEqual([[], false]);
  });

  it("makes no queue of a size that is no power of two, none at all or more than it offers", () => {
    for (const size of [0, 3, 2048, 0xffff_ffff]) {
      const bench = new SlotBench(() => new VirtioBlock(disk()));
      bench.negotiate(VERSION_1);
      bench.write(Register.queueSel, 0);
      bench.write(Register.queueNum, size);
      bench.write(Register.queueReady, 1);
      expect([bench.read(Register.queueReady), bench.needsReset]).toEqual([0, true]);
    }
  });

  it("sends no interrupt that the driver does not want, by flag or by event index", () => {
    const plain = running();
    plain.queue.setNoInterrupt(true);
    header(plain.bench, 0, 0);
    plain.queue.offer(readOne);
    plain.queue.kick();
    plain.bench.pass();
    expect([plain.queue.collect().length, plain.bench.line]).toEqual([1, false]);

    const { bench, queue } = running(VERSION_1 | EVENT_IDX);
    queue.setUsedEvent(1); // Wants to hear once entry 1 is used: after two.
    const lines = [0, 1, 2].map((round) => {
      header(bench, 0, round);
      queue.offer(readOne);
      queue.kick();
      bench.pass();
      const { line } = bench;
      bench.write(Register.interruptAck, 3);
      expect(queue.availableEvent()).toBe(round + 1);
      return line;
    });
    expect(lines).toEqual([false, true, false]);
  });

  it("keeps a queue as it is while it is ready, and DEVICE_NEEDS_RESET to itself", () => {
    const { bench, queue } = running();
    bench.write(Register.queueNum, 2);
    for (const offset of [0x80, 0x90, 0xa0]) bench.write(offset, 0);
    bench.write(Register.status, 0x4f);
    expect(bench.needsReset).toBe(false);
    header(bench, 0, 1);
    for (let round = 0; round < 3; round++) {
      queue.offer(readOne);
      queue.kick();
      bench.pass();
    }
    expect([queue.collect().length, bench.needsReset]).toEqual([3, false]);
  });

  it("serves at most 64 chains at once, and the rest a delay later", () => {
    const bench = new SlotBench(() => new VirtioBlock(disk()));
    bench.negotiate(VERSION_1);
    const queue = new DriverQueue(bench, 0, 256, RINGS);
    bench.ready();
    header(bench, 0, 1);
    for (let request = 0; request < 80; request++) queue.offer(readOne);
    queue.kick();
    const served = [1, 2, 3].map(() => {
      bench.pass(1000);
      return queue.collect().length;
    });
    expect(served).toEqual([64, 16, 0]);
  });

  it("goes back to its beginning when the driver writes status 0", () => {
    const { bench, queue } = running();
    header(bench, 0, 0);
    queue.offer(readOne);
    queue.kick();
    bench.write(Register.status, 0);
    bench.pass();
    expect([queue.collect(), bench.read(Register.status), bench.line]).toEqual([[], 0, false]);
    bench.write(Register.queueSel, 0);
    expect(bench.read(Register.queueReady)).toBe(0);
  });
});

describe("a ring that breaks a rule", () => {
  const cases: Record<string, (queue: DriverQueue, bench: SlotBench) => void> = {
    "a chain that comes back to itself": (queue) => {
      for (const at of [0, 1]) queue.describe(queue.descriptors + 16 * at, DATA, 4, 1, 1 - at);
      queue.offerHead(0);
    },
    "a head outside the table": (queue) => queue.offerHead(8),
    "a next outside the table": (queue) => {
      queue.describe(queue.descriptors, HEADER, 16, 1, 9);
      queue.offerHead(0);
    },
    "more chains than the queue has": (queue, bench) => {
      queue.offer(readOne); // All nine entries are this good one.
      bench.ram.view.setUint16(queue.available - RAM_BASE + 2, 9, true);
    },
    "a buffer past the end of RAM": (queue) =>
      queue.offer([
        readOne[0]!,
        { address: RAM_BASE + (1 << 20) - 4, length: 512, isWritable: true },
        readOne[2]!,
      ]),
    "a buffer in a device's registers": (queue) =>
      queue.offer([{ address: 0x1000_0000, length: 16 }, readOne[2]!]),
    "a buffer at the end of the address space": (queue) => {
      queue.describe(queue.descriptors, 2n ** 64n - 8n, 16, 1, 1);
      queue.describe(queue.descriptors + 16, STATUS, 1, 2, 0);
      queue.offerHead(0);
    },
    "a buffer of no bytes": (queue) =>
      queue.offer([readOne[0]!, { address: DATA, length: 0, isWritable: true }, readOne[1]!, readOne[2]!]),
    "a readable buffer behind a writable one": (queue) =>
      queue.offer([readOne[1]!, readOne[0]!, readOne[2]!]),
    "a request of readable buffers only": (queue) => queue.offer([readOne[0]!]),
    "a request whose header is cut short": (queue) =>
      queue.offer([{ address: HEADER, length: 15 }, readOne[2]!]),
    "a chain of more than four mebibytes": (queue) =>
      queue.offer([readOne[0]!, { address: DATA, length: 0xffff_ffff, isWritable: true }, readOne[2]!]),
    "an indirect table that nobody agreed on": (queue) => {
      queue.describe(queue.descriptors, DATA, 48, 4, 0);
      queue.offerHead(0);
    },
  };

  it.each(Object.entries(cases))(
    "ends in DEVICE_NEEDS_RESET and a configuration interrupt: %s",
    (_, build) => {
      const { bench, queue } = running();
      header(bench, 0, 0);
      build(queue, bench);
      queue.kick();
      bench.pass();
      expect([bench.needsReset, bench.read(Register.interruptStatus), bench.line]).toEqual([true, 2, true]);
      const before = bench.get(RINGS, 0x1000);
      queue.kick();
      bench.pass();
      expect(bench.get(RINGS, 0x1000)).toEqual(before);
      bench.write(Register.status, 0xf);
      expect(bench.needsReset).toBe(true);
      expect(bench.negotiate(VERSION_1)).toBe(true);
      expect(bench.needsReset).toBe(false);
    },
  );

  it("and rings that are not in memory", () => {
    for (const offset of [0x80, 0x90, 0xa0]) {
      const bench = new SlotBench(() => new VirtioBlock(disk()));
      bench.negotiate(VERSION_1);
      const queue = new DriverQueue(bench, 0, 8, RINGS);
      bench.write(Register.queueReady, 0);
      bench.write(offset + 4, 0xffff_ffff);
      bench.write(Register.queueReady, 1);
      bench.ready();
      header(bench, 0, 0);
      queue.offer(readOne);
      queue.kick();
      bench.pass();
      expect(bench.needsReset).toBe(true);
    }
  });
});

describe("an indirect table", () => {
  const table = RAM_BASE + 0x5_0000;
  const describeTable = (queue: DriverQueue, flags = 0) => {
    queue.describe(table, HEADER, 16, 1, 2);
    queue.describe(table + 32, DATA, 512, 3, 1);
    queue.describe(table + 16, STATUS, 1, 2, 0);
    queue.describe(queue.descriptors + 16 * 5, table, 48, 4 | flags, 0);
    queue.offerHead(5);
  };

  it("stands for a whole chain", () => {
    const { bench, queue } = running(VERSION_1 | INDIRECT);
    header(bench, 0, 2);
    describeTable(queue);
    queue.kick();
    bench.pass();
    expect(queue.collect()).toEqual([{ head: 5, written: 513 }]);
    expect(bench.get(DATA, 2)).toEqual([diskByte(1024), diskByte(1025)]);
  });

  it.each([
    ["goes on in the queue's own table", (queue: DriverQueue) => describeTable(queue, 1)],
    [
      "is empty",
      (queue: DriverQueue) => {
        queue.describe(queue.descriptors, table, 0, 4, 0);
        queue.offerHead(0);
      },
    ],
    [
      "has half a descriptor",
      (queue: DriverQueue) => {
        queue.describe(queue.descriptors, table, 24, 4, 0);
        queue.offerHead(0);
      },
    ],
    [
      "contains another",
      (queue: DriverQueue) => {
        describeTable(queue);
        queue.describe(table, table, 48, 4, 0);
      },
    ],
    [
      "has a loop",
      (queue: DriverQueue) => {
        describeTable(queue);
        queue.describe(table + 32, DATA, 4, 1, 0);
      },
    ],
  ])("ends in DEVICE_NEEDS_RESET when it %s", (_, build) => {
    const { bench, queue } = running(VERSION_1 | INDIRECT);
    header(bench, 0, 0);
    build(queue);
    queue.kick();
    bench.pass();
    expect(bench.needsReset).toBe(true);
  });
});

describe("a disk", () => {
  /** One request: its status, the data as it is afterwards, and what the ring says was written. */
  function request(
    { bench, queue }: ReturnType<typeof running>,
    type: number,
    sector: number,
    data: { bytes?: Iterable<number>; length: number; isWritable: boolean },
  ) {
    header(bench, type, sector);
    if (data.bytes !== undefined) bench.put(DATA, data.bytes);
    queue.offer([
      { address: HEADER, length: 16 },
      ...(data.length > 0 ? [{ address: DATA, length: data.length, isWritable: data.isWritable }] : []),
      { address: STATUS, length: 1, isWritable: true },
    ]);
    queue.kick();
    bench.pass();
    return { status: bench.get(STATUS, 1)[0], data: bench.get(DATA, data.length), used: queue.collect() };
  }

  it("keeps what is written, and flushes", () => {
    const machine = running();
    const bytes = Uint8Array.from({ length: 1024 }, (_, at) => at % 251);
    expect(request(machine, 1, 62, { bytes, length: 1024, isWritable: false }).status).toBe(0);
    expect(request(machine, 4, 0, { length: 0, isWritable: false }).status).toBe(0);
    const read = request(machine, 0, 62, { bytes: new Uint8Array(1024), length: 1024, isWritable: true });
    expect(read.data).toEqual([...bytes]);
    expect(machine.store.read(62 * 512, 1024)).toEqual(bytes);
  });

  it("answers what it cannot do with an error and changes nothing", () => {
    const machine = running();
    const data = { length: 512, isWritable: true };
    expect(request(machine, 0, 64, data).status).toBe(1); // behind the end
    expect(request(machine, 0, 63, { ...data, length: 1024 }).status).toBe(1); // over the end
    expect(request(machine, 0, 0, { ...data, length: 100 }).status).toBe(1); // no whole sector
    expect(request(machine, 1, 2 ** 52, { ...data, isWritable: false }).status).toBe(1);
    expect(request(machine, 77, 0, data).status).toBe(2); // unsupported
    expect(machine.bench.needsReset).toBe(false);
    expect(machine.store.bytes()).toEqual(disk().bytes());
  });

  it("tells its name", () => {
    const { data, status, used } = request(running(), 8, 0, { length: 20, isWritable: true });
    expect(new TextDecoder().decode(Uint8Array.from(data)).replace(/\0+$/, "")).toBe("dom0-disk");
    expect([status, used[0]?.written]).toEqual([0, 21]);
  });

  it("reads zeros where sectors were discarded or cleared", () => {
    for (const type of [11, 13]) {
      const machine = running();
      const range = new Uint8Array(16);
      const view = new DataView(range.buffer);
      view.setBigUint64(0, 5n, true);
      view.setUint32(8, 20, true);
      expect(request(machine, type, 0, { bytes: range, length: 16, isWritable: false }).status).toBe(0);
      const expected = disk().bytes();
      expected.fill(0, 5 * 512, 25 * 512);
      expect(machine.store.bytes()).toEqual(expected);
      view.setUint32(8, 60, true);
      expect(request(machine, type, 0, { bytes: range, length: 16, isWritable: false }).status).toBe(1);
    }
  });

  it("that is read-only says so and refuses writes", () => {
    const store = new BlockStore(disk().bytes(), { isReadOnly: true });
    const machine = running(VERSION_1 | (1n << 5n), store);
    expect(machine.bench.features() & (1n << 5n)).not.toBe(0n);
    expect(
      request(machine, 1, 0, { bytes: new Uint8Array(512), length: 512, isWritable: false }).status,
    ).toBe(1);
    expect(store.bytes()).toEqual(disk().bytes());
  });

  it("takes a request cut into any buffers: header and data together, status behind data", () => {
    const { bench, queue } = running();
    header(bench, 0, 7);
    queue.offer([
      { address: HEADER, length: 5 },
      { address: HEADER + 5, length: 11 },
      { address: DATA, length: 100, isWritable: true },
      { address: DATA + 100, length: 413, isWritable: true },
    ]);
    queue.kick();
    bench.pass();
    expect(queue.collect()).toEqual([{ head: 0, written: 513 }]);
    expect(bench.get(DATA, 513)).toEqual([
      ...Array.from({ length: 512 }, (_, at) => diskByte(7 * 512 + at)),
      0,
    ]);
  });
});
