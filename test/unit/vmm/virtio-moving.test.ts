/** Domains with a disk and a console that move while they use them. The oracle is the same guest on one machine. */
import { expect, it } from "vitest";
import { diskOf, printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState, FrameType } from "../../../lib/vmm/layout.ts";
import { awaitDomain, MigrationWire, migrationReport, sendDomain } from "../../../lib/vmm/migration-wire.ts";
import { machineWith } from "./moving-scene.ts";
import { DRIVER_RAM, DriverImage, place, ramOf, register, ringsAt } from "./virtio-scene.ts";
import { frameMistakes, type VmmScene } from "./vmm-scene.ts";

const SECTOR = 512;
const SECTORS = 128;
const TURNS = 70;
const [DISK, CONSOLE] = [0, 2];

/**
 * Copies sector after sector to the other half of its disk, and prints a letter behind each: a read, a write of the same buffer, and a
 * transmission.
 */
function copier(): DriverImage {
  const image = new DriverImage();
  const [disk, receive, transmit] = [ringsAt(0), ringsAt(0x800), ringsAt(0x1000)];
  const buffer = place(0x2000);
  const request = (first: number, type: number): void => {
    image.describe(disk, first, {
      address: place(0x1a00 + 32 * first),
      length: 16,
      flags: 1,
      next: first + 1,
    });
    image.describe(disk, first + 1, {
      address: buffer,
      length: SECTOR,
      flags: type === 0 ? 3 : 1,
      next: first + 2,
    });
    image.describe(disk, first + 2, { address: place(0x1c00), length: 1, flags: 2, next: 0 });
    image.put(place(0x1a00 + 32 * first), Uint8Array.of(type));
  };
  request(0, 0);
  request(3, 1);
  image.describe(transmit, 0, { address: place(0x1d00), length: 1, flags: 0, next: 0 });
  image.begin(DISK, [disk]);
  image.begin(CONSOLE, [receive, transmit]);
  const heads = Array.from({ length: disk.size }, (_, index) => 3 * (index % 2));
  image.offer(disk, heads, 0);
  image.offer(transmit, new Array(transmit.size).fill(0), 0);
  for (let turn = 0; turn < TURNS; turn++) {
    const sector = turn % (SECTORS / 2);
    image.write(place(0x1a00 + 8), sector);
    image.write(place(0x1a00 + 96 + 8), sector + SECTORS / 2);
    // Two at once: what the first reads is what the second writes.
    image.write(disk.available, (2 * turn + 2) << 16);
    image.write(register(DISK, 0x50), 0);
    image.write(place(0x1d00), 97 + (turn % 26));
    image.write(transmit.available, (turn + 1) << 16);
    image.write(register(CONSOLE, 0x50), 1);
    image.pass(10_000);
  }
  return image;
}

const GUEST = {
  image: copier().bytes,
  ramBytes: DRIVER_RAM,
  console: "virtio",
  disk: Uint8Array.from({ length: SECTORS * SECTOR }, (_, at) =>
    at < (SECTORS * SECTOR) / 2 ? at / SECTOR + 1 : 0,
  ),
} as const;
const LETTERS = Array.from({ length: TURNS }, (_, turn) => String.fromCharCode(97 + (turn % 26))).join("");
const LONG = { instructions: 3_000_000 };

const disksOf = ({ vmm }: VmmScene): number => {
  let frames = 0;
  for (let number = 0; number < Number(vmm.map.ram.sizeBytes >> 12n); number++)
    if (vmm.state.frame(number).type === FrameType.DISK) frames++;
  return frames;
};

it("the disk and its rings are the same on two machines as on one, wherever the domain moves", () => {
  const whole = machineWith([GUEST]);
  whole.board.run(LONG);
  const copied = diskOf(whole.board, whole.vmm, 1);
  const half = (SECTORS / 2) * SECTOR;
  expect(copied.subarray(half)).toEqual(copied.subarray(0, half));
  expect(printedBy(whole.vmm, 1)).toBe(LETTERS);
  for (const after of [100_000, 400_000, 700_000]) {
    const [from, to] = [machineWith([GUEST]), machineWith([])];
    awaitDomain(to);
    for (const { board } of [from, to]) board.run({ instructions: after, untilInsns: after });
    sendDomain(from, { domain: 1, maxRounds: 4 });
    new MigrationWire(from, to).run(3_000);
    expect([after, migrationReport(from).reason, migrationReport(to).phase]).toEqual([after, "NONE", "DONE"]);
    to.board.run(LONG);
    expect(to.vmm.state.domain(1).state).toBe(DomainState.OFF);
    expect(diskOf(to.board, to.vmm, 1)).toEqual(copied);
    expect(printedBy(to.vmm, 1)).toBe(LETTERS);
    expect(from.board.console.text + to.board.console.text).toBe(LETTERS);
    for (const scene of [from, to]) expect(frameMistakes(scene)).toEqual([]);
    expect(from.vmm.state.domain(1).frames).toBe(0);
    expect(disksOf(from)).toBe(0);
  }
});

/** Bytes of one request: as many as a chain may have. */
const LARGE = 56 * 1024;

/**
 * Gives its disk four large requests with one notification, again and again: more than the hypervisor does at one visit. What it writes is
 * other bytes each time; what it reads it writes elsewhere.
 */
function crowd(turns: number): DriverImage {
  const image = new DriverImage();
  const disk = ringsAt(0);
  const [given, read] = [place(0x2000), place(0x2000 + LARGE)];
  const requests = [
    [1, given],
    [0, read],
    [1, read],
    [0, given],
  ] as const;
  for (const [index, [type, data]] of requests.entries()) {
    const [first, header] = [3 * index, place(0x1a00 + 32 * index)];
    image.describe(disk, first, { address: header, length: 16, flags: 1, next: first + 1 });
    const flags = type === 0 ? 3 : 1;
    image.describe(disk, first + 1, { address: data, length: LARGE, flags, next: first + 2 });
    image.describe(disk, first + 2, { address: place(0x1c00), length: 1, flags: 2, next: 0 });
    image.put(header, Uint8Array.of(type));
  }
  image.begin(DISK, [disk]);
  const heads = Array.from({ length: disk.size }, (_, index) => 3 * (index % 4));
  image.offer(disk, heads, 0);
  for (let turn = 0; turn < turns; turn++) {
    const part = (number: number): number => (LARGE / SECTOR) * ((turn + number) % 4);
    for (let index = 0; index < 4; index++)
      image.write(place(0x1a00 + 32 * index + 8), part(index === 0 ? 0 : index === 3 ? 1 : index + 1));
    for (const page of [0, 5, 13]) image.write(given + 4096 * page + 4 * turn, 0x01010101 * (turn + 1));
    image.write(disk.available, (4 * turn + 4) << 16);
    image.write(register(DISK, 0x50), 0);
    image.pass(500);
  }
  return image;
}

it("requests that a stop comes between are done on the other machine, each once", () => {
  const guest = { image: crowd(12).bytes, ramBytes: DRIVER_RAM, disk: new Uint8Array(4 * LARGE).fill(7) };
  const whole = machineWith([guest]);
  whole.board.run(LONG);
  expect(whole.vmm.state.domain(1).state).toBe(DomainState.OFF);
  const expected = diskOf(whole.board, whole.vmm, 1);
  const takenOf = ({ vmm }: VmmScene): number =>
    vmm.state.domain(1).virtio.devices.get(DISK).queues.get(0).taken;
  for (const turn of [1, 3, 6]) {
    const [from, to] = [machineWith([guest]), machineWith([])];
    awaitDomain(to);
    to.board.run({ instructions: 1_000, untilInsns: 1_000 });
    for (let piece = 0; piece < 20_000 && takenOf(from) <= 4 * turn; piece++)
      from.board.run({ instructions: 500 });
    sendDomain(from, { domain: 1, maxRounds: 0 });
    const wire = new MigrationWire(from, to);
    for (let count = 0; count < 3_000 && migrationReport(from).phase !== "STOPPED"; count++) wire.turn();
    expect([turn, takenOf(from) % 4]).not.toEqual([turn, 0]);
    wire.run(3_000);
    expect([turn, migrationReport(from).reason, migrationReport(to).reason]).toEqual([turn, "NONE", "NONE"]);
    to.board.run(LONG);
    expect(to.vmm.state.domain(1).state).toBe(DomainState.OFF);
    expect([turn, takenOf(to), diskOf(to.board, to.vmm, 1)]).toEqual([turn, 48, expected]);
    expect([...ramOf(to, 1, place(0x2000), 2 * LARGE)]).toEqual([
      ...ramOf(whole, 1, place(0x2000), 2 * LARGE),
    ]);
    for (const scene of [from, to]) expect(frameMistakes(scene)).toEqual([]);
  }
});
