/** Which pages of RAM have changed, of those that somebody has looked at: so that looking again costs what has changed, and no more. */
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import { PageFlag, type Ram } from "../bus/ram.ts";

/** Where somebody asks for pages to be watched. */
export interface ChangeList {
  /** Watches pages, by number from the start of RAM. */
  watch(first: number, count?: number): void;
  /** The pages that have changed since this was called last. */
  take(): ReadonlySet<number>;
}

/** For somebody who looks once. */
export const UNWATCHED: ChangeList = { watch() {}, take: () => new Set() };

/** One onlooker's list. It lasts as long as the RAM. */
export class ChangedPages implements ChangeList {
  readonly #ram: Ram;
  readonly #watched = new Set<number>();
  #changed = new Set<number>();

  constructor(ram: Ram) {
    this.#ram = ram;
    ram.onStore(PageFlag.LISTED_WHEN_CHANGED, (page, offset, length) => {
      const last = (offset + length - 1) >>> PAGE_SHIFT;
      for (let each = page; each <= last; each++) if (this.#watched.has(each)) this.#changed.add(each);
    });
  }

  watch(first: number, count = 1): void {
    for (let page = first; page < first + count; page++) {
      this.#watched.add(page);
      this.#ram.flagPage(page, PageFlag.LISTED_WHEN_CHANGED);
    }
  }

  take(): ReadonlySet<number> {
    const changed = this.#changed;
    if (changed.size > 0) this.#changed = new Set();
    return changed;
  }
}
