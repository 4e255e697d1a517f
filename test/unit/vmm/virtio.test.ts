/** The disk and the console that the hypervisor emulates for its guests. @spec virtio-1.2 §2.7, §4.2, §5.2, §5.3 */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { installHypervisor } from "../../../lib/hs/hypervisor.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { installVmm, printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState, ExitKind, FrameType, vmmState } from "../../../lib/vmm/layout.ts";
import { type LoadOptions, loadGuests } from "../../../lib/vmm/loader.ts";
import { vmmModule } from "../../../lib/vmm/module.ts";
import { DRIVER_RAM, DriverImage, halfOf, place, ramOf, register, results, ringsAt } from "./virtio-scene.ts";
import { frameMistakes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const DISK = 0;
const CONSOLE = 2;
const SECTOR = 512;
const NEEDS_RESET = 0x40;
const IN = 0;
const OUT = 1;
const GET_ID = 8;

/** A disk whose sectors say their number in each byte. */
const numbered = (sectors: number): Uint8Array =>
  Uint8Array.from({ length: sectors * SECTOR }, (_, at) => Math.floor(at / SECTOR) + 1);

const guestOf = (image: DriverImage, disk?: Uint8Array) =>
  ({
    image: image.bytes,
    ramBytes: DRIVER_RAM,
    console: "both",
    ...(disk === undefined ? {} : { disk }),
  }) as const;

function run(load: LoadOptions, options: Parameters<typeof vmmScene>[1] = {}): VmmScene {
  const scene = vmmScene(load, options);
  const { reason } = scene.board.run({ instructions: 2_000_000 });
  expect(reason).toBe("poweroff");
  expect(scene.vmm.state.domain(1).state).toBe(DomainState.OFF);
  expect(frameMistakes(scene)).toEqual([]);
  return scene;
}

/** A guest that reads sector 3, writes sector 5 and 6 with `0xab`, and reads them back, with one notification each. */
function diskDriver(): DriverImage {
  const image = new DriverImage();
  const rings = ringsAt(0);
  image.request(rings, 0, place(0x1000), { type: IN, sector: 3, data: SECTOR });
  image.request(rings, 3, place(0x2003), { type: OUT, sector: 5, data: 2 * SECTOR });
  image.put(place(0x2003 + 16), new Uint8Array(2 * SECTOR).fill(0xab));
  image.request(rings, 6, place(0x2e00), { type: IN, sector: 4, data: 4 * SECTOR });
  image.begin(DISK, [rings]);
  image.offer(rings, [0, 3, 6], 0);
  for (const count of [1, 2, 3]) {
    image.write(rings.available, count << 16);
    image.write(register(DISK, 0x50), 0);
    image.await(rings.used + 2, count);
  }
  for (const offset of [0x60, 0x70]) image.read(register(DISK, offset));
  return image;
}

function expectDiskServed(scene: VmmScene): void {
  const bytes = (at: number, length: number) => [...ramOf(scene, 1, place(at), length)];
  const filled = (length: number, byte: number) => new Array(length).fill(byte);
  expect(bytes(0x1010, SECTOR)).toEqual(filled(SECTOR, 4));
  expect(bytes(0x2e10, 4 * SECTOR)).toEqual([
    ...filled(SECTOR, 5),
    ...filled(2 * SECTOR, 0xab),
    ...filled(SECTOR, 8),
  ]);
  for (const at of [0x1010 + SECTOR, 0x2013 + 2 * SECTOR, 0x2e10 + 4 * SECTOR])
    expect(bytes(at, 1)).toEqual([0]);
  expect(results(scene, 2)).toEqual([1, 15]);
}

describe("a slot", () => {
  it("says what is in it, as the board's slots do", () => {
    const image = new DriverImage();
    const reads = [
      [DISK, 0x000],
      [DISK, 0x004],
      [DISK, 0x008],
      [CONSOLE, 0x008],
      [7, 0x000],
      [7, 0x008],
      [DISK, 0x100],
      [DISK, 0x114],
    ] as const;
    for (const [slot, offset] of reads) image.read(register(slot, offset));
    const scene = run({ guests: [guestOf(image, numbered(8))] });
    expect(results(scene, reads.length)).toEqual([0x7472_6976, 2, 2, 3, 0x7472_6976, 0, 8, SECTOR]);
  });

  it("is empty when the guest has no such device", () => {
    const image = new DriverImage();
    for (const slot of [DISK, CONSOLE]) image.read(register(slot, 0x008));
    const scene = run({ guests: [{ image: image.bytes, ramBytes: DRIVER_RAM }] });
    expect(results(scene, 2)).toEqual([0, 0]);
  });

  it("refuses features that nobody offered, and a driver that does not know version 1", () => {
    for (const features of [
      [1 << 31, 1],
      [0, 0],
    ] as const) {
      const image = new DriverImage();
      image.begin(DISK, [], features);
      image.read(register(DISK, 0x70));
      const [status = 0] = results(run({ guests: [guestOf(image, numbered(8))] }), 1);
      expect(status & 8).toBe(0);
    }
  });

  it("touches no memory before its driver is ready, nor after a mistake", () => {
    const image = new DriverImage();
    const rings = ringsAt(0);
    image.request(rings, 0, place(0x1000), { type: IN, sector: 1, data: SECTOR });
    image.offer(rings, [0]);
    image.begin(DISK, [rings], [0, 1], 11);
    image.write(register(DISK, 0x50), 0);
    image.begin(DISK, [rings]);
    image.write(register(DISK, 0x30), 1);
    // A second queue does not exist, and the first one's size cannot be changed: neither is a mistake.
    image.write(register(DISK, 0x44), 1);
    image.write(register(DISK, 0x30), 0);
    image.write(register(DISK, 0x44), 0);
    image.write(register(DISK, 0x38), 3);
    image.write(register(DISK, 0x44), 1);
    image.write(register(DISK, 0x50), 0);
    image.read(register(DISK, 0x70));
    image.write(register(DISK, 0x38), 16);
    image.write(register(DISK, 0x44), 1);
    image.write(register(DISK, 0x50), 0);
    image.read(register(DISK, 0x44));
    const scene = run({ guests: [guestOf(image, numbered(16))] });
    expect(halfOf(scene, rings.used + 2)).toBe(0);
    expect(results(scene, 2)).toEqual([15 | NEEDS_RESET, 1]);
  });

  it("keeps a queue's places while it is ready, and interrupts when the driver has said it wants that", () => {
    const image = new DriverImage();
    const rings = ringsAt(0);
    for (const first of [0, 3])
      image.request(rings, first, place(0x1000 + 0x400 * first), { type: IN, sector: 1, data: SECTOR });
    image.begin(DISK, [rings], [1 << 29, 1]);
    image.write(register(DISK, 0x80), place(0x3000));
    image.offer(rings, [0, 3], 0);
    // Behind the ring: the driver wants to hear of the second request.
    image.put(rings.available + 4 + 2 * rings.size, Uint8Array.of(1, 0));
    for (const count of [1, 2]) {
      image.write(rings.available, count << 16);
      image.write(register(DISK, 0x50), 0);
      image.read(register(DISK, 0x60));
    }
    image.read(register(DISK, 0x70));
    const scene = run({ guests: [guestOf(image, numbered(16))] });
    expect(results(scene, 3)).toEqual([0, 1, 15]);
    expect(ramOf(scene, 1, place(0x1010), 1)).toEqual(Uint8Array.of(2));
    // What the device has taken, so that the driver knows when to notify.
    expect(halfOf(scene, rings.used + 4 + 8 * rings.size)).toBe(2);
  });

  it("forgets everything at a reset", () => {
    const image = diskDriver();
    image.write(register(DISK, 0x70), 0);
    for (const offset of [0x44, 0x60, 0x70]) image.read(register(DISK, offset));
    const scene = run({ guests: [guestOf(image, numbered(16))] });
    expect(results(scene, 5).slice(2)).toEqual([0, 0, 0]);
  });
});

describe("a disk", () => {
  it("is read and written, across pages, and its frames are the domain's", () => {
    const scene = run({ guests: [guestOf(diskDriver(), numbered(16))] });
    expectDiskServed(scene);
    const { state } = scene.vmm;
    const pages = state.diskPages(1);
    const { owner, type, refCount, typeCount } = state.frame(pages.get(0));
    expect([owner, type, refCount, typeCount]).toEqual([1, FrameType.DISK, 1, 0]);
    // Nobody has used the second page.
    expect(pages.get(1)).toBe(0);
  });

  it("is another one for each guest", () => {
    const guest = guestOf(diskDriver(), numbered(16));
    const scene = vmmScene({ guests: [guest, guest] });
    scene.board.run({ instructions: 2_000_000 });
    for (const domain of [1, 2])
      expect(ramOf(scene, domain, place(0x2e10 + SECTOR), 1)).toEqual(Uint8Array.of(0xab));
    const [first, second] = [1, 2].map((domain) => scene.vmm.state.diskPages(domain).get(0));
    expect(first).not.toBe(second);
  });

  it("answers what it cannot do with an error, and goes on", () => {
    const image = new DriverImage();
    const rings = ringsAt(0);
    const wanted = [
      { type: IN, sector: 16, data: SECTOR },
      { type: IN, sector: 15, data: 2 * SECTOR },
      { type: OUT, sector: 0, data: 100 },
      { type: 77, sector: 0, data: SECTOR },
      { type: GET_ID, sector: 0, data: 20 },
    ];
    for (const [index, request] of wanted.entries())
      image.request(rings, 3 * index, place(0x1000 + 0x800 * index), request);
    image.begin(DISK, [rings]);
    image.offer(rings, [0, 3, 6, 9, 12]);
    image.write(register(DISK, 0x50), 0);
    image.read(register(DISK, 0x70));
    const scene = run({ guests: [guestOf(image, numbered(16))] });
    const statuses = wanted.map(
      ({ data }, index) => ramOf(scene, 1, place(0x1000 + 0x800 * index + 16 + data), 1)[0],
    );
    expect(statuses).toEqual([1, 1, 1, 2, 0]);
    expect(halfOf(scene, rings.used + 2)).toBe(5);
    expect(new TextDecoder().decode(ramOf(scene, 1, place(0x3010), 9))).toBe("dom0-disk");
    expect(results(scene, 1)).toEqual([15]);
  });

  it.each(["a word", "two words"])(
    "does much in pieces: the guest's store of %s is executed again until all is done",
    (width) => {
      const image = new DriverImage();
      const rings = ringsAt(0, 32);
      for (let index = 0; index < 10; index++) {
        // All read the same eight pages into the same buffer.
        const [first, data] = [3 * index, 8 * 4096];
        image.request(rings, first, place(0x2000), { type: IN, sector: 0, data });
      }
      image.begin(DISK, [rings]);
      image.offer(
        rings,
        Array.from({ length: 10 }, (_, index) => 3 * index),
      );
      if (width === "a word") image.write(register(DISK, 0x50), 0);
      else image.writeWide(register(DISK, 0x50), 0);
      const scene = run({ guests: [guestOf(image, numbered(64))] });
      expect(halfOf(scene, rings.used + 2)).toBe(10);
      // 17 stores begin, one notifies, and the last one ends the guest; 320 KiB are no single handler's work.
      const { exits } = scene.vmm.state.vcpu(0);
      expect(Number(exits.get(ExitKind.MMIO))).toBeGreaterThan(17 + 1 + 1 + 3);
    },
  );

  it("that is larger than the board can hold, or not of whole sectors, is refused with a sentence", () => {
    const image = new DriverImage();
    for (const bytes of [513, 4 * 1024 * 1024]) {
      const refused = installVmm(buildBoard(), { guests: [guestOf(image, new Uint8Array(bytes))] });
      expect(refused).toMatchObject({ kind: "load-error", reason: "no-room" });
      if (refused.kind === "load-error") expect(refused.message).toContain(`a disk of ${bytes} bytes`);
    }
  });
});

describe("a console", () => {
  const [receive, transmit] = [ringsAt(0), ringsAt(0x800)];

  function consoleDriver(): DriverImage {
    const image = new DriverImage();
    image.put(place(0x2000), new TextEncoder().encode("hello, "));
    image.put(place(0x2ffc), new TextEncoder().encode("terminal"));
    image.describe(transmit, 0, { address: place(0x2000), length: 7, flags: 1, next: 1 });
    image.describe(transmit, 1, { address: place(0x2ffc), length: 8, flags: 0, next: 0 });
    image.describe(receive, 0, { address: place(0x3100), length: 4, flags: 2, next: 0 });
    image.describe(receive, 1, { address: place(0x3200), length: 64, flags: 2, next: 0 });
    image.begin(CONSOLE, [receive, transmit]);
    image.offer(receive, [0, 1]);
    image.offer(transmit, [0]);
    image.write(register(CONSOLE, 0x50), 0);
    image.write(register(CONSOLE, 0x50), 1);
    image.await(receive.used + 2, 2);
    image.read(register(CONSOLE, 0x60));
    return image;
  }

  it("prints, and takes what is typed", () => {
    const scene = vmmScene({ guests: [guestOf(consoleDriver())] });
    scene.board.run({ instructions: 200_000 });
    expect(printedBy(scene.vmm, 1)).toBe("hello, terminal");
    expect(scene.board.console.text).toBe("hello, terminal");
    expect(halfOf(scene, receive.used + 2)).toBe(0);
    scene.board.type("typed in");
    scene.board.run({ instructions: 2_000_000 });
    expect(scene.vmm.state.domain(1).state).toBe(DomainState.OFF);
    const text = (at: number, length: number) => new TextDecoder().decode(ramOf(scene, 1, place(at), length));
    expect(text(0x3100, 4) + text(0x3200, 4)).toBe("typed in");
    expect(results(scene, 1)).toEqual([1]);
  });

  it("of two guests: the one at the terminal alone is typed to", () => {
    const guest = guestOf(consoleDriver());
    const scene = vmmScene({ guests: [guest, { ...guest, hasTerminal: true }].reverse() });
    scene.board.run({ instructions: 300_000 });
    scene.board.type("typed in");
    scene.board.run({ instructions: 1_000_000 });
    const states = [1, 2].map((domain) => scene.vmm.state.domain(domain).state);
    expect(states).toEqual([DomainState.OFF, DomainState.RUNNING]);
    for (const domain of [1, 2]) expect(printedBy(scene.vmm, domain)).toBe("hello, terminal");
  });
});

describe("a driver that breaks the rules", () => {
  const rings = ringsAt(0);
  const mistakes: Readonly<Record<string, (image: DriverImage) => void>> = {
    "a chain that comes back to itself": (image) =>
      image.describe(rings, 0, { address: place(0x1000), length: 16, flags: 1, next: 0 }),
    "a descriptor that does not exist": (image) =>
      image.describe(rings, 0, { address: place(0x1000), length: 16, flags: 1, next: 16 }),
    "an indirect table": (image) =>
      image.describe(rings, 0, { address: place(0x1000), length: 16, flags: 4, next: 0 }),
    "a buffer below RAM": (image) =>
      image.describe(rings, 0, { address: 0x1000_0000, length: 16, flags: 1, next: 1 }),
    "a buffer that ends behind RAM": (image) =>
      image.describe(rings, 2, { address: 0x8000_0000 + DRIVER_RAM - 8, length: 16, flags: 2, next: 0 }),
    "a header that ends behind RAM": (image) =>
      image.describe(rings, 0, { address: 0x8000_0000 + DRIVER_RAM - 8, length: 16, flags: 1, next: 1 }),
    "a request longer than any": (image) =>
      image.describe(rings, 1, { address: place(0x1000), length: 0x2_0000, flags: 3, next: 2 }),
    "more chains than the queue has": (image) => image.offer(rings, [0], 17),
    "no room for the status": (image) =>
      image.describe(rings, 0, { address: place(0x1000), length: 16, flags: 0, next: 0 }),
  };

  it.each(Object.entries(mistakes))(
    "%s: its device wants a reset, and works again after one",
    (_, mistake) => {
      const image = new DriverImage();
      image.request(rings, 0, place(0x1000), { type: IN, sector: 1, data: SECTOR });
      image.begin(DISK, [rings]);
      image.offer(rings, [0]);
      mistake(image);
      image.write(register(DISK, 0x50), 0);
      image.read(register(DISK, 0x70));
      image.read(register(DISK, 0x60));
      const good = ringsAt(0x1800);
      image.request(good, 0, place(0x3000), { type: IN, sector: 1, data: SECTOR });
      image.offer(good, [0]);
      image.begin(DISK, [good]);
      image.write(register(DISK, 0x50), 0);
      image.read(register(DISK, 0x70));
      const scene = run({ guests: [guestOf(image, numbered(16))] });
      expect(results(scene, 3)).toEqual([15 | NEEDS_RESET, 2, 15]);
      expect(halfOf(scene, rings.used + 2)).toBe(0);
      expect(halfOf(scene, good.used + 2)).toBe(1);
      expect(ramOf(scene, 1, place(0x3010), 1)).toEqual(Uint8Array.of(2));
    },
  );

  it("rings outside RAM, and sizes that are none", () => {
    const outside = [
      { ...rings, descriptors: 0x1000_0000 },
      { ...rings, available: 0x1000_0000 },
      { ...rings, used: 0x1000_0000 },
      { ...rings, size: 0 },
      { ...rings, size: 24 },
      { ...rings, size: 64 },
    ];
    for (const wrong of outside) {
      const image = new DriverImage();
      image.request(rings, 0, place(0x1000), { type: IN, sector: 1, data: SECTOR });
      image.begin(DISK, [wrong]);
      image.offer(rings, [0]);
      image.write(register(DISK, 0x50), 0);
      image.read(register(DISK, 0x70));
      const [status = 0] = results(run({ guests: [guestOf(image, numbered(16))] }), 1);
      expect([wrong, status & NEEDS_RESET]).toEqual([wrong, NEEDS_RESET]);
    }
  });
});

describe("each word that a guest gives", () => {
  /** The hypervisor, with a context in which somebody overwrites what was read of a range, right after it was read. */
  function sceneWith(spy: (context: HsContext) => HsContext): VmmScene {
    const board = buildBoard();
    const { sizeBytes } = board.bus.ram;
    const hypervisor = installHypervisor(board, () => {
      const module = vmmModule(sizeBytes);
      return { ...module, trap: (context, map) => module.trap(spy(context), map) };
    });
    if (hypervisor.kind !== "hypervisor") throw new Error(hypervisor.message);
    const refused = loadGuests(board, hypervisor.map, { guests: [guestOf(diskDriver(), numbered(16))] });
    if (refused !== undefined) throw new Error(refused.message);
    const vmm = {
      ...hypervisor,
      kind: "vmm" as const,
      state: vmmState(onlooker(board), hypervisor.map),
    };
    return { board, vmm };
  }

  it("is read once: who changes it behind the hypervisor's back changes nothing", () => {
    const overwritten = new Set<bigint>();
    const scene: VmmScene = sceneWith((context) => {
      const pages = recountPages(scene);
      return new Proxy(context, {
        get(target, name) {
          const value = Reflect.get(target, name, target);
          if (name !== "load") return typeof value === "function" ? value.bind(target) : value;
          return (address: Parameters<HsContext["load"]>[0], width: Parameters<HsContext["load"]>[1]) => {
            const loaded = target.load(address, width);
            const offset = pages.get(address >> 12n);
            // The first page has descriptors and the available ring; the headers of requests are somewhere else.
            if (offset === 0 && (address & 0xfffn) < 0x400n) {
              overwritten.add(address);
              target.store(address, width, 0xffff_ffff_ffff_ffffn);
            }
            return loaded;
          };
        },
      });
    });
    scene.board.run({ instructions: 2_000_000 });
    expectDiskServed(scene);
    expect(overwritten.size).toBe(9 * 2);
  });

  /** By page of machine RAM: which page of the free part it is. */
  function recountPages({ vmm }: VmmScene): Map<bigint, number> {
    const boot = vmm.state.bootInfo.domain.get(0).pieces.get(0);
    return new Map([0, 1, 2, 3].map((page) => [((boot.from + 0x6000n) >> 12n) + BigInt(page), page]));
  }
});

describe("nothing is kept outside RAM", () => {
  it("amnesia makes no difference to a disk and a console at work", () => {
    const load = { guests: [guestOf(diskDriver(), numbered(16)), guestOf(diskDriver(), numbered(16))] };
    const plain = vmmScene(load);
    plain.board.run({ instructions: 300_000 });
    const forgetful = vmmScene(load, { handlers: { amnesia: { seed: 1 } } });
    forgetful.board.run({ instructions: 300_000 });
    expect(forgetful.board.trace.hash()).toBe(plain.board.trace.hash());
  });

  it("and where others may run behind each load and store, requests are served all the same", () => {
    const scene = vmmScene(
      { guests: [guestOf(diskDriver(), numbered(16))] },
      { handlers: { races: true, operations: 20_000 } },
      { harts: 2 },
    );
    scene.board.run({ instructions: 3_000_000 });
    expectDiskServed(scene);
  });
});
