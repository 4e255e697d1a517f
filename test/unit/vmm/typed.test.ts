/**
 * What is typed while nobody is there to read it: the guest stands still, sleeps, moves, or is gone. No byte may come twice, none that the guest
 * gets may come out of order, and a domain that is not there any more must not get memory for it.
 */
import { describe, expect, it } from "vitest";
import { DomainState, MigrationPhase, MigrationRole, type VmmState } from "../../../lib/vmm/layout.ts";
import {
  awaitDomain,
  beginRole,
  collect,
  MigrationWire,
  migrationReport,
  sendDomain,
} from "../../../lib/vmm/migration-wire.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import { machineWith } from "./moving-scene.ts";
import { DRIVER_RAM, DriverImage, halfOf, place, ramOf, register, ringsAt } from "./virtio-scene.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const CONSOLE = 2;
const TEXT = "typed in";
const [receive, transmit] = [ringsAt(0), ringsAt(0x800)];

/** Offers two buffers and waits until both are used. */
function listener(): DriverImage {
  const image = new DriverImage();
  image.describe(receive, 0, { address: place(0x3100), length: 4, flags: 2, next: 0 });
  image.describe(receive, 1, { address: place(0x3200), length: 64, flags: 2, next: 0 });
  image.begin(CONSOLE, [receive, transmit]);
  image.offer(receive, [0, 1]);
  image.write(register(CONSOLE, 0x50), 0);
  image.await(receive.used + 2, 2);
  return image;
}

const LISTENER = { image: listener().bytes, ramBytes: DRIVER_RAM, console: "both" } as const;

const used = (scene: VmmScene): number => halfOf(scene, receive.used + 2);
const heard = (scene: VmmScene): string =>
  new TextDecoder().decode(
    Uint8Array.of(...ramOf(scene, 1, place(0x3100), 4), ...ramOf(scene, 1, place(0x3200), 4)),
  );

/** Both machines step by step, until the source is so far. */
function until(wire: MigrationWire, { vmm }: VmmScene, isReached: (state: VmmState) => boolean): void {
  for (let turn = 0; turn < 5_000 && !isReached(vmm.state); turn++) wire.turn();
  expect(isReached(vmm.state)).toBe(true);
}

describe("a guest with a virtio console", () => {
  it("that is paused finds what was typed when it goes on, and not before", () => {
    const scene = vmmScene({ guests: [LISTENER], operated: true });
    scene.board.run({ instructions: 200_000 });
    expect(carryOut(scene, { kind: "PAUSE", domain: 1 })).toBe(0);
    scene.board.type(TEXT);
    scene.board.run({ instructions: 200_000 });
    expect(used(scene)).toBe(0);
    expect(carryOut(scene, { kind: "UNPAUSE", domain: 1 })).toBe(0);
    scene.board.run({ instructions: 2_000_000 });
    expect([scene.vmm.state.domain(1).state, used(scene), heard(scene)]).toEqual([DomainState.OFF, 2, TEXT]);
  });

  it("that stands still because it moves finds it on its new machine", () => {
    const [from, to] = [machineWith([LISTENER]), machineWith([])];
    awaitDomain(to);
    for (const { board } of [from, to]) board.run({ instructions: 100_000, untilInsns: 100_000 });
    sendDomain(from, { domain: 1, maxRounds: 0 });
    const wire = new MigrationWire(from, to, {}, 500);
    // All pages are sent, and of the rest the virtual CPU alone: the serial port comes next.
    until(wire, from, ({ migration }) => migration.piece === 1n);
    from.board.type(TEXT);
    wire.run(8_000);
    expect([migrationReport(from).reason, migrationReport(to).phase]).toEqual(["NONE", "DONE"]);
    to.board.run({ instructions: 2_000_000 });
    expect([to.vmm.state.domain(1).state, used(to), heard(to)]).toEqual([DomainState.OFF, 2, TEXT]);
  });

  it("that has moved away gets no memory for what is typed on its old machine", () => {
    const [from, to] = [machineWith([LISTENER]), machineWith([])];
    awaitDomain(to);
    for (const { board } of [from, to]) board.run({ instructions: 100_000, untilInsns: 100_000 });
    sendDomain(from, { domain: 1, maxRounds: 1 });
    const wire = new MigrationWire(from, to);
    // A turn later the old machine is off, for it has no other guest.
    until(
      wire,
      from,
      ({ migration, leaving }) => migration.phase === MigrationPhase.DONE && leaving.domain === 0,
    );
    from.board.type(TEXT);
    wire.run(100);
    expect(from.vmm.state.domain(1).state).toBe(DomainState.MOVED);
    expect([from.vmm.state.domain(1).frames, frameMistakes(from)]).toEqual([0, []]);
  });

  it("gets all that was typed before it listened, however many buffers that takes", () => {
    const [size, letters] = [32, 900];
    const rings = ringsAt(0, size);
    const image = new DriverImage();
    // Chains of 32 buffers of a byte, one chain 32 times: much work for few bytes.
    for (let index = 0; index < size; index++)
      image.describe(rings, index, {
        address: place(0x3100 + index),
        length: 1,
        flags: index === size - 1 ? 2 : 3,
        next: index + 1,
      });
    image.pass(100_000);
    image.begin(CONSOLE, [rings, transmit]);
    image.offer(rings, new Array(size).fill(0));
    image.await(rings.used + 2, Math.ceil((letters + 1) / size));
    const scene = vmmScene({ guests: [{ ...LISTENER, image: image.bytes }] });
    scene.board.run({ instructions: 20_000 });
    scene.board.type("a".repeat(letters));
    scene.board.run({ instructions: 1_000_000 });
    expect(scene.vmm.state.domain(1).uart.typed).toBe(letters);
    expect(halfOf(scene, rings.used + 2)).toBe(0);
    scene.board.type("b");
    scene.board.run({ instructions: 2_000_000 });
    expect(scene.vmm.state.domain(1).state).toBe(DomainState.OFF);
  });
});

describe("a guest that sleeps until somebody types", () => {
  const [UART, PLIC] = [0x1000_0000, 0x0c00_0000];
  /** Waits without any timer. */
  const SLEEPER = {
    image:
      guestBytes(`li t0, ${PLIC + 4 * 10}\n li t1, 1\n sw t1, (t0)\n li t0, ${PLIC + 0x2080}\n li t1, 1024\n sw t1, (t0)
      li t0, ${PLIC + 0x20_1000}\n sw zero, (t0)\n li s0, ${UART}\n li t1, 1\n sb t1, 1(s0)
      li t1, 0x200\n csrw sie, t1\n wait: wfi\n lbu t0, 5(s0)\n andi t0, t0, 1\n beqz t0, wait
      lbu a0, (s0)\n li a7, 1\n ecall\n li a7, 8\n ecall\n j .`),
    ramBytes: 256 * 1024,
  };

  it("hears it that stood still when it came", () => {
    const scene = vmmScene({ guests: [SLEEPER], operated: true });
    scene.board.run({ instructions: 60_000 });
    beginRole(scene, MigrationRole.SOURCE, { domain: 1, maxRounds: 0 }, 1);
    const { migration } = scene.vmm.state;
    let isTyped = false;
    for (let turn = 0; turn < 2_000 && migration.phase !== MigrationPhase.DONE; turn++) {
      scene.board.run({ instructions: 1_000, untilInsns: scene.board.clock.now + 1_000 });
      if (migration.piece > 2n && !isTyped) {
        isTyped = true;
        scene.board.type("x");
      }
      collect(scene);
    }
    expect([isTyped, migration.phase]).toEqual([true, MigrationPhase.DONE]);
    scene.board.run({ instructions: 400_000 });
    expect([scene.board.console.text, scene.vmm.state.domain(1).state]).toEqual(["x", DomainState.OFF]);
  });
});
