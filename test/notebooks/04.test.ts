/** Notebook 04 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { describe } from "vitest";
import { tryNotebook } from "./notebook-trial.ts";

describe("notebook 04", () =>
  tryNotebook({
    file: "04-second-wall.ipynb",
    exercises: ["04.1", "04.2", "04.3", "04.4", "04.5", "04.6"],
    truths: [
      ["exits", "no trap of a program is an exit", /378 traps stayed inside[\s\S]*the machine: +0\n/],
      [
        "exits",
        "devices are nearly all of it, then memory that is touched for the first time",
        /register, store +1,399 [\s\S]*register, load +1,394 [\s\S]*memory not given yet +120 [\s\S]*3,085 exits/,
      ],
      [
        "quilt",
        "no frame is shared; two roots of four frames",
        /tttttttt[\s\S]*0 frames are reached by both/,
      ],
      ["walk", "the root of the guest's tables is guest-physical", /PTE 2, guest-physical 0x8001_d008/],
      ["walk", "fifteen entries", /15\. G {2}0[\s\S]*the machine: +15\n/],
      ["cost", "larger pages are cheaper", /4 KiB +3 +7 +11 +15\n/],
      [
        "break-u",
        "entry 12 says yes, entry 15 has U = 0",
        /12\. VS 0 .*DA-UX-RV.*leaf[\s\S]*15\. G {2}0 .*DA--XWRV.*U=0[\s\S]*guest-page fault/,
      ],
      [
        "break-u",
        "cause 20, and htval is the guest-physical address shifted",
        /scause +20 [\s\S]*htval +0x2000_1080 +shifted left by 2: guest-physical 0x8000_4200/,
      ],
      [
        "break-run",
        "an access fault for scribbler and all the others",
        /scribbler was killed, cause 1\n[\s\S]*hello was killed, cause 1\n[\s\S]*the machine: +1\n/,
      ],
      ["break-run", "VM 2 ends as ever", /VM 2 says at last: kernel: no process left/],
      ["knock", "a store of x13 to the serial port", /0x1000_0000\nhtinst +0x00d0_0023 .*stores x13/],
      [
        "yours-run",
        "with empty stubs the reference does all of it, and the referee has nothing to say",
        /decoded +0 +2794\npages given +0 +120\n[\s\S]*No invariant was broken/,
      ],
      ["handover", "a1 is 1251, VM 2's secret", /the machine: +1251\n/],
      [
        "handover-why",
        "the hart remembers, no table was read, and the board names the fence",
        /tables were not asked. No page-table entry was read[\s\S]*Missing: hfence\.gvma 0x2000_0000, 1/,
      ],
      ["handover-fenced", "behind a fence VM 1 faults", /scause +21 /],
      [
        "ledger",
        "rights never reach another's memory, frame numbers do",
        /another's memory: 0 of 240[\s\S]*that do: 186 of 780/,
      ],
    ],
  }));
