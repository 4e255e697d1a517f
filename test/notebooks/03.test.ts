/** Notebook 03 from a clean kernel: it runs, it repeats, its checks judge, and its prose tells the truth about its outputs. */
import { describe } from "vitest";
import { tryNotebook } from "./notebook-trial.ts";

describe("notebook 03", () =>
  tryNotebook({
    file: "03-popek-and-goldberg.ipynb",
    exercises: ["03.1", "03.2", "03.3", "03.4", "03.5", "03.6"],
    truths: [
      ["guest", "the guest believes in S, the hart is in U", /the machine: +U\n[\s\S]*mode +S +U/],
      ["guest", "scause is 8 for the guest, and nothing on the hart", /scause +0x8 +0x0/],
      ["ladder", "steps up to M and back to U, none to S", /U → M[\s\S]*M → U/],
      ["exits", "the console is the same", /3,331 exits in 1,134,456[\s\S]*the same console as bare: true/],
      ["exits", "ten CSR instructions for each call, in the middle", /500,099 to 600,099: P 228, E 23\n/],
      ["classify", "none escapes", /sensitive, NOT privileged +0 [\s\S]*the machine: +0\n/],
      [
        "shadow-tree",
        "140 pages, and the shadow has one",
        /maps 140 pages; its shadow has 1 of[\s\S]*machine: +1\n/,
      ],
      [
        "break-w",
        "W is 1 in the shadow's leaf, and PMP lets the store through",
        /DA-UXWRV[\s\S]*PMP entry 2/,
      ],
      ["break-two", "the guest's leaf is R-X, the shadow's RWX", /guest U R-X 1 page {5}shadow RWX/],
      ["break-two", "and scribbler exits", /the machine: +exited/],
      ["leak-run", "two instructions escape", /sensitive, NOT privileged +2 .*csrr a0, scause; csrw scause/],
      ["leak-run", "8 for the guest, 0 on the hart", /scause +0x8 +0x0/],
      [
        "leak-run",
        "all five programs are killed with cause 0",
        /(was killed, cause 0[\s\S]*){5}no process left/,
      ],
      ["quiet", "a quiet leak does not show", /the machine: +true/],
      ["patched", "patched, the console is right again", / C +109 [\s\S]*true\s*$/],
      ["curve", "×2 at ten in a thousand", / 10 in a thousand {2}×2\.08/],
      ["curve", "the extension costs nothing", /extension[\s\S]* 998 in a thousand {2}×1\.00/],
      [
        "ledger",
        "0 of 17 lines, 15 where scause leaks",
        /as a guest: 0 of 17[\s\S]*leaks: 15 of 17[\s\S]*trap: 0 of 68/,
      ],
    ],
  }));
