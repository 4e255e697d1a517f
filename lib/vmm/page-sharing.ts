/**
 * The search for equal pages, as ESX does it: a few pages with each timer interrupt, in turn. A page's hash leads to a hint, a page that had
 * this hash when it was looked at. Hashes prove nothing: both pages are protected from stores, then compared to the last byte, and only
 * then is one frame enough for both. In the other order a guest on another hart could store between the comparison and the protection.
 *
 * Whose frames may be found equal: a running domain's RAM that it alone maps. Not a page that it has granted, which others may write; not
 * one whose stores are logged.
 */
import { beyond, type GPA, gpa, type HPA } from "../hs/address.ts";
import { isLogged } from "./dirty-log.ts";
import { disown, shareFrame } from "./frames.ts";
import { isGrantedPage } from "./grant-table.ts";
import type { Host } from "./host.ts";
import { DOMAINS, DomainState, FrameType, PAGE_BYTES, PAGE_SHIFT, type PageHintView } from "./layout.ts";
import { ALL_RIGHTS, lookUp, protectPage, Right, remapPage } from "./second-stage.ts";

const SHARED_RIGHTS = Right.READ | Right.EXECUTE;
const HASH_BITS = 64;

/** A domain's page, and where it lies. */
interface Found {
  readonly domain: number;
  readonly page: GPA;
  readonly at: HPA;
}

/** Looks at so many pages, mapped or not. */
export function scanPages(host: Host, count: number): void {
  for (let done = 0; done < count; done++) {
    const page = nextPage(host);
    if (page === undefined) continue;
    const found = ownPage(host, page.domain, page.page);
    if (found !== undefined) look(host, found);
  }
}

/** The next page of the next domain. `undefined`: this one has no more. */
function nextPage({ state }: Host): Pick<Found, "domain" | "page"> | undefined {
  const { pageSharing } = state;
  const { domain: id, page: number } = pageSharing;
  const domain = state.domain(id);
  if (id === 0 || domain.state !== DomainState.RUNNING || number >= domain.ramBytes >> PAGE_SHIFT) {
    pageSharing.domain = (id % (DOMAINS - 1)) + 1;
    pageSharing.page = 0;
    return undefined;
  }
  pageSharing.page = number + 1;
  return { domain: id, page: gpa(domain.ramBase + BigInt(number * PAGE_BYTES)) };
}

/** A page that may be shared, and is not yet: RAM that its owner alone maps, writable. */
function ownPage(host: Host, id: number, page: GPA): Found | undefined {
  const { state } = host;
  const domain = state.domain(id);
  // A hint may be old: its number can be that of a domain that arrives now, whose pages are stored to as they come.
  const mapped = domain.state === DomainState.RUNNING ? lookUp(host, id, page) : undefined;
  if (mapped === undefined) return undefined;
  const { type, owner, refCount, typeCount } = state.frame(state.frameNumber(mapped.at));
  if (type !== FrameType.RAM || owner !== id || refCount !== 2 || typeCount !== 1) return undefined;
  return isLogged(host, domain) || isGrantedPage(domain, page)
    ? undefined
    : { domain: id, page, at: mapped.at };
}

/** Compares a page with the one that its hash leads to, and is what the hash leads to from now on if they are not equal. */
function look(host: Host, found: Found): void {
  const { pageSharing } = host.state;
  pageSharing.scanned += 1n;
  const hash = hashOf(host, found.at);
  const hint = host.state.pageHint(hash);
  if (hint.hash === hash && hint.frame !== 0 && merge(host, found, hint)) return;
  hint.hash = hash;
  hint.frame = host.state.frameNumber(found.at);
  hint.domain = found.domain;
  hint.page = found.page;
}

/** Whether one frame is enough for both now. */
function merge(host: Host, found: Found, hint: PageHintView): boolean {
  const { state } = host;
  const frame = state.frameAddress(hint.frame);
  const isSharedAlready = state.frame(hint.frame).type === FrameType.SHARED;
  const partner = isSharedAlready ? undefined : ownPage(host, hint.domain, hint.page);
  if (!isSharedAlready && (partner === undefined || partner.at !== frame || partner.at === found.at))
    return false;
  const writable = partner === undefined ? [found] : [found, partner];
  for (const { domain, page } of writable) protectPage(host, domain, page, SHARED_RIGHTS);
  if (!areEqual(host, found.at, frame)) {
    for (const { domain, page } of writable) protectPage(host, domain, page, ALL_RIGHTS);
    state.pageSharing.collisions += 1n;
    return false;
  }
  if (partner !== undefined) shareFrame(host, frame);
  remapPage(host, found.domain, found.page, frame, SHARED_RIGHTS);
  disown(host, found.at);
  state.pageSharing.merged += 1n;
  return true;
}

function areEqual({ context }: Host, one: HPA, other: HPA): boolean {
  for (let offset = 0; offset < PAGE_BYTES; offset += 8)
    if (context.load(beyond(one, offset), 8) !== context.load(beyond(other, offset), 8)) return false;
  return true;
}

/** FNV-1a over words; each shifts what the one before has put into the upper half down. */
function hashOf({ context, state }: Host, at: HPA): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (let offset = 0; offset < PAGE_BYTES; offset += 8) {
    hash = BigInt.asUintN(HASH_BITS, (hash ^ context.load(beyond(at, offset), 8)) * 0x100_0000_01b3n);
    hash ^= hash >> 32n;
  }
  const bits = state.pageSharing.hashBits;
  return bits === 0 ? hash : hash >> BigInt(HASH_BITS - bits);
}
