/**
 * I1 and I2 for a hypervisor that keeps no frame table the referee could read: whatever it keeps, no guest may reach its memory, and none
 * may write the tables that hold it back.
 */
import { hex } from "../bits/hex.ts";
import type { HypervisorMap } from "../hs/hypervisor.ts";
import { BIT, leavesOf, type MappedPage, type ReadWord, type Tables, walkTo } from "./page-tables.ts";
import type { Finding } from "./violation.ts";

/** Pages that are listed at most; a second stage that maps more than these is not judged further. */
const MOST_PAGES = 1 << 20;
const MOST_FINDINGS = 8;
const PAGE = 4096n;

/** A second stage: what it maps, and the pages of its tables. */
export interface GuestSpace {
  readonly tables: Tables;
  readonly leaves: readonly MappedPage[];
  readonly tablePages: ReadonlySet<bigint>;
}

/** Lists it. */
export function guestSpace(tables: Tables, read: ReadWord): GuestSpace {
  const tablePages = new Set<bigint>();
  const noting: ReadWord = (address) => {
    tablePages.add(address / PAGE);
    return read(address);
  };
  const leaves: MappedPage[] = [];
  for (const leaf of leavesOf(tables, noting)) {
    if (leaves.length === MOST_PAGES) break;
    leaves.push(leaf);
  }
  return { tables, leaves, tablePages };
}

/** Of an address in the hypervisor's memory: what lies there. */
function holding({ symbols }: HypervisorMap, address: bigint): string {
  let found: readonly [name: string, at: bigint] | undefined;
  for (const [name, at] of symbols) if (at <= address && at >= (found?.[1] ?? 0n)) found = [name, at];
  return found === undefined ? "" : `, where ${found[0]} is`;
}

const rightsText = ({ rights }: MappedPage): string =>
  (["R", "W", "X"] as const).filter((right) => (rights & BIT[right]) !== 0n).join("");

/** What a guest reaches and should not; the first few, for where there is one there are mostly many. */
export function* strangersIn(
  { tables, leaves, tablePages }: GuestSpace,
  map: HypervisorMap,
  read: ReadWord,
): Generator<Finding> {
  let found = 0;
  for (const leaf of leaves) {
    for (const finding of [ownMemory(leaf, map), writableTable(leaf, tablePages, map)]) {
      if (finding === undefined) continue;
      yield { ...finding, walk: walkTo(tables, read, leaf.address).steps };
      if (++found === MOST_FINDINGS) return;
    }
  }
}

const reaches = (leaf: MappedPage, at: bigint): string =>
  `A guest reaches ${hex(at)} with ${rightsText(leaf)} at guest-physical ${hex(leaf.address + (at - leaf.to))}`;

function ownMemory(leaf: MappedPage, map: HypervisorMap): Finding | undefined {
  if (leaf.to >= map.end || leaf.to + leaf.bytes <= map.base) return undefined;
  const at = leaf.to > map.base ? leaf.to : map.base;
  const sentence = `${reaches(leaf, at)}, and that is the hypervisor's own memory${holding(map, at)}.`;
  return { invariant: "I1", object: `hypervisor's memory at ${hex(at)}`, sentence };
}

function writableTable(
  leaf: MappedPage,
  tablePages: ReadonlySet<bigint>,
  map: HypervisorMap,
): Finding | undefined {
  if ((leaf.rights & BIT.W) === 0n) return undefined;
  const table = [...tablePages].find((page) => page * PAGE >= leaf.to && page * PAGE < leaf.to + leaf.bytes);
  if (table === undefined) return undefined;
  const at = table * PAGE;
  const sentence = `${reaches(leaf, at)}, and there lies a table of its own second stage${holding(map, at)}: it can give itself any page.`;
  return { invariant: "I2", object: `table at ${hex(at)}`, sentence };
}
