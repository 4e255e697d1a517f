/**
 * A domain for which another machine stands ready. The oracle is the same guest, alone and left in peace: whatever is switched off, whoever
 * looks at both serial ports sees what it prints, each byte once.
 */
import { describe, expect, it, vi } from "vitest";
import type { HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { referee } from "../../../lib/referee/referee.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { APART, DomainState } from "../../../lib/vmm/layout.ts";
import { SILENCE_TICKS } from "../../../lib/vmm/migration-source.ts";
import { migrationReport } from "../../../lib/vmm/migration-wire.ts";
import { RecordKind } from "../../../lib/vmm/records.ts";
import { type Protection, protect } from "../../../lib/vmm/remus-wire.ts";
import { seededNumbers } from "../../support/random.ts";
import { inOrder, machineWith, memoryOf, rememberer, violationsOf } from "./moving-scene.ts";
import { frameMistakes, guestBytes, recount, type VmmScene, vmmScene } from "./vmm-scene.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
// The long run takes minutes of a busy machine.
vi.setConfig({ testTimeout: (isFull ? 30 : 5) * 60_000 });
const guest = rememberer(8, 900);
const alone = machineWith([guest]);
alone.board.run({ instructions: 9_000_000 });
const TEXT = printedBy(alone.vmm, 1);
const STARTED = 20_000;

interface Pair {
  readonly primary: VmmScene;
  readonly backup: VmmScene;
  readonly protection: Protection;
}

function protectedPair(epochTicks = 800, options: HypervisorOptions = {}): Pair {
  const [primary, backup] = [machineWith([guest], options), machineWith([], options)];
  const protection = protect(primary, backup, { domain: 1, epochTicks, turnInsns: 1_500 });
  // Before, the backup has not begun to wait, and would switch itself off.
  for (const { board } of [primary, backup]) board.run({ instructions: STARTED, untilInsns: STARTED });
  return { primary, backup, protection };
}

const stateOf = ({ vmm }: VmmScene): number => vmm.state.domain(1).state;
const isSettled = (scene: VmmScene): boolean => ["DONE", "GIVEN_UP"].includes(migrationReport(scene).phase);
const ENDED: readonly number[] = [DomainState.OFF, DomainState.CRASHED];

/** Runs until the guest has ended and everybody is at rest. */
function toTheEnd({ primary, backup, protection }: Pair, isOff: { readonly primary?: boolean } = {}): void {
  for (let turn = 0; turn < 20_000; turn++) {
    protection.turn();
    const isDone = [primary, backup].some((scene) => {
      const { phase } = migrationReport(scene);
      return phase === "DONE" && ENDED.includes(stateOf(scene)) && !(isOff.primary && scene === primary);
    });
    if (isDone) return;
  }
  throw new Error(`the guest never ended; seen: ${protection.shown}`);
}

it("the guest alone prints as much as this file thinks, and not the same again and again", () => {
  expect(TEXT).toHaveLength(900);
  expect(new Set(TEXT).size).toBeGreaterThan(20);
});

describe("as long as nothing happens", () => {
  it("a protected guest prints what it prints alone, and its backup is sent home in the end", () => {
    const pair = protectedPair();
    const judges = [pair.primary, pair.backup].map(({ board, vmm }) => referee(board, vmm));
    toTheEnd(pair);
    pair.protection.run(60);
    for (const { violations } of judges) expect(violations).toEqual([]);
    expect(pair.protection.shown).toBe(TEXT);
    expect(pair.primary.vmm.state.remus.sent).toBeGreaterThan(12n);
    expect(migrationReport(pair.primary)).toMatchObject({ phase: "DONE", reason: "ENDED" });
    expect(migrationReport(pair.backup)).toMatchObject({ phase: "GIVEN_UP", reason: "REFUSED" });
    for (const scene of [pair.primary, pair.backup]) expect(frameMistakes(scene)).toEqual([]);
    expect(pair.backup.vmm.state.domain(1).frames).toBe(0);
  });

  it("what it has printed is seen only when the backup has the epoch", () => {
    const { primary, backup, protection } = protectedPair();
    for (let turn = 0; turn < 600; turn++) {
      protection.turn();
      const seen = primary.board.console.text.length;
      if (backup.vmm.state.remus.committed > 0n)
        expect(seen).toBeLessThanOrEqual(Number(backup.vmm.state.domain(1).console.written));
    }
  });

  it("is the same to the last event with handlers that forget everything", () => {
    const [plain, forgetful] = [{}, { handlers: { amnesia: { seed: 3 } } }].map((options) => {
      const pair = protectedPair(800, options);
      pair.protection.switchOff("primary", 400_000);
      pair.protection.run(700);
      return pair;
    });
    expect(forgetful?.protection.chosen).toBe("backup");
    for (const side of ["primary", "backup"] as const)
      expect(forgetful?.[side].board.trace.hash()).toBe(plain?.[side].board.trace.hash());
  });
});

describe("an epoch of so many pages that the backup needs longer for them than silence may last", () => {
  const PAGES = 8_000;
  const WORD = "ready";
  /** Stores to each of its pages, prints a word, works for some epochs, prints it again, and ends. */
  const LARGE = {
    image: guestBytes(`li s0, 0x80100000\n li s1, ${PAGES}\n li s2, 4096
      touch: sd s1, (s0)\n add s0, s0, s2\n addi s1, s1, -1\n bnez s1, touch\n li s3, 2
      say: ${[...WORD].map((letter) => `li a0, ${letter.charCodeAt(0)}\n li a7, 1\n ecall`).join("\n")}
      li t0, 400000\n work: addi t0, t0, -1\n bnez t0, work\n addi s3, s3, -1\n bnez s3, say\n li a7, 8\n ecall\n j .`),
    ramBytes: 34 * 1024 * 1024,
  };

  let made: (Pair & { readonly goBack: () => void }) | undefined;

  /** The moment at which all of the first epoch has come; made once. */
  function largePair(): Pair {
    if (made === undefined) {
      const pair = newPair();
      const places = [pair.primary, pair.backup].map(({ board }) => [board, board.snapshot()] as const);
      const goBack = (): void => {
        for (const [board, snapshot] of places) board.revert(snapshot);
      };
      made = { ...pair, goBack };
    }
    made.goBack();
    return { ...made, protection: made.protection.again() };
  }

  function newPair(): Pair {
    const [primary, backup] = [[LARGE], []].map((guests) =>
      vmmScene({ guests, slice: 500 }, {}, { ramBytes: 112 * 1024 * 1024 }),
    ) as [VmmScene, VmmScene];
    primary.board.run({ instructions: 1_300_000 });
    const protection = protect(primary, backup, { domain: 1, epochTicks: 2_000, turnInsns: 2_100 });
    const { remus } = backup.vmm.state;
    for (let turn = 0; turn < 20_000 && remus.commits === 0n; turn++) protection.turn();
    expect(migrationReport(primary).pages).toBeGreaterThan(PAGES);
    return { primary, backup, protection };
  }

  it("is no reason to go on alone", () => {
    const pair = largePair();
    const { primary, backup, protection } = pair;
    const now = primary.board.clock.now;
    while (backup.vmm.state.remus.committed === 0n) protection.turn();
    expect(Number((primary.board.clock.now - now) / 10)).toBeGreaterThan(Number(SILENCE_TICKS));
    toTheEnd(pair);
    expect([protection.chosen, protection.shown]).toEqual([undefined, WORD + WORD]);
    expect(migrationReport(primary)).toMatchObject({ phase: "DONE", reason: "ENDED" });
  });

  it("is gone on from when the primary is switched off meanwhile", () => {
    const pair = largePair();
    const { primary, backup, protection } = pair;
    protection.run(30);
    expect(backup.vmm.state.remus.commits).toBe(1n);
    protection.switchOff("primary");
    toTheEnd(pair, { primary: true });
    expect([protection.chosen, protection.shown]).toEqual(["backup", WORD + WORD]);
    expect([frameMistakes(backup), violationsOf(backup), stateOf(primary)]).toEqual([
      [],
      [],
      DomainState.RUNNING,
    ]);
  });
});

describe("a primary that is switched off", () => {
  const points = isFull ? 200 : 20;

  /** Switches it off and lets the rest go its way. What became of the backup. */
  function judge(pair: Pair, at: number): string {
    const { backup, protection } = pair;
    protection.switchOff("primary", at);
    for (let turn = 0; turn < 700 && !isSettled(backup); turn++) protection.turn();
    const { phase } = migrationReport(backup);
    expect([at, TEXT.startsWith(protection.shown)]).toEqual([at, true]);
    if (phase === "DONE") {
      toTheEnd(pair, { primary: true });
      expect([at, protection.shown]).toEqual([at, TEXT]);
      expect([at, inOrder(memoryOf(backup))]).toEqual([at, inOrder(memoryOf(alone))]);
      // What had come of an epoch that never became whole is gone.
      const apart = recount(backup).leaves.filter(({ page }) => page >= APART);
      expect([at, apart]).toEqual([at, []]);
    }
    expect([at, frameMistakes(backup)]).toEqual([at, []]);
    expect([at, violationsOf(backup)]).toEqual([at, []]);
    return phase;
  }

  it(`at any of ${points} points: whoever looks sees one run of the guest, each byte once`, () => {
    const number = seededNumbers(41);
    const pair = protectedPair();
    const { primary, backup, protection } = pair;
    while (backup.vmm.state.remus.committed === 0n) protection.turn();
    const snapshots = () => [primary, backup].map(({ board }) => [board, board.snapshot()] as const);
    const first = snapshots();
    const begun = primary.board.clock.now;
    toTheEnd(pair);
    const span = primary.board.clock.now - begun - 10_000;
    for (const [board, snapshot] of first) board.revert(snapshot);
    const places = Array.from({ length: points }, () => begun + number(span)).sort((a, b) => a - b);
    for (const at of places) {
      while (primary.board.clock.now + 2_000 < at) protection.turn();
      const before = snapshots();
      expect([at, judge({ primary, backup, protection: protection.again() }, at)]).toEqual([at, "DONE"]);
      for (const [board, snapshot] of before) board.revert(snapshot);
    }
  });

  it("before anything whole has come, leaves nothing behind", () => {
    const pair = protectedPair();
    expect(judge(pair, STARTED + 30_000)).toBe("GIVEN_UP");
    pair.protection.run(10);
    expect(pair.backup.vmm.state.domain(1).frames).toBe(0);
  });
});

describe("a backup that is not there any more", () => {
  it.each(["switched off", "cut off"])("(%s) lets the primary go on alone, with every byte", (how) => {
    const number = seededNumbers(17);
    for (let point = 0; point < (isFull ? 20 : 3); point++) {
      const pair = protectedPair();
      pair.protection.run(150 + number(150));
      if (how === "cut off") pair.protection.cut();
      else pair.protection.switchOff("backup");
      toTheEnd(pair);
      expect(pair.protection.chosen).toBe("primary");
      expect(pair.protection.shown).toBe(TEXT);
      expect(pair.backup.board.console.text).toBe("");
      pair.protection.run(400);
      expect(frameMistakes(pair.primary)).toEqual([]);
      if (how === "cut off") {
        expect(migrationReport(pair.backup)).toMatchObject({ phase: "GIVEN_UP", reason: "ORDERED" });
        expect(pair.backup.vmm.state.domain(1).frames).toBe(0);
      }
    }
  });

  it("gives back what had come of the next epoch", () => {
    const pair = protectedPair();
    const { backup, protection } = pair;
    const isHalf = (): boolean =>
      backup.vmm.state.remus.committed > 1n && backup.vmm.state.dirtyPages.get(0) !== 0n;
    for (let turn = 0; turn < 2_000 && !isHalf(); turn++) protection.turn();
    expect(isHalf()).toBe(true);
    protection.cut();
    toTheEnd(pair);
    protection.run(400);
    expect(protection.shown).toBe(TEXT);
    expect(backup.vmm.state.domain(1).frames).toBe(0);
    expect(frameMistakes(backup)).toEqual([]);
  });

  it("and when both ask, the operator lets one go on alone", () => {
    const pair = protectedPair();
    pair.protection.run(200);
    pair.protection.cut();
    // A primary that slept when the wire broke: the backup asks first.
    const { primary, backup, protection } = pair;
    backup.board.run({ instructions: 500_000, untilInsns: backup.board.clock.now + 500_000 });
    toTheEnd(pair);
    protection.run(400);
    expect(protection.chosen).toBe("backup");
    expect(protection.shown).toBe(TEXT);
    expect(migrationReport(primary)).toMatchObject({ phase: "GIVEN_UP", reason: "ORDERED" });
    expect(stateOf(primary)).toBe(DomainState.MOVED);
    expect(primary.vmm.state.domain(1).frames).toBe(0);
    for (const scene of [primary, backup]) expect(frameMistakes(scene)).toEqual([]);
  });

  it("and a primary that was forbidden to go on does not show what the other lets out, though it hears that the other has it", () => {
    const pair = protectedPair();
    const { primary, backup, protection } = pair;
    const [sender, receiver] = [primary.vmm.state.remus, backup.vmm.state.remus];
    const { inbox } = backup.vmm.state.migration;
    // The last word of an epoch in which something was printed is on its way.
    const isOnItsWay = (): boolean =>
      sender.sent > 3n &&
      sender.sent > receiver.committed &&
      sender.written > sender.released &&
      inbox.length !== 0n &&
      inbox.bytes.get(4) === RecordKind.EPOCH;
    for (let turn = 0; turn < 4_000 && !isOnItsWay(); turn++) protection.turn();
    expect(isOnItsWay()).toBe(true);
    // The primary sleeps; the backup takes it, says so, hears nothing, and asks, all in one turn.
    backup.board.run({ instructions: 600_000, untilInsns: backup.board.clock.now + 600_000 });
    expect([migrationReport(backup).phase, receiver.committed]).toEqual(["ASKING", sender.sent]);
    protection.turn();
    expect([protection.chosen, primary.vmm.state.migration.inbox.length > 0n]).toEqual(["backup", true]);
    toTheEnd(pair);
    protection.run(400);
    expect(protection.shown).toBe(TEXT);
    expect(migrationReport(primary)).toMatchObject({ phase: "GIVEN_UP", reason: "ORDERED" });
    for (const scene of [primary, backup]) expect(frameMistakes(scene)).toEqual([]);
  });
});
