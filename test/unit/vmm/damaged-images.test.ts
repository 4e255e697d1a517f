/**
 * Saved domains that somebody has changed, with checksums that are right: what is in them is as it is. The machine says why it refuses one,
 * or runs it; it stays as it should be, and gives every frame back.
 */
import { expect, it } from "vitest";
import { crc32 } from "../../../lib/bits/crc32.ts";
import { referee } from "../../../lib/referee/referee.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import { awaitDomain, migrationReport, restoreDomain, saveDomain } from "../../../lib/vmm/migration-wire.ts";
import { RecordKind } from "../../../lib/vmm/records.ts";
import { seededNumbers } from "../../support/random.ts";
import { alphabet, machineWith, writer } from "./moving-scene.ts";
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
  expect(referee(machine.board, machine.vmm).check()).toEqual([]);
}

it("the image as it is runs to its end", () => {
  expect(restore(saved.bytes)).toBe("NONE");
  machine.board.run({ instructions: 1_500_000 });
  expect(printedBy(machine.vmm, 2)).toBe(alphabet(120));
  judge(true);
});

it("words of extreme values in any record are refused with a reason, or are the guest's own", {
  timeout: 3_600_000,
}, () => {
  const number = seededNumbers(77);
  const found = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const records = recordsOf(saved.bytes).map((record) => record.slice());
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
    const records = recordsOf(saved.bytes).map((record) => record.slice());
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
