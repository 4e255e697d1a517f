/**
 * Pages that are equal and lie in one frame. All who have such a page may read it; the first store faults, and whoever stored gets a page of
 * its own again. The frame is the hypervisor's while it is shared, and the last who has it may keep it.
 */
import { beyond, type GPA, type HPA, pageOf } from "../hs/address.ts";
import { markDirty } from "./dirty-log.ts";
import { claimFrame, isSharedFrame, takeFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import { type DomainView, FrameType, PAGE_BYTES } from "./layout.ts";
import { ALL_RIGHTS, lookUp, protectPage, remapPage } from "./second-stage.ts";

/** Whether a page lies in a frame that is shared. */
export function isShared(host: Host, domain: DomainView, address: GPA): boolean {
  const mapped = lookUp(host, domain.id, pageOf(address));
  return mapped !== undefined && isSharedFrame(host, mapped.at);
}

/**
 * Makes a shared page the domain's own, to be stored to.
 *
 * @returns Where it lies now; `undefined`: no frame is left for it, or the domain has all it may.
 */
export function unshare(host: Host, domain: DomainView, address: GPA): HPA | undefined {
  const { state } = host;
  const page = pageOf(address);
  const mapped = lookUp(host, domain.id, page);
  if (mapped === undefined) return undefined;
  const own =
    state.frame(state.frameNumber(mapped.at)).refCount === 1
      ? keep(host, domain, page, mapped.at)
      : copy(host, domain, page, mapped.at);
  if (own === undefined) return undefined;
  state.pageSharing.broken += 1n;
  markDirty(host, domain, page);
  return own;
}

/** Nobody else has it. */
function keep(host: Host, { id }: DomainView, page: GPA, frame: HPA): HPA | undefined {
  if (!claimFrame(host, frame, id)) return undefined;
  protectPage(host, id, page, ALL_RIGHTS);
  return frame;
}

function copy(host: Host, { id }: DomainView, page: GPA, frame: HPA): HPA | undefined {
  const { context } = host;
  const own = takeFrame(host, id, FrameType.RAM);
  if (own === undefined) return undefined;
  for (let offset = 0; offset < PAGE_BYTES; offset += 8)
    context.store(beyond(own, offset), 8, context.load(beyond(frame, offset), 8));
  remapPage(host, id, page, own, ALL_RIGHTS);
  return own;
}
