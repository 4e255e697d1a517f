/**
 * Copy-on-write versions of guest RAM.
 *
 * Taking a version copies nothing. It flags pages, and the first store to each flagged page copies it aside. Going back
 * swaps those pages in again. Versions form a tree whose edges hold the pages in which neighbors differ; every edge points
 * toward the version that RAM holds now (Baker's "rerooting"), so any version can be reached from any other, any number
 * of times, at the cost of the pages that differ on the way. A version that nobody holds is garbage-collected.
 */
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../bus/ram.ts";

/** What RAM held at one moment. Opaque: give it back to {@link RamVersions.goTo}. */
export class RamVersion {
  /** Toward RAM: the neighbor, and this version's bytes of the pages in which the two differ. Undefined: this is RAM. */
  edge: { to: RamVersion; pages: Map<number, Uint8Array> } | undefined;
}

/** A neighbor may be reached through versions that others hold; so far a release looks for them. */
const MAX_DISTANCE = 64;

/** Keeps the versions of one RAM. */
export class RamVersions {
  readonly #ram: Ram;
  /** What RAM holds now; it has no name until `take`. */
  #present = new RamVersion();
  /** The newest version's differences from the present: where the next page copied goes. */
  #copied: Map<number, Uint8Array> | undefined;
  #isSwapping = false;

  constructor(ram: Ram) {
    this.#ram = ram;
    ram.onStore(PageFlag.COPY_BEFORE_WRITE, (page) => this.#copyAside(page));
  }

  /** Pages stored to since the last `take` or `goTo`. */
  get touchedPages(): number {
    return this.#copied?.size ?? 0;
  }

  /**
   * Names what RAM holds now.
   *
   * @cost  Proportional to pages touched since the version before; the first flags all pages.
   */
  take(): RamVersion {
    const version = this.#present;
    this.#branchFrom(version);
    return version;
  }

  /**
   * Makes RAM hold a version again. Listeners of code and translations hear of every page that changes.
   *
   * @cost  Proportional to pages that differ, summed over the edges on the way.
   */
  goTo(version: RamVersion): void {
    const path: RamVersion[] = [];
    let at = version;
    for (; at.edge !== undefined; at = at.edge.to) path.push(at);
    if (at !== this.#present) throw new RangeError("nobody was to go to this version again");
    this.#isSwapping = true;
    for (const next of path.reverse()) this.#step(next);
    this.#isSwapping = false;
    this.#branchFrom(version);
  }

  /** Nobody will go to any of the versions again: no page is copied aside until the next one is taken. */
  abandon(): void {
    if (this.#copied === undefined) return;
    for (let page = 0; page < this.#ram.pageCount; page++)
      this.#ram.unflagPage(page, PageFlag.COPY_BEFORE_WRITE);
    this.#copied = undefined;
    this.#present = new RamVersion();
  }

  /**
   * Nobody will go to a version again: those behind it take over the pages that they need of it.
   *
   * @param holders  Versions that stay and may lie behind it.
   * @returns        Pages that the version directly behind it now holds; undefined when there is none.
   */
  release(version: RamVersion, holders: readonly RamVersion[]): number | undefined {
    let pages: number | undefined;
    for (const holder of holders) {
      let behind = holder;
      for (let distance = 0; distance < MAX_DISTANCE; distance++) {
        const next = behind.edge?.to;
        if (next === undefined || next === version) break;
        behind = next;
      }
      pages = this.#takeOver(behind, version) ?? pages;
    }
    return pages;
  }

  #takeOver(behind: RamVersion, released: RamVersion): number | undefined {
    if (behind.edge?.to !== released || released.edge === undefined) return undefined;
    // The version next to RAM is where pages are copied to.
    if (released.edge.pages === this.#copied) return undefined;
    const pages = new Map(released.edge.pages);
    for (const [page, bytes] of behind.edge.pages) pages.set(page, bytes);
    behind.edge = { to: released.edge.to, pages };
    return pages.size;
  }

  /** RAM is at `next`'s neighbor; swaps the pages between them, so that RAM is at `next` and the edge points the other way. */
  #step(next: RamVersion): void {
    const edge = next.edge;
    if (edge === undefined) return;
    const { to: neighbor, pages } = edge;
    const isKept = neighbor !== this.#present;
    for (const [page, bytes] of pages) {
      const offset = page * PAGE_BYTES;
      const here = isKept ? this.#ram.bytes(offset, PAGE_BYTES) : bytes;
      this.#ram.write(offset, bytes);
      pages.set(page, here);
    }
    if (isKept) neighbor.edge = { to: next, pages };
    next.edge = undefined;
  }

  /** Starts a nameless present that equals `version`, and has every page copied before it differs. */
  #branchFrom(version: RamVersion): void {
    const pages = new Map<number, Uint8Array>();
    this.#flagForCopy();
    this.#copied = pages;
    this.#present = new RamVersion();
    version.edge = { to: this.#present, pages };
  }

  /** Flags pages that lost their flag: those copied since the last branch, or at first all. */
  #flagForCopy(): void {
    if (this.#copied === undefined) {
      for (let page = 0; page < this.#ram.pageCount; page++)
        this.#ram.flagPage(page, PageFlag.COPY_BEFORE_WRITE);
      return;
    }
    for (const page of this.#copied.keys()) this.#ram.flagPage(page, PageFlag.COPY_BEFORE_WRITE);
  }

  #copyAside(page: number): void {
    if (this.#isSwapping) return;
    this.#copied?.set(page, this.#ram.bytes(page * PAGE_BYTES, PAGE_BYTES));
    this.#ram.unflagPage(page, PageFlag.COPY_BEFORE_WRITE);
  }
}
