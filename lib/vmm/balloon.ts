/**
 * Ballooning: a guest that knows of the hypervisor gives pages back which it does not need itself, and the frames go to others. Which
 * pages these are the guest knows best. A page that was given is like one that was never used: it is there again when it is touched, or
 * asked for, all zero, if the domain may have so much and the machine has it. The target is a wish; `maxFrames` is the limit.
 */
import { beyond, type GPA, gpa } from "../hs/address.ts";
import { isLogged } from "./dirty-log.ts";
import { isGuestRam, populate } from "./domain.ts";
import { Fault, runningDomain } from "./errors.ts";
import { tellOfHypervisor } from "./events.ts";
import { disown } from "./frames.ts";
import { isGrantedPage } from "./grant-table.ts";
import type { Host, Visit } from "./host.ts";
import { FrameType, MOST_FRAMES, PAGE_BYTES } from "./layout.ts";
import { lookUp, unmapPage } from "./second-stage.ts";

/** Pages in one call. */
const MOST_PAGES = 64n;
type At = Pick<Visit, keyof Host | "domain">;

/** Whether a range is pages of the domain's RAM, not too many for one call. */
function isRange({ domain }: At, page: bigint, count: bigint): boolean {
  const bytes = BigInt(PAGE_BYTES);
  if (page % bytes !== 0n || count < 1n || count > MOST_PAGES) return false;
  return isGuestRam(domain, page) && isGuestRam(domain, page + count * bytes - 1n);
}

/** Gives pages back, up to the first that others may use. How many; an error if it is the first. */
export function givePages(at: At, page: bigint, count: bigint): bigint {
  if (!isRange(at, page, count)) return Fault.INVALID;
  for (let done = 0n; done < count; done += 1n) {
    const next = beyond(gpa(page), done * BigInt(PAGE_BYTES));
    if (!givePage(at, next)) return done === 0n ? Fault.BUSY : done;
  }
  return count;
}

/** The frame goes to the pool when its last mapping has gone; whoever gets it next gets it cleared. */
function givePage(at: At, page: GPA): boolean {
  const { domain, state } = at;
  if (isLogged(at, domain) || isGrantedPage(domain, page)) return false;
  const mapped = lookUp(at, domain.id, page);
  if (mapped === undefined) return true;
  const isOwn = state.frame(state.frameNumber(mapped.at)).type === FrameType.RAM;
  unmapPage(at, domain.id, page);
  if (isOwn) disown(at, mapped.at);
  state.balloon(domain.id).given += 1;
  return true;
}

/** Asks for pages before they are touched: who asks is told that there are none, and does not wait. How many there are. */
export function takePages(at: At, page: bigint, count: bigint): bigint {
  if (!isRange(at, page, count)) return Fault.INVALID;
  for (let done = 0n; done < count; done += 1n) {
    const next = beyond(gpa(page), done * BigInt(PAGE_BYTES));
    const isThere =
      lookUp(at, at.domain.id, next) !== undefined || populate(at, at.domain, next) !== undefined;
    if (!isThere) return done === 0n ? Fault.NO_MEMORY : done;
  }
  return count;
}

/** Sets how many frames a running domain should have, and tells it. 0, or why not. */
export function setTarget(host: Host, number: bigint, frames: bigint): bigint {
  const domain = runningDomain(host, number);
  if (domain === undefined) return Fault.NO_DOMAIN;
  if (frames > MOST_FRAMES) return Fault.INVALID;
  host.state.balloon(domain.id).target = Number(frames);
  tellOfHypervisor({ ...host, domain });
  return 0n;
}
