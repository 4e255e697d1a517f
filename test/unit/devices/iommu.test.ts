/** Rules of RISC-V IOMMU 1.0 by their text; what QEMU can answer for is in test/differential/iommu.test.ts. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { ACCESS_FAULT, type Width } from "../../../lib/bus/device.ts";
import type { DmaPort } from "../../../lib/bus/dma.ts";
import { readFaultRecord, type Transaction } from "../../../lib/devices/iommu/fault.ts";
import { Iommu, type ModeAtReset } from "../../../lib/devices/iommu/iommu.ts";

const DIRECTORY = 0x8001_0000;
const FIRST = 0x8002_0000;
const SECOND = 0x8003_0000;
const PROCESSES = 0x8004_0000;
const COMMANDS = 0x8005_0000;
const FAULTS = 0x8005_1000;
const SECRET = 0x8008_0000;
const GOOD = 0xdfn;
const DEVICE = 3;
const SV39 = 8n << 60n;
const TC = { V: 1n, DTF: 1n << 4n, PDTV: 1n << 5n, GADE: 1n << 7n, SADE: 1n << 8n, DPE: 1n << 9n };

interface Machine {
  readonly board: Board;
  readonly iommu: Iommu;
  readonly port: DmaPort;
  set(address: number, ...words: bigint[]): void;
  word(address: number): bigint;
  write(offset: number, width: Width, value: bigint): void;
  read(offset: number, width: Width): bigint;
}

function machine(mode: ModeAtReset = "off"): Machine {
  const board = buildBoard({ iommu: mode, ramBytes: 1 << 20 });
  const iommu = board.bus.regions.map(({ device }) => device).find((device) => device instanceof Iommu);
  if (iommu === undefined) throw new Error("no IOMMU");
  return {
    board,
    iommu,
    port: iommu.portOf(DEVICE),
    set: (address, ...words) => {
      for (const [index, word] of words.entries()) board.memory.store(BigInt(address + 8 * index), 8, word);
    },
    word: (address) => board.memory.load(BigInt(address), 8) as bigint,
    write: (offset, width, value) => {
      iommu.store(offset, width, value);
    },
    read: (offset, width) => iommu.load(offset, width) as bigint,
  };
}

const ppn = (address: number): bigint => BigInt(address >>> 12);
const leaf = (address: number, flags = GOOD): bigint => (ppn(address) << 10n) | flags;
const pointer = (address: number): bigint => (ppn(address) << 10n) | 1n;

/** One-level directory, fault queue of 16, and a context for the device. */
function enable(
  { set, write }: Machine,
  [tc, iohgatp, fsc]: readonly [bigint, bigint, bigint],
  ta = 0n,
): void {
  set(DIRECTORY + 32 * DEVICE, tc, iohgatp, ta, fsc);
  write(40, 8, (ppn(FAULTS) << 10n) | 3n);
  write(76, 4, 3n);
  write(16, 8, (ppn(DIRECTORY) << 10n) | 2n);
}

/** Sv39 tables at `root` that map address 0x1000 to `target`. */
function mapAt0x1000({ set }: Machine, root: number, target: number, flags = GOOD): void {
  set(root, pointer(root + 0x4000));
  set(root + 0x4000, pointer(root + 0x5000));
  set(root + 0x5008, leaf(target, flags));
}

const transaction = (more: Partial<Transaction> = {}): Transaction => ({
  deviceId: DEVICE,
  processId: undefined,
  isPrivileged: false,
  iova: 0x1000n,
  kind: "load",
  ...more,
});
const outcome = ({ iommu }: Machine, more: Partial<Transaction> = {}): bigint | number => {
  const result = iommu.translate(transaction(more));
  return result.kind === "iommu-fault" ? result.cause : result.paddr;
};
const records = ({ read, word }: Machine): readonly bigint[][] =>
  Array.from({ length: Number(read(52, 4)) }, (_, index) =>
    [0, 8, 16, 24].map((offset) => word(FAULTS + 32 * index + offset)),
  );

describe("a device that is told to write into the hypervisor's memory", () => {
  const bytes = new Uint8Array(4096).fill(0xee);

  it("does it when there is no IOMMU in the way, or one that was told to let all pass", () => {
    const bare = machine("bare");
    expect(bare.port.write(BigInt(SECRET - 2048), bytes)).toBeUndefined();
    expect(bare.word(SECRET)).toBe(0xeeee_eeee_eeee_eeeen);
  });

  it("changes no byte behind an IOMMU, not even of the page that it may write, and leaves a record", () => {
    const m = machine();
    mapAt0x1000(m, FIRST, 0x8007_f000);
    enable(m, [TC.V, 0n, SV39 | ppn(FIRST)]);
    const before = m.board.memory.bytes(0x8007_f000n, 8192);
    expect(m.port.write(0x1800n, bytes)).toBe(ACCESS_FAULT);
    expect(m.board.memory.bytes(0x8007_f000n, 8192)).toEqual(before);
    const [record = []] = records(m);
    expect(readFaultRecord(record)).toMatchObject({
      cause: 15,
      deviceId: DEVICE,
      access: "store",
      iova: 0x2000n,
    });
    expect(readFaultRecord(record).sentence).toBe("Device 3 wanted to write 0x2000: write page fault.");
    expect(m.port.write(0x1000n, bytes)).toBeUndefined();
    expect(m.word(0x8007_f000)).toBe(0xeeee_eeee_eeee_eeeen);
  });

  it("is refused as a whole when part of what the tables allow is no RAM", () => {
    const m = machine();
    mapAt0x1000(m, FIRST, 0x8007_f000);
    m.set(FIRST + 0x5010, leaf(0x1000_0000));
    enable(m, [TC.V, 0n, SV39 | ppn(FIRST)]);
    expect(m.port.write(0x1ff8n, bytes.subarray(0, 16))).toBe(ACCESS_FAULT);
    expect(m.word(0x8007_fff8)).toBe(0n);
    expect(m.port.read(0x1ff8n, 16)).toBe(ACCESS_FAULT);
  });

  it("is refused when the range is longer than any transfer, or wraps around", () => {
    const m = machine("bare");
    expect(m.port.read(BigInt(SECRET), 2 ** 31)).toBe(ACCESS_FAULT);
    expect(m.port.write(2n ** 64n - 4n, new Uint8Array(8))).toBe(ACCESS_FAULT);
  });
});

describe("modes of the directory", () => {
  it("off lets nothing through (256), bare everything, unsupported ones are not taken", () => {
    const m = machine();
    m.write(40, 8, (ppn(FAULTS) << 10n) | 3n);
    m.write(76, 4, 1n);
    expect(outcome(m)).toBe(256);
    m.write(16, 8, 1n);
    expect(outcome(m)).toBe(0x1000n);
    m.write(16, 8, 9n);
    expect(m.read(16, 8)).toBe(1n);
    expect(records(m).map((record) => readFaultRecord(record).cause)).toEqual([256]);
  });

  it("a device number beyond the directory's depth is no transaction of ours (260)", () => {
    const m = machine();
    enable(m, [TC.V, 0n, 0n]);
    expect(outcome(m, { deviceId: 128 })).toBe(260);
    m.write(16, 8, (ppn(DIRECTORY) << 10n) | 3n);
    expect(outcome(m, { deviceId: 1 << 16 })).toBe(260);
  });

  it("two and three levels are walked by 9 and 8 bits of the device number; their entries are checked", () => {
    const m = machine();
    const device = (5 << 16) | (300 << 7) | 9;
    m.set(DIRECTORY + 8 * 5, pointer(FIRST));
    m.set(FIRST + 8 * 300, pointer(SECOND));
    m.set(SECOND + 32 * 9, TC.V, 0n, 0n, 0n);
    m.write(16, 8, (ppn(DIRECTORY) << 10n) | 4n);
    expect(outcome(m, { deviceId: device })).toBe(0x1000n);
    expect(outcome(m, { deviceId: device + 1 })).toBe(258);
    m.set(FIRST + 8 * 300, pointer(SECOND) | 2n);
    expect(outcome(m, { deviceId: device })).toBe(259);
    m.set(FIRST + 8 * 300, 0n);
    expect(outcome(m, { deviceId: device })).toBe(258);
    m.set(DIRECTORY + 8 * 5, pointer(0x1000_0000));
    expect(outcome(m, { deviceId: device })).toBe(257);
  });
});

describe("device contexts", () => {
  const wrong: [string, bigint, bigint, bigint, bigint][] = [
    ["a reserved bit of tc", TC.V | (1n << 12n), 0n, 0n, 0n],
    ["EN_ATS without ATS", TC.V | 2n, 0n, 0n, 0n],
    ["T2GPA", TC.V | 8n, SV39 | ppn(SECOND), 0n, 0n],
    ["PRPR", TC.V | 64n, 0n, 0n, 0n],
    ["big-endian tables", TC.V | (1n << 10n), 0n, 0n, 0n],
    ["32-bit guests", TC.V | (1n << 11n), 0n, 0n, 0n],
    ["DPE without PDTV", TC.V | TC.DPE, 0n, 0n, 0n],
    ["a reserved mode of iohgatp", TC.V, 7n << 60n, 0n, 0n],
    ["Sv57x4", TC.V, 10n << 60n, 0n, 0n],
    ["a second stage's root that is not aligned to 16 KiB", TC.V, SV39 | (ppn(SECOND) + 1n), 0n, 0n],
    ["a reserved bit of ta", TC.V, 0n, 1n << 35n, 0n],
    ["a quality-of-service number", TC.V, 0n, 1n << 40n, 0n],
    ["a reserved mode of iosatp", TC.V, 0n, 0n, 1n << 60n],
    ["a reserved bit of iosatp", TC.V, 0n, 0n, SV39 | (1n << 44n) | ppn(FIRST)],
    ["a reserved mode of pdtp", TC.V | TC.PDTV, 0n, 0n, 4n << 60n],
  ];
  for (const [title, tc, iohgatp, ta, fsc] of wrong) {
    it(`with ${title} are misconfigured (259)`, () => {
      const m = machine();
      enable(m, [tc, iohgatp, fsc], ta);
      expect(outcome(m)).toBe(259);
    });
  }

  it("may hide translation faults by DTF, not faults about themselves", () => {
    const m = machine();
    enable(m, [TC.V | TC.DTF, 0n, SV39 | ppn(FIRST)]);
    expect(outcome(m)).toBe(13);
    expect(records(m)).toEqual([]);
    m.set(DIRECTORY + 32 * DEVICE, TC.DTF);
    expect(outcome(m)).toBe(258);
    expect(records(m)).toHaveLength(1);
  });
});

describe("rights", () => {
  const flags: [string, bigint, Partial<Transaction>, bigint | number][] = [
    ["executing needs X", GOOD & ~8n, { kind: "fetch" }, 12],
    ["reading needs R, X is not enough", GOOD & ~6n, {}, 13],
    ["writing needs W", GOOD & ~4n, { kind: "store" }, 15],
    ["a device has user mode's rights", GOOD & ~16n, {}, 13],
    ["A must be set", GOOD & ~64n, {}, 13],
    ["D must be set for a write", GOOD & ~128n, { kind: "store" }, 15],
    ["D need not be set for a read", GOOD & ~128n, {}, BigInt(SECRET)],
  ];
  for (const [title, bits, more, expected] of flags) {
    it(`in the first stage: ${title}`, () => {
      const m = machine();
      mapAt0x1000(m, FIRST, SECRET, bits);
      enable(m, [TC.V, 0n, SV39 | ppn(FIRST)]);
      expect(outcome(m, more)).toBe(expected);
    });
    it(`in the second stage: ${title}`, () => {
      const m = machine();
      mapAt0x1000(m, SECOND, SECRET, bits);
      enable(m, [TC.V, SV39 | ppn(SECOND), 0n]);
      expect(outcome(m, more)).toBe(typeof expected === "bigint" ? expected : expected + 8);
      if (typeof expected === "number") expect(records(m)[0]?.[3]).toBe(0x1000n);
    });
  }

  it("SADE and GADE have A and D set by the IOMMU, in entries of both stages, and by nobody when it fails", () => {
    const m = machine();
    const clean = GOOD & ~0xc0n;
    mapAt0x1000(m, FIRST, 0x2000, clean);
    mapAt0x1000(m, SECOND, SECRET, clean);
    m.set(SECOND + 0x5010, leaf(SECRET, clean));
    m.set(SECOND + 8 * 2, leaf(0x8000_0000, clean));
    enable(m, [TC.V | TC.SADE | TC.GADE, SV39 | ppn(SECOND), SV39 | ppn(FIRST)]);
    expect(outcome(m)).toBe(BigInt(SECRET));
    const flagsAt = (address: number): bigint => m.word(address) & 0xffn;
    expect([FIRST + 0x5008, SECOND + 0x5010, SECOND + 16, SECOND + 0x5008].map(flagsAt)).toEqual([
      clean | 0x40n,
      clean | 0x40n,
      // The guest's tables were written: that makes their page dirty.
      clean | 0xc0n,
      clean,
    ]);
    expect(outcome(m, { kind: "store" })).toBe(BigInt(SECRET));
    expect([FIRST + 0x5008, SECOND + 0x5010].map(flagsAt)).toEqual([GOOD, GOOD]);
    m.set(FIRST + 0x5008, leaf(0x7000, clean));
    expect(outcome(m)).toBe(21);
    expect(flagsAt(FIRST + 0x5008)).toBe(clean);
  });

  it("GADE sets A of the page that the device's tables are in, also when they refuse the access", () => {
    const m = machine();
    m.set(SECOND + 8 * 2, leaf(0x8000_0000, GOOD & ~0xc0n));
    enable(m, [TC.V | TC.GADE, SV39 | ppn(SECOND), SV39 | ppn(FIRST)]);
    expect(outcome(m)).toBe(13);
    expect(m.word(SECOND + 8 * 2) & 0xffn).toBe((GOOD & ~0xc0n) | 0x40n);
  });

  it("a guest-page fault at the device's own tables says so in iotval2, and whether they would have been written", () => {
    const m = machine();
    mapAt0x1000(m, FIRST, 0x1000, GOOD & ~0xc0n);
    enable(m, [TC.V | TC.SADE, SV39 | ppn(SECOND), SV39 | ppn(FIRST)]);
    expect(outcome(m, { kind: "store" })).toBe(23);
    expect(records(m)[0]?.[3]).toBe(BigInt(FIRST) | 1n);
    m.set(SECOND + 8 * 2, leaf(0x8000_0000, GOOD & ~4n));
    expect(outcome(m)).toBe(21);
    expect(records(m)[1]?.[3]).toBe(BigInt(FIRST + 0x5008) | 3n);
  });

  it("memory types: the first stage's wins over the second's; 64 KiB pages and superpages are told by size", () => {
    const m = machine();
    const nonCacheable = 1n << 61n;
    const io = 2n << 61n;
    m.set(FIRST + 8, leaf(0x8000_0000, GOOD) | io);
    m.set(SECOND + 8 * 2, leaf(0x8000_0000, GOOD) | nonCacheable);
    enable(m, [TC.V, SV39 | ppn(SECOND), SV39 | ppn(FIRST)]);
    const ask = (iova: bigint): bigint => {
      m.write(600, 8, iova);
      m.write(608, 8, (BigInt(DEVICE) << 40n) | 9n);
      expect(m.read(608, 8) & 1n).toBe(0n);
      return m.read(616, 8);
    };
    const response = ask(0x4008_0000n);
    expect([response & 1n, (response >> 7n) & 3n, (response >> 9n) & 1n, response >> 10n]).toEqual([
      0n,
      2n,
      1n,
      0x8_0000n | 0x1_ffffn,
    ]);
    m.set(FIRST + 8, leaf(0x8000_0000, GOOD));
    expect((ask(0x4008_0000n) >> 7n) & 3n).toBe(1n);
    m.set(FIRST, pointer(FIRST + 0x4000));
    m.set(FIRST + 0x4000, pointer(FIRST + 0x5000));
    const napot = (1n << 63n) | leaf(0x8008_8000, GOOD);
    for (let page = 0; page < 16; page++) m.set(FIRST + 0x5000 + 8 * page, napot);
    expect(ask(0x3000n) >> 9n).toBe(((0x8_0080n | 7n) << 1n) | 1n);
    expect(ask(0x10_0000n) & 1n).toBe(1n);
  });
});

describe("processes of a device", () => {
  function withProcess(mode: bigint, ta: bigint, more = 0n): Machine {
    const m = machine();
    mapAt0x1000(m, FIRST, SECRET);
    // The last table has the process's context under number 7.
    m.set(PROCESSES + 8, pointer(PROCESSES + 0x1000));
    m.set(PROCESSES + 0x1008, pointer(PROCESSES + 0x2000));
    const root = PROCESSES + 0x1000 * (3 - Number(mode));
    m.set(PROCESSES + 0x2000 + 16 * 7, ta, SV39 | ppn(FIRST));
    enable(m, [TC.V | TC.PDTV | more, 0n, (mode << 60n) | ppn(root)]);
    return m;
  }

  it("are found through one, two and three levels, by 8, 9 and 3 bits of their number", () => {
    expect(outcome(withProcess(1n, 1n), { processId: 7 })).toBe(BigInt(SECRET));
    expect(outcome(withProcess(2n, 1n), { processId: (1 << 8) | 7 })).toBe(BigInt(SECRET));
    expect(outcome(withProcess(3n, 1n), { processId: (1 << 17) | (1 << 8) | 7 })).toBe(BigInt(SECRET));
    expect(outcome(withProcess(1n, 1n), { processId: 256 })).toBe(260);
    expect(outcome(withProcess(2n, 1n), { processId: 1 << 17 })).toBe(260);
    expect(outcome(withProcess(1n, 1n), { processId: 8 })).toBe(266);
    expect(outcome(withProcess(2n, 1n), { processId: 7 })).toBe(266);
  });

  it("need a directory: a number without one is disallowed (260), a wrong context is misconfigured (267)", () => {
    const m = machine();
    enable(m, [TC.V, 0n, 0n]);
    expect(outcome(m, { processId: 0 })).toBe(260);
    expect(outcome(withProcess(1n, 1n | (1n << 3n)), { processId: 7 })).toBe(267);
    expect(outcome(withProcess(1n, 1n | (1n << 32n)), { processId: 7 })).toBe(267);
    expect(outcome(withProcess(1n, 0n), { processId: 7 })).toBe(266);
  });

  it("may ask with supervisor mode's rights only where ENS allows it, and then SUM decides about user pages", () => {
    const ask = { processId: 7, isPrivileged: true };
    expect(outcome(withProcess(1n, 1n), ask)).toBe(260);
    expect(outcome(withProcess(1n, 3n), ask)).toBe(13);
    expect(outcome(withProcess(1n, 7n), ask)).toBe(BigInt(SECRET));
    expect(outcome(withProcess(1n, 7n), { ...ask, kind: "fetch" })).toBe(12);
    const m = withProcess(1n, 3n);
    m.set(FIRST + 0x5008, leaf(SECRET, GOOD & ~16n));
    expect(outcome(m, ask)).toBe(BigInt(SECRET));
    expect(outcome(m, { processId: 7 })).toBe(13);
    const [head = 0n] = records(m)[0] ?? [];
    expect(head).toBe(13n | (7n << 12n) | (1n << 32n) | (2n << 34n) | (3n << 40n));
  });

  it("without a number are process 0 where DPE says so, else not translated by the first stage", () => {
    const m = withProcess(1n, 1n);
    expect(outcome(m)).toBe(0x1000n);
    const byDefault = withProcess(1n, 1n, TC.DPE);
    byDefault.set(PROCESSES + 0x2000, 1n, SV39 | ppn(FIRST));
    expect(outcome(byDefault)).toBe(BigInt(SECRET));
  });

  it("have their directory behind the second stage: a guest-page fault there is of the access's own kind", () => {
    const m = withProcess(1n, 1n);
    m.set(DIRECTORY + 32 * DEVICE + 8, SV39 | ppn(SECOND));
    expect(outcome(m, { processId: 7, kind: "store" })).toBe(23);
    expect(records(m)[0]?.[3]).toBe(BigInt(PROCESSES + 0x2000 + 16 * 7) | 1n);
  });
});

describe("the fault queue", () => {
  it("fills to one less than its size, says overflow once, and goes on when software has cleared it", () => {
    const m = machine();
    enable(m, [0n, 0n, 0n]);
    for (let fault = 0; fault < 20; fault++) outcome(m);
    expect([m.read(52, 4), m.read(76, 4)]).toEqual([15n, 3n | (1n << 9n) | (1n << 16n)]);
    m.write(48, 4, 5n);
    outcome(m);
    expect(m.read(52, 4)).toBe(15n);
    m.write(76, 4, 3n | (1n << 9n));
    outcome(m);
    expect([m.read(52, 4), m.read(76, 4)]).toEqual([0n, 3n | (1n << 16n)]);
  });

  it("outside RAM is a memory fault, and off means silent", () => {
    const m = machine();
    enable(m, [0n, 0n, 0n]);
    m.write(76, 4, 0n);
    outcome(m);
    expect(m.read(52, 4)).toBe(0n);
    m.write(40, 8, (ppn(0x1000_0000) << 10n) | 3n);
    m.write(76, 4, 1n);
    outcome(m);
    expect(m.read(76, 4)).toBe(1n | (1n << 8n) | (1n << 16n));
  });

  it("raises the wire that icvec names while ipsr.fip is set", () => {
    const m = machine();
    enable(m, [0n, 0n, 0n]);
    m.write(760, 8, 0x20n);
    const levels = (): boolean[] => m.iommu.wires.map(({ level }) => level);
    expect(levels()).toEqual([false, false, false, false]);
    outcome(m);
    expect([m.read(84, 4), levels()]).toEqual([2n, [false, false, true, false]]);
    m.write(84, 4, 2n);
    expect([m.read(84, 4), levels()]).toEqual([0n, [false, false, false, false]]);
  });
});

describe("the command queue", () => {
  const FENCE = 2n;
  function withCommands(...commands: [bigint, bigint][]): Machine {
    const m = machine();
    for (const [index, words] of commands.entries()) m.set(COMMANDS + 16 * index, ...words);
    m.write(24, 8, (ppn(COMMANDS) << 10n) | 3n);
    m.write(72, 4, 3n);
    m.write(36, 4, BigInt(commands.length));
    return m;
  }
  const ON = 3n | (1n << 16n);

  it("obeys fences and well-formed invalidations in order", () => {
    const m = withCommands(
      [1n | (1n << 10n) | (5n << 12n) | (3n << 32n) | (7n << 44n), 0x1000n >> 2n],
      [1n | (1n << 7n) | (2n << 32n), 0n],
      [3n | (2n << 32n) | (9n << 40n), 0n],
      [3n | (1n << 7n) | (2n << 32n) | (4n << 12n), 0n],
      [FENCE | (1n << 10n) | (0x1234_5678n << 32n), BigInt(SECRET) >> 2n],
    );
    // Without a directory no device number is too wide.
    expect([m.read(32, 4), m.read(72, 4)]).toEqual([5n, ON]);
    expect(m.word(SECRET)).toBe(0x1234_5678n);
  });

  it("a fence may ask for an interrupt", () => {
    const m = withCommands([FENCE | (1n << 11n), 0n]);
    expect([m.read(72, 4), m.read(84, 4), m.iommu.wires[0]?.level]).toEqual([ON | (1n << 11n), 1n, true]);
    m.write(84, 4, 1n);
    expect(m.read(84, 4)).toBe(1n);
    m.write(72, 4, 3n | (1n << 11n));
    m.write(84, 4, 1n);
    expect([m.read(84, 4), m.iommu.wires[0]?.level]).toEqual([0n, false]);
  });

  const illegal: [string, bigint, bigint][] = [
    ["opcode 0", 0n, 0n],
    ["a reserved opcode", 5n, 0n],
    ["ATS, which is absent", 4n, 0n],
    ["a reserved function", 1n | (2n << 7n), 0n],
    ["a reserved bit", FENCE | (1n << 20n), 0n],
    ["a reserved bit of the second word", 3n, 1n],
    ["PSCV in a second-stage invalidation", 1n | (1n << 7n) | (1n << 32n), 0n],
    ["a process invalidation without a device", 3n | (1n << 7n), 0n],
    ["non-leaf invalidation, which is absent", 1n | (1n << 34n), 0n],
    ["address ranges, which are absent", 1n | (1n << 10n), 1n << 9n],
  ];
  for (const [title, head, tail] of illegal) {
    it(`stops at ${title}, until software has cleared the error and replaced the command`, () => {
      const m = withCommands(
        [FENCE, 0n],
        [head, tail],
        [FENCE | (1n << 10n) | (7n << 32n), BigInt(SECRET) >> 2n],
      );
      expect([m.read(32, 4), m.read(72, 4), m.read(84, 4)]).toEqual([1n, ON | (1n << 10n), 1n]);
      expect(m.word(SECRET)).toBe(0n);
      m.set(COMMANDS + 16, FENCE, 0n);
      m.write(72, 4, 3n | (1n << 10n));
      expect([m.read(32, 4), m.read(72, 4)]).toEqual([3n, ON]);
      expect(m.word(SECRET)).toBe(7n);
    });
  }

  it("a fence that cannot write, or commands outside RAM, are memory faults", () => {
    const m = withCommands([FENCE | (1n << 10n), 0x1000_0000n >> 2n]);
    expect([m.read(32, 4), m.read(72, 4)]).toEqual([0n, ON | (1n << 8n)]);
    const lost = machine();
    lost.write(24, 8, ppn(0x1000_0000) << 10n);
    lost.write(72, 4, 1n);
    lost.write(36, 4, 1n);
    expect(lost.read(72, 4)).toBe(1n | (1n << 8n) | (1n << 16n));
  });
});

describe("registers", () => {
  it("say what there is: version 1.0, Sv39, Sv48 and their sisters, Svpbmt, A and D by hardware, wires, 56 bits", () => {
    const m = machine();
    expect(m.read(0, 8)).toBe(0x1f8_9106_8610n);
    expect(m.read(8, 4)).toBe(2n);
  });

  it("take halves of eight bytes, read zero in holes and in what is absent, and refuse bytes", () => {
    const m = machine();
    m.write(20, 4, 0x3n);
    m.write(16, 4, 0xffff_fc01n);
    expect([m.read(16, 8), m.read(20, 4)]).toEqual([0x3_ffff_fc01n, 3n]);
    m.write(56, 8, 0xffffn);
    expect([m.read(56, 8), m.read(2048, 8)]).toEqual([0n, 0n]);
    expect(m.iommu.load(0, 1)).toBe(ACCESS_FAULT);
    expect(m.iommu.store(0, 2, 0n)).toBe(ACCESS_FAULT);
  });

  it("and any RAM, in any order and with any values, never break the host; a restored IOMMU goes on the same", () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant("store" as const),
        at: fc.constantFrom(
          8,
          16,
          20,
          24,
          32,
          36,
          40,
          48,
          52,
          72,
          76,
          84,
          600,
          608,
          612,
          616,
          760,
          1024,
          4092,
        ),
        width: fc.constantFrom<Width>(4, 8),
        value: fc.oneof(
          fc.bigInt(0n, 2n ** 64n - 1n),
          fc.bigInt(0n, 32n),
          fc.constant((ppn(DIRECTORY) << 10n) | 3n),
        ),
      }),
      fc.record({
        kind: fc.constant("ram" as const),
        word: fc.nat(0x5000),
        value: fc.bigInt(0n, 2n ** 64n - 1n),
      }),
      fc.record({
        kind: fc.constant("dma" as const),
        device: fc.nat(300),
        address: fc.bigInt(0n, 2n ** 64n - 1n),
        length: fc.nat(9000),
      }),
    );
    type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
    const apply = (m: Machine, op: Operation): unknown => {
      if (op.kind === "store")
        return m.iommu.store(op.at & -op.width, op.width, BigInt.asUintN(8 * op.width, op.value));
      if (op.kind === "ram") return m.set(DIRECTORY + 8 * op.word, op.value);
      return [
        m.iommu.portOf(op.device).read(op.address, op.length),
        m.iommu.portOf(op.device).write(op.address, new Uint8Array(op.length)),
      ];
    };
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 60 }),
        fc.array(operation, { maxLength: 20 }),
        (before, after) => {
          const m = machine("bare");
          for (const op of before) apply(m, op);
          const saved = m.iommu.save();
          const there = m.board.snapshot();
          const once = after.map((op) => apply(m, op));
          const end = m.iommu.save();
          m.board.revert(there);
          expect(m.iommu.save()).toEqual(saved);
          expect(after.map((op) => apply(m, op))).toEqual(once);
          expect(m.iommu.save()).toEqual(end);
        },
      ),
      { seed: 4, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 5000 : 200 },
    );
  });
});
