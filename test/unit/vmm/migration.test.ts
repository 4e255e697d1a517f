/** Domains that move while they run. The oracle is the same guest on one machine: its console, and its memory at the end. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { assetFile } from "../../../lib/host/node-assets.ts";
import type { HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import {
  awaitDomain,
  MigrationWire,
  migrationReport,
  restoreDomain,
  saveDomain,
  sendDomain,
} from "../../../lib/vmm/migration-wire.ts";
import { seededNumbers } from "../../support/random.ts";
import { alphabet, inOrder, machineWith, memoryOf, writer } from "./moving-scene.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const kernel = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const CONSOLE = readFileSync(join(import.meta.dirname, "../../golden/mini-kernel-console.txt"), "utf8");
const KERNEL: Guest = { image: kernel, begins: "machine" };
const isFull = process.env["DOM0_TEST_FULL"] === "1";

const sourceOf = (guest: Guest, options: HypervisorOptions = {}): VmmScene => machineWith([guest], options);
function destination(options: HypervisorOptions = {}): VmmScene {
  const scene = machineWith([], options);
  awaitDomain(scene);
  return scene;
}

const FOR_LONG = { instructions: 6_000_000 };

/** A guest that runs on one machine from beginning to end. */
function unmoved(guest: Guest): VmmScene {
  const scene = sourceOf(guest);
  scene.board.run(FOR_LONG);
  return scene;
}

/** Moves a guest that has run for a while. */
function move(guest: Guest, after: number, options: HypervisorOptions = {}) {
  const [from, to] = [sourceOf(guest, options), destination(options)];
  for (const { board } of [from, to]) board.run({ instructions: after, untilInsns: after });
  sendDomain(from, { domain: 1, maxRounds: 5 });
  const wire = new MigrationWire(from, to);
  wire.run(1_500);
  return { from, to, wire };
}

describe("a guest that writes memory all the time", () => {
  const guest = writer(24, 700);
  const whole = unmoved(guest);

  it("prints and computes on two machines what it does on one, wherever it is moved", () => {
    expect(printedBy(whole.vmm, 1)).toBe(alphabet(700));
    const number = seededNumbers(7);
    for (let round = 0; round < (isFull ? 40 : 4); round++) {
      const after = 20_000 + number(150_000);
      const { from, to } = move(guest, after);
      expect([after, migrationReport(from), migrationReport(to)]).toMatchObject([
        after,
        { phase: "DONE", reason: "NONE" },
        { phase: "DONE", reason: "NONE" },
      ]);
      expect(frameMistakes(from)).toEqual([]);
      expect(frameMistakes(to)).toEqual([]);
      to.board.run(FOR_LONG);
      expect(printedBy(to.vmm, 1)).toBe(alphabet(700));
      expect(from.board.console.text + to.board.console.text).toBe(alphabet(700));
      expect(inOrder(memoryOf(to))).toEqual(inOrder(memoryOf(whole)));
    }
  });

  it("leaves nothing behind: handlers that forget everything move it just so", () => {
    const plain = move(guest, 60_000);
    const forgetful = move(guest, 60_000, { handlers: { amnesia: { seed: 5 } } });
    for (const side of ["from", "to"] as const)
      expect(forgetful[side].board.trace.hash()).toBe(plain[side].board.trace.hash());
  });
});

describe("the mini kernel", () => {
  it("goes on elsewhere in the middle of its work, and no line is lost or printed twice", () => {
    const number = seededNumbers(3);
    for (let round = 0; round < (isFull ? 12 : 3); round++) {
      const { from, to } = move(KERNEL, 30_000 + number(120_000));
      expect([migrationReport(from).phase, migrationReport(to).phase]).toEqual(["DONE", "DONE"]);
      to.board.run(FOR_LONG);
      expect(from.board.console.text + to.board.console.text).toBe(CONSOLE);
      expect(printedBy(to.vmm, 1)).toBe(CONSOLE);
      expect(to.vmm.state.domain(1)).toMatchObject({ state: DomainState.OFF, exitCode: 0n });
    }
  });
});

describe("a saved domain", () => {
  const guest = writer(4, 300);
  const source = sourceOf(guest);
  source.board.run({ instructions: 40_000 });
  const saved = saveDomain(source, 1);
  if (saved.kind !== "saved-domain") throw new Error(saved.reason);

  it("goes on where it was saved, and in another machine as well", () => {
    const copy = destination();
    expect(restoreDomain(copy, saved.bytes)).toBe("NONE");
    for (const { board } of [source, copy]) board.run(FOR_LONG);
    expect([printedBy(source.vmm, 1), printedBy(copy.vmm, 1)]).toEqual([alphabet(300), alphabet(300)]);
    expect(inOrder(memoryOf(copy))).toEqual(inOrder(memoryOf(source)));
    expect(frameMistakes(copy)).toEqual([]);
  });

  it("is refused with a reason when it is damaged or cut off, and the machine takes the next", () => {
    const number = seededNumbers(11);
    for (let round = 0; round < (isFull ? 200 : 8); round++) {
      const copy = destination();
      const at = number(saved.bytes.length);
      const damaged = saved.bytes.slice(0, round % 2 === 0 ? at : undefined);
      if (round % 2 === 1) damaged[at] = (damaged[at] ?? 0) ^ 4;
      expect(["SILENCE", "CORRUPTED"]).toContain(restoreDomain(copy, damaged));
      expect(frameMistakes(copy)).toEqual([]);
      awaitDomain(copy);
      expect(restoreDomain(copy, saved.bytes)).toBe("NONE");
    }
  });
});

describe("a guest that looks at the time", () => {
  it.each([
    ["wfi"],
    ["li t3, 2000\n busy: csrr t4, time\n bltu t4, s3, again\n addi t3, t3, -1\n bnez t3, busy"],
  ])("(%s) sees no time go backwards on a machine that was switched on later", (pause) => {
    const guest: Guest = {
      image: guestBytes(`li t0, 0x20\n csrw sie, t0\n li s2, 0\n li s3, 0
        again: csrr t1, time\n li a0, 33\n bltu t1, s3, say\n addi a0, s2, 97
        say: mv s3, t1\n addi t1, t1, 700\n csrw stimecmp, t1\n li a7, 1\n ecall\n ${pause}
        addi s2, s2, 1\n li t0, 26\n bltu s2, t0, again\n li a7, 8\n ecall\n j .`),
    };
    const source = sourceOf(guest);
    source.board.run({ instructions: 90_000, untilInsns: 90_000 });
    const saved = saveDomain(source, 1);
    if (saved.kind !== "saved-domain") throw new Error(saved.reason);
    const copy = destination();
    expect(restoreDomain(copy, saved.bytes)).toBe("NONE");
    copy.board.run({ instructions: 900_000, untilInsns: 900_000 });
    expect(printedBy(copy.vmm, 1)).toBe(alphabet(26));
  });
});

describe("a domain that cannot be moved", () => {
  const GRANTER = guestBytes(
    "li a0, 2\n li a1, 0x80002000\n li a2, 1\n li a7, 0x0a000009\n ecall\n again: addi s0, s0, 1\n j again",
  );

  it.each([
    [1, "SHARES"],
    [2, "NONE"],
    [5, "NO_DOMAIN"],
  ])("is refused with a reason and goes on: domain %i, %s", (domain, reason) => {
    const guests = [GRANTER, guestBytes("again: addi s0, s0, 1\n j again")].map((image) => ({ image }));
    const from = vmmScene({ guests, slice: 500 }, {}, { ramBytes: 32 * 1024 * 1024 });
    const to = destination();
    for (const { board } of [from, to]) board.run({ instructions: 60_000, untilInsns: 60_000 });
    sendDomain(from, { domain, maxRounds: 2 });
    new MigrationWire(from, to).run(300);
    expect(migrationReport(from)).toMatchObject({ phase: reason === "NONE" ? "DONE" : "GIVEN_UP", reason });
    expect(from.vmm.state.domain(1).state).toBe(DomainState.RUNNING);
    expect(frameMistakes(from)).toEqual([]);
  });
});

it("a guest that moves away and comes back is at the terminal on both machines, and each of its letters is seen once", () => {
  const guest = writer(4, 300);
  const config = { ramBytes: 16 * 1024 * 1024 };
  const [home, away] = [[guest], []].map((guests) =>
    vmmScene({ guests, slice: 500, operated: true }, {}, config),
  ) as [VmmScene, VmmScene];
  for (const { board } of [home, away]) board.run({ instructions: 30_000, untilInsns: 30_000 });
  for (const [from, to, domain] of [
    [home, away, 1],
    [away, home, 1],
  ] as const) {
    awaitDomain(to);
    sendDomain(from, { domain, maxRounds: 2 });
    new MigrationWire(from, to).run(500);
    expect([migrationReport(from).reason, migrationReport(to).phase]).toEqual(["NONE", "DONE"]);
  }
  const { state } = home.vmm;
  for (let piece = 0; piece < 100 && state.domain(2).state === DomainState.RUNNING; piece++)
    home.board.run({ instructions: 20_000 });
  const [seen, elsewhere] = [home.board.console.text, away.board.console.text];
  expect(elsewhere.length).toBeGreaterThan(0);
  expect([seen.length + elsewhere.length, printedBy(home.vmm, 2)]).toEqual([300, alphabet(300)]);
});
