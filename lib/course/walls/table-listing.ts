/** Tables that an answer built, read by the referee within bounds: an answer may make a few entries mean millions of pages. */
import { leavesOf, type MappedPage, type ReadWord, type Tables } from "../../referee/page-tables.ts";

/** Entries that are looked at in one reading: a root of 2,048, and sixty tables below it. No exercise hands out so many frames. */
const MOST_ENTRIES = 2_048 + 60 * 512;

/** What to say of tables that have no end. */
export const ENDLESS_TABLES =
  "The tables lead to far more than was asked for: the same table is reached again and again, or pages are without number. Each table needs a frame of its own, one entry that leads to it, and no words of its last owner.";

/** Pages of some tables. */
export interface Listing {
  readonly pages: readonly MappedPage[];
  /** False: the reading was broken off, and there are more pages. */
  readonly isWhole: boolean;
}

/** Lists what tables map, as far as `mostPages` and a bound for entries allow. */
export function listTables(tables: Tables, read: ReadWord, mostPages = 2_048): Listing {
  let entries = 0;
  // Behind the bound every entry is empty, so a reading without pages comes to its end as well.
  const counted: ReadWord = (at) => (++entries > MOST_ENTRIES ? undefined : read(at));
  const pages: MappedPage[] = [];
  const leaves = leavesOf(tables, counted);
  for (const page of leaves) {
    if (pages.length >= mostPages || entries > MOST_ENTRIES) return { pages, isWhole: false };
    pages.push(page);
  }
  return { pages, isWhole: entries <= MOST_ENTRIES };
}
