/** Notebook 01 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { describe } from "vitest";
import { tryNotebook } from "./notebook-trial.ts";

describe("notebook 01", () =>
  tryNotebook({
    file: "01-landing-on-the-island.ipynb",
    exercises: ["01.1", "01.2", "01.3", "01.4", "01.5"],
    truths: [
      ["run-sum", "Only a0 and the pc differ; a0 is 15", /pc .*\na0 +0 +15\n/],
      [
        "trace",
        "three of four steps change a register, the branch none",
        /add a0, a0, a1 .*5\n.*\n.*bne a1, zero, \S+\n.*add a0/,
      ],
      [
        "snapshot",
        "damage is done, and undone",
        /After the sabotage\nregister[\s\S]*After the rewind: no register differs/,
      ],
      ["run-ladder", "one instruction retires in U-mode", /the machine: +1\n/],
      ["run-ladder", "arrow 2 is the call", / 2 {2}U → M .*environment call from U-mode/],
      ["mstatus", "MPP is 0", /12:11 {2}MPP {4}0/],
      ["no-rule", "PMP refuses the first instruction", /instruction access fault\. No PMP entry matches/],
      ["island", "the vault is writable, readable and not for U", /vault 0 .*--WR/],
      ["theft", "cause 13, from U to S", /U → S .*load page fault[\s\S]*the machine: +13/],
      ["walk", "two pointers, then a leaf with U = 0", /points to[\s\S]*points to[\s\S]*DA---WRV.*U=0/],
      ["one-bit", "cause 8, and a secret in a0", /scause +8 [\s\S]*a0 holds 0x[1-9a-f][0-9a-f]{8,}/],
      [
        "heat",
        "M first, then print and allocate_page",
        /^M .*machine_start[\s\S]*^S .*print [\s\S]*^S .*allocate_page/m,
      ],
      [
        "prober",
        "a call, a fault, and down to another program",
        / 1 {2}U → S .*environment call[\s\S]* 3 {2}U → S .*load page fault\n 4 {2}S → U/,
      ],
      [
        "prober",
        "three programs are killed",
        /prober was killed, cause 13[\s\S]*scribbler was killed[\s\S]*jumper was killed/,
      ],
      ["replay", "two equal hashes", /([0-9a-f]{64})\n\1\n/],
      ["claim", "every page of twenty islands stays shut", /kernel pages that stayed shut: 320 of 320/],
    ],
  }));
