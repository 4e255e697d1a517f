/** I5: W^X. Of what a hart's own `satp` maps, nothing may be written and executed, under one address or under two. */
import { hex } from "../bits/hex.ts";
import { BIT, leavesOf, type MappedPage, type ReadWord, type Tables, walkTo } from "./page-tables.ts";
import type { Finding } from "./violation.ts";

/** Pages that are listed at most; a `satp` that maps more than these is not judged further. */
const MOST_PAGES = 1 << 20;
const MOST_FINDINGS = 8;

/** What a `satp` maps: pages that can be written, and those that can be executed; and the pages of its tables. */
export interface SpaceRights {
  readonly writable: readonly MappedPage[];
  readonly executable: readonly MappedPage[];
  readonly tablePages: ReadonlySet<bigint>;
}

/** Lists them. */
export function rightsIn(tables: Tables, read: ReadWord): SpaceRights {
  const writable: MappedPage[] = [];
  const executable: MappedPage[] = [];
  const tablePages = new Set<bigint>();
  const noting: ReadWord = (address) => {
    tablePages.add(address >> 12n);
    return read(address);
  };
  let count = 0;
  for (const page of leavesOf(tables, noting)) {
    if (++count > MOST_PAGES) break;
    if ((page.rights & BIT.W) !== 0n) writable.push(page);
    if ((page.rights & BIT.X) !== 0n) executable.push(page);
  }
  return { writable, executable, tablePages };
}

const byPlace = (left: MappedPage, right: MappedPage): number =>
  left.to < right.to ? -1 : left.to > right.to ? 1 : 0;

/** Pages that can be both; the first few, for where there is one there are mostly many. */
export function* bothIn(
  tables: Tables,
  read: ReadWord,
  { writable, executable }: SpaceRights,
): Generator<Finding> {
  const writers = writable.toSorted(byPlace);
  let next = 0;
  let furthest: MappedPage | undefined;
  let found = 0;
  for (const page of executable.toSorted(byPlace)) {
    // Of those that begin before this page ends, the one that reaches furthest.
    for (
      let writer = writers[next];
      writer !== undefined && writer.to < endOf(page);
      writer = writers[++next]
    )
      if (furthest === undefined || endOf(writer) > endOf(furthest)) furthest = writer;
    if (furthest === undefined || endOf(furthest) <= page.to) continue;
    yield bothAt(tables, read, page, furthest);
    if (++found === MOST_FINDINGS) return;
  }
}

const endOf = ({ to, bytes }: MappedPage): bigint => to + bytes;

function bothAt(tables: Tables, read: ReadWord, page: MappedPage, writer: MappedPage): Finding {
  const isSame = writer.at === page.at;
  const sentence = isSame
    ? `The page at ${hex(page.address)} can be written and executed.`
    : `Memory at ${hex(page.to)} can be executed at ${hex(page.address)} and written at ${hex(writer.address)}.`;
  const pages = isSame ? [page] : [page, writer];
  const walk = pages.flatMap(({ address }) => walkTo(tables, read, address).steps);
  return { invariant: "I5", object: `memory at ${hex(page.to)}`, sentence, walk };
}
