import { describe, expect, it } from "vitest";
import type { GuestFigures } from "../../../../lib/host/cli/bench/guest-contest.ts";
import { benchPlan } from "../../../../lib/host/cli/bench/options.ts";
import { kindOf } from "../../../../lib/host/cli/bench/profile.ts";
import { ratioAxis, ratioFigure } from "../../../../lib/host/cli/bench/ratio-figure.ts";
import {
  alignedLines,
  type BenchReport,
  ratioRows,
  reportText,
  shown,
} from "../../../../lib/host/cli/bench/report.ts";
import { GUEST_TARGETS, INTEGER_GUESTS, verdictOf } from "../../../../lib/host/cli/bench/targets.ts";
import { BENCH_GUESTS, type BenchGuestName } from "../../../../lib/systems/bench-guests.ts";

const figures = (guest: BenchGuestName, ratio: number): GuestFigures => ({
  guest,
  rounds: 10,
  insns: 1e9,
  seconds: {},
  ours: { name: "dom0 translator", mips: 1000 * ratio },
  peers: [
    { name: "qemu 7.2", mips: 1000 },
    { name: "qemu 10", mips: 800 },
  ],
  ratio,
  steady: { mips: 1100 * ratio, ratio: 1.1 * ratio },
  shortRatio: 0.5 * ratio,
});

const REPORT: BenchReport = {
  machine: {
    processor: "X & Y",
    threads: 2,
    memoryGb: 8,
    system: "Linux",
    node: "24.0.0",
    v8: "13",
    load: 1,
  },
  size: "Size",
  engine: "dom0 translator",
  peers: ["qemu 7.2", "qemu 10"],
  guests: [figures("mix", 1.2), figures("memcpy", 1.5)],
  linux: {
    retired: 650e6,
    seconds: 4,
    wallSeconds: 3,
    peers: [{ name: "qemu 7.2", seconds: 3 }],
    ratio: 0.75,
    residentMb: 600,
    mostResidentMb: 610,
    ramMb: 268,
    turns: 1,
  },
  startUp: { insns: 2e6, wallMs: 151, processorMs: 170, processMs: 300, runs: 5 },
  soak: { minutes: 10, runs: 100, mbPerMinute: 0.25, firstMb: 300, lastMb: 302.5, samples: [] },
  failures: ["chase differs"],
};

describe("the report of the benchmarks", () => {
  it("has a line for each guest: speeds, ratios, target, verdict, what it does", () => {
    const line = reportText(REPORT)
      .split("\n")
      .find((each) => each.startsWith("memcpy"));
    expect(line?.split(/ {2,}/)).toEqual([
      ...["memcpy", "1500", "1650", "1000", "800", "1.5", "1.65", "0.75", "2", "missed"],
      BENCH_GUESTS.memcpy.about,
    ]);
  });

  it("judges Linux, memory and start-up by their limits, and shows what failed", () => {
    const text = reportText(REPORT);
    expect(text).toContain("ratio 0.75, target 0.5 (1): met");
    expect(text).toContain("guest's RAM + 332 MB, limit 300: missed");
    expect(text).toContain("151 ms on the wall, 170 ms of processor time, limit 150: missed");
    expect(text).toContain("grows 0.25 MB a minute, limit 1: met");
    expect(text).toContain("FAILED: chase differs");
  });

  it("has the geometric mean of the integer guests only when all were measured", () => {
    const guests = INTEGER_GUESTS.map((guest, index) => figures(guest, [0.5, 1, 2, 1, 1][index] ?? 0));
    expect(ratioRows({ guests }).find((row) => row.name === "mean of integers")?.ratio).toBeCloseTo(1, 12);
    expect(ratioRows({ guests: guests.slice(1) }).map((row) => row.name)).not.toContain("mean of integers");
  });

  it("says met, stretch met, missed, or nothing", () => {
    const target = { atLeast: 0.9, stretch: 1.3 };
    expect([0.89, 0.9, 1.3, Number.NaN].map((ratio) => verdictOf(ratio, target))).toEqual([
      "missed",
      "met",
      "stretch met",
      "-",
    ]);
  });

  it("has a target for every guest but the one that stands beside hvhop", () => {
    expect(Object.keys(GUEST_TARGETS)).toEqual(Object.keys(BENCH_GUESTS));
    const without = Object.entries(GUEST_TARGETS).filter(([, target]) => target === undefined);
    expect(without.map(([name]) => name)).toEqual(["hvhop-near"]);
  });

  it("shows a guest without a target in the table, without a verdict, and in no figure", () => {
    const report = { ...REPORT, guests: [figures("hvhop", 2), figures("hvhop-near", 0.1)] };
    expect(ratioRows(report).map((row) => row.name)).not.toContain("hvhop-near");
    const line = reportText(report)
      .split("\n")
      .find((text) => text.startsWith("hvhop-near"));
    expect(line).toContain(BENCH_GUESTS["hvhop-near"].about);
    expect(line).not.toMatch(/met|missed/);
  });

  it("shows three digits", () => {
    expect([1234.5, 99.96, 1.2345, 0.01234, Number.NaN].map(shown)).toEqual([
      "1235",
      "100",
      "1.23",
      "0.0123",
      "-",
    ]);
  });

  it("aligns numbers to the right and leaves the last column alone", () => {
    expect(
      alignedLines([
        ["a", "1", "xx"],
        ["bb", "100", ""],
      ]),
    ).toEqual(["a     1  xx", "bb  100"]);
  });
});

describe("the figure of the ratios", () => {
  it("is as wide above parity as below for a ratio and its inverse", () => {
    const { at, ticks } = ratioAxis(ratioRows(REPORT));
    expect(at(2) - at(1)).toBeCloseTo(at(1) - at(0.5), 0);
    expect(ticks).toEqual([0.5, 1, 2]);
  });

  it("hatches what missed its target, names machine and peers, and escapes their names", () => {
    const svg = ratioFigure(REPORT);
    expect(svg.match(/fill="url\(#hatched\)"/g)).toHaveLength(1);
    expect(svg).toContain("X &amp; Y, 2 threads, Node 24.0.0");
    expect(svg).toContain("faster of qemu 7.2 and qemu 10");
    expect(svg).toContain("mix 1.2, target 0.9; memcpy 1.5, target 2; linux 0.75, target 0.5");
  });
});

describe("what to measure", () => {
  it("is everything of the fast engine, quickly, when nothing is named", () => {
    expect(benchPlan([])).toMatchObject({
      engine: "translator",
      sizeName: "quick",
      guests: Object.keys(BENCH_GUESTS),
      linux: true,
      startUp: true,
      soakMinutes: 0,
      others: [],
    });
  });

  it("is what is named", () => {
    expect(benchPlan(["--long", "--guests", "mix,chase", "revert", "--engine", "reference"])).toMatchObject({
      engine: "reference",
      sizeName: "long",
      guests: ["mix", "chase"],
      linux: false,
      others: ["revert"],
    });
    expect(benchPlan(["--soak", "10"])).toMatchObject({ guests: [], linux: false, soakMinutes: 10 });
  });

  it.each([
    ["nosuch"],
    ["--guests", "nosuch"],
    ["--engine", "jit"],
    ["--soak", "x"],
    ["--profile", "y"],
    ["--nosuch"],
  ])("refuses %s %s in one line", (...args) => {
    expect(benchPlan(args)).toHaveProperty("problem", expect.stringMatching(/^.+$/));
  });
});

describe("kinds of code in a profile", () => {
  it.each([
    ["region 0x80000080", "wasm://wasm/abc", "translated regions"],
    ["interpret", "wasm://wasm/abc", "cold tier"],
    ["emit", "file:///x/lib/dist/engine/translator/region/translate.js", "the translator's own TypeScript"],
    [
      "#steps",
      "file:///x/lib/engine/reference/engine.ts",
      "slow path: the reference engine and what it calls",
    ],
    ["record", "file:///x/lib/board/trace.ts", "devices and board"],
    ["(garbage collector)", "", "garbage collector"],
    ["(program)", "", "other: Node and V8"],
  ])("%s of %s is %s", (name, url, kind) => {
    expect(kindOf({ name, url })).toBe(kind);
  });
});
