/**
 * Saved domains that somebody has changed, with checksums that are right: what is in them is as it is. The machine says why it refuses one,
 * or runs it; it stays as it should be, and gives every frame back.
 */
import { describe, expect, it } from "vitest";
import { crc32 } from "../../../lib/bits/crc32.ts";
import { diskOf, printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState, Uart, Vcpu, Virtio, VsCsrs } from "../../../lib/vmm/layout.ts";
import {
  awaitDomain,
  deliver,
  migrationReport,
  restoreDomain,
  saveDomain,
} from "../../../lib/vmm/migration-wire.ts";
import { giveOrder } from "../../../lib/vmm/operator.ts";
import { RecordKind } from "../../../lib/vmm/records.ts";
import { seededNumbers } from "../../support/random.ts";
import { alphabet, machineWith, violationsOf, writer } from "./moving-scene.ts";
import { frameMistakes, guestBytes } from "./vmm-scene.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const ROUNDS = isFull ? 4_000 : 60;
const HEADER = 16;

const source = machineWith([writer(3, 120)]);
source.board.run({ instructions: 25_000 });
const saved = saveDomain(source, 1);
if (saved.kind !== "saved-domain") throw new Error(saved.reason);

/** A neighbor who must not notice anything. */
const NEIGHBOR = {
  image: guestBytes(`li s0, 0\n again: li t0, 3000\n busy: addi t0, t0, -1\n bnez t0, busy
    li t0, 26\n remu a0, s0, t0\n addi a0, a0, 97\n li a7, 1\n ecall\n addi s0, s0, 1\n j again`),
};
const machine = machineWith([NEIGHBOR]);
machine.board.run({ instructions: 20_000 });
const atRest = machine.board.snapshot();
const freeFrames = machine.vmm.state.pool.free;

/** The records of a saved domain. */
function recordsOf(bytes: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += records.at(-1)?.length ?? 1) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(12, true);
    records.push(bytes.slice(at, at + length + HEADER + 8));
  }
  return records;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const kindOf = (record: Uint8Array): number => viewOf(record).getUint32(4, true);

/** Numbers a record and makes its checksum right. */
function seal(record: Uint8Array, number: number): Uint8Array {
  const view = viewOf(record);
  view.setUint32(8, number, true);
  const end = record.length - 8;
  view.setBigUint64(end, BigInt(crc32(record.subarray(0, end))), true);
  return record;
}

const joined = (records: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(records.flatMap((record) => [...record]));

const EXTREMES = [
  0n,
  1n,
  2n ** 64n - 1n,
  2n ** 63n,
  2n ** 63n - 1n,
  2n ** 32n - 1n,
  2n ** 31n,
  0xffffn,
  0x8020_0000n,
  0x8000_0000n,
  4096n,
  2n ** 41n,
];

/** Restores bytes into the machine as it was, lets it run, and says what came of it. */
function restore(bytes: Uint8Array): string {
  machine.board.revert(atRest);
  awaitDomain(machine);
  const reason = restoreDomain(machine, bytes, 400);
  const { reason: ending } = machine.board.run({ instructions: 100_000 });
  expect(ending).toBe("budget");
  return reason;
}

/** The machine is as it should be, and the neighbor goes on. */
function judge(isWhole: boolean): void {
  const { state } = machine.vmm;
  const printed = printedBy(machine.vmm, 1);
  expect(printed).toBe(alphabet(printed.length));
  expect(state.domain(1).state).toBe(DomainState.RUNNING);
  if (migrationReport(machine).phase === "GIVEN_UP") {
    expect([state.pool.free, state.domain(2).state, state.leaving.domain]).toEqual([freeFrames, 0, 0]);
    expect([2, 3, 4].map((id) => state.domain(id).frames)).toEqual([0, 0, 0]);
  }
  if (!isWhole) return;
  expect(frameMistakes(machine)).toEqual([]);
  expect(violationsOf(machine)).toEqual([]);
}

it("the image as it is runs to its end", () => {
  expect(restore(saved.bytes)).toBe("NONE");
  machine.board.run({ instructions: 1_500_000 });
  expect(printedBy(machine.vmm, 2)).toBe(alphabet(120));
  judge(true);
});

/** Records by kind, and the pieces of the state by number: a virtual CPU, the serial port, the PLIC, virtio devices. */
const HELLO = (record: Uint8Array): boolean => kindOf(record) === RecordKind.HELLO;
const piece =
  (number: bigint) =>
  (record: Uint8Array): boolean =>
    kindOf(record) === RecordKind.STATE && viewOf(record).getBigUint64(HEADER, true) === number;
/** A serial port that is all zeros has no bytes in an image: with them. */
function whole(record: Uint8Array): Uint8Array {
  if (!piece(1n)(record) || record.length > HEADER + 16) return record;
  const longer = new Uint8Array(HEADER + 8 + Uart.sizeBytes + 8);
  longer.set(record.subarray(0, HEADER + 8));
  viewOf(longer).setUint32(12, 8 + Uart.sizeBytes, true);
  return longer;
}
const field = (offset: number): number => HEADER + 8 + offset;

/** What in an image, the value, and why it is refused. */
const TELLING: readonly (readonly [what: string, (record: Uint8Array) => boolean, number, bigint, string])[] =
  [
    ["no RAM", HELLO, HEADER, 0n, "INVALID"],
    ["RAM that is no whole pages", HELLO, HEADER, 4097n, "INVALID"],
    ["more RAM than the machine's", HELLO, HEADER, 2n ** 40n, "TOO_LARGE"],
    ["rights that no wire gives", HELLO, HEADER + 8, 16n, "INVALID"],
    ["no virtual CPU", HELLO, HEADER + 48, 0n, "INVALID"],
    ["too many virtual CPUs", HELLO, HEADER + 48, 5n, "INVALID"],
    ["a disk without end", HELLO, HEADER + 64, 2n ** 63n, "TOO_LARGE"],
    ["a page behind RAM", (record) => kindOf(record) === RecordKind.PAGE, HEADER, 64n, "INVALID"],
    ["a piece that there is not", piece(0n), HEADER, 99n, "INVALID"],
    ["a state that none goes on with", piece(0n), field(Vcpu.offsetOf("paused")), 3n, "INVALID"],
    ["more typed than fits", piece(1n), field(Uart.offsetOf("typed")), 5_000n, "INVALID"],
    ["less typed than read", piece(1n), field(Uart.offsetOf("read")), 5n, "INVALID"],
  ];

it.each(TELLING)("an image with %s is refused", (_, isMeant, place, value, reason) => {
  const records: Uint8Array[] = recordsOf(saved.bytes).map((record) => record.slice());
  const at = records.findIndex(isMeant);
  const record = whole(records[at] as Uint8Array);
  records[at] = record;
  const isNarrow = place >= HEADER + 8 && kindOf(record) === RecordKind.STATE;
  if (!isNarrow) viewOf(record).setBigUint64(place, value, true);
  else if (isMeant === TELLING[9]?.[1]) viewOf(record).setUint16(place, Number(value), true);
  else viewOf(record).setUint32(place, Number(value), true);
  expect(restore(joined(records.map(seal)))).toBe(reason);
  judge(true);
});

it("what is the hypervisor's is not taken from an image", () => {
  const records: Uint8Array[] = recordsOf(saved.bytes).map((record) => record.slice());
  const vcpu = viewOf(records.find(piece(0n)) as Uint8Array);
  const vs = field(Vcpu.offsetOf("vs"));
  for (const name of ["hideleg", "hedeleg", "hie", "hvip", "hgatp", "henvcfg", "sstatus"] as const)
    vcpu.setBigUint64(vs + VsCsrs.offsetOf(name), 2n ** 64n - 1n, true);
  expect(restore(joined(records.map(seal)))).toBe("NONE");
  const { state } = machine.vmm;
  const own = [0, 1, 2, 3].map((index) => state.vcpu(index)).find(({ domain }) => domain === 2);
  expect(own?.vs.hideleg).toBe(0x444n);
  expect((own?.vs.hedeleg ?? 0n) & 0xf00n & ~0x100n).toBe(0n);
  expect((own?.vs.hgatp ?? 0n) >> 44n).toBe(0x8_0002n);
  expect((own?.vs.hie ?? 0n) & ~0x444n).toBe(0n);
  judge(true);
});

/** Gives a machine that awaits a domain some records, and lets it take them. */
function bring(records: readonly Uint8Array[]): void {
  machine.board.revert(atRest);
  awaitDomain(machine);
  const { inbox } = machine.vmm.state.migration;
  for (const record of records.map(seal)) {
    deliver(machine, record);
    for (let turn = 0; turn < 20 && inbox.length !== 0n; turn++) machine.board.run({ instructions: 2_000 });
    expect(inbox.length).toBe(0n);
  }
}

it("nor is it there for the moment before the guest runs, when no hart has made it right", () => {
  const records: Uint8Array[] = recordsOf(saved.bytes).map((record) => record.slice());
  const vcpu = viewOf(records.find(piece(0n)) as Uint8Array);
  const vs = field(Vcpu.offsetOf("vs"));
  const masks = {
    hideleg: 0x444n,
    hie: 0x444n,
    hvip: 0x444n,
    hedeleg: 0xb1ffn,
    henvcfg: 0xe000_0000_0000_0000n,
    sstatus: 0x100n,
  };
  for (const name of Object.keys(masks) as (keyof typeof masks)[])
    vcpu.setBigUint64(vs + VsCsrs.offsetOf(name), 2n ** 64n - 1n, true);
  // Without the last record the domain is all there, and waits.
  bring(records.slice(0, -1));
  const { state } = machine.vmm;
  expect(state.domain(2).state).toBe(DomainState.ARRIVING);
  const own = [0, 1, 2, 3].map((index) => state.vcpu(index)).find(({ domain }) => domain === 2);
  for (const [name, most] of Object.entries(masks) as [keyof typeof masks, bigint][])
    expect([name, (own?.vs[name] ?? 0n) & ~most]).toEqual([name, 0n]);
  expect(own?.vs.hgatp).toBe((8n << 60n) | (2n << 44n) | (BigInt(state.root(2)) >> 12n));
});

it.each([0n, 5n, 6n, 15n, 16n, 2n ** 32n, 2n ** 64n - 1n])(
  "%i virtual CPUs are refused with the first record, before anything is made of them",
  (count) => {
    const [hello = new Uint8Array()] = recordsOf(saved.bytes);
    const record = hello.slice();
    viewOf(record).setBigUint64(HEADER + 48, count, true);
    bring([record]);
    expect(migrationReport(machine)).toMatchObject({ phase: "GIVEN_UP", reason: "INVALID" });
    const { state } = machine.vmm;
    expect(
      Array.from({ length: 16 }, (_, index) => state.vcpu(index).domain).filter((id) => id === 2),
    ).toEqual([]);
    judge(true);
  },
);

describe("a disk", () => {
  const SECTORS = 24;
  const disk = Uint8Array.from({ length: SECTORS * 512 }, (_, at) => at % 251);
  const from = machineWith([{ ...writer(3, 120), disk }]);
  from.board.run({ instructions: 25_000 });
  const image = saveDomain(from, 1);
  if (image.kind !== "saved-domain") throw new Error(image.reason);
  /** The structure of the domain's virtio devices comes in one piece, behind virtual CPU, serial port and PLIC. */
  const isVirtio = piece(3n);

  it.each([0n, 512n, 4096n, 2n ** 20n, 2n ** 63n, 2n ** 64n - 1n])(
    "has the size with which it was let in, though its devices say %i, and is given back whole",
    (bytes) => {
      const records = recordsOf(image.bytes).map((record) => record.slice());
      const at = records.findIndex(isVirtio);
      const record = records[at] ?? new Uint8Array();
      const size = field(Virtio.offsetOf("diskBytes"));
      expect(viewOf(record).getBigUint64(size, true)).toBe(BigInt(disk.length));
      viewOf(record).setBigUint64(size, bytes, true);
      expect(restore(joined(records.map(seal)))).toBe("NONE");
      const { state } = machine.vmm;
      expect(state.domain(2).virtio.diskBytes).toBe(BigInt(disk.length));
      expect(diskOf(machine.board, machine.vmm, 2)).toEqual(disk);
      judge(true);
      giveOrder(machine, { kind: "DESTROY", domain: 2 });
      machine.board.run({ instructions: 3_000_000 });
      expect([state.order.kind, state.domain(2).state, state.pool.free]).toEqual([0, 0, freeFrames]);
      judge(true);
    },
  );
});

it("words of extreme values in any record are refused with a reason, or are the guest's own", {
  timeout: 3_600_000,
}, () => {
  const number = seededNumbers(77);
  const found = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const records: Uint8Array[] = recordsOf(saved.bytes).map((record) => record.slice());
    // Pages are the guest's: most mistakes are in what describes it.
    const telling = records.flatMap((record, index) => (kindOf(record) === RecordKind.PAGE ? [] : [index]));
    const index = number(4) === 0 ? number(records.length) : (telling[number(telling.length)] ?? 0);
    const record = records[index] as Uint8Array;
    const words = (record.length - HEADER - 8) / 8;
    const changes = 1 + number(3);
    for (let change = 0; change < changes && words > 0; change++) {
      const place = HEADER + 8 * (number(3) === 0 ? number(Math.min(words, 10)) : number(words));
      const view = viewOf(record);
      const width = [8, 4, 2][number(3)];
      const value = EXTREMES[number(EXTREMES.length)] ?? 0n;
      if (width === 8) view.setBigUint64(place, value, true);
      else if (width === 4) view.setUint32(place + 4 * number(2), Number(value & 0xffff_ffffn), true);
      else view.setUint16(place + 2 * number(4), Number(value & 0xffffn), true);
    }
    const reason = restore(joined(records.map(seal)));
    found.set(reason, (found.get(reason) ?? 0) + 1);
    expect(["NONE", "INVALID", "NO_ROOM", "TOO_LARGE", "SILENCE"], `round ${round}`).toContain(reason);
    judge(round % 6 === 0);
  }
  expect([...found.keys()]).toEqual(expect.arrayContaining(["NONE", "INVALID"]));
});

it("records that are lost, repeated, of other kinds or lengths are refused with a reason", {
  timeout: 3_600_000,
}, () => {
  const number = seededNumbers(78);
  for (let round = 0; round < ROUNDS / 3; round++) {
    const records: Uint8Array[] = recordsOf(saved.bytes).map((record) => record.slice());
    const at = number(records.length);
    const record = records[at] as Uint8Array;
    const way = number(5);
    if (way === 0) records.splice(at, 1);
    else if (way === 1) records.splice(number(records.length), 0, record.slice());
    else if (way === 2) viewOf(record).setUint32(4, number(12), true);
    else if (way === 3) {
      const shorter = record.slice(0, HEADER + 8 * number((record.length - HEADER) / 8) + 8);
      viewOf(shorter).setUint32(12, shorter.length - HEADER - 8, true);
      records[at] = shorter;
    } else viewOf(record).setUint32(12, [0, 7, 8, 0xffff_fff8, 0x7fff_ffff][number(5)] ?? 0, true);
    const reason = restore(joined(records.map(seal)));
    const reasons = ["NONE", "INVALID", "CORRUPTED", "SILENCE", "REFUSED", "NO_ROOM", "TOO_LARGE"];
    expect(reasons, `round ${round}`).toContain(reason);
    judge(round % 6 === 0);
  }
});
