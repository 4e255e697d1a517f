/**
 * Somebody types to a domain that moves. The guest says each byte that it hears: what it has said on both machines together must be what was
 * typed, each byte once, whatever the migration was doing meanwhile.
 */
import { describe, expect, it } from "vitest";
import { Fault } from "../../../lib/vmm/errors.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { LogRole, OrderKind } from "../../../lib/vmm/layout.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import {
  awaitDomain,
  MigrationWire,
  migrationReport,
  restoreDomain,
  saveDomain,
  sendDomain,
} from "../../../lib/vmm/migration-wire.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import { protect } from "../../../lib/vmm/remus-wire.ts";
import { recordDomain } from "../../../lib/vmm/vm-log-operator.ts";
import { machineWith, violationsOf } from "./moving-scene.ts";
import { DRIVER_RAM, DriverImage, place, register, ringsAt } from "./virtio-scene.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const CONSOLE = 2;
const MOST_BYTES = 16;

/** Sleeps until its serial port interrupts; says what has come. A wakeup that is lost is lost for ever: it has no timer. */
const SLEEPER: Guest = {
  image: guestBytes(`li s0, 0x10000000\n li s1, 0x0c000000\n li t0, 1\n sw t0, 40(s1)
    li t0, 0x0c002080\n li t1, 1024\n sw t1, (t0)\n li s2, 0x0c201000\n sw zero, (s2)
    li t0, 1\n sb t0, 1(s0)\n li t0, 0x200\n csrw sie, t0
    sleep: wfi\n lw s3, 4(s2)\n beqz s3, sleep
    more: lbu t0, 5(s0)\n andi t0, t0, 1\n beqz t0, done\n lbu a0, (s0)\n li a7, 1\n ecall\n j more
    done: sw s3, 4(s2)\n j sleep`),
  ramBytes: 256 * 1024,
};

/** Offers a buffer of one byte, waits until it has come, transmits it, and offers the next. */
function virtioEcho(): Guest {
  const image = new DriverImage();
  const [receive, transmit] = [ringsAt(0), ringsAt(0x800)];
  const buffer = (index: number): number => place(0x1000 + 64 * index);
  for (let index = 0; index < MOST_BYTES; index++) {
    image.describe(receive, index, { address: buffer(index), length: 1, flags: 2, next: 0 });
    image.describe(transmit, index, { address: buffer(index), length: 1, flags: 0, next: 0 });
  }
  const all = Array.from({ length: MOST_BYTES }, (_, index) => index);
  image.begin(CONSOLE, [receive, transmit]);
  image.offer(receive, all, 0);
  image.offer(transmit, all, 0);
  for (const index of all) {
    image.write(receive.available, (index + 1) << 16);
    image.write(register(CONSOLE, 0x50), 0);
    image.await(receive.used + 2, index + 1);
    image.write(transmit.available, (index + 1) << 16);
    image.write(register(CONSOLE, 0x50), 1);
  }
  return { image: image.bytes, ramBytes: DRIVER_RAM, console: "virtio" };
}

const GUESTS = [
  ["by interrupts of a serial port", SLEEPER],
  ["through buffers of a virtio console", virtioEcho()],
] as const;

const turnsUntil = (isSo: () => boolean, turn: () => void): void => {
  for (let turns = 0; !isSo(); turns++) {
    if (turns > 5_000) throw new Error("it never came to that");
    turn();
  }
};

/** A machine whose guest listens, one that waits for it, and the wire. */
function movingPair(guest: Guest, cutAt?: number) {
  // Operated: a machine whose only guest sleeps has no timer that would look for orders.
  const from = vmmScene({ guests: [guest], slice: 500, operated: true }, {}, { ramBytes: 16 * 1024 * 1024 });
  const to = machineWith([]);
  awaitDomain(to);
  for (const { board } of [from, to]) board.run({ instructions: 200_000, untilInsns: 200_000 });
  sendDomain(from, { domain: 1, maxRounds: 4 });
  return { from, to, wire: new MigrationWire(from, to, cutAt === undefined ? {} : { cutAt }, 1_500) };
}

const heard = ({ vmm }: VmmScene): string => printedBy(vmm, 1);
const phaseOf = (scene: VmmScene): string => migrationReport(scene).phase;
const rest = ({ board }: VmmScene): void =>
  void board.run({ instructions: 300_000, untilInsns: board.clock.now + 300_000 });

describe.each(GUESTS)("bytes that a guest hears %s", (_, guest) => {
  it("come to it wherever it is, each once, also those typed while it stands still", () => {
    const { from, to, wire } = movingPair(guest);
    for (const [phase, text] of [
      ["ROUNDS", "abc"],
      ["STOPPED", "de"],
      ["PREPARED", "fgh"],
    ] as const) {
      turnsUntil(
        () => phaseOf(from) === phase,
        () => wire.turn(),
      );
      from.board.type(text);
    }
    wire.run(3_000);
    expect([phaseOf(from), phaseOf(to)]).toEqual(["DONE", "DONE"]);
    rest(to);
    to.board.type("ijk");
    // To nobody: the guest is not there any more, and has no memory there that could be used for it.
    from.board.type("xyz");
    for (const scene of [from, to]) rest(scene);
    expect(heard(to)).toBe("abcdefghijk");
    expect(from.board.console.text + to.board.console.text).toBe("abcdefghijk");
    expect(from.vmm.state.domain(1).frames).toBe(0);
    for (const scene of [from, to]) expect([frameMistakes(scene), violationsOf(scene)]).toEqual([[], []]);
  });

  it.each([0, 3, 6, 9, 15])(
    "come to it whatever of it is on the wire (%i turns behind its stop)",
    (turns) => {
      const { from, to, wire } = movingPair(guest);
      turnsUntil(
        () => phaseOf(from) === "STOPPED",
        () => wire.turn(),
      );
      for (let turn = 0; turn < turns; turn++) wire.turn();
      from.board.type("abcd");
      wire.run(3_000);
      rest(to);
      expect(heard(to)).toBe("abcd");
    },
  );

  it("come to it when the wire breaks and it goes on where it was", () => {
    const { from, to, wire } = movingPair(guest, 600_000);
    turnsUntil(
      () => phaseOf(from) === "STOPPED",
      () => wire.turn(),
    );
    const { sent } = wire;
    const again = movingPair(guest, sent);
    turnsUntil(
      () => phaseOf(again.from) === "STOPPED",
      () => again.wire.turn(),
    );
    again.from.board.type("abc");
    again.wire.run(5_000);
    expect(phaseOf(again.from)).toBe("GIVEN_UP");
    rest(again.from);
    expect(heard(again.from)).toBe("abc");
    expect(heard(to)).toBe("");
  });

  it("come to it in any epoch while another machine stands ready for it", () => {
    const [primary, backup] = [machineWith([guest]), machineWith([])];
    const protection = protect(primary, backup, { domain: 1, epochTicks: 300, turnInsns: 1_500 });
    for (const { board } of [primary, backup]) board.run({ instructions: 200_000, untilInsns: 200_000 });
    const text = "abcdefghijklmnop";
    for (const [index, byte] of [...text].entries()) {
      protection.run(11 + (index % 7));
      primary.board.type(byte);
    }
    protection.run(400);
    expect(protection.shown).toBe(text);
  });
});

describe("a machine that sleeps for good", () => {
  const asleep = (isOperated: boolean): VmmScene => {
    const scene = vmmScene(
      { guests: [SLEEPER], slice: 500, operated: isOperated },
      {},
      { ramBytes: 16 * 1024 * 1024 },
    );
    scene.board.run({ instructions: 200_000, untilInsns: 200_000 });
    return scene;
  };

  it("says at once that nobody there would look for an order, and nothing of it is left", () => {
    const scene = asleep(false);
    const before = scene.board.clock.now;
    expect(carryOut(scene, { kind: "PAUSE", domain: 1 })).toBe(Number(Fault.ASLEEP));
    expect(scene.vmm.state.order.kind).toBe(OrderKind.NONE);
    expect(saveDomain(scene, 1)).toMatchObject({ kind: "not-saved", reason: "ASLEEP" });
    expect(recordDomain(scene, 1, 10_000)).toEqual({ kind: "not-recorded", reason: "ASLEEP" });
    expect([scene.vmm.state.vmLog.role, scene.vmm.state.migration.role]).toEqual([LogRole.NONE, 0]);
    awaitDomain(scene);
    expect(restoreDomain(scene, new Uint8Array(100))).toBe("ASLEEP");
    sendDomain(scene, { domain: 1 });
    expect(migrationReport(scene)).toMatchObject({ phase: "GIVEN_UP", reason: "ASLEEP" });
    expect(scene.board.clock.now - before).toBeLessThan(3_000);
    scene.board.type("ab");
    rest(scene);
    expect(heard(scene)).toBe("ab");
  });

  it("carries out what it is told when it is operated", () => {
    const scene = asleep(true);
    expect(carryOut(scene, { kind: "PAUSE", domain: 1 })).toBe(0);
    expect(carryOut(scene, { kind: "UNPAUSE", domain: 1 })).toBe(0);
    expect(saveDomain(scene, 1).kind).toBe("saved-domain");
  });

  it("takes orders while a guest has a timer, though all sleep", () => {
    const image = guestBytes(`li t0, 0x20\n csrw sie, t0
      sleep: csrr t1, time\n li t2, 3000\n add t1, t1, t2\n csrw stimecmp, t1\n wfi\n j sleep`);
    const scene = machineWith([{ image, ramBytes: 256 * 1024 }]);
    scene.board.run({ instructions: 200_000, untilInsns: 200_000 });
    expect(carryOut(scene, { kind: "PAUSE", domain: 1 })).toBe(0);
    // Now nothing wakes it any more.
    expect(carryOut(scene, { kind: "UNPAUSE", domain: 1 })).toBe(Number(Fault.ASLEEP));
  });
});

it("a byte typed before the hypervisor's first instructions is lost when it turns the FIFOs on, and none behind it", () => {
  const { board, vmm } = vmmScene({ guests: [SLEEPER] });
  board.type("abcdefgh");
  board.run({ instructions: 300_000, untilInsns: 300_000 });
  // One byte was in the receiver of a port without FIFOs; the others were still on the wire.
  expect(printedBy(vmm, 1)).toBe("bcdefgh");
});
