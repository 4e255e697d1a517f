/**
 * Another machine stands ready for a stock Linux, and the first is switched off. The oracle is the shell's script: whoever looks at both serial
 * ports sees its lines in order, each once, and a prompt that hears.
 */
import path from "node:path";
import { expect, it } from "vitest";
import { bootLinux, PROMPT } from "../../lib/host/cli/migrate/runs.ts";
import { readLinuxFiles } from "../../lib/host/linux/packages.ts";
import { migrationReport } from "../../lib/vmm/migration-wire.ts";
import { type Protection, protect } from "../../lib/vmm/remus-wire.ts";
import { LINUX_TIMEOUT_MS } from "../support/linux.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { seededNumbers } from "../support/random.ts";
import { violationsOf } from "../unit/vmm/moving-scene.ts";
import { frameMistakes } from "../unit/vmm/vmm-scene.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
const POINTS = isFull ? 40 : 5;
const LINES = isFull ? 120 : 25;
const SCRIPT = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo line $i end; dd if=/dev/zero of=/tmp/x bs=4k count=2 2>/dev/null; done`;
const PRINTED = Array.from({ length: LINES }, (_, index) => `line ${index + 1} end\r\n`).join("");
/** Two milliseconds of the guest. */
const EPOCH_TICKS = 20_000;
const PIECE = 2_000_000;
const MOST_TURNS = 100_000;

/** What was seen of the script. */
const seenOf = ({ shown }: Protection): string => shown.slice(shown.indexOf("line 1 end"));

describeWith(["debianLinux"], "a stock kernel for which another machine stands ready", () => {
  it(
    `goes on there when its own is switched off at any of ${POINTS} points: no line is lost or repeated`,
    () => {
      const number = seededNumbers(23);
      const { from, to } = bootLinux(readLinuxFiles(path.dirname(partPath("debianLinux"))), SCRIPT);
      const protection = protect(from, to, { domain: 1, epochTicks: EPOCH_TICKS });
      const { remus } = to.vmm.state;
      const snapshots = () => [from, to].map(({ board }) => [board, board.snapshot()] as const);
      const goBack = (places: ReturnType<typeof snapshots>): void => {
        for (const [board, snapshot] of places) board.revert(snapshot);
      };
      const turnUntil = (operator: Protection, isSo: () => boolean): void => {
        for (let turn = 0; turn < MOST_TURNS && !isSo(); turn++) operator.turn();
        expect(isSo()).toBe(true);
      };
      turnUntil(protection, () => remus.committed > 0n);
      const first = snapshots();
      const [begun, epochs] = [from.board.clock.now, remus.committed];
      turnUntil(protection, () => PROMPT.test(from.board.console.text));
      expect(seenOf(protection).replace(/~ # \x1b\[6n$/, "")).toBe(PRINTED);
      expect(remus.committed - epochs).toBeGreaterThan(5n);
      const span = from.board.clock.now - begun;
      goBack(first);
      const leftAt: number[] = [];
      const places = Array.from({ length: POINTS }, () => begun + number(span)).sort((a, b) => a - b);
      for (const at of places) {
        while (from.board.clock.now + 10_000 < at) protection.turn();
        const before = snapshots();
        const operator = protection.again();
        operator.switchOff("primary", at);
        turnUntil(operator, () => migrationReport(to).phase === "DONE");
        expect([at, operator.chosen]).toEqual([at, "backup"]);
        leftAt.push(from.board.console.text.split("line ").length);
        for (let piece = 0; piece < 500 && !PROMPT.test(to.board.console.text); piece++)
          to.board.run({ instructions: PIECE });
        expect([at, seenOf(operator).replace(/~ # \x1b\[6n$/, "")]).toEqual([at, PRINTED]);
        to.board.type("echo alive $((6 * 7))\n");
        for (let piece = 0; piece < 100 && !to.board.console.text.includes("alive 42"); piece++)
          to.board.run({ instructions: PIECE });
        expect([at, to.board.console.text.includes("alive 42")]).toEqual([at, true]);
        expect([at, frameMistakes(to), violationsOf(to)]).toEqual([at, [], []]);
        goBack(before);
      }
      // Switched off where the script was in the middle of its lines, and at different ones.
      expect(new Set(leftAt).size).toBeGreaterThan(POINTS / 2);
    },
    LINUX_TIMEOUT_MS,
  );
});
