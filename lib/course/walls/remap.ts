/**
 * A kernel that maps a page elsewhere, on a hart that remembers: boot code and tables are given, what the kernel does in
 * between is the reader's.
 */
import type { Board } from "../../board/board.ts";
import type { Stop } from "../../board/stop.ts";
import { buildBoard } from "../../board/virt.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { encodeCsr, SV39 } from "../../isa/csr-map.ts";
import { show } from "../../notebook/display.ts";

/** Where things lie. Two frames stand for one page: `before` holds one word, `after` another. */
export const REMAP = {
  origin: 0x8000_0000n,
  root: 0x8000_4000n,
  /** The page whose place changes. */
  page: 0x4000_0000n,
  /** Physical address of its leaf. */
  leaf: 0x8000_6000n,
  before: 0x8001_0000n,
  after: 0x8001_1000n,
} as const;

const POINTER = 1n;
const DATA = 0xc7n; // D A W R V
const CODE = 0x4bn; // A X R V

const entryFor = (paddr: bigint, flags: bigint): bigint => ((paddr >> 12n) << 10n) | flags;

const WORDS: readonly (readonly [bigint, bigint])[] = [
  [REMAP.root + 8n, entryFor(0x8000_5000n, POINTER)], // 0x4000_0000
  [0x8000_5000n, entryFor(REMAP.leaf, POINTER)],
  [REMAP.leaf, entryFor(REMAP.before, DATA)],
  [REMAP.root + 16n, entryFor(0x8000_7000n, POINTER)], // 0x8000_0000
  [0x8000_7000n, entryFor(0x8000_8000n, POINTER)],
  [0x8000_8000n, entryFor(REMAP.origin, CODE)],
  [0x8000_8000n + 6n * 8n, entryFor(REMAP.leaf, DATA)], // the table itself, so that the kernel can write it
  [REMAP.before, 0x01dn],
  [REMAP.after, 0x4e3n],
];

const boot = (items: readonly Item[]): Item[] => [
  asm.li("t0", -1n),
  asm.csrw("pmpaddr0", "t0"),
  asm.li("t0", 0x1f),
  asm.csrw("pmpcfg0", "t0"),
  asm.li("t0", encodeCsr("satp", { MODE: SV39, PPN: REMAP.root >> 12n })),
  asm.csrw("satp", "t0"),
  asm.li("t0", encodeCsr("mstatus", { MPP: 1 })),
  asm.csrs("mstatus", "t0"),
  asm.la("t0", "kernel"),
  asm.csrw("mepc", "t0"),
  asm.li("s0", REMAP.page),
  asm.li("s1", REMAP.leaf),
  asm.li("s2", entryFor(REMAP.after, DATA)),
  asm.mret(),
  label("kernel"),
  ...items,
];

/** A board on which the kernel has run. */
export interface RemapRun {
  readonly board: Board;
  readonly stop: Stop;
}

/**
 * Runs kernel code in S-mode on a hart that remembers translations until a fence covers them.
 *
 * `s0` is the page, `s1` the address of its leaf, `s2` an entry that leads to the other frame.
 */
export function runRemap(items: readonly Item[]): RemapRun {
  const board = buildBoard({ ramBytes: 1 << 20, translations: "sticky", checksFences: true });
  const made = program({ origin: REMAP.origin }, boot(items));
  if (made.kind === "assembly-error") show({ "text/plain": made.message });
  board.load(made);
  for (const [paddr, word] of WORDS) board.memory.store(paddr, 8, word);
  return { board, stop: board.run({ instructions: 200, until: { trap: true } }) };
}
