/**
 * The referee's book about paravirtualized guests: every frame that the frame table calls a page table of theirs is one, whether anything
 * leads to it or not, and each entry in it counts. Read entry by entry, and kept up to date by what has changed.
 */
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { Ram } from "../bus/ram.ts";
import { FrameType } from "../vmm/layout.ts";
import type { ChangeList } from "./changed-pages.ts";
import type { FrameEntry } from "./frame-book.ts";
import { BIT, type Meaning, meaningOf, type Step } from "./page-tables.ts";

const ENTRIES = 512;
const PAGE = 1n << BigInt(PAGE_SHIFT);
const LEVELS: readonly number[] = [FrameType.PAGE_TABLE_0, FrameType.PAGE_TABLE_1, FrameType.PAGE_TABLE_2];

/** The level of a table of a paravirtualized guest; -1: the type is none of these. */
export const tableLevel = (type: number): number => LEVELS.indexOf(type);

/** An entry of such a table that maps a frame, or leads to it as a table. */
export interface GuestUse {
  readonly kind: "leaf" | "table";
  readonly domain: number;
  readonly level: number;
  /** The frame that the entry is in, and where; what it says. */
  readonly table: number;
  readonly at: bigint;
  readonly entry: bigint;
}

/** Whether an entry lets the guest write. */
export const letsWrite = ({ kind, entry }: GuestUse): boolean => kind === "leaf" && (entry & BIT.W) !== 0n;

interface Table {
  readonly domain: number;
  readonly level: number;
  /** What it held at the last look. */
  readonly words: BigUint64Array;
}

const NO_USES: readonly GuestUse[] = [];

/** The book. */
export class ParavirtualBook {
  /** Entries that lead out of RAM. */
  readonly outside: Set<GuestUse> = new Set<GuestUse>();
  readonly #ram: Ram;
  readonly #now: BigUint64Array;
  readonly #changes: ChangeList;
  readonly #tables = new Map<number, Table>();
  readonly #uses = new Map<number, GuestUse[]>();
  #touched = new Set<number>();

  constructor(ram: Ram, changes: ChangeList) {
    this.#ram = ram;
    this.#now = new BigUint64Array(ram.i64.buffer, ram.i64.byteOffset, ram.i64.length);
    this.#changes = changes;
  }

  /** Numbers of the frames that are roots. */
  get roots(): readonly number[] {
    return [...this.#tables].filter(([, { level }]) => level === LEVELS.length - 1).map(([frame]) => frame);
  }

  /** What the frame table says of a frame has changed: it may be a table now, or none any more. */
  follow(frame: number, { owner, type }: FrameEntry): void {
    const known = this.#tables.get(frame);
    const level = tableLevel(type);
    if (known?.level === level && known.domain === owner) return;
    if (known !== undefined) {
      for (const [index, entry] of known.words.entries()) this.#forget(known, frame, index, entry);
      this.#tables.delete(frame);
    }
    if (level < 0) return;
    this.#tables.set(frame, { domain: owner, level, words: new BigUint64Array(ENTRIES) });
    this.#changes.watch(frame);
    this.lookAt(frame);
  }

  /** Reads a page that has changed. */
  lookAt(page: number): void {
    const table = this.#tables.get(page);
    if (table === undefined) return;
    this.#changes.watch(page);
    for (let index = 0; index < ENTRIES; index++) {
      const [before, now] = [table.words[index] ?? 0n, this.#now[page * ENTRIES + index] ?? 0n];
      if (before === now) continue;
      table.words[index] = now;
      this.#forget(table, page, index, before);
      this.#note(table, page, index, now);
    }
  }

  /** Frames whose uses have changed since this was called last. */
  takeTouched(): ReadonlySet<number> {
    const touched = this.#touched;
    if (touched.size > 0) this.#touched = new Set();
    return touched;
  }

  /** Entries that map a frame or lead to it. */
  usesOf(frame: number): readonly GuestUse[] {
    return this.#uses.get(frame) ?? NO_USES;
  }

  /** How a guest's tables come by an entry: from a root, if one leads there. */
  walkBy(use: GuestUse): readonly Step[] {
    const steps: Step[] = [stepOf(use)];
    let [table, level] = [use.table, use.level];
    while (level < LEVELS.length - 1) {
      const parent = this.usesOf(table).find((each) => each.kind === "table" && each.level === level + 1);
      if (parent === undefined) break;
      steps.unshift(stepOf(parent));
      [table, level] = [parent.table, parent.level];
    }
    return steps;
  }

  #note(table: Table, page: number, index: number, entry: bigint): void {
    const { domain, level } = table;
    const meaning = meaningOf("vsatp", level, entry);
    if (meaning.kind === "nothing") return;
    const at = BigInt(this.#ram.base) + BigInt(page) * PAGE + 8n * BigInt(index);
    const use: GuestUse = { kind: meaning.kind, domain, level, table: page, at, entry };
    const [first, end, wanted] = this.#framesOf(meaning);
    if (end - first < wanted) this.outside.add(use);
    for (let frame = first; frame < end; frame++) {
      this.#touched.add(frame);
      const uses = this.#uses.get(frame);
      if (uses === undefined) this.#uses.set(frame, [use]);
      else uses.push(use);
    }
  }

  #forget({ level }: Table, page: number, index: number, entry: bigint): void {
    const meaning = meaningOf("vsatp", level, entry);
    if (meaning.kind === "nothing") return;
    const at = BigInt(this.#ram.base) + BigInt(page) * PAGE + 8n * BigInt(index);
    for (const use of this.outside) if (use.at === at) this.outside.delete(use);
    const [first, end] = this.#framesOf(meaning);
    for (let frame = first; frame < end; frame++) {
      this.#touched.add(frame);
      const left = this.usesOf(frame).filter((use) => use.at !== at);
      if (left.length === 0) this.#uses.delete(frame);
      else this.#uses.set(frame, left);
    }
  }

  /** Numbers of the frames that an entry speaks of, as far as they are RAM: the first, and the first behind; and how many it wants. */
  #framesOf(meaning: Exclude<Meaning, { kind: "nothing" }>): readonly [number, number, number] {
    const wanted = meaning.kind === "leaf" ? meaning.bytes / PAGE : 1n;
    const first = (meaning.to - BigInt(this.#ram.base)) / PAGE;
    const inside = (frame: bigint): number =>
      Number(frame < 0n ? 0n : frame > this.#ram.pageCount ? BigInt(this.#ram.pageCount) : frame);
    return [inside(first), inside(first + wanted), Number(wanted)];
  }
}

const stepOf = ({ level, at, entry }: GuestUse): Step => ({
  register: "vsatp",
  level,
  index: Number((at % PAGE) / 8n),
  at,
  entry,
  meaning: meaningOf("vsatp", level, entry),
});
