/** Notebook 02 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { describe } from "vitest";
import { tryNotebook } from "./notebook-trial.ts";

describe("notebook 02", () =>
  tryNotebook({
    file: "02-walls.ipynb",
    exercises: ["02.1", "02.2", "02.3", "02.4", "02.5", "02.6"],
    truths: [
      ["boot", "satp begins with 8 and ends with the page number of the root", /0x800000000008001d/],
      ["tree", "nine tables, the root at that page", /level 2 {2}table 0x8001_d000[\s\S]*the machine: +9\n/],
      [
        "tree",
        "entry 1, then 0, then 0 is the program's first page",
        /\[1\].*\n +level 0 \[0\].*\n +U RX {2}0x4000_0000/,
      ],
      [
        "scatter",
        "three squares share their row with a circle",
        /3 physical pages are seen at two addresses/,
      ],
      ["quilt", "no page is both writable and executable", / 0 both writable and executable/],
      [
        "run-on",
        "who calls comes back, who meets a fault does not",
        /scribbler .*page fault .*jumper\njumper .*call.*the same\njumper .*page fault .*waiter/,
      ],
      ["scribble-walk", "two pointers, one leaf, W is 0", /points to[\s\S]*points to[\s\S]*DA-UX-RV.*W=0/],
      [
        "break-w",
        "one bit: one page with W and X, and scribbler exits",
        /RWX[\s\S]* 1 both writable[\s\S]*the machine: +exited/,
      ],
      ["break-u", "the fetch meets U = 0", /DA--X-RV.*U=0[\s\S]*page fault/],
      ["break-x", "nobody stopped jumper", /jumper: nobody stopped me\nkernel: jumper exited/],
      [
        "remap",
        "a1 is 29, the old frame",
        /the machine: +29\n[\s\S]*remembers: .*0x8001_0000 {2}<- the hart uses this/,
      ],
      ["remap", "the board names the missing fence", /Missing: sfence\.vma 0x4000_0000/],
      [
        "fenced",
        "with the fence the second frame is read",
        /a1 = 0x4e3\n[\s\S]*Both say 0x8001_1000[\s\S]*No translation was used/,
      ],
      ["ledger", "flips of one bit that open a page", /single flipped bits .*: 141 of 560/],
    ],
  }));
