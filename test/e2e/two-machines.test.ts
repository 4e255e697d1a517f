/**
 * Two stock kernels work side by side, and one moves to another machine meanwhile. The oracle is the same machine put back to where the move
 * began, on which nobody moved: both consoles byte by byte, and what is on the disks, looked at from outside.
 */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { moveDomain } from "../../lib/host/cli/migrate/runs.ts";
import {
  beginWork,
  COPIED_SECTOR,
  copiedBytes,
  FIRST_SECTOR,
  journalText,
  type LinuxHost,
  lineText,
  MOVES,
  runUntil,
  SECTOR_BYTES,
  STAYS,
  sectorText,
  twoMachines,
  typeTo,
} from "../../lib/host/linux/two-machines.ts";
import { diskOf, giveTerminal, printedBy } from "../../lib/vmm/hypervisor.ts";
import { DomainState, FrameType } from "../../lib/vmm/layout.ts";
import { migrationReport } from "../../lib/vmm/migration-wire.ts";
import { LINUX_TIMEOUT_MS, linuxFiles } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";
import { violationsOf } from "../unit/vmm/moving-scene.ts";
import { frameMistakes } from "../unit/vmm/vmm-scene.ts";

const LINES = process.env["DOM0_TEST_FULL"] === "1" ? 400 : 32;
/** Instructions before each move: in the long run it begins at several places. */
const STARTS = process.env["DOM0_TEST_FULL"] === "1" ? [5e6, 40e6, 171e6] : [30e6];
const HEARD = "what was typed meanwhile";

const sha256 = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** The last that the script prints. */
const isDone = ({ vmm }: LinuxHost, guest: number, from: number): boolean =>
  / {2}\/dev\/vda\r\n# \x1b\[6n$/.test(printedBy(vmm, guest, from));

/** What it has printed from the command on, and its disk's contents; the hash that it says of its disk is that of these. */
function worked(host: LinuxHost, guest: number, from: number) {
  expect(runUntil(host, () => isDone(host, guest, from))).toBe(true);
  const [text, disk] = [printedBy(host.vmm, guest, from), diskOf(host.board, host.vmm, guest)];
  expect(text).toContain(`${sha256(disk)}  /dev/vda`);
  // The file system's times differ between runs, and so does this hash.
  return { text: text.replace(sha256(disk), "(hash)"), disk };
}

/** Every line in its order, once, and nothing else; every sector as it was said to have been written. */
function expectComplete({ text, disk }: ReturnType<typeof worked>, guest: number): void {
  const numbers = Array.from({ length: LINES }, (_, index) => index + 1);
  const lines = numbers.map((line) => lineText(guest, line));
  expect(text.split("\r\n").slice(1, -1)).toEqual([
    ...lines,
    `heard: ${HEARD}`,
    `${sha256(journalText(LINES))}  /root/journal`,
    "(hash)  /dev/vda",
  ]);
  const copied = copiedBytes();
  const place = COPIED_SECTOR * SECTOR_BYTES;
  expect(Buffer.compare(disk.subarray(place, place + copied.length), copied)).toBe(0);
  for (const line of numbers) {
    const at = (FIRST_SECTOR + line) * SECTOR_BYTES;
    expect(Buffer.from(disk.subarray(at, at + SECTOR_BYTES)).toString()).toBe(sectorText(guest, line));
  }
}

const diskFrames = ({ vmm }: LinuxHost, guest: number): number => {
  let count = 0;
  for (let number = 0; number < Number(vmm.map.ram.sizeBytes >> 12n); number++) {
    const { owner, type } = vmm.state.frame(number);
    if (owner === guest && type === FrameType.DISK) count++;
  }
  return count;
};

describeWith(["debianLinux"], "two stock kernels that print numbered lines and use their disks", () => {
  const built = twoMachines(linuxFiles());
  if ("kind" in built) throw new Error(built.message);
  const { from, to } = built;
  const begins = beginWork(from, LINES);
  const before = [from, to].map(({ board }) => [board, board.snapshot()] as const);

  /** Nobody moves. */
  const stay = () => {
    typeTo(from, MOVES, `${HEARD}\n`);
    const moves = worked(from, MOVES, begins.moves);
    typeTo(from, STAYS, `${HEARD}\n`);
    return { moves, stays: worked(from, STAYS, begins.stays) };
  };
  const unmoved = stay();

  it("are what this file thinks when nobody moves", () => {
    expectComplete(unmoved.moves, MOVES);
    expectComplete(unmoved.stays, STAYS);
  });

  it.each(STARTS)(
    "lose nothing and repeat nothing when one moves (%i instructions behind the beginning)",
    (start) => {
      for (const [board, snapshot] of before) board.revert(snapshot);
      const shown = from.board.console.text.length;
      from.board.run({ instructions: start });
      // A word in each phase: while pages go, while it stands still, when all is sent, and elsewhere.
      const words = HEARD.split(/(?<= )/);
      const phases = ["ROUNDS", "STOPPED", "PREPARED"];
      const run = moveDomain(built, {
        name: "Linux",
        onTurn: () => {
          if (migrationReport(from).phase !== phases[0]) return;
          phases.shift();
          from.board.type(words.shift() ?? "");
        },
      });
      const left = from.board.console.text.slice(shown);
      const linesLeft = left.split("\n").length;
      expect([phases, words]).toEqual([[], ["meanwhile"]]);
      expect([linesLeft > 2, linesLeft < LINES]).toEqual([true, true]);
      expect(run.roundPages.length).toBeGreaterThan(2);
      expect(run.sent[0]?.disk).toBeGreaterThan(0);
      expect(run.downtimeMs).toBeLessThan(50);
      to.board.type("meanwhile\n");
      giveTerminal(from.vmm, STAYS);
      from.board.type(`${HEARD}\n`);
      const [moves, stays] = [worked(to, MOVES, begins.moves), worked(from, STAYS, begins.stays)];
      expectComplete(moves, MOVES);
      expect(moves.text).toBe(unmoved.moves.text);
      expect(stays.text).toBe(unmoved.stays.text);
      expectComplete(stays, STAYS);
      // Whoever looks at both serial ports sees what its console has.
      const seen = (left + to.board.console.text).replace(/[0-9a-f]{64}(?= {2}\/dev)/, "(hash)");
      expect(seen.slice(seen.indexOf("line 1:"))).toBe(moves.text.slice(moves.text.indexOf("line 1:")));
      expect(from.vmm.state.domain(MOVES)).toMatchObject({ state: DomainState.MOVED, frames: 0 });
      expect([diskFrames(from, MOVES), diskFrames(from, STAYS) > 0]).toEqual([0, true]);
      for (const machine of [from, to]) {
        expect(frameMistakes(machine)).toEqual([]);
        expect(violationsOf(machine)).toEqual([]);
      }
    },
    LINUX_TIMEOUT_MS,
  );
});
