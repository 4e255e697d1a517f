/**
 * One domain is recorded and does the same again elsewhere: alone, later, beside others. What it prints, its memory and its registers are
 * compared with the recorded machine's.
 */
import { describe, expect, it } from "vitest";
import { Fault } from "../../../lib/vmm/errors.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { LogKind, LogRole } from "../../../lib/vmm/layout.ts";
import { carryOut } from "../../../lib/vmm/operator.ts";
import {
  type Logged,
  recordDomain,
  replayDomain,
  type VmRecording,
} from "../../../lib/vmm/vm-log-operator.ts";
import { inOrder, machineWith, memoryOf } from "./moving-scene.ts";
import { frameMistakes, guestBytes, type VmmScene } from "./vmm-scene.ts";

/**
 * Depends on everything: it counts in a loop without any trap, its timer's interrupt prints a letter made of the count and of the time,
 * and what is typed changes the step.
 */
const GUEST = guestBytes(`la t0, handler\n csrw stvec, t0\n li s0, 0\n li s1, 1\n li s2, 0x80020000
  csrr t1, time\n addi t1, t1, 300\n csrw stimecmp, t1\n li t0, 0x20\n csrw sie, t0\n csrsi sstatus, 2
  again: add s0, s0, s1\n andi t2, s0, 1016\n add t2, t2, s2\n sd s0, (t2)\n rem t3, s0, s1\n j again
  handler: csrr t1, time\n xor s3, s3, t1\n xor s3, s3, s0\n addi t1, t1, 333\n csrw stimecmp, t1
  li t0, 26\n remu a0, s3, t0\n addi a0, a0, 97\n li a7, 1\n ecall
  li a7, 0x0a000001\n ecall\n add s4, s4, a0
  li a7, 2\n ecall\n bltz a0, none\n addi s1, a0, 0\n none: sret\n .align 3`);
const NEIGHBOR = guestBytes("again: lr.d t0, (sp)\n addi s0, s0, 1\n j again").slice();
/** "Busy", as hypercalls say it. */
const BUSY_ANSWER = Number(Fault.BUSY);
const BUSY = guestBytes("again: addi s0, s0, 1\n j again");

/** Records the guest, to which somebody types now and then. */
function recorded(neighbors = 1): { readonly scene: VmmScene; readonly recording: VmRecording } {
  const scene = machineWith([
    { image: GUEST },
    ...Array.from({ length: neighbors }, () => ({ image: BUSY })),
  ]);
  scene.board.run({ instructions: 30_000 });
  const recording = recordDomain(scene, 1, 600_000, (insns) => {
    if (insns % 140_000 === 0) scene.board.type(String.fromCharCode(65 + insns / 140_000));
  });
  if (recording.kind !== "vm-recording") throw new Error(recording.reason);
  return { scene, recording };
}

const kindsIn = ({ log }: VmRecording, kind: number): number =>
  log.filter((entry) => entry.kind === BigInt(kind)).length;

const { scene: original, recording } = recorded();
const printedThen = printedBy(original.vmm, 1);
const memoryThen = inOrder(memoryOf(original));

describe("a recorded domain", () => {
  it("has a log with everything that it did not compute", () => {
    expect(kindsIn(recording, LogKind.TIMER)).toBeGreaterThan(10);
    expect(kindsIn(recording, LogKind.INPUT)).toBeGreaterThan(2);
    expect(kindsIn(recording, LogKind.VALUE)).toBeGreaterThan(10);
    expect(kindsIn(recording, LogKind.ANSWER)).toBeGreaterThan(10);
    expect(kindsIn(recording, LogKind.CHECK)).toBeGreaterThan(10);
    expect(frameMistakes(original)).toEqual([]);
  });

  it("is not paused or destroyed while it is recorded, and can be afterwards", () => {
    const scene = machineWith([{ image: GUEST }, { image: BUSY }]);
    const answers: (number | undefined)[] = [];
    const orders = (): void => {
      for (const kind of ["PAUSE", "UNPAUSE", "DESTROY"] as const)
        answers.push(carryOut(scene, { kind, domain: 1 }));
    };
    scene.board.run({ instructions: 30_000 });
    const made = recordDomain(scene, 1, 200_000, (insns) => {
      if (insns === 0) return;
      if (answers.length === 0) orders();
    });
    expect(made.kind).toBe("vm-recording");
    expect(answers).toEqual([BUSY_ANSWER, BUSY_ANSWER, BUSY_ANSWER]);
    scene.board.run({ instructions: 30_000 });
    expect(carryOut(scene, { kind: "DESTROY", domain: 1 })).toBe(0);
  });

  it.each([
    ["alone", []],
    ["beside a neighbor", [{ image: BUSY }]],
    ["beside three neighbors", [{ image: BUSY }, { image: NEIGHBOR }, { image: BUSY }]],
  ])("does the same again on another machine, %s", (_, neighbors) => {
    const copy = machineWith(neighbors);
    // A machine without guests that waits for none switches itself off.
    if (neighbors.length > 0) copy.board.run({ instructions: 20_000 + 777 * neighbors.length });
    const replayed = replayDomain(copy, recording);
    expect(replayed).toEqual({
      kind: "repeated",
      used: recording.log.length,
      count: recording.log.at(-1)?.count,
    });
    const id = neighbors.length + 1;
    expect(printedBy(copy.vmm, id)).toBe(printedThen);
    expect(inOrder(memoryOf(copy, id))).toEqual(memoryThen);
    expect(frameMistakes(copy)).toEqual([]);
  });

  it("goes on freely behind the end of the log", () => {
    original.board.run({ instructions: 300_000 });
    expect(printedBy(original.vmm, 1).length).toBeGreaterThan(printedThen.length + 20);
    expect(original.vmm.state.vmLog.role).toBe(LogRole.NONE);
  });

  it("is the same with handlers that forget everything", () => {
    const hashes = [{}, { handlers: { amnesia: { seed: 9 } } }].map((options) => {
      const copy = machineWith([{ image: BUSY }], options);
      expect(replayDomain(copy, recording).kind).toBe("repeated");
      return copy.board.trace.hash();
    });
    expect(hashes[1]).toBe(hashes[0]);
  });
});

describe("what is typed while a domain is written down", () => {
  /** Sleeps until its serial port interrupts; says what has come, and counts how often it has woken. */
  const LISTENER = guestBytes(`li s0, 0x10000000\n li s1, 0x0c000000\n li t0, 1\n sw t0, 40(s1)
    li t0, 0x0c002080\n li t1, 1024\n sw t1, (t0)\n li s2, 0x0c201000\n sw zero, (s2)
    li t0, 1\n sb t0, 1(s0)\n li t0, 0x200\n csrw sie, t0
    sleep: wfi\n addi s4, s4, 1\n lw s3, 4(s2)\n beqz s3, sleep
    more: lbu t0, 5(s0)\n andi t0, t0, 1\n beqz t0, done\n lbu a0, (s0)\n li a7, 1\n ecall\n j more
    done: sw s3, 4(s2)\n j sleep`);

  it.each([
    ["listens", LISTENER],
    ["asks now and then", GUEST],
  ])("comes in the replay as it came: a guest that %s", (_, image) => {
    const seen = new Set<string>();
    for (let piece = 0; piece < 12; piece++) {
      const scene = machineWith([{ image, ramBytes: 256 * 1024 }, { image: BUSY }]);
      scene.board.run({ instructions: 200_000 });
      // Somebody types at the n-th look behind the one that found the first piece of its CPU and devices in the mailbox.
      const { board, vmm } = scene;
      let looks = 0;
      const look = (): void => {
        if (vmm.state.migration.piece !== 0n && looks++ === piece) board.type("Q");
      };
      const watched = new Proxy(board, {
        get: (_, name) => {
          if (name === "run") look();
          const value: unknown = Reflect.get(board, name, board);
          return typeof value === "function" ? value.bind(board) : value;
        },
      });
      // It has to wake for its recording to end.
      const made = recordDomain({ board: watched, vmm }, 1, 100_000, () => board.type("r"));
      if (made.kind !== "vm-recording") throw new Error(made.reason);
      const isQ = ({ kind, count, value }: Logged): boolean =>
        kind === BigInt(LogKind.INPUT) && count === 0n && value === BigInt("Q".charCodeAt(0));
      seen.add(made.log.some(isQ) ? "in the log" : "in the image");
      const copy = machineWith([{ image: BUSY }]);
      expect([piece, replayDomain(copy, made).kind]).toEqual([piece, "repeated"]);
      expect([piece, printedBy(copy.vmm, 2)]).toEqual([piece, printedBy(scene.vmm, 1)]);
      expect([piece, inOrder(memoryOf(copy, 2))]).toEqual([piece, inOrder(memoryOf(scene))]);
    }
    expect([...seen].sort()).toEqual(["in the image", "in the log"]);
  });
});

describe("a log that is not this domain's", () => {
  const kinds = ["TIMER", "VALUE", "INPUT", "CHECK"] as const;

  it.each(kinds)("is noticed: another %s", (kind) => {
    const at = recording.log.findIndex((entry, index) => index > 8 && entry.kind === BigInt(LogKind[kind]));
    const log = recording.log.map((entry, index) => {
      if (index !== at) return entry;
      return kind === "TIMER" ? { ...entry, count: entry.count + 1n } : { ...entry, value: entry.value ^ 2n };
    });
    expect(replayDomain(machineWith([]), { ...recording, log }).kind).toBe("diverged");
  });

  it("that ends too early leaves the domain standing still", () => {
    const log = recording.log.slice(0, 40);
    const copy = machineWith([]);
    expect(replayDomain(copy, { ...recording, log }, 2_000_000)).toMatchObject({
      kind: "not-repeated",
      used: 40,
    });
    expect(copy.vmm.state.vmLog.role).toBe(LogRole.REPLAYING);
  });
});

it("a domain with two virtual CPUs, or a machine mode of its own, is not recorded and goes on", () => {
  for (const guest of [
    { image: BUSY, vcpus: 2 },
    { image: BUSY, begins: "machine" as const },
  ]) {
    const scene = machineWith([guest]);
    scene.board.run({ instructions: 30_000 });
    expect(recordDomain(scene, 1, 40_000)).toEqual({ kind: "not-recorded", reason: "REFUSED" });
    expect(scene.board.run({ instructions: 50_000 }).reason).toBe("budget");
  }
});
