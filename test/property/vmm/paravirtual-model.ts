/**
 * What a paravirtualized guest's frames are, without a single count: each is memory or a table with entries, some are pinned, one is the
 * root. How often one is used is found by looking at all entries, each time anew.
 */
import { PTE } from "../../../lib/mmu/pte.ts";
import { Fault } from "../../../lib/vmm/errors.ts";

/** A frame: memory, or a table of a level. */
interface Frame {
  level: number | "memory";
  readonly entries: Map<number, bigint>;
  isPinned: boolean;
}

/** Reads the guest's memory as it is: what a page holds is no business of the model's until it becomes a table. */
export type ReadWord = (address: bigint) => bigint;

/** What an entry may say; "forbidden": nobody may have it. */
type Saying =
  | { readonly kind: "nothing" | "forbidden" }
  | { readonly kind: "table" | "readable" | "writable"; readonly to: bigint };

/** By the manual and the rules of the interface: leaves at level 0 alone, nothing global, nothing reserved, no memory types, no NAPOT. */
function sayingOf(entry: bigint, level: number): Saying {
  const has = (bits: bigint): boolean => (entry & bits) !== 0n;
  if (!has(PTE.V)) return { kind: "nothing" };
  if (entry >> 54n !== 0n || has(PTE.G)) return { kind: "forbidden" };
  const to = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
  const isLeaf = has(PTE.R | PTE.W | PTE.X);
  if (level > 0) return isLeaf || has(PTE.U | PTE.A | PTE.D) ? { kind: "forbidden" } : { kind: "table", to };
  if (!isLeaf || (has(PTE.W) && !has(PTE.R))) return { kind: "forbidden" };
  return { kind: has(PTE.W) ? "writable" : "readable", to };
}

const TABLES_AT_ONCE = 8;
const ENTRIES = 512;

/** The model. */
export class ParavirtualModel {
  readonly #frames = new Map<bigint, Frame>();
  readonly #read: ReadWord;
  root = 0n;
  /** Tables that the present call may still check or undo. */
  #left = TABLES_AT_ONCE;

  /**
   * @param addresses  The domain's frames.
   * @param root       Its first root, which is pinned; what hangs below it are tables.
   */
  constructor(addresses: readonly bigint[], root: bigint, read: ReadWord) {
    for (const address of addresses)
      this.#frames.set(address, { level: "memory", entries: new Map(), isPinned: false });
    this.#read = read;
    if (this.#become(root, 2) !== 0n) throw new Error("the first tables are none");
    this.#frame(root).isPinned = true;
    this.root = root;
  }

  /** Level of a frame's table; "memory". */
  levelOf(address: bigint): number | "memory" {
    return this.#frame(address).level;
  }

  /** How often a frame is used as what it is, and how often it is used at all; its owner is one. */
  countsOf(address: bigint): { readonly typed: number; readonly references: number } {
    const { level, isPinned } = this.#frame(address);
    let typed = (isPinned ? 1 : 0) + (this.root === address ? 1 : 0);
    let readers = 0;
    for (const frame of this.#frames.values())
      for (const entry of frame.entries.values()) {
        const saying = sayingOf(entry, frame.level as number);
        if (!("to" in saying) || saying.to !== address) continue;
        if (saying.kind === (level === "memory" ? "writable" : "table")) typed += 1;
        else readers += 1;
      }
    return { typed, references: 1 + typed + readers };
  }

  /** Where an address leads the guest's supervisor, and what it may do there; `undefined`: nowhere. */
  walk(
    address: bigint,
  ): { readonly at: bigint; readonly isReadable: boolean; readonly isWritable: boolean } | undefined {
    let table = this.root;
    for (let level = 2; level >= 0; level--) {
      const index = Number((address >> BigInt(12 + 9 * level)) & 511n);
      const entry = this.#frame(table).entries.get(index) ?? 0n;
      const saying = sayingOf(entry, level);
      if (!("to" in saying) || (entry & PTE.U) !== 0n) return undefined;
      if (saying.kind !== "table")
        return {
          at: saying.to | (address & 0xfffn),
          isReadable: (entry & PTE.R) !== 0n,
          isWritable: saying.kind === "writable",
        };
      table = saying.to;
    }
    return undefined;
  }

  entryOf(table: bigint, index: number): bigint {
    return this.#frame(table).entries.get(index) ?? 0n;
  }

  update(at: bigint, entry: bigint): bigint {
    this.#left = TABLES_AT_ONCE;
    if (at % 8n !== 0n) return Fault.INVALID;
    const table = this.#frames.get(at & ~0xfffn);
    if (table === undefined) return Fault.NOT_PERMITTED;
    if (table.level === "memory") return Fault.INVALID;
    const index = Number((at & 0xfffn) / 8n);
    const { isPinned } = table;
    table.isPinned = true; // while its entry is looked at it stays what it is
    const refused = this.#obtain(entry, table.level);
    table.isPinned = isPinned;
    if (refused !== 0n) return refused;
    if ((entry & PTE.V) === 0n) table.entries.delete(index);
    else table.entries.set(index, entry);
    return 0n;
  }

  pin(address: bigint, level: number): bigint {
    this.#left = TABLES_AT_ONCE;
    const frame = this.#frames.get(address);
    if (frame === undefined) return Fault.NOT_PERMITTED;
    if (frame.isPinned) return Fault.BUSY;
    const refused = this.#become(address, level);
    if (refused === 0n) frame.isPinned = true;
    return refused;
  }

  unpin(address: bigint): bigint {
    const frame = this.#frames.get(address);
    if (frame?.isPinned !== true) return Fault.NO_ENTRY;
    frame.isPinned = false;
    return 0n;
  }

  setRoot(address: bigint): bigint {
    this.#left = TABLES_AT_ONCE;
    if (!this.#frames.has(address)) return Fault.NOT_PERMITTED;
    const refused = this.#become(address, 2);
    if (refused === 0n) this.root = address;
    return refused;
  }

  #frame(address: bigint): Frame {
    const frame = this.#frames.get(address);
    if (frame === undefined) throw new Error(`no frame of the domain's at 0x${address.toString(16)}`);
    return frame;
  }

  /** Whether an entry may stand in a table of a level; what it leads to becomes what it must be. */
  #obtain(entry: bigint, level: number): bigint {
    const saying = sayingOf(entry, level);
    if (saying.kind === "forbidden") return Fault.INVALID;
    if (!("to" in saying)) return 0n;
    if (!this.#frames.has(saying.to)) return Fault.NOT_PERMITTED;
    if (saying.kind === "readable") return 0n;
    return this.#become(saying.to, saying.kind === "table" ? level - 1 : "memory");
  }

  #become(address: bigint, level: number | "memory"): bigint {
    const frame = this.#frame(address);
    if (frame.level === level) return 0n;
    if (this.countsOf(address).typed > 0) return Fault.BUSY;
    if (frame.level !== "memory") {
      if (--this.#left < 0) return Fault.TOO_MUCH;
      frame.entries.clear();
      frame.level = "memory";
    }
    return level === "memory" ? 0n : this.#check(address, frame, level);
  }

  /** In order, and what was found good until then counts while the rest is looked at. */
  #check(address: bigint, frame: Frame, level: number): bigint {
    if (--this.#left < 0) return Fault.TOO_MUCH;
    frame.level = level;
    frame.isPinned = true;
    let refused = 0n;
    for (let index = 0; index < ENTRIES && refused === 0n; index++) {
      const entry = this.#read(address + 8n * BigInt(index));
      refused = this.#obtain(entry, level);
      if (refused === 0n && (entry & PTE.V) !== 0n) frame.entries.set(index, entry);
    }
    frame.isPinned = false;
    if (refused === 0n) return 0n;
    frame.entries.clear();
    frame.level = "memory";
    return refused;
  }
}
