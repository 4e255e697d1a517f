/** A stock Linux moves from one machine to another while it runs. */
import path from "node:path";
import { expect, it } from "vitest";
import { bootLinux, COUNTING, moveDomain, PROMPT } from "../../lib/host/cli/migrate/runs.ts";
import { readLinuxFiles } from "../../lib/host/linux/packages.ts";
import { DomainState } from "../../lib/vmm/layout.ts";
import { LINUX_TIMEOUT_MS } from "../support/linux.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { frameMistakes } from "../unit/vmm/vmm-scene.ts";

/** Whole lines of a console that count. */
const countedIn = (text: string): number[] =>
  [...text.matchAll(/^line (\d+) end\r$/gm)].map(([, number]) => Number(number));

describeWith(["debianLinux"], "a stock kernel whose shell counts lines and writes a file", () => {
  it(
    "goes on elsewhere, and each line is on the console once",
    () => {
      const pair = bootLinux(readLinuxFiles(path.dirname(partPath("debianLinux"))), COUNTING);
      const { from, to } = pair;
      const run = moveDomain(pair, { name: "Linux" });
      expect(run.roundPages.length).toBeGreaterThan(2);
      const left = from.board.console.text;
      for (let piece = 0; piece < 300 && !PROMPT.test(to.board.console.text); piece++)
        to.board.run({ instructions: 5_000_000 });
      // Both consoles together, from the first line to the prompt: what a machine prints whose guest stays.
      const text = left + to.board.console.text;
      expect(countedIn(left).length).toBeGreaterThan(5);
      expect(countedIn(left).length).toBeLessThan(990);
      expect(text.slice(text.indexOf("line 1 end")).replace(/~ # \x1b\[6n$/, "")).toBe(
        Array.from({ length: 1_000 }, (_, index) => `line ${index + 1} end\r\n`).join(""),
      );
      // It is alive: it hears what is typed.
      to.board.type("echo moved $((6 * 7))\n");
      for (let piece = 0; piece < 60 && !to.board.console.text.includes("moved 42"); piece++)
        to.board.run({ instructions: 5_000_000 });
      expect(to.board.console.text).toContain("moved 42");
      expect(from.vmm.state.domain(1).state).toBe(DomainState.MOVED);
      from.board.run({ instructions: 5_000_000 });
      expect(from.board.console.text).toBe(left);
      for (const scene of [from, to]) expect(frameMistakes(scene)).toEqual([]);
      expect(from.vmm.state.domain(1).frames).toBe(0);
    },
    LINUX_TIMEOUT_MS,
  );
});
