/** Entries of a paravirtualized guest's page tables: what they may say. Whether the guest has a right to what they lead to is another question. */

import { fieldMask } from "../../bits/field.ts";
import { type HPA, hpa } from "../../hs/address.ts";
import { PTE, PTE_FIELDS, ptePpn } from "../../mmu/pte.ts";
import type { Host } from "../host.ts";
import { PAGE_SHIFT } from "../layout.ts";

/** What an entry says. */
export type Meaning =
  | { readonly kind: "nothing" }
  | { readonly kind: "table"; readonly to: HPA }
  | { readonly kind: "page"; readonly to: HPA; readonly isWritable: boolean };

const NOTHING: Meaning = { kind: "nothing" };
const RIGHTS = PTE.R | PTE.W | PTE.X;
/**
 * Nobody may have them. G: all paravirtualized domains share VMID 0, and a global page of one would be everybody's. N: sixteen pages by
 * one entry. Memory types are switched off, and the rest is reserved.
 */
const FORBIDDEN =
  PTE.G | fieldMask(PTE_FIELDS.reserved) | fieldMask(PTE_FIELDS.PBMT) | fieldMask(PTE_FIELDS.N);
/** Leaves may have them, pointers may not. @spec priv §"Sv39: Page-Based 39-bit Virtual-Memory System" */
const LEAF_ONLY = PTE.U | PTE.A | PTE.D;

/**
 * What an entry says in a table of a level.
 *
 * @returns `undefined`: no guest may have it. A leaf above level 0 is one of these: it would map 512 frames or more, of which only the
 *          first is looked at. Whoever lets it pass has given a guest its own page tables to write, and with them the machine (XSA-148).
 */
export function meaningOf(entry: bigint, level: number): Meaning | undefined {
  if ((entry & PTE.V) === 0n) return NOTHING;
  if ((entry & FORBIDDEN) !== 0n) return undefined;
  const to = hpa(ptePpn(entry) << PAGE_SHIFT);
  const isLeaf = (entry & RIGHTS) !== 0n;
  if (!isLeaf) return level > 0 && (entry & LEAF_ONLY) === 0n ? { kind: "table", to } : undefined;
  if (level > 0) return undefined;
  const isWritable = (entry & PTE.W) !== 0n;
  return isWritable && (entry & PTE.R) === 0n ? undefined : { kind: "page", to, isWritable };
}

/** The same, where it may be a reader's to say. */
export const meaningIn = (
  { parts }: Pick<Host, "parts">,
  entry: bigint,
  level: number,
): Meaning | undefined =>
  parts.meaningOf === undefined ? meaningOf(entry, level) : parts.meaningOf(entry, level, meaningOf);

/** An entry that leads to a table or maps a page, as `flags` say. */
export const entryTo = (address: HPA, flags: bigint): bigint => ((address >> PAGE_SHIFT) << 10n) | flags;
