/** The migration of a stock Linux with a disk and a console while its neighbor works on: how it went, line by line, and whether all is there. */
import { diskOf, giveTerminal, printedBy } from "../../../vmm/hypervisor.ts";
import { runFor } from "../../../vmm/migration-wire.ts";
import type { LinuxFiles } from "../../linux/packages.ts";
import {
  beginWork,
  COPIED_SECTOR,
  copiedBytes,
  FIRST_SECTOR,
  type LinuxHost,
  lineText,
  MOVES,
  runUntil,
  SECTOR_BYTES,
  STAYS,
  sectorText,
  twoMachines,
} from "../../linux/two-machines.ts";
import { INSNS_PER_MS, type MigrationRun, moveDomain } from "./runs.ts";

const LINES = 40;
const BEFORE_MS = 500;
const BEHIND_MS = 700;
const STEP_MS = 1;

/** A line of a guest was there at this time, counted from the order to move. */
export interface PrintedLine {
  readonly ms: number;
  readonly line: number;
  readonly guest: "moves" | "stays";
  /** On the machine that it moved to. */
  readonly isMoved: boolean;
}

/** How it went. */
export interface LinuxMove {
  readonly run: MigrationRun;
  readonly printed: readonly PrintedLine[];
  /** One sentence: what of it was looked at in the end, and found to be so. */
  readonly verdict: string;
}

/** Boots two guests, lets them work, moves the first, and looks at consoles and disks when both are done. */
export function moveLinux(
  files: LinuxFiles,
): LinuxMove | { readonly kind: "refused"; readonly message: string } {
  const pair = twoMachines(files);
  if ("kind" in pair) return pair;
  const { from, to } = pair;
  const begins = beginWork(from, LINES);
  const watch = new LineWatch(begins);
  for (let ms = -BEFORE_MS; ms < 0; ms += STEP_MS) {
    runFor(from, STEP_MS * INSNS_PER_MS);
    watch.look(ms, from, from);
  }
  const isThere = (): boolean => to.vmm.state.domain(MOVES).console.written > 0n;
  const run = moveDomain(pair, {
    name: "Debian's Linux",
    onTurn: (ms) => watch.look(ms, from, isThere() ? to : from),
  });
  const end = run.totalMs + BEHIND_MS;
  for (let ms = run.totalMs; ms < end; ms += STEP_MS) {
    for (const machine of [from, to]) runFor(machine, STEP_MS * INSNS_PER_MS);
    watch.look(ms, from, to);
  }
  const here = watch.printed.filter(({ guest, isMoved }) => guest === "moves" && !isMoved).length;
  giveTerminal(from.vmm, STAYS);
  for (const [host, guest, begin] of [
    [to, MOVES, begins.moves],
    [from, STAYS, begins.stays],
  ] as const) {
    const mistake = mistakeOf(host, guest, begin);
    if (mistake !== undefined) return { kind: "refused", message: mistake };
  }
  const verdict = `guest ${MOVES} printed its ${LINES} lines once, ${here} here and ${LINES - here} there; guest ${STAYS} stayed and printed its ${LINES}; both disks hold every sector that was written`;
  return { run, printed: watch.printed, verdict };
}

/** Notes lines when they come. */
class LineWatch {
  readonly printed: PrintedLine[] = [];
  readonly #begins: { readonly moves: number; readonly stays: number };
  readonly #written = { moves: 0n, stays: 0n };
  readonly #lines = { moves: 0, stays: 0 };

  constructor(begins: { readonly moves: number; readonly stays: number }) {
    this.#begins = begins;
  }

  /** Looks at both consoles: that of the guest that moves is on `moves`. */
  look(ms: number, from: LinuxHost, moves: LinuxHost): void {
    for (const [guest, host, number] of [
      ["moves", moves, MOVES],
      ["stays", from, STAYS],
    ] as const) {
      const { written } = host.vmm.state.domain(number).console;
      if (written === this.#written[guest]) continue;
      this.#written[guest] = written;
      const count = printedBy(host.vmm, number, this.#begins[guest]).match(/^line \d+: .*\r$/gm)?.length ?? 0;
      for (let line = this.#lines[guest] + 1; line <= count; line++)
        this.printed.push({ ms, line, guest, isMoved: guest === "moves" && moves !== from });
      this.#lines[guest] = Math.max(this.#lines[guest], count);
    }
  }
}

/** What is not as it should be when a guest has done its work; nobody has typed anything to it but the end of a line. */
function mistakeOf(host: LinuxHost, guest: number, begins: number): string | undefined {
  host.board.type("\n");
  const text = (): string => printedBy(host.vmm, guest, begins);
  if (!runUntil(host, () => text().includes("/root/journal"))) return `guest ${guest} never came to its end.`;
  const numbers = Array.from({ length: LINES }, (_, index) => index + 1);
  const expected = numbers.map((line) => lineText(guest, line)).join("\r\n");
  if (!text().includes(`\r\n${expected}\r\nheard: \r\n`))
    return `guest ${guest} printed other lines: ${text()}`;
  const disk = diskOf(host.board, host.vmm, guest);
  const sectors = [
    ...numbers.map(
      (line) => [FIRST_SECTOR + line, new TextEncoder().encode(sectorText(guest, line))] as const,
    ),
    [COPIED_SECTOR, copiedBytes()] as const,
  ];
  const wrong = sectors.find(([sector, bytes]) =>
    bytes.some((byte, index) => disk[sector * SECTOR_BYTES + index] !== byte),
  );
  return wrong === undefined
    ? undefined
    : `sector ${wrong[0]} of guest ${guest}'s disk is not what was written.`;
}
