/**
 * A frame that goes from one guest to another, on a hart that remembers: boot code and tables are given, what the hypervisor does
 * in between is the reader's. The guests' loads and stores are made with HLV and HSV, which go through their tables with their rights.
 */
import type { Board } from "../../board/board.ts";
import type { Stop } from "../../board/stop.ts";
import { buildBoard } from "../../board/virt.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { show } from "../../notebook/display.ts";
import { entryTo, hgatpFor } from "./two-stage-machine.ts";

/** Where things lie. Both guests have a page at the same guest-physical address. */
export const HANDOVER = {
  origin: 0x8000_0000n,
  /** The page, to both guests. */
  page: 0x8000_0000n,
  frame: 0x8005_0000n,
  leaves: [0x8004_a000n, 0x8004_b000n],
} as const;

const ROOTS = [0x8004_0000n, 0x8004_4000n] as const;
const MIDDLES = [0x8004_8000n, 0x8004_9000n] as const;
const LEAF = entryTo(HANDOVER.frame, 0xdfn);
const [FIRST, SECOND] = HANDOVER.leaves;

const WORDS: readonly (readonly [bigint, bigint])[] = [
  [ROOTS[0] + 16n, entryTo(MIDDLES[0], 1n)],
  [MIDDLES[0], entryTo(FIRST, 1n)],
  [FIRST, LEAF],
  [ROOTS[1] + 16n, entryTo(MIDDLES[1], 1n)],
  [MIDDLES[1], entryTo(SECOND, 1n)],
  [HANDOVER.frame, 0x01dn],
];

const boot = (items: readonly Item[]): Item[] => [
  asm.li("t0", -1n),
  asm.csrw("pmpaddr0", "t0"),
  asm.li("t0", 0x1f),
  asm.csrw("pmpcfg0", "t0"),
  asm.li("t0", 1n << 21n),
  asm.csrw("medeleg", "t0"),
  asm.li("t0", 1n << 11n),
  asm.csrs("mstatus", "t0"),
  asm.li("t0", 1n << 8n),
  asm.csrw("hstatus", "t0"),
  asm.la("t0", "hypervisor"),
  asm.csrw("mepc", "t0"),
  asm.li("s0", HANDOVER.page),
  asm.li("s1", FIRST),
  asm.li("s2", SECOND),
  asm.li("s3", LEAF),
  asm.li("s4", hgatpFor(ROOTS[0], 1)),
  asm.li("s5", hgatpFor(ROOTS[1], 2)),
  asm.li("s6", 0x4e3n),
  asm.csrw("hgatp", "s4"),
  asm.mret(),
  label("hypervisor"),
  ...items,
];

/** A board on which the hypervisor has run. */
export interface HandoverRun {
  readonly board: Board;
  readonly stop: Stop;
}

/**
 * Runs code in HS-mode on a hart that remembers translations until a fence covers them; a trap ends the run.
 *
 * `s0` is the page of either guest, `s1` and `s2` the addresses of its leaves for VM 1 and VM 2, `s3` an entry that leads to the frame,
 * `s4` and `s5` the values of `hgatp` for the two, and `s6` a secret of VM 2. VM 1 is in front of the hart, and has the frame.
 */
export function runHandover(items: readonly Item[]): HandoverRun {
  const board = buildBoard({ ramBytes: 1 << 20, translations: "sticky", checksFences: true });
  const made = program({ origin: HANDOVER.origin }, boot(items));
  if (made.kind === "assembly-error") show({ "text/plain": made.message });
  board.load(made);
  for (const [paddr, word] of WORDS) board.memory.store(paddr, 8, word);
  return { board, stop: board.run({ instructions: 200, until: { trap: true } }) };
}
