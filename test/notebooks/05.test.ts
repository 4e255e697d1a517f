/** Notebook 05 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { describe } from "vitest";
import { tryNotebook } from "./notebook-trial.ts";

describe("notebook 05", () =>
  tryNotebook({
    file: "05-sharing-the-cpu.ipynb",
    exercises: ["05.1", "05.2", "05.3", "05.4", "05.5", "05.6"],
    truths: [
      ["three", "the sleeper has 600 of about 3,600 ticks", /domain 2 .* 16 %[\s\S]*the machine: +16\n/],
      ["three", "and hardly waits", /domain 2: ran 7 times; longest wait 0 ticks/],
      ["naive-run", "the first prints at each beat, the second nothing", /first: a{28,30}\nsecond: \n/],
      ["whose", "of sstatus only a bit is the guest's", /sstatus +both +bit 8, SPP/],
      ["forget-run", "each finds the other's number", /first: n+\nsecond: n+\n/],
      ["forget-run", "one row of the table is not the same", /vsscratch +0x4e3 +0x1d {2}not the same/],
      ["weights", "twice the weight has two thirds", /512 +6[67]\.\d +66\.7/],
      ["linux-run", "Linux asks who its firmware is", /SBI implementation ID=0x646f6d30/],
      [
        "linux-run",
        "its first program says a sentence and switches off",
        /init: hello from a stock Linux.*\n.*reboot: Power down/,
      ],
      ["linux-run", "and it has what its weight promises", /had 7[45]\.\d % of the hart/],
      [
        "phase-run",
        "sampled, it has all but what it sleeps; counted, about half",
        / 300 +9\d\.\d +5\d\.\d +50\.0[\s\S]*19,000 +5\.\d +5\.\d/,
      ],
      ["slices-run", "the shorter the slice, the less is left", / 100 +7\d\.\d[\s\S]*3,200 +98\.\d/],
      [
        "ledger",
        "a guest with half of the weight took this much",
        /TICK_SAMPLING: 9\d of 100[\s\S]*CREDIT: 5[0-5] of 100/,
      ],
    ],
  }));
