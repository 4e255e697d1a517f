/** Kernels that map, unmap and load on a hart that remembers: a right one, and some that forget fences. */
import { buildBoard } from "../../board/virt.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { encodeCsr, SV39 } from "../../isa/csr-map.ts";

/** What a kernel is asked to do. Pages and frames are numbers from 0 to 3. */
export type PageOp =
  | { readonly op: "map"; readonly page: number; readonly frame: number }
  | { readonly op: "unmap"; readonly page: number }
  | { readonly op: "load"; readonly page: number };

/** The same with what happened: a load saw a frame, or −1 for a page fault. */
export type PageEvent = PageOp & { readonly saw?: number };

/** Which fence a kernel gives after it changed an entry. */
export interface FenceHabit {
  readonly name: string;
  /** What it does wrong, as a sentence; empty for the right one. */
  readonly says: string;
  /** The page to fence after this change, or `undefined` for no fence. @param change  Number of the change, from 0. */
  fence(op: PageOp, wasMapped: boolean, change: number): number | undefined;
}

/** The kernel that fences the page that it changed. */
export const RIGHT_KERNEL: FenceHabit = { name: "right", says: "", fence: ({ page }) => page };

/** Kernels with one bad habit each. */
export const FORGETFUL_KERNELS: readonly FenceHabit[] = [
  {
    name: "unmap",
    says: "the kernel that gives no fence after unmap is caught",
    fence: ({ op, page }) => (op === "unmap" ? undefined : page),
  },
  {
    name: "remap",
    says: "the kernel that gives no fence when it maps a page elsewhere is caught",
    fence: ({ op, page }, wasMapped) => (op === "map" && wasMapped ? undefined : page),
  },
  {
    name: "neighbor",
    says: "the kernel that fences the page beside it is caught",
    fence: ({ page }) => page ^ 1,
  },
  {
    name: "third",
    says: "the kernel that forgets every third fence is caught",
    fence: ({ page }, _, change) => (change % 3 === 2 ? undefined : page),
  },
];

/** Pages and frames of the scene. */
export const PAGES = 4;
const ROOT = 0x8000_4000n;
const MIDDLE = 0x8000_5000n;
const LEAVES = 0x8000_6000n;
const FRAMES = 0x8001_0000n;
const LOG = 0x8002_0000n;
const PAGE_BASE = 0x4000_0000n;
const INSTRUCTIONS_PER_OP = 40;

const entryOf = (paddr: bigint, flags: bigint): bigint => ((paddr >> 12n) << 10n) | flags;

const BOOT: readonly Item[] = [
  asm.li("t0", -1n),
  asm.csrw("pmpaddr0", "t0"),
  asm.li("t0", 0x1f),
  asm.csrw("pmpcfg0", "t0"),
  asm.li("t0", 1 << 13),
  asm.csrw("medeleg", "t0"),
  asm.li("t0", encodeCsr("satp", { MODE: SV39, PPN: ROOT >> 12n })),
  asm.csrw("satp", "t0"),
  asm.li("t0", encodeCsr("mstatus", { MPP: 1 })),
  asm.csrs("mstatus", "t0"),
  asm.la("t0", "fault"),
  asm.csrw("stvec", "t0"),
  asm.la("t0", "kernel"),
  asm.csrw("mepc", "t0"),
  asm.li("s0", LOG),
  asm.mret(),
  asm.align(4),
  label("fault"), // a load found no page: it saw -1
  asm.li("a0", -1),
  asm.csrr("t0", "sepc"),
  asm.addi("t0", "t0", 4),
  asm.csrw("sepc", "t0"),
  asm.sret(),
  label("kernel"),
];

/** The kernel's instructions for a list of requests. */
function kernelItems(ops: readonly PageOp[], habit: FenceHabit): Item[] {
  const mapped = new Set<number>();
  let changes = 0;
  return ops.flatMap((op): Item[] => {
    const at = PAGE_BASE + BigInt(op.page) * 4096n;
    if (op.op === "load")
      return [asm.li("t1", at), asm.lw("a0", 0, "t1"), asm.sd("a0", 0, "s0"), asm.addi("s0", "s0", 8)];
    const entry = op.op === "map" ? entryOf(FRAMES + BigInt(op.frame) * 4096n, 0xc7n) : 0n;
    const fenced = habit.fence(op, mapped.has(op.page), changes);
    changes += 1;
    if (op.op === "map") mapped.add(op.page);
    else mapped.delete(op.page);
    return [
      asm.li("t1", LEAVES + 8n * BigInt(op.page)),
      asm.li("t2", entry),
      asm.sd("t2", 0, "t1"),
      ...(fenced === undefined
        ? []
        : [asm.li("t1", PAGE_BASE + BigInt(fenced) * 4096n), asm.sfence_vma("t1", "zero")]),
    ];
  });
}

/** Runs requests on the machine and returns them with what each load saw. */
export function runKernel(ops: readonly PageOp[], habit: FenceHabit): PageEvent[] {
  const board = buildBoard({ ramBytes: 1 << 20, translations: "sticky" });
  const made = program({ origin: 0x8000_0000n }, [...BOOT, ...kernelItems(ops, habit), asm.wfi()]);
  const refused = board.load(made);
  if (refused !== undefined) throw new Error(refused.message);
  const words: readonly (readonly [bigint, bigint])[] = [
    [ROOT + 8n, entryOf(MIDDLE, 1n)],
    [MIDDLE, entryOf(LEAVES, 1n)],
    [ROOT + 16n, entryOf(0x8000_0000n, 0xcfn)], // one page of 1 GiB: code, tables and log where they are
    ...Array.from({ length: PAGES }, (_, frame) => [FRAMES + BigInt(frame) * 4096n, BigInt(frame)] as const),
  ];
  for (const [paddr, word] of words) board.memory.store(paddr, 8, word);
  board.run({ instructions: 64 + INSTRUCTIONS_PER_OP * ops.length });
  let loads = 0n;
  return ops.map((op): PageEvent => {
    if (op.op !== "load") return op;
    const saw = board.memory.load(LOG + 8n * loads, 8);
    loads += 1n;
    return { ...op, saw: typeof saw === "bigint" ? Number(BigInt.asIntN(64, saw)) : -1 };
  });
}

/** The first load that saw what a kernel without mistakes would not have shown; −1 for none. */
export function firstWrongLoad(history: readonly PageEvent[]): number {
  const frames = new Map<number, number>();
  return history.findIndex((event) => {
    if (event.op === "map") frames.set(event.page, event.frame);
    if (event.op === "unmap") frames.delete(event.page);
    return event.op === "load" && event.saw !== (frames.get(event.page) ?? -1);
  });
}

/** A history in words. */
export const historyWords = (history: readonly PageEvent[]): string =>
  history
    .map((event) =>
      event.op === "map"
        ? `map ${event.page} to ${event.frame}`
        : event.op === "unmap"
          ? `unmap ${event.page}`
          : `load ${event.page} saw ${event.saw === -1 ? "a fault" : event.saw}`,
    )
    .join("; ");
