/** The end of a paravirtualized domain. Its tables lead to nobody's frames but its own, so all of them go at once, and no entry is looked at. */
import { hpa } from "../../hs/address.ts";
import { PTE } from "../../mmu/pte.ts";
import { disown, refer } from "../frames.ts";
import type { Host } from "../host.ts";
import { type DomainView, FOREIGN_MAPPINGS, FrameType, PAGE_SHIFT } from "../layout.ts";
import { lookUp } from "../second-stage.ts";
import { forgetGuests, isParavirtual } from "./roots.ts";

/**
 * Takes a domain's frames away, when none of its virtual CPUs can run again and it maps nothing of others'. Each begins anew with what
 * counts from now on: its owner, and those who map it because it was granted to them. Then the owner lets go.
 */
export function dismantleParavirtual(host: Host, domain: DomainView): void {
  const { state } = host;
  forgetGuests(host);
  const frames = framesOf(host, domain);
  for (const number of frames)
    Object.assign(state.frame(number), { type: FrameType.RAM, flags: 0, typeCount: 0, refCount: 1 });
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) countMapping(host, domain, index);
  for (const number of frames) disown(host, state.frameAddress(number));
}

/** Numbers of all frames that a domain has. */
function framesOf({ map, state }: Host, { id, frames }: DomainView): readonly number[] {
  const end = Number(map.ram.sizeBytes >> PAGE_SHIFT);
  const found: number[] = [];
  for (let number: number = state.pool.first; number < end && found.length < frames; number++)
    if (state.frame(number).owner === id) found.push(number);
  return found;
}

/** A mapping of one of its frames by somebody else. */
function countMapping(host: Host, { id, grants }: DomainView, index: number): void {
  const { mapper, granter, grant, page } = host.state.foreign(index);
  if (mapper === 0 || granter !== id) return;
  const isFromTable = isParavirtual(host.state.domain(mapper));
  const rights = isFromTable ? host.context.load(hpa(page), 8) : (lookUp(host, mapper, page)?.rights ?? 0n);
  // A paravirtualized domain grants machine pages.
  refer(host, hpa(grants.get(grant).page), (rights & PTE.W) !== 0n);
}
