/** Whose bug it is: each combination of what the engine's settings and QEMU say. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ReplayReport } from "../../../lib/board/replay.ts";
import { consoleDifference } from "../../../lib/host/cli/console-difference.ts";
import { verdict } from "../../../lib/host/cli/doctor-replay.ts";
import { PROJECT_ROOT } from "../../../lib/host/node-assets.ts";

const same: ReplayReport = {
  kind: "same",
  retired: 10,
  hash: "00",
  checkpoints: 1,
  message: "The same run.",
};
const differs: ReplayReport = { kind: "differs", lastSame: 0, firstDifference: 5, message: "Another run." };
const agrees = consoleDifference("hello\n", "hello\n");
const numbersDiffer = consoleDifference("ticks: 12\n", "ticks: 345\n");
const otherLines = consoleDifference("hello\n", "goodbye\n");

describe("the verdict", () => {
  it.each([
    ["the recording does not repeat", [differs, differs], agrees, /^The recording does not repeat/],
    [
      "accelerations differ",
      [same, same, differs, same],
      agrees,
      /^It is the emulator's bug: engines and accelerations/,
    ],
    ["accelerations differ without QEMU", [same, differs], undefined, /^It is the emulator's bug: engines/],
    [
      "accelerations and QEMU differ",
      [same, differs],
      otherLines,
      /^It is the emulator's bug: engines and accelerations/,
    ],
    ["QEMU was not asked", [same, same], undefined, /^Nothing speaks against the emulator/],
    ["QEMU printed the same", [same, same], agrees, /^It is very probably your program/],
    ["QEMU printed other numbers", [same, same], numbersDiffer, /^It is very probably your program/],
    ["QEMU printed other lines", [same, same], otherLines, /but QEMU printed other lines/],
    ["QEMU printed more", [same, same], consoleDifference("a\n", "a\nb\n"), /but QEMU printed other lines/],
    ["QEMU printed less", [same, same], consoleDifference("a\nb\n", "a\n"), /but QEMU printed other lines/],
  ] as const)("when %s", (_, reports, difference, words) => {
    expect(verdict(reports, difference)).toMatch(words);
  });
});

describe("the doctor's help", () => {
  it("is the same with --replay and without, and says when QEMU is asked", () => {
    const help = (script: string, ...args: string[]): string =>
      spawnSync(process.execPath, [join(PROJECT_ROOT, "lib/host", script), "doctor", ...args, "--help"], {
        encoding: "utf8",
      }).stdout;
    const plain = help("bootstrap/dom0.mjs");
    expect(plain).toMatch(/no disk and no network/);
    expect(help("cli/main.ts", "--replay")).toBe(plain);
  });
});
