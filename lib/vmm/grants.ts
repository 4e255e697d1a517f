/**
 * Grants: a domain lets another use one of its pages, to map it or to have bytes copied. A mapping is a reference to the frame like any
 * other, so the frame stays what it is until the last one has gone; and a grant that is mapped cannot be taken back.
 */
import { beyond, type GPA, gpa, type HPA, hpa } from "../hs/address.ts";
import { isLogged } from "./dirty-log.ts";
import { forgetDomain, isGuestRam, ramAddress } from "./domain.ts";
import { Fault, runningDomain } from "./errors.ts";
import { mappingsOf, validGrants } from "./grant-table.ts";
import type { Host, Visit } from "./host.ts";
import { splitPage } from "./large-pages.ts";
import {
  DOMAINS,
  DomainState,
  type DomainView,
  FOREIGN_MAPPINGS,
  FrameType,
  GRANTS,
  GrantFlag,
  PAGE_BYTES,
} from "./layout.ts";
import { deviceAt } from "./mmio.ts";
import { enterPage, removePage } from "./paravirtual/granted-pages.ts";
import { ownMemory } from "./paravirtual/page-types.ts";
import { isParavirtual } from "./paravirtual/roots.ts";
import { GPA_END, lookUp, mapPage, Right, unmapPage } from "./second-stage.ts";

const PAGE = BigInt(PAGE_BYTES);
const isPage = (address: bigint): boolean => address % PAGE === 0n && address < GPA_END;

/**
 * Lets a domain use a page of the caller's RAM. The grant's number. The page becomes one of its own: not shared with equal ones, and not
 * part of a large one.
 */
export function grantPage(visit: Visit, to: bigint, page: bigint, isWritable: boolean): bigint {
  const { domain } = visit;
  if (runningDomain(visit, to) === undefined) return Fault.NO_DOMAIN;
  if (isLogged(visit, domain)) return Fault.BUSY;
  if (!isPage(page) || ramAddress(visit, domain, gpa(page)) === undefined) return Fault.BAD_ADDRESS;
  for (let number = 0; number < GRANTS; number++) {
    const grant = domain.grants.get(number);
    if ((grant.flags & GrantFlag.VALID) !== 0) continue;
    splitPage(visit, domain.id, gpa(page));
    grant.to = Number(to);
    grant.page = gpa(page);
    grant.mapped = 0;
    grant.flags = GrantFlag.VALID | (isWritable ? GrantFlag.WRITABLE : 0);
    return BigInt(number);
  }
  return Fault.NO_SPACE;
}

/** A grant of another domain's to the caller, or why it has none. */
function grantTo(visit: Visit, granter: bigint, number: bigint, isWritable: boolean) {
  const owner = runningDomain(visit, granter);
  if (owner === undefined) return Fault.NO_DOMAIN;
  if (number >= BigInt(GRANTS)) return Fault.NO_ENTRY;
  const grant = owner.grants.get(Number(number));
  if ((grant.flags & GrantFlag.VALID) === 0) return Fault.NO_ENTRY;
  if (grant.to !== visit.domain.id) return Fault.NOT_PERMITTED;
  if (isWritable && (grant.flags & GrantFlag.WRITABLE) === 0) return Fault.NOT_PERMITTED;
  return { owner, grant };
}

/**
 * Maps a granted page where the caller has nothing: neither RAM nor a device nor another mapping. The mapping's number.
 *
 * @param page  Where: a guest-physical page; of a paravirtualized guest the machine address of an entry of its tables.
 */
export function mapGrant(
  visit: Visit,
  granter: bigint,
  number: bigint,
  page: bigint,
  isWritable: boolean,
): bigint {
  const found = grantTo(visit, granter, number, isWritable);
  if (typeof found === "bigint") return found;
  const { owner, grant } = found;
  const frame = granted(visit, owner, grant.page);
  const free = freeMapping(visit);
  if (frame === undefined || free === undefined) return Fault.NO_SPACE;
  const refused = place(visit, page, frame, isWritable ? Right.READ | Right.WRITE : Right.READ);
  if (refused !== 0n) return refused;
  const mapping = visit.state.foreign(free);
  mapping.mapper = visit.domain.id;
  mapping.granter = owner.id;
  mapping.grant = Number(number);
  mapping.page = gpa(page);
  grant.mapped += 1;
  return BigInt(free);
}

/** Maps somebody else's frame. 0, or why not. */
function place(visit: Visit, page: bigint, frame: HPA, rights: bigint): bigint {
  const { id } = visit.domain;
  if (isParavirtual(visit.domain)) return enterPage(visit, id, hpa(page), frame, rights);
  if (!isPage(page) || isTaken(visit, gpa(page))) return Fault.BAD_ADDRESS;
  return mapPage(visit, id, gpa(page), frame, rights) ? 0n : Fault.NO_MEMORY;
}

const isTaken = (visit: Visit, page: GPA): boolean =>
  isGuestRam(visit.domain, page) ||
  deviceAt(visit, page) !== undefined ||
  lookUp(visit, visit.domain.id, page) !== undefined;

function freeMapping({ state }: Pick<Host, "state">): number | undefined {
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) if (state.foreign(index).mapper === 0) return index;
  return undefined;
}

/** Takes a mapping of the caller's away. */
export function unmapGrant(visit: Visit, number: bigint): bigint {
  if (number >= BigInt(FOREIGN_MAPPINGS)) return Fault.NO_ENTRY;
  const mapping = visit.state.foreign(Number(number));
  if (mapping.mapper !== visit.domain.id) return Fault.NO_ENTRY;
  dropMapping(visit, Number(number));
  return 0n;
}

/** With the last mapping of a page of its a domain that was destroyed is gone. */
function dropMapping(host: Host, index: number): void {
  const { state } = host;
  const mapping = state.foreign(index);
  const granter = state.domain(mapping.granter);
  const grant = granter.grants.get(mapping.grant);
  if (isParavirtual(state.domain(mapping.mapper))) removePage(host, hpa(mapping.page));
  else unmapPage(host, mapping.mapper, mapping.page);
  mapping.mapper = 0;
  grant.mapped -= 1;
  if (granter.state !== DomainState.DYING) return;
  if (grant.mapped === 0) grant.flags = 0;
  if (granter.frames === 0 && state.leaving.domain !== granter.id) forgetDomain(host, granter);
}

/**
 * A domain is destroyed: it maps nothing of others' any more; what was granted to it is granted to nobody, for its number may be somebody
 * else's next; and of its own grants only those stay which somebody maps. Their pages live until the last mapping goes.
 */
export function dropGrants(host: Host, { id }: DomainView): void {
  const { state } = host;
  for (const index of mappingsOf(host, id)) dropMapping(host, index);
  for (let other = 1; other < DOMAINS; other++) {
    const { grants } = state.domain(other);
    for (const number of validGrants(state.domain(other))) {
      const grant = grants.get(number);
      if (grant.to === id || (other === id && grant.mapped === 0)) grant.flags = 0;
    }
  }
}

/** Takes a grant back, unless somebody maps the page. */
export function revokeGrant({ domain }: Visit, number: bigint): bigint {
  if (number >= BigInt(GRANTS)) return Fault.NO_ENTRY;
  const grant = domain.grants.get(Number(number));
  if ((grant.flags & GrantFlag.VALID) === 0) return Fault.NO_ENTRY;
  if (grant.mapped > 0) return Fault.BUSY;
  grant.flags = 0;
  return 0n;
}

/** What to copy. */
export interface GrantCopy {
  readonly domain: bigint;
  readonly grant: bigint;
  /** Of the caller's own memory, within one page; the same distance from the page's beginning counts for the granted page. */
  readonly address: bigint;
  readonly bytes: bigint;
  /** From the caller's memory to the granted page. */
  readonly isStore: boolean;
}

/** Copies within a page, byte by byte, and gives nobody access to anything. */
export function copyGrant(visit: Visit, { domain, grant, address, bytes, isStore }: GrantCopy): bigint {
  const found = grantTo(visit, domain, grant, isStore);
  if (typeof found === "bigint") return found;
  const offset = address % PAGE;
  if (bytes > PAGE - offset) return Fault.INVALID;
  const own = ramAddress(visit, visit.domain, gpa(address));
  const page = granted(visit, found.owner, found.grant.page);
  if (own === undefined || page === undefined) return Fault.BAD_ADDRESS;
  const other = beyond(page, offset);
  const [from, to] = isStore ? [own, other] : [other, own];
  for (let done = 0n; done < bytes; done += 1n)
    visit.context.store(beyond(to, done), 1, visit.context.load(beyond(from, done), 1));
  return bytes;
}

/** Where a granted page lies: it is the granter's own RAM. */
function granted(host: Host, granter: DomainView, page: GPA): HPA | undefined {
  const { id } = granter;
  if (isParavirtual(granter)) return ownMemory(host, id, hpa(page));
  const at = lookUp(host, id, page)?.at;
  if (at === undefined) return undefined;
  const { owner, type } = host.state.frame(host.state.frameNumber(at));
  return owner === id && type === FrameType.RAM ? at : undefined;
}
