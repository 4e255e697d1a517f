/** An address space as its tables say it: every table, every page, and pages that follow each other as one run. */
import type { Board } from "../../board/board.ts";
import { leavesOf, meaningOf, type ReadWord, type Tables, tablesOf } from "../../referee/page-tables.ts";

/** One table of the tree. */
export interface TableNode {
  /** 2 is the root under Sv39, 0 the last. */
  readonly level: number;
  readonly paddr: bigint;
  /** Index of the entry that points to it; `undefined` for the root. */
  readonly index: number | undefined;
  /** Physical address of the table above. */
  readonly parent: bigint | undefined;
  /** Entries that mean something, of 512. */
  readonly used: number;
}

/** One page. */
export interface PageView {
  /** First address, unsigned. */
  readonly vaddr: bigint;
  readonly paddr: bigint;
  readonly bytes: bigint;
  /** Letters of the bits that are set, of "UXWR". */
  readonly flags: string;
  /** Physical address of the leaf. */
  readonly entryAt: bigint;
}

/** Pages with the same rights that follow each other in both kinds of addresses. */
export interface PageRun {
  /** What lives there, in words; empty when nobody knows. */
  readonly name: string;
  readonly pages: readonly PageView[];
  readonly flags: string;
  readonly vaddr: bigint;
  readonly paddr: bigint;
}

/** What the tables of one address space say. */
export interface PageMap {
  readonly root: bigint;
  readonly tables: readonly TableNode[];
  readonly pages: readonly PageView[];
  readonly runs: readonly PageRun[];
}

const RIGHTS = [
  ["U", 16n],
  ["X", 8n],
  ["W", 4n],
  ["R", 2n],
] as const;

const lettersOf = (rights: bigint): string =>
  RIGHTS.map(([letter, bit]) => ((rights & bit) === 0n ? "" : letter)).join("");

/** Whether a page may be written and executed both. */
export const isWritableCode = (flags: string): boolean => flags.includes("W") && flags.includes("X");

function tableNodes(tables: Tables, read: ReadWord): TableNode[] {
  const nodes: TableNode[] = [];
  const visit = (at: bigint, level: number, parent: bigint | undefined, index: number | undefined): void => {
    if (nodes.some(({ paddr }) => paddr === at)) return;
    const place = nodes.length;
    let used = 0;
    nodes.push({ level, paddr: at, index, parent, used });
    for (let entry = 0; entry < 512; entry += 1) {
      const meaning = meaningOf(tables.register, level, read(at + 8n * BigInt(entry)) ?? 0n);
      if (meaning.kind !== "nothing") used += 1;
      if (meaning.kind === "table") visit(meaning.to, level - 1, at, entry);
    }
    nodes[place] = { level, paddr: at, index, parent, used };
  };
  visit(tables.root, tables.levels - 1, undefined, undefined);
  return nodes;
}

function runsOf(pages: readonly PageView[], nameOf: (page: PageView) => string): PageRun[] {
  const runs: (PageRun & { pages: PageView[] })[] = [];
  for (const page of pages) {
    const last = runs.at(-1);
    const before = last?.pages.at(-1);
    const name = nameOf(page);
    const follows =
      before !== undefined &&
      last?.name === name &&
      before.flags === page.flags &&
      before.vaddr + before.bytes === page.vaddr &&
      before.paddr + before.bytes === page.paddr;
    if (follows) last.pages.push(page);
    else runs.push({ name, pages: [page], flags: page.flags, vaddr: page.vaddr, paddr: page.paddr });
  }
  return runs;
}

/** Symbols of the linker script that begin a part of the image, and what the part is called. */
const PARTS: Readonly<Record<string, string>> = {
  kernel_text: "kernel code",
  kernel_rodata: "kernel constants",
  kernel_data: "kernel data and heap",
  user_text: "user code",
  user_rodata: "user constants",
  user_end: "user stack",
};

function partNames(board: Board): (page: PageView) => string {
  const starts = Object.entries(PARTS)
    .flatMap(([symbol, name]) => {
      const at = board.symbols.addressOf(symbol);
      return at === undefined ? [] : [{ at, name }];
    })
    .sort((left, right) => (left.at < right.at ? 1 : -1));
  return ({ vaddr, paddr, flags }) => {
    const device = board.bus.regions.find(({ base, end }) => base <= Number(paddr) && Number(paddr) < end);
    if (device !== undefined) return `device: ${device.device.name}`;
    const isUser = flags.includes("U");
    return starts.find(({ at, name }) => at <= vaddr && name.startsWith("user") === isUser)?.name ?? "";
  };
}

/** "1 page", "3 pages". */
export const pageCount = ({ pages }: PageRun): string =>
  `${pages.length} ${pages.length === 1 ? "page" : "pages"}`;

/**
 * Reads the tables that `satp` names now, or those of another root.
 *
 * @param shift  Bytes by which physical memory lies higher than the tables say: 0, unless they are a guest's.
 */
export function pageMap(board: Board, satp: bigint = board.hart.csr("satp"), shift = 0n): PageMap {
  const read: ReadWord = (paddr) => {
    const word = board.memory.load(paddr + shift, 8);
    return typeof word === "bigint" ? word : undefined;
  };
  const tables = tablesOf("satp", satp);
  if (tables === undefined) return { root: 0n, tables: [], pages: [], runs: [] };
  const pages = [...leavesOf(tables, read)]
    .map(({ address, to, bytes, rights, at }) => ({
      vaddr: BigInt.asUintN(64, address),
      paddr: to,
      bytes,
      flags: lettersOf(rights),
      entryAt: at,
    }))
    .sort((left, right) => (left.vaddr < right.vaddr ? -1 : 1));
  return {
    root: tables.root,
    tables: tableNodes(tables, read),
    pages,
    runs: runsOf(pages, partNames(board)),
  };
}
