/**
 * Drivers that write anything into their rings and their devices' registers: the hypervisor goes on, its counts hold, and no byte of
 * a neighbor or of its disk changes. The referee looks on.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { referee } from "../../../lib/referee/referee.ts";
import { diskOf } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import {
  type Descriptor,
  DRIVER_RAM,
  DriverImage,
  place,
  ramOf,
  register,
  ringsAt,
} from "../../unit/vmm/virtio-scene.ts";
import { frameMistakes, guestBytes, vmmScene } from "../../unit/vmm/vmm-scene.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 1_000 : 50;
const SIZE = 8;
const NEIGHBOR = guestBytes(
  "la t0, far\n lw t0, (t0)\n again: addi s0, s0, 1\n j again\n .zero 4096\n far: .word 0x12345678",
);
const DISK = Uint8Array.from({ length: 16 * 512 }, (_, at) => at & 0xff);

/** Addresses of its own, at the ends of its RAM, of devices, of the hypervisor's place in the machine, and of nothing. */
const address = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 0x7fff }).map((offset) => place(offset)) },
  fc.constantFrom(
    ...[0, 0x1000_0000, 0x1000_1000, 0x7fff_ffff, 0x8000_0000 + DRIVER_RAM - 1, 0x8000_0000 + DRIVER_RAM],
    ...[0x8020_0000, 0x80f0_0000, 0xffff_ffff, 2 ** 40, 2 ** 52],
  ),
);
const length = fc.oneof(
  fc.constantFrom(0, 1, 16, 512, 4096, 0x1_0000, 0xffff_ffff),
  fc.integer({ min: 0, max: 2048 }),
);
const descriptor: fc.Arbitrary<Descriptor> = fc.record({
  address,
  length,
  flags: fc.constantFrom(0, 1, 1, 1, 2, 3, 3, 4, 5, 0xffff),
  next: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: SIZE - 1 }) }, fc.constant(0xffff)),
});
/** Headers that are requests, more or less. */
const header = fc.record({
  type: fc.constantFrom(0, 1, 1, 4, 8, 11, 13, 0xffff_ffff),
  sector: fc.constantFrom(0, 1, 14, 15, 16, 0xffff_ffff),
  data: fc.constantFrom(0, 1, 512, 1024, 4096),
});
/** Stores to any register, and notifications. */
const store = fc.record({
  slot: fc.constantFrom(0, 0, 2, 1),
  offset: fc.oneof(
    fc.constant(0x50),
    fc.constantFrom(0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x64, 0x70, 0x80, 0x84, 0x90, 0xa0, 0xa4, 0x100),
  ),
  word: fc.oneof(fc.constantFrom(0, 1, 2, 4, 8, 15, 16, 64, 0x8000_6000, 0xffff_ffff), fc.nat()),
});
const program = fc.record({
  requests: fc.array(header, { maxLength: 2 }),
  descriptors: fc.array(descriptor, { minLength: 1, maxLength: SIZE }),
  heads: fc.array(fc.integer({ min: 0, max: SIZE }), { minLength: 1, maxLength: SIZE }),
  index: fc.option(fc.nat({ max: 0xffff }), { freq: 4 }),
  isEventIndexed: fc.boolean(),
  stores: fc.array(store, { maxLength: 20 }),
});

it(`${RUNS} hostile drivers of a disk and a console harm themselves alone`, () => {
  fc.assert(
    fc.property(program, ({ requests, descriptors, heads, index, isEventIndexed, stores }) => {
      const image = new DriverImage();
      const queues = [ringsAt(0, SIZE), ringsAt(0x800, SIZE)] as const;
      for (const rings of queues) {
        for (const [number, each] of descriptors.entries()) image.describe(rings, number, each);
        for (const [number, each] of requests.entries())
          image.request(rings, 3 * number, place(0x2000 + 0x1400 * number), each);
        image.offer(rings, heads, index ?? heads.length);
      }
      const features = [isEventIndexed ? 1 << 29 : 0, 1] as const;
      image.begin(0, [queues[0]], features);
      image.begin(2, queues, features);
      for (const [slot, queue] of [
        [0, 0],
        [2, 0],
        [2, 1],
      ] as const)
        image.write(register(slot, 0x50), queue);
      for (const { slot, offset, word } of stores) image.write(register(slot, offset), word);
      const scene = vmmScene({
        guests: [
          { image: image.bytes, ramBytes: DRIVER_RAM, disk: DISK, console: "both" },
          { image: NEIGHBOR, ramBytes: 64 * 1024, disk: DISK, console: "both", hasTerminal: false },
        ],
        slice: 2_000,
      });
      const judge = referee(scene.board, scene.vmm);
      scene.board.run({ instructions: 10_000 });
      scene.board.type("typed to whoever listens");
      const { reason } = scene.board.run({ instructions: 150_000 });
      expect(reason).toBe("budget");
      expect(judge.violations).toEqual([]);
      expect(frameMistakes(scene)).toEqual([]);
      const { state } = scene.vmm;
      expect(state.domain(2).state).toBe(DomainState.RUNNING);
      expect(state.vcpu(1).schedule.ran).toBeGreaterThan(1_000n);
      expect(ramOf(scene, 2, 0x8000_0000, NEIGHBOR.length)).toEqual(NEIGHBOR);
      expect(diskOf(scene.board, scene.vmm, 2)).toEqual(DISK);
    }),
    { seed: 1, numRuns: RUNS },
  );
});
