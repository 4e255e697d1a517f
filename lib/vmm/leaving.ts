/**
 * Domains that are not here any more give their memory back: some pages at each visit, since a large one has more of them than a handler
 * has time for. Meanwhile no migration begins.
 */
import { gpa } from "../hs/address.ts";
import { diskPageCount, dropDiskPage } from "./disk-pages.ts";
import { dropLoaded, forgetDomain } from "./domain.ts";
import { disown } from "./frames.ts";
import type { Host } from "./host.ts";
import { APART, Domain, DomainState, type DomainView, PAGE_BYTES } from "./layout.ts";
import { writeBytes } from "./records.ts";
import { dismantle, unmapPage } from "./second-stage.ts";

/** Pages that one visit gives back. */
const PAGES_PER_VISIT = 512;

/** From here on nothing of the domain runs; its memory goes visit by visit. */
export function beginLeaving({ state: { leaving } }: Host, domain: number): void {
  leaving.domain = domain;
  leaving.page = 0;
}

function leavePage(host: Host, domain: DomainView, number: number): void {
  const { id, ramBase } = domain;
  const page = gpa(ramBase + BigInt(number * PAGE_BYTES));
  const frame = unmapPage(host, id, page);
  if (domain.state === DomainState.ARRIVING) {
    // `dismantle` would find it, too, with all the others in one visit.
    const apart = unmapPage(host, id, gpa(APART + page));
    if (apart !== undefined) disown(host, apart);
  }
  if (frame === undefined) dropLoaded(host, id, page);
  else if (host.state.frame(host.state.frameNumber(frame)).owner === id) disown(host, frame);
}

/** One visit. False: nobody is leaving. */
export function serveLeaving(host: Host): boolean {
  const { leaving } = host.state;
  const { domain: id, page: from } = leaving;
  if (id === 0) return false;
  const domain = host.state.domain(id);
  const ramPages = Number(domain.ramBytes) / PAGE_BYTES;
  const pages = ramPages + diskPageCount(domain);
  const end = Math.min(from + PAGES_PER_VISIT, pages);
  for (let number = from; number < end; number++)
    if (number < ramPages) leavePage(host, domain, number);
    else dropDiskPage(host, id, number - ramPages);
  leaving.page = end;
  if (end < pages) return true;
  dismantle(host, id);
  if (domain.state === DomainState.ARRIVING)
    writeBytes(host.context, domain.address, new Uint8Array(Domain.sizeBytes));
  leaving.domain = 0;
  // Of one that was destroyed others may still map pages: it is gone with the last of them.
  if (domain.state === DomainState.DYING && domain.frames === 0) forgetDomain(host, domain);
  return true;
}
