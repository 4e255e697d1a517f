/**
 * Domains that are not here any more give their memory back: some pages at each visit, since a large one has more of them than a handler
 * has time for. Meanwhile no migration begins.
 */
import { gpa } from "../hs/address.ts";
import { dropLoaded, forgetDomain } from "./domain.ts";
import { disown } from "./frames.ts";
import type { Host } from "./host.ts";
import { Domain, DomainState, PAGE_BYTES } from "./layout.ts";
import { writeBytes } from "./records.ts";
import { dismantle, unmapPage } from "./second-stage.ts";

/** Pages that one visit gives back. */
const PAGES_PER_VISIT = 512;

/** From here on nothing of the domain runs; its memory goes visit by visit. */
export function beginLeaving({ state: { leaving } }: Host, domain: number): void {
  leaving.domain = domain;
  leaving.page = 0;
}

/** One visit. False: nobody is leaving. */
export function serveLeaving(host: Host): boolean {
  const { leaving } = host.state;
  const { domain: id, page: from } = leaving;
  if (id === 0) return false;
  const domain = host.state.domain(id);
  const end = Math.min(from + PAGES_PER_VISIT, Number(domain.ramBytes) / PAGE_BYTES);
  for (let number = from; number < end; number++) {
    const page = gpa(domain.ramBase + BigInt(number * PAGE_BYTES));
    const frame = unmapPage(host, id, page);
    if (frame === undefined) dropLoaded(host, id, page);
    else if (host.state.frame(host.state.frameNumber(frame)).owner === id) disown(host, frame);
  }
  leaving.page = end;
  if (end * PAGE_BYTES < Number(domain.ramBytes)) return true;
  dismantle(host, id);
  if (domain.state === DomainState.ARRIVING)
    writeBytes(host.context, domain.address, new Uint8Array(Domain.sizeBytes));
  leaving.domain = 0;
  // Of one that was destroyed others may still map pages: it is gone with the last of them.
  if (domain.state === DomainState.DYING && domain.frames === 0) forgetDomain(host, domain);
  return true;
}
