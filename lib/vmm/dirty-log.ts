/**
 * Which pages a guest has changed. While its domain migrates, the entries of pages that were sent do not let it store; the first store
 * faults, is written down, and the entry lets it store again until the page is sent once more. When nobody logs any more, what is
 * still protected costs a fault each, and is not written down.
 */
import { type GPA, gpa, pageOf } from "../hs/address.ts";
import { diskPageCount } from "./disk-pages.ts";
import { isSharedFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import { type DomainView, MigrationPhase, MigrationRole, PAGE_BYTES, PAGE_SHIFT } from "./layout.ts";
import { ALL_RIGHTS, lookUp, protectPage, Right } from "./second-stage.ts";

const WORD_BITS = 64;

/** Whether a domain's stores are logged. */
export function isLogged({ state }: Pick<Host, "state">, domain: DomainView): boolean {
  const { migration } = state;
  const { role, phase } = migration;
  const isOnItsWay = role === MigrationRole.SOURCE || role === MigrationRole.PRIMARY;
  if (!isOnItsWay || migration.domain !== domain.id) return false;
  return (
    phase === MigrationPhase.ROUNDS || phase === MigrationPhase.STOPPED || phase === MigrationPhase.PREPARED
  );
}

/** Pages are numbered: those of RAM from its beginning, behind them those of the disk. */
const ramPages = ({ ramBytes }: DomainView): number => Number(ramBytes >> PAGE_SHIFT);
const pagesOf = (domain: DomainView): number => ramPages(domain) + diskPageCount(domain);
const pageAt = ({ ramBase }: DomainView, number: number): GPA => gpa(ramBase + BigInt(number * PAGE_BYTES));
const numberOf = ({ ramBase }: DomainView, page: bigint): number => Number((page - ramBase) >> PAGE_SHIFT);

/** Writes down that a page is not what was sent. */
export function markDirty(host: Pick<Host, "state">, domain: DomainView, page: GPA): void {
  if (isLogged(host, domain)) setDirty(host, numberOf(domain, page), true);
}

/** The same for a page of its disk, which its device has stored to. */
export function markDiskDirty(host: Pick<Host, "state">, domain: DomainView, page: number): void {
  if (isLogged(host, domain)) setDirty(host, ramPages(domain) + page, true);
}

/** The bit of a page, by its number. */
export function setDirty({ state: { dirtyPages } }: Pick<Host, "state">, number: number, is: boolean): void {
  const index = Math.floor(number / WORD_BITS);
  const bit = 1n << BigInt(number % WORD_BITS);
  const word = dirtyPages.get(index);
  dirtyPages.set(index, is ? word | bit : word & ~bit);
}

/** The first dirty page from a number on; `undefined`: there is none. */
export function nextDirty({ state: { dirtyPages } }: Pick<Host, "state">, domain: DomainView, from: number) {
  const end = pagesOf(domain);
  for (let index = Math.floor(from / WORD_BITS); index * WORD_BITS < end; index++) {
    const word = dirtyPages.get(index);
    if (word === 0n) continue;
    for (let bit = 0; bit < WORD_BITS; bit++) {
      const number = index * WORD_BITS + bit;
      if (number >= from && ((word >> BigInt(bit)) & 1n) === 1n) return number;
    }
  }
  return undefined;
}

/** How many pages are dirty. */
export function dirtyCount({ state: { dirtyPages } }: Pick<Host, "state">, domain: DomainView): number {
  let count = 0;
  for (let index = 0; index * WORD_BITS < pagesOf(domain); index++)
    for (let left = dirtyPages.get(index); left !== 0n; left &= left - 1n) count++;
  return count;
}

/** Whether the log has a bit for each page of the domain. */
export const fitsLog = ({ state: { dirtyPages } }: Pick<Host, "state">, domain: DomainView): boolean =>
  pagesOf(domain) <= dirtyPages.length * WORD_BITS;

/** Forgets all that is written down. */
export function clearLog({ state: { dirtyPages } }: Pick<Host, "state">): void {
  for (let index = 0; index < dirtyPages.length; index++) dirtyPages.set(index, 0n);
}

/** Every page counts as dirty that the domain may have. */
export function fillLog({ state: { dirtyPages } }: Pick<Host, "state">, domain: DomainView): void {
  const pages = pagesOf(domain);
  for (let index = 0; index * WORD_BITS < pages; index++)
    dirtyPages.set(index, (1n << BigInt(Math.min(WORD_BITS, pages - index * WORD_BITS))) - 1n);
}

/** Takes a page for sending: it is clean until the next store, which will fault. */
export function takeDirty(host: Host, domain: DomainView, number: number): GPA {
  const page = pageAt(domain, number);
  setDirty(host, number, false);
  const mapped = lookUp(host, domain.id, page);
  if (mapped !== undefined && (mapped.rights & Right.WRITE) !== 0n)
    protectPage(host, domain.id, page, mapped.rights & ~Right.WRITE);
  return page;
}

/** A store to a page of RAM that was sent: it is dirty again and may be stored to. False: that is not what happened. */
export function logStore(host: Host, domain: DomainView, address: GPA): boolean {
  const number = numberOf(domain, address);
  if (number < 0 || number >= ramPages(domain)) return false;
  const page = pageOf(address);
  const mapped = lookUp(host, domain.id, page);
  if (mapped === undefined || (mapped.rights & Right.WRITE) !== 0n || isSharedFrame(host, mapped.at))
    return false;
  protectPage(host, domain.id, page, ALL_RIGHTS);
  markDirty(host, domain, page);
  return true;
}
