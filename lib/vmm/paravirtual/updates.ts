/** Changes of page tables: the guest says which entry shall be what, for it cannot store to them itself. */
import { beyond, type GVA, gva, type HPA, hpa, pageOf } from "../../hs/address.ts";
import { isRefused } from "../../hs/context.ts";
import { PTE } from "../../mmu/pte.ts";
import { Fault } from "../errors.ts";
import { refer, unrefer } from "../frames.ts";
import type { Host, Visit } from "../host.ts";
import { MOST_UPDATES, PageUpdate } from "../layout.ts";
import { meaningIn } from "./entries.ts";
import { type Allowance, allowance, getEntry, levelOf, ownFrame, putEntry } from "./page-types.ts";
import { fenceGuests } from "./roots.ts";

/**
 * Makes the updates of a list in the guest's memory, in order, up to the first that it may not make.
 *
 * @param list  Virtual address of `PageUpdate`s: read as the guest reads.
 * @returns     How many were made, which may be fewer than asked; or why the next one was refused. In `a1` how many were made in any case.
 */
export function updateTables(visit: Visit, list: bigint, count: bigint): bigint {
  const asked = count < BigInt(MOST_UPDATES) ? Number(count) : MOST_UPDATES;
  const left = allowance();
  let [done, refused] = [0, 0n];
  while (done < asked && refused === 0n) {
    refused = updateFrom(visit, beyond(gva(list), done * PageUpdate.sizeBytes), left);
    if (refused === 0n) done += 1;
  }
  visit.context.registers.a1 = BigInt(done);
  return refused === 0n ? BigInt(done) : refused;
}

function updateFrom(visit: Visit, from: GVA, left: Allowance): bigint {
  const { context, domain } = visit;
  const update = context.attempt(() => ({
    at: hpa(context.loadAsGuest(from, 8)),
    entry: context.loadAsGuest(beyond(from, PageUpdate.offsetOf("entry")), 8),
  }));
  return isRefused(update) ? Fault.BAD_ADDRESS : updateEntry(visit, domain.id, update.at, update.entry, left);
}

/**
 * Changes one entry. What the new one leads to gets its use before the old one's goes, and between them comes the fence: until then the
 * hart may use what it remembers. While all that lasts the table itself is in use, for its own new entry might make something else of it.
 */
function updateEntry(host: Host, domain: number, at: HPA, entry: bigint, left: Allowance): bigint {
  if (at % 8n !== 0n) return Fault.INVALID;
  const frame = ownFrame(host, domain, at);
  if (frame === undefined) return Fault.NOT_PERMITTED;
  const level = levelOf(frame.type);
  if (level < 0) return Fault.INVALID;
  const { context } = host;
  const old = context.load(at, 8);
  if (isGranted(host, domain, old, level)) return Fault.BUSY;
  const table = pageOf(at);
  refer(host, table, true);
  const refused = getEntry(host, domain, entry, level, left);
  if (refused === 0n) {
    context.store(at, 8, entry);
    if ((old & PTE.V) !== 0n) fenceGuests(host);
    putEntry(host, old, level);
  }
  unrefer(host, table, true);
  return refused;
}

/** Whether an entry maps somebody else's page: that is taken away as it came, by a call about grants. */
function isGranted(host: Host, domain: number, entry: bigint, level: number): boolean {
  const meaning = meaningIn(host, entry, level);
  return meaning?.kind === "page" && ownFrame(host, domain, meaning.to) === undefined;
}
