/**
 * Large pages: 2 MiB of a guest's RAM that one entry maps, a level above the lowest tables. Both addresses are multiples of 2 MiB: the
 * hart takes an entry whose frame is not for a fault, and a hypervisor that computes with it for a way into other frames.
 *
 * Frames stay what is counted: each of the 512 has its owner's reference and one for the entry, so that nothing changes for a frame when
 * its entry is split into 512. The table for that is taken when the large page is made, and kept: to split never fails.
 *
 * @spec priv §"Sv39: Page-Based 39-bit Virtual-Memory System"
 */
import { beyond, type GPA, type HPA } from "../hs/address.ts";
import { refer, takeFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import { FrameType, PAGE_BYTES } from "./layout.ts";
import {
  addressIn,
  entryFor,
  isValid,
  lastEntry,
  leafFor,
  leafTo,
  pagesAt,
  Right,
  rightsIn,
  tableAt,
} from "./second-stage-entries.ts";

/** The level of entries for large pages. */
const LEVEL = 1;
/** Pages in a large one, and its bytes. */
export const LARGE_PAGES: number = pagesAt(LEVEL);
export const LARGE_BYTES: bigint = BigInt(LARGE_PAGES * PAGE_BYTES);

const isAligned = (address: bigint): boolean => address % LARGE_BYTES === 0n;

/** Whether nothing of an aligned 2 MiB is mapped, and no table is there for pages of it. */
export function mayMapLarge(host: Host, domain: number, page: GPA): boolean {
  const { entry, level } = lastEntry(host, domain, page);
  return !isValid(entry) && level >= LEVEL;
}

/**
 * Maps 2 MiB, of which nothing is mapped, to 512 frames in a row, and counts each of them.
 *
 * @returns False: one of the addresses is no multiple of 2 MiB, something is mapped there, or no frame is left for tables.
 */
export function mapLargePage(host: Host, domain: number, page: GPA, frame: HPA, rights: bigint): boolean {
  if (!isAligned(page) || !isAligned(frame)) return false;
  const at = entryFor(host, domain, page, LEVEL);
  if (at === undefined || isValid(host.context.load(at, 8)) || !keepTable(host, domain)) return false;
  const isWritable = (rights & Right.WRITE) !== 0n;
  for (let each = 0; each < LARGE_PAGES; each++) refer(host, beyond(frame, each * PAGE_BYTES), isWritable);
  host.context.store(at, 8, leafTo(frame, rights));
  return true;
}

/**
 * Makes 512 entries out of one, with the same rights, if the page is in a large one. The fence is for all that the hart remembers of the
 * domain: it may know the large page under any address in it.
 */
export function splitPage(host: Host, domain: number, page: GPA): void {
  const { context } = host;
  const leaf = leafFor(host, domain, page);
  if (leaf?.level !== LEVEL) return;
  const table = keptTable(host, domain);
  const [first, rights] = [addressIn(leaf.entry), rightsIn(leaf.entry)];
  for (let each = 0; each < LARGE_PAGES; each++)
    context.store(beyond(table, 8 * each), 8, leafTo(beyond(first, each * PAGE_BYTES), rights));
  refer(host, table, true);
  context.store(leaf.at, 8, tableAt(table));
  context.fenceSecondStage(undefined, BigInt(domain));
}

/** Puts a table aside. Those of a domain are a list. */
function keepTable(host: Host, id: number): boolean {
  const { state } = host;
  const table = takeFrame(host, id, FrameType.G_TABLE);
  if (table === undefined) return false;
  const domain = state.domain(id);
  const number = state.frameNumber(table);
  state.frame(number).next = domain.spareTables;
  domain.spareTables = number;
  return true;
}

/** Takes one that was put aside: there is one for each large page. */
export function keptTable({ state }: Host, id: number): HPA {
  const domain = state.domain(id);
  const number = domain.spareTables;
  const frame = state.frame(number);
  domain.spareTables = frame.next;
  frame.next = 0;
  return state.frameAddress(number);
}
