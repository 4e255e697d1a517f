/** Notebook 06 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { describe } from "vitest";
import { tryNotebook } from "./notebook-trial.ts";

describe("notebook 06", () =>
  tryNotebook({
    file: "06-xens-core.ipynb",
    exercises: ["06.1", "06.2", "06.3", "06.4", "06.5", "06.6"],
    truths: [
      [
        "letter",
        "Alice is domain 1, Bob 2; Bob has nothing there",
        /domains 1, 2\nbob reads: load access fault/,
      ],
      ["letter", "frames of Alice's memory, and two tables of her second stage", /Ag×2 Bg×2 A \.×22/],
      [
        "grant",
        "a grant changes no page table: two references, and no mapping",
        /2 references, 1 writable\) — grant 0, RW, to bob: not mapped/,
      ],
      [
        "grant",
        "both read and write one frame",
        /bob reads: meet me\nalice reads: at noon[\s\S]*3 references, 2 writable\) .* mapping 0 at 0x9000_0000, RW/,
      ],
      ["grant", "the frame is lent, and Bob has got a table", /A>bob\* Bg\*/],
      [
        "revoke",
        "busy while it is mapped; then Bob meets nothing, and it is taken back",
        /too early: -16\nbob unmaps: 0\nbob reads: load access fault\nrevoke again: 0[\s\S]*no invariant is broken/,
      ],
      ["pv-build", "M0, M1 and M2", /M0 M1 M2/],
      [
        "pv-store",
        "a store page fault, because W is 0 in her own leaf",
        /store\/AMO page fault[\s\S]*VS-stage PTE 0 .* has W=0/,
      ],
      [
        "pv-update",
        "one update, busy, not permitted",
        /1 page 8\n-16 her own table\n-1 alice's frame[\s\S]*no invariant is broken/,
      ],
      [
        "attack",
        "accepted; her tables, and all of Alice, with her second stage",
        /says 1\n[\s\S]*Ag!>mallory\*×2 A>mallory\*[\s\S]*A>mallory\*×2[\s\S]*M0!\* M1!\* M2!\*/,
      ],
      [
        "loot",
        "the letter is read, the walk ends one level early, and a table can be stored to",
        /letter: SECRET!\n[\s\S]*VS-stage PTE 1 .* is a leaf: DA---WRV[\s\S]*\ndone\nhypervisor: 0x/,
      ],
      [
        "judge",
        "the entry, the bit and the moment",
        /can write frame \d+ \(0x805f9000\) by the level-1 entry [\s\S]*Noticed after hypercall "pv_update"[\s\S]*DA---WRV: 2097152 bytes/,
      ],
      [
        "repaired",
        "refused, and nothing is there",
        /says -22\nmallory reads: load page fault[\s\S]*no invariant is broken/,
      ],
      ["bell", "masked: not told, not lost", /pending 1 \(masked 1\)\nbob takes 0\nbob takes 2/],
      ["mine", "every answer is -22 until it is written", /-22 -22 -22/],
      [
        "prices",
        "copying is dearer per byte, and cheaper to begin",
        /8 bytes +145 copied +282 mapped[\s\S]*4,096 bytes +8,321 copied +2,837 mapped/,
      ],
      ["ledger", "three rules of seven", /no G; no N; no leaf above level 0\n[\s\S]*: 3 of 7 /],
    ],
  }));
