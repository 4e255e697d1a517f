/** Migrations to look at: guests that write to memory at known rates, and a stock Linux. */
import type { Board } from "../../../board/board.ts";
import { parseLinuxImage } from "../../../board/linux-image.ts";
import { buildBoard } from "../../../board/virt.ts";
import { assemble } from "../../../isa/assembler/text.ts";
import { installVmm, type Vmm } from "../../../vmm/hypervisor.ts";
import { PAGE_BYTES } from "../../../vmm/layout.ts";
import type { Guest } from "../../../vmm/loader.ts";
import {
  awaitDomain,
  MigrationWire,
  migrationReport,
  sendDomain,
  type WireFault,
} from "../../../vmm/migration-wire.ts";
import { pageInRecord } from "../../../vmm/records.ts";
import { initialFileSystem } from "../../linux/file-systems.ts";
import { KERNEL_ARGUMENTS } from "../../linux/machine.ts";
import type { LinuxFiles } from "../../linux/packages.ts";

const MIB = 1024 * 1024;
const TICKS_PER_MS = 10_000;
/** Instruction times in a millisecond of a guest. */
export const INSNS_PER_MS = 100_000;
/** The wire carries a record at the end of each such turn: a page in 30 µs. */
const TURN_INSNS = 3_000;

/** How a migration went. */
export interface MigrationRun {
  /** What moved, for the legend. */
  readonly name: string;
  /** Pages that the guest writes in a millisecond of its time, where that is known. */
  readonly writesPerMs: number | undefined;
  readonly downtimeMs: number;
  /** Pages that each round had to send; the last is that of the stopped guest. */
  readonly roundPages: readonly number[];
  /** Pages that the guest changed in a millisecond while a round went on. */
  readonly dirtiedPerMs: readonly number[];
  readonly pages: number;
  readonly totalMs: number;
  /** What went over the wire, by round; the last is what the stopped guest had left. */
  readonly sent: readonly SentPages[];
}

/** Pages with bytes of RAM and of the disk; and pages of zeros, of which only the number goes. */
export interface SentPages {
  readonly ram: number;
  readonly disk: number;
  readonly zeros: number;
}

/** Two machines of which one has a guest. */
export interface Pair {
  readonly from: { readonly board: Board; readonly vmm: Vmm };
  readonly to: { readonly board: Board; readonly vmm: Vmm };
}

function machine(guests: readonly Guest[], ramBytes: number): Pair["from"] {
  const board = buildBoard({ ramBytes, engine: "translator" });
  const vmm = installVmm(board, { guests });
  if (vmm.kind !== "vmm") throw new Error(vmm.message);
  return { board, vmm };
}

/** What a migration is called, and who looks on behind each turn. */
export interface MoveOptions {
  readonly name: string;
  readonly writesPerMs?: number;
  /** @param ms  Time since the order to move. */
  readonly onTurn?: (ms: number) => void;
}

const MOST_TURNS = 200_000;

/** Moves the first domain of a machine to another, which waits for it or has not started yet. */
export function moveDomain({ from, to }: Pair, { name, writesPerMs, onTurn }: MoveOptions): MigrationRun {
  if (migrationReport(to).phase !== "WAITING") {
    awaitDomain(to);
    to.board.run({ instructions: 100_000, untilInsns: 100_000 });
  }
  sendDomain(from, { domain: 1, maxRounds: 12, fewPages: 16 });
  const ramPages = Number(from.vmm.state.domain(1).ramBytes) / PAGE_BYTES;
  const sent: SentPages[] = [];
  const change: WireFault["change"] = (bytes, _, side) => {
    if (side === "source") notePage(sent, migrationReport(from).rounds, ramPages, bytes);
    return [bytes];
  };
  const wire = new MigrationWire(from, to, { change }, TURN_INSNS);
  for (let turn = 1; turn <= MOST_TURNS && !wire.isOver; turn++) {
    wire.turn();
    onTurn?.((turn * TURN_INSNS) / INSNS_PER_MS);
  }
  const report = migrationReport(from);
  if (report.phase !== "DONE") throw new Error(`${name} did not move: ${report.phase}, ${report.reason}`);
  const { roundPages, roundBegan } = report;
  const lengths = roundBegan
    .slice(1)
    .map((began, round) => (began - (roundBegan[round] ?? 0)) / TICKS_PER_MS);
  return {
    name,
    writesPerMs,
    downtimeMs: wire.downtimeTicks / TICKS_PER_MS,
    roundPages,
    dirtiedPerMs: lengths.map((ms, round) => (roundPages[round + 1] ?? 0) / ms),
    pages: report.pages,
    totalMs: (report.stoppedAt - (roundBegan[0] ?? 0)) / TICKS_PER_MS + wire.downtimeTicks / TICKS_PER_MS,
    sent: roundPages.map((_, round) => sent[round] ?? NO_PAGES),
  };
}

const NO_PAGES: SentPages = { ram: 0, disk: 0, zeros: 0 };

/** Counts a record of a page; others are no pages. */
function notePage(sent: SentPages[], round: number, ramPages: number, record: Uint8Array): void {
  const page = pageInRecord(record);
  if (page === undefined) return;
  const kind = page.isZero ? "zeros" : page.number < ramPages ? "ram" : "disk";
  const before = sent[round] ?? NO_PAGES;
  sent[round] = { ...before, [kind]: before[kind] + 1 };
}

/** Stores to one page after the other, 512 in turn, so many of them in a millisecond. */
function writer(writesPerMs: number): Guest {
  const pause = Math.max(1, Math.round((INSNS_PER_MS / writesPerMs - 6) / 2));
  const built = assemble(
    `li s0, 0x80010000\n li s2, 0x80210000\n li s3, 4096\n mv s1, s0
    again: ld t0, (s1)\n addi t0, t0, 1\n sd t0, (s1)\n add s1, s1, s3\n bltu s1, s2, pause\n mv s1, s0
    pause: li t1, ${pause}\n busy: addi t1, t1, -1\n bnez t1, busy\n j again`,
    { origin: 0x8000_0000n },
  );
  if (built.kind !== "program") throw new Error(built.message);
  return { image: built.bytes, ramBytes: 4 * MIB };
}

/** A guest that writes so many pages in a millisecond moves. */
export function moveWriter(writesPerMs: number): MigrationRun {
  const pair = { from: machine([writer(writesPerMs)], 16 * MIB), to: machine([], 16 * MIB) };
  // All its pages once before the beginning.
  const before = Math.ceil(512 / writesPerMs) * INSNS_PER_MS + 300_000;
  pair.from.board.run({ instructions: before });
  return moveDomain(pair, { name: `${writesPerMs} pages/ms`, writesPerMs });
}

/** The shell's prompt, behind which it asks the terminal where the cursor is. */
export const PROMPT: RegExp = /# \x1b\[6n$/;

/** Two machines with room for Linux; it has booted on the first and runs a line of shell. */
export function bootLinux(files: LinuxFiles, command: string): Pair {
  const kernel = parseLinuxImage(files.kernel);
  if (kernel.kind === "load-error") throw new Error(kernel.message);
  const initramfs = initialFileSystem(files);
  if (!(initramfs instanceof Uint8Array)) throw new Error(initramfs.message);
  const guest = {
    image: kernel.bytes,
    offset: kernel.textOffset,
    initramfs,
    ramBytes: 96 * MIB,
    commandLine: KERNEL_ARGUMENTS,
  };
  const pair = { from: machine([guest], 192 * MIB), to: machine([], 192 * MIB) };
  const { board } = pair.from;
  for (let piece = 0; piece < 800 && !PROMPT.test(board.console.text); piece++)
    board.run({ instructions: 2_000_000 });
  if (!PROMPT.test(board.console.text)) throw new Error("Linux never came to its prompt");
  board.type(`${command}\n`);
  board.run({ instructions: 20_000_000 });
  return pair;
}

/** Counts lines on the console, and writes a file again and again. */
export const COUNTING =
  "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo line $i end; dd if=/dev/zero of=/tmp/x bs=4k count=16 2>/dev/null; done";
