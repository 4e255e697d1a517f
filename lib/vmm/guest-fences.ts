/** Fences of a guest's own translations, which the hart remembers under its VMID: all virtual CPUs of a domain share them. */
import { gva } from "../hs/address.ts";
import type { Visit } from "./host.ts";
import { PAGE_BYTES } from "./layout.ts";
import { isParavirtual } from "./paravirtual/roots.ts";

const PAGE = BigInt(PAGE_BYTES);
const EVERYTHING = 2n ** 64n - 1n;
/** A longer range is cheaper to forget as a whole. */
const MOST_PAGES = 16n;

/**
 * Forgets a range of addresses, or all when it is 0 or the whole address space. A paravirtualized guest has no ASIDs of its own: which it
 * names makes no difference.
 */
export function fenceGuest(visit: Visit, start: bigint, size: bigint, ofGuest: bigint | undefined): void {
  const { context, domain } = visit;
  const asid = isParavirtual(domain) ? undefined : ofGuest;
  const pages = (size + PAGE - 1n) / PAGE;
  const isAll = (start === 0n && size === 0n) || size === EVERYTHING || pages > MOST_PAGES;
  if (isAll) {
    context.fenceGuestTranslations(undefined, asid);
    return;
  }
  for (let page = 0n; page <= pages; page += 1n)
    context.fenceGuestTranslations(gva(start + page * PAGE), asid);
}
