/** Fences that one hart does for another. */
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import type { HsContext } from "../hs/context.ts";
import type { ViewOf } from "../hs/struct.ts";
import { type Gpaddr, gpaddr, type Vaddr, vaddr } from "../isa/address.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import type { FenceRequest } from "./map.ts";

/** What a request may ask for. */
export const FenceKind = {
  INSTRUCTIONS: 0n,
  OWN: 1n,
  OWN_ASID: 2n,
  SECOND_STAGE_VMID: 3n,
  SECOND_STAGE: 4n,
  GUEST_ASID: 5n,
  GUEST: 6n,
} as const;
/** One of {@link FenceKind}: the function numbers of the RFENCE extension. */
export type FenceKind = (typeof FenceKind)[keyof typeof FenceKind];

/** A fence as a request holds it. */
export type Fence = Pick<ViewOf<typeof FenceRequest>, "kind" | "start" | "size" | "id" | "vmid">;

const ALL = 2n ** 64n - 1n;
const PAGE = BigInt(PAGE_BYTES);
/** A longer range is cheaper to forget as a whole. */
const MOST_PAGES = 16n;

/** Whether a range means everything. @spec SBI 2.0 "RFENCE Extension" */
const isEverything = (start: bigint, size: bigint): boolean => (start === 0n && size === 0n) || size === ALL;

/** First addresses of the pages of a range; `undefined` once: all of them. */
function pagesOf(start: bigint, size: bigint): readonly (bigint | undefined)[] {
  const first = start - (start % PAGE);
  const count = (start + size - first + PAGE - 1n) / PAGE;
  if (isEverything(start, size) || count > MOST_PAGES) return [undefined];
  return Array.from({ length: Number(count) }, (_, page) => first + BigInt(page) * PAGE);
}

/** Does a fence on the hart of `context`. */
export function doFence(context: HsContext, fence: Fence): void {
  const { kind, start, size, id } = fence;
  if (kind === FenceKind.INSTRUCTIONS) {
    context.fenceInstructions();
    return;
  }
  const isGuest = kind === FenceKind.GUEST || kind === FenceKind.GUEST_ASID;
  const hgatp = isGuest ? borrowVmid(context, fence.vmid) : 0n;
  for (const page of pagesOf(start, size)) FENCE_PAGE.get(kind)?.(context, page, id);
  if (isGuest) context.csr.write("hgatp", hgatp);
}

/**
 * HFENCE.VVMA is about the guest that `hgatp` names, and the caller means its own.
 *
 * @returns  What `hgatp` was.
 */
function borrowVmid({ csr }: HsContext, vmid: bigint): bigint {
  const old = csr.read("hgatp");
  csr.write("hgatp", encodeCsr("hgatp", { VMID: vmid }));
  return old;
}

type FencePage = (context: HsContext, page: bigint | undefined, id: bigint) => void;

const virtual = (page: bigint | undefined): Vaddr | undefined => (page === undefined ? page : vaddr(page));
const physical = (page: bigint | undefined): Gpaddr | undefined => (page === undefined ? page : gpaddr(page));

/** One page, or all, by the kind of fence. */
const FENCE_PAGE: ReadonlyMap<bigint, FencePage> = new Map<FenceKind, FencePage>([
  [FenceKind.OWN, (context, page) => context.fenceTranslations(virtual(page))],
  [FenceKind.OWN_ASID, (context, page, asid) => context.fenceTranslations(virtual(page), asid)],
  [FenceKind.SECOND_STAGE_VMID, (context, page, vmid) => context.fenceSecondStage(physical(page), vmid)],
  [FenceKind.SECOND_STAGE, (context, page) => context.fenceSecondStage(physical(page))],
  [FenceKind.GUEST_ASID, (context, page, asid) => context.fenceGuestTranslations(virtual(page), asid)],
  [FenceKind.GUEST, (context, page) => context.fenceGuestTranslations(virtual(page))],
]);
