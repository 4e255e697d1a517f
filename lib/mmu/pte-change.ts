/** How a leaf differs from the one that was there before, as far as a translation depends on it. */
import { fieldMask } from "../bits/field.ts";
import type { Leaf, WalkFault } from "./page-walk.ts";
import { PTE, PTE_FIELDS, pteHas } from "./pte.ts";

/**
 * - `none`: the same translation; RSW may differ, and hardware may have set A and D
 * - `unmapped`: nothing is mapped there any more
 * - `remapped`: another page, or another size
 * - `rights-taken`: something that was allowed is not
 * - `rights-given`: something more is allowed, and nothing less. The fence may come later, with the first fault
 * - `accessed-dirty-cleared`: hardware would have to set A or D once more
 * - `attributes`: U, G, the memory type or N
 */
export type PteChange =
  | "none"
  | "unmapped"
  | "remapped"
  | "rights-taken"
  | "rights-given"
  | "accessed-dirty-cleared"
  | "attributes";

/** A leaf, and the level at which it stands. */
export interface PlacedLeaf {
  readonly pte: bigint;
  readonly level: number;
}

const RIGHTS = PTE.R | PTE.W | PTE.X;
const ACCESSED_DIRTY = PTE.A | PTE.D;
const PPN = fieldMask(PTE_FIELDS.PPN);
const ATTRIBUTES = PTE.U | PTE.G | fieldMask(PTE_FIELDS.PBMT) | fieldMask(PTE_FIELDS.N);

/** @param now  The leaf that a walk finds now; `undefined`: none. */
export function pteChange(before: PlacedLeaf, now: PlacedLeaf | undefined): PteChange {
  if (now === undefined || !pteHas(now.pte, "V")) return "unmapped";
  const differing = before.pte ^ now.pte;
  if (before.level !== now.level || (differing & PPN) !== 0n) return "remapped";
  if ((differing & before.pte & RIGHTS) !== 0n) return "rights-taken";
  if ((differing & ATTRIBUTES) !== 0n) return "attributes";
  if ((differing & before.pte & ACCESSED_DIRTY) !== 0n) return "accessed-dirty-cleared";
  return (differing & RIGHTS) === 0n ? "none" : "rights-given";
}

/** What an access finds by a leaf. */
type Outcome = Leaf | WalkFault;

/**
 * What the difference between two leaves means to one access: nothing, as long as both lead it to the same place, or both
 * refuse it.
 *
 * @param judged  What the leaf of before says to the access.
 * @param fresh   What the leaf of now says; `undefined`: there is none.
 */
export function changeForUse(
  before: PlacedLeaf,
  judged: Outcome,
  now: PlacedLeaf | undefined,
  fresh: Outcome | undefined,
): PteChange {
  if (now === undefined || fresh === undefined) return judged.kind === "leaf" ? "unmapped" : "none";
  const change = pteChange(before, now);
  if (judged.kind === "walk-fault")
    return fresh.kind === "walk-fault" ? "none" : change === "remapped" ? change : "rights-given";
  if (fresh.kind === "walk-fault") return change === "none" ? "attributes" : change;
  if (judged.paddr !== fresh.paddr) return "remapped";
  if (((before.pte ^ now.pte) & fieldMask(PTE_FIELDS.PBMT)) !== 0n) return "attributes";
  return fresh.pte === fresh.wantedPte ? "none" : "accessed-dirty-cleared";
}

/**
 * Whether correct software may leave the fence for later: until a fault tells it, or for ever when only A was cleared and
 * nobody minds.
 * @spec priv §"Supervisor Memory-Management Fence Instruction"
 */
export const mayFenceLater = (change: PteChange): boolean => change === "none" || change === "rights-given";
