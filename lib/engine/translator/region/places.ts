/** Regions, and addresses that regions refer to, by where their code is. */

import type { LookTactics } from "./looks.ts";

/** The bytes of a code page that a region was made from: [first, end) for each of its blocks. */
export interface RegionPiece {
  readonly codePage: number;
  /** First address of the virtual page, 64 bits unsigned. */
  readonly virtualPage: bigint;
  readonly ranges: readonly (readonly [first: number, end: number])[];
}

/** A translated region. */
export interface Region {
  readonly entry: Entry;
  /** Its own number: of its cell, and of its slot. */
  readonly slot: number;
  readonly pieces: readonly RegionPiece[];
  /** Bytes of memory that the host has taken for it, about. */
  hostBytes: number;
  /** The hart's count of what it may have retired when the region's notes were last empty. */
  notedAt: number;
}

/** A virtual address, and the place in RAM at which its code is. */
export interface Entry {
  readonly pc: bigint;
  /** Tells the place: see `code-pages.ts`. */
  readonly heatAddress: number;
  /** The slot by which other regions call it; 0 if none does. */
  linkSlot: number;
  /** What is there now. */
  region: Region | undefined;
  /** How the next region here looks accesses up. */
  tactics: LookTactics;
  /** How often code arrived here while the place had a region for another address. */
  arrivals: number;
}

/** A place is known by so many addresses; then the first one is forgotten. */
const MAX_ALIASES = 32;

/** All entries and regions. */
export class Places {
  readonly #entries = new Map<number, Entry[]>();
  readonly #regions: (Region | undefined)[] = [];
  readonly #byPage: Region[][] = [];
  readonly #tactics: LookTactics;
  readonly #onForget: (entry: Entry) => void;

  /**
   * @param tactics   With which regions begin.
   * @param onForget  Hears of entries that make room for others: nobody finds them any more.
   */
  constructor(tactics: LookTactics, onForget: (entry: Entry) => void) {
    this.#tactics = tactics;
    this.#onForget = onForget;
  }

  /** The entry for an address and a place, made if there is none. */
  entry(pc: bigint, heatAddress: number): Entry {
    const known = this.#entries.get(heatAddress);
    const found = known?.find((entry) => entry.pc === pc);
    if (found !== undefined) return found;
    const tactics = this.#tactics;
    const entry: Entry = { pc, heatAddress, linkSlot: 0, region: undefined, tactics, arrivals: 0 };
    if (known === undefined) this.#entries.set(heatAddress, [entry]);
    else this.#push(known, entry);
    return entry;
  }

  #push(known: Entry[], entry: Entry): void {
    known.push(entry);
    if (known.length <= MAX_ALIASES) return;
    const oldest = known.shift();
    if (oldest !== undefined) this.#onForget(oldest);
  }

  /** The region with this number; undefined when it has ended. */
  region(slot: number): Region | undefined {
    return this.#regions[slot];
  }

  add(region: Region): void {
    region.entry.region = region;
    this.#regions[region.slot] = region;
    for (const { codePage } of region.pieces) {
      const others = this.#byPage[codePage];
      if (others === undefined) this.#byPage[codePage] = [region];
      else others.push(region);
    }
  }

  remove(region: Region): void {
    if (region.entry.region === region) region.entry.region = undefined;
    this.#regions[region.slot] = undefined;
    for (const { codePage } of region.pieces) {
      const others = this.#byPage[codePage] ?? [];
      const at = others.indexOf(region);
      if (at >= 0) others.splice(at, 1);
    }
  }

  /** Regions with code in a page. */
  inPage(codePage: number): readonly Region[] {
    return this.#byPage[codePage] ?? [];
  }

  clear(): void {
    this.#entries.clear();
    this.#regions.length = 0;
    this.#byPage.length = 0;
  }
}
