import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { type BoardConfig, buildBoard } from "../../lib/board/virt.ts";
import { assetFile } from "../../lib/host/node-assets.ts";
import { describeWith } from "../support/optional.ts";
import { runOnQemu } from "../support/qemu.ts";

const ELF = assetFile("images/mini-kernel.elf");
const GOLDEN = join(import.meta.dirname, "../golden/mini-kernel-console.txt");
if (process.env["UPDATE"] === "1") writeFileSync(GOLDEN, runOnQemu(ELF).console);
/** What QEMU 7.2 printed; `UPDATE=1` lets it print again. */
const CONSOLE = readFileSync(GOLDEN, "utf8");
/** More than the kernel needs. */
const PLENTY = 20_000_000;
/** Without a translation cache every access walks: quick runs see all faults and the first timer interrupt. */
const WITHOUT_CACHES = process.env["DOM0_TEST_FULL"] === "1" ? PLENTY : 260_000;

function kernelBoard(config: BoardConfig = {}): Board {
  const board = buildBoard(config);
  const image = board.loadElf(new Uint8Array(readFileSync(ELF)));
  if (image.kind === "load-error") throw new Error(image.message);
  return board;
}

describe("the C kernel on our board", () => {
  let board: Board;
  let hash: string;

  beforeAll(() => {
    board = kernelBoard();
    expect(board.run({ instructions: PLENTY })).toMatchObject({ reason: "poweroff", exitCode: 0 });
    hash = board.trace.hash();
  });

  it("prints what it printed on QEMU, and switches the machine off with status 0", () => {
    expect(board.console.text).toBe(CONSOLE);
  });

  it("stays off: another run retires nothing", () => {
    const retired = board.clock.retired;
    expect(board.run({ instructions: 10 })).toEqual({ reason: "poweroff", exitCode: 0, retired });
  });

  it("leaves the same trace hash when it runs again", () => {
    const again = kernelBoard();
    again.run({ instructions: PLENTY });
    expect([again.trace.hash(), again.trace.count, again.clock.retired]).toEqual([
      hash,
      board.trace.count,
      board.clock.retired,
    ]);
  });

  for (const [decodeMemo, translationCache] of [
    [false, true],
    [true, false],
    [false, false],
  ] as const) {
    it(`has the same trace with decode memo ${decodeMemo} and translation cache ${translationCache}`, () => {
      const [fast, plain] = [kernelBoard(), kernelBoard({ accelerations: { decodeMemo, translationCache } })];
      const stops = [fast, plain].map((machine) => machine.run({ instructions: WITHOUT_CACHES }));
      expect(stops[1]).toEqual(stops[0]);
      expect(plain.trace.hash()).toBe(fast.trace.hash());
      expect(plain.console.text).toBe(fast.console.text);
    }, 300_000);
  }

  it("leaves the same trace hash when the run is cut into pieces of odd lengths", () => {
    const pieces = kernelBoard();
    for (
      let length = 1;
      pieces.run({ instructions: length }).reason === "budget";
      length = (length * 7 + 3) % 99_991
    );
    expect(pieces.trace.hash()).toBe(hash);
  });

  it("leaves the same trace hash when its first instructions are stepped, then logged, then run", () => {
    const watched = kernelBoard();
    for (let step = 0; step < 2000; step++) watched.step();
    const stop = watched.run({ instructions: 3000, log: true });
    expect(stop.steps?.length).toBeGreaterThanOrEqual(3000);
    watched.run({ instructions: PLENTY });
    expect(watched.trace.hash()).toBe(hash);
  });

  it("leaves another trace hash with another seed or another byte of input", () => {
    const seeded = kernelBoard({ seed: 1 });
    seeded.run({ instructions: PLENTY });
    const typed = kernelBoard();
    typed.type("x");
    typed.run({ instructions: PLENTY });
    expect(new Set([hash, seeded.trace.hash(), typed.trace.hash()]).size).toBe(3);
    expect(typed.console.text).toBe(CONSOLE);
  });

  it("goes back to any of three nested snapshots, and each time runs on to the same end", () => {
    const rewound = kernelBoard();
    const snapshots = [100, 20_000, 300_000].map((instructions) => {
      rewound.run({ instructions });
      return { snapshot: rewound.snapshot(), retired: rewound.clock.retired, text: rewound.console.text };
    });
    for (const index of [2, 0, 1, 1, 2, 0]) {
      const point = snapshots[index];
      if (point === undefined) return expect.unreachable();
      rewound.revert(point.snapshot);
      expect([rewound.clock.retired, rewound.console.text]).toEqual([point.retired, point.text]);
      rewound.run({ instructions: PLENTY });
      expect(rewound.trace.hash()).toBe(hash);
    }
  });

  it("is the same machine after reset and another load", () => {
    const reused = kernelBoard();
    reused.run({ instructions: 234_567 });
    reused.reset();
    reused.loadElf(new Uint8Array(readFileSync(ELF)));
    reused.run({ instructions: PLENTY });
    expect(reused.trace.hash()).toBe(hash);
    expect(reused.console.text).toBe(CONSOLE);
  });
});

describe("what the kernel does to its processes", () => {
  it("shows as traps from U to S with the causes that it prints", () => {
    const board = kernelBoard();
    const faults: string[] = [];
    board.onTrap(({ trap, from, to, epc }) => {
      if (!trap.isInterrupt && trap.cause >= 12)
        faults.push(`${from}→${to} ${trap.cause} ${board.symbols.nameOf(epc)}`);
    });
    board.run({ instructions: PLENTY });
    expect(faults).toEqual([
      expect.stringMatching(/^U→S 13 prober\+0x/),
      expect.stringMatching(/^U→S 15 scribbler\+0x/),
      expect.stringMatching(/^U→S 12 /),
    ]);
  });

  it("never enters machine mode but for the timer and the kernel's own calls", () => {
    const board = kernelBoard();
    const causes = new Set<string>();
    board.onTrap(({ trap, to }) => {
      if (to === "M") causes.add(`${trap.isInterrupt ? "interrupt" : "exception"} ${trap.cause}`);
    });
    board.run({ instructions: PLENTY });
    expect([...causes].sort()).toEqual(["exception 9", "interrupt 7"]);
  });
});

/** One line an exception, without what depends on time: calls of the kernel for its timer, and repetitions in a waiting loop. */
function withoutTime(exceptions: readonly { cause: number; epc: bigint; tval: bigint }[]): string[] {
  const lines = exceptions
    .filter(({ cause }) => cause !== 9)
    .map(({ cause, epc, tval }) => `cause ${cause} at ${epc.toString(16)}, tval ${tval.toString(16)}`);
  return lines.filter((line, index) => line !== lines[index - 1]);
}

describeWith(["qemu"], "QEMU", () => {
  it("prints the same console from the same ELF and exits with the same status", () => {
    expect(runOnQemu(ELF)).toEqual({ console: CONSOLE, exitCode: 0 });
  });

  it("takes the same exceptions at the same addresses with the same values", () => {
    const folder = mkdtempSync(join(tmpdir(), "dom0-traps-"));
    const log = join(folder, "int.log");
    runOnQemu(ELF, ["-d", "int", "-D", log]);
    const pattern = /async:0, cause:(\w+), epc:(\w+), tval:(\w+)/g;
    const theirs = [...readFileSync(log, "utf8").matchAll(pattern)].map(([, cause, epc, tval]) => ({
      cause: Number.parseInt(cause ?? "", 16),
      epc: BigInt(epc ?? 0),
      tval: BigInt(tval ?? 0),
    }));
    rmSync(folder, { recursive: true });
    const ours: { cause: number; epc: bigint; tval: bigint }[] = [];
    const board = kernelBoard();
    board.onTrap(({ trap, epc }) => {
      if (!trap.isInterrupt) ours.push({ cause: trap.cause, epc, tval: trap.tval });
    });
    board.run({ instructions: PLENTY });
    expect(withoutTime(ours)).toEqual(withoutTime(theirs));
    expect(withoutTime(ours).length).toBeGreaterThan(15);
  });
});
