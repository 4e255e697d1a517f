/**
 * Pages that others have granted to a paravirtualized guest. The guest names the entry that shall map one, and the hypervisor writes it;
 * with its other calls the guest cannot change such an entry. The table that it is in counts it as a use, so that it stays a table: no
 * granted page is forgotten with it.
 */
import { type HPA, pageOf } from "../../hs/address.ts";
import { PTE } from "../../mmu/pte.ts";
import { Fault } from "../errors.ts";
import { refer, unrefer } from "../frames.ts";
import type { Host } from "../host.ts";
import { entryTo } from "./entries.ts";
import { levelOf, ownFrame, putEntry } from "./page-types.ts";
import { forgetGuests } from "./roots.ts";

/** Writes an entry for somebody else's page, where nothing is. 0, or why not. */
export function enterPage(host: Host, domain: number, at: HPA, frame: HPA, rights: bigint): bigint {
  const table = ownFrame(host, domain, at);
  if (at % 8n !== 0n || table === undefined || levelOf(table.type) !== 0) return Fault.BAD_ADDRESS;
  if ((host.context.load(at, 8) & PTE.V) !== 0n) return Fault.BUSY;
  refer(host, frame, (rights & PTE.W) !== 0n);
  refer(host, pageOf(at), true);
  host.context.store(at, 8, entryTo(frame, rights | PTE.V | PTE.A | PTE.D));
  return 0n;
}

/** Takes it away again. */
export function removePage(host: Host, at: HPA): void {
  const entry = host.context.load(at, 8);
  host.context.store(at, 8, 0n);
  forgetGuests(host);
  putEntry(host, entry, 0);
  unrefer(host, pageOf(at), true);
}
