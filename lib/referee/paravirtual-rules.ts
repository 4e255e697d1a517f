/**
 * I1, I2 and I3 for paravirtualized guests, which stand before machine memory with nothing but their own page tables between: what these
 * reach, that nobody can write them, and that the hypervisor counts them as they are.
 */
import { hex } from "../bits/hex.ts";
import type { Hart } from "../hart/hart.ts";
import {
  asidOf,
  DomainFlag,
  domainOfAsid,
  FOREIGN_MAPPINGS,
  FrameType,
  TableFlag,
  VCPUS,
  VcpuState,
  type VcpuView,
} from "../vmm/layout.ts";
import type { FrameEntry } from "./frame-book.ts";
import type { FrameView } from "./frame-rules.ts";
import { BIT, meaningOf, tablesOf } from "./page-tables.ts";
import { type GuestUse, letsWrite, tableLevel } from "./paravirtual-book.ts";
import type { Finding } from "./violation.ts";

const PAGE = 4096n;
const RIGHTS = BIT.R | BIT.W | BIT.X;
const VTVM = 1n << 20n;
const ROOT = 2;

/** Whether a domain has no second stage. */
export const isParavirtual = ({ state }: FrameView, domain: number): boolean =>
  (state.domain(domain).flags & DomainFlag.PARAVIRTUAL) !== 0;

const nameOf = ({ state }: FrameView, frame: number): string =>
  `frame ${frame} (${hex(state.frameAddress(frame))})`;

const placeOf = ({ level, at }: GuestUse): string => `the level-${level} entry at ${hex(at)}`;

/** I1 and I2: whether a guest's own tables lead to a frame as they may. */
export function* tableUsesOf(view: FrameView, frame: number): Generator<Finding> {
  const entry = view.book.entryOf(frame);
  for (const use of view.paravirtual.usesOf(frame)) {
    const found =
      use.kind === "leaf" ? leafMistake(view, frame, entry, use) : linkMistake(view, frame, entry, use);
    if (found !== undefined)
      yield { ...found, object: nameOf(view, frame), walk: view.paravirtual.walkBy(use) };
  }
}

type Mistake = Pick<Finding, "invariant" | "sentence">;

function leafMistake(view: FrameView, frame: number, entry: FrameEntry, use: GuestUse): Mistake | undefined {
  const { owner, type } = entry;
  const how = letsWrite(use) ? "can write" : "reaches";
  const who = `Domain ${use.domain}, paravirtualized, ${how} ${nameOf(view, frame)} by ${placeOf(use)}`;
  const isTable = tableLevel(type) >= 0;
  const isOwn = owner === use.domain && (type === FrameType.RAM || isTable);
  if (!isOwn && !wasGranted(view, frame, use, owner))
    return { invariant: "I1", sentence: `${who}, and that is ${belongings(entry)}.` };
  if ((use.entry & BIT.G) !== 0n)
    return {
      invariant: "I1",
      sentence: `${who}, which is global: any other such guest may come by it, too.`,
    };
  if (isTable && letsWrite(use))
    return { invariant: "I2", sentence: `${who}, and that is a page table of level ${tableLevel(type)}.` };
  return undefined;
}

const belongings = ({ owner, type }: FrameEntry): string =>
  owner !== 0
    ? `domain ${owner}'s`
    : type === FrameType.FREE
      ? "nobody's: free, or the hypervisor's own"
      : "the hypervisor's";

/** The grant tables say of which entry a mapping is, and whose page it maps. */
function wasGranted(view: FrameView, frame: number, use: GuestUse, owner: number): boolean {
  const { state } = view;
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) {
    const { mapper, page, granter } = state.foreign(index);
    if (mapper === use.domain && (page as bigint) === use.at && granter === owner) return true;
  }
  return view.isGranted(use.domain, state.frameAddress(frame), use.entry & RIGHTS);
}

function linkMistake(
  view: FrameView,
  frame: number,
  { owner, type }: FrameEntry,
  use: GuestUse,
): Mistake | undefined {
  if (owner === use.domain && tableLevel(type) === use.level - 1) return undefined;
  const what =
    tableLevel(type) < 0 ? "that is none" : `that is one of level ${tableLevel(type)} of domain ${owner}`;
  return {
    invariant: "I2",
    sentence: `Domain ${use.domain}, paravirtualized, uses ${nameOf(view, frame)} as a table of level ${use.level - 1} by ${placeOf(use)}, and ${what}.`,
  };
}

/** I1: entries of guests' tables that lead out of RAM. */
export function* tablesOutsideOf(view: FrameView): Generator<Finding> {
  for (const use of view.paravirtual.outside) {
    const to = ((use.entry >> 10n) & ((1n << 44n) - 1n)) * PAGE;
    yield {
      invariant: "I1",
      object: `entry at ${hex(use.at)}`,
      walk: view.paravirtual.walkBy(use),
      sentence: `Domain ${use.domain}, paravirtualized, reaches ${hex(to)} by ${placeOf(use)}, where there is no RAM: a device, or nothing.`,
    };
  }
}

/** I3: whether a table's counts are those of a recount: its owner, entries that lead to it, its pin, virtual CPUs, granted pages in it. */
export function* tableCountsOf(view: FrameView, frame: number): Generator<Finding> {
  const { type, flags, typeCount, refCount } = view.book.entryOf(frame);
  if (tableLevel(type) < 0) return;
  const uses = view.paravirtual.usesOf(frame);
  const links = uses.filter(({ kind }) => kind === "table").length;
  const pins = (flags & TableFlag.PINNED) === 0 ? 0 : 1;
  const roots = rootUses(view, frame);
  const grants = grantsIn(view, frame);
  const typed = links + pins + roots + grants;
  const references = 1 + typed + (uses.length - links) + view.book.usesOf(frame).length;
  const object = nameOf(view, frame);
  const parts = `${links} entries that lead to it, ${pins} pin, ${roots} virtual CPUs, ${grants} granted pages`;
  const wrong = (count: string, has: number, is: number): Finding => ({
    invariant: "I3",
    object: `${object} ${count}`,
    sentence: `${object}, a page table of level ${tableLevel(type)}, has ${count} ${has}, and a recount gives ${is}: ${parts}.`,
  });
  if (typeCount !== typed) yield wrong("typeCount", typeCount, typed);
  if (refCount !== references) yield wrong("refCount", refCount, references);
}

/** The same for all roots: virtual CPUs come and go without a frame's entry changing. */
export function* rootCountsOf(view: FrameView): Generator<Finding> {
  for (const frame of view.paravirtual.roots) yield* tableCountsOf(view, frame);
}

function grantsIn({ state }: FrameView, frame: number): number {
  let count = 0;
  const first: bigint = state.frameAddress(frame);
  for (let index = 0; index < FOREIGN_MAPPINGS; index++) {
    const { mapper, page } = state.foreign(index);
    const isIn = page >= first && page < first + PAGE;
    if (mapper !== 0 && isIn && (state.domain(mapper).flags & DomainFlag.PARAVIRTUAL) !== 0) count += 1;
  }
  return count;
}

/** `vsatp` of a virtual CPU: the hart's, while it has one; 0: it was never started. */
function vsatpOf({ state, harts }: FrameView, vcpu: VcpuView): bigint {
  const hart = harts.find(({ id }) => state.pcpu(id).current === vcpu.address);
  return hart === undefined ? vcpu.vs.vsatp : hart.state.stored("vsatp");
}

function rootUses(view: FrameView, frame: number): number {
  let count = 0;
  for (let index = 0; index < VCPUS; index++) {
    const vcpu = view.state.vcpu(index);
    if (vcpu.state === VcpuState.NONE || !isParavirtual(view, vcpu.domain)) continue;
    const tables = tablesOf("vsatp", vsatpOf(view, vcpu));
    if (tables?.root === view.state.frameAddress(frame)) count += 1;
  }
  return count;
}

/** How a virtual CPU runs, or will: three registers that keep it from the machine. */
export interface Registers {
  readonly hgatp: bigint;
  readonly vsatp: bigint;
  readonly hstatus: bigint;
}

/** I1: what is wrong with the registers of a paravirtualized guest, if anything is. */
export function registersMistake(
  view: FrameView,
  { hgatp, vsatp, hstatus }: Registers,
  vcpu: VcpuView,
): string | undefined {
  if (hgatp !== 0n) return `its hgatp is ${hex(hgatp)}, and a paravirtualized guest has no second stage`;
  if ((hstatus & VTVM) === 0n) return "hstatus.VTVM is 0, so that it can write satp";
  const tables = tablesOf("vsatp", vsatp);
  if (tables?.levels !== 3) return `its vsatp is ${hex(vsatp)}, so that the machine's memory is the guest's`;
  if (Number((vsatp >> 44n) & 0xffffn) !== asidOf(vcpu.domain, vcpu.number))
    return `its vsatp (${hex(vsatp)}) has the ASID of another`;
  const frame = Number((tables.root - view.state.frameAddress(0)) / PAGE);
  const { owner, type } = view.book.entryOf(frame);
  return owner === vcpu.domain && tableLevel(type) === ROOT
    ? undefined
    : `its root is ${nameOf(view, frame)}, which is no root of domain ${vcpu.domain}`;
}

type RememberedLeaf = ReturnType<NonNullable<Hart["remembered"]>["save"]>[number][1][number];

/** I1: what a hart remembers of paravirtualized guests, all of them under VMID 0, is what a guest may still have. */
export function* staleLeafOf(
  view: FrameView,
  hart: Hart,
  asid: number,
  { path, level, start, bytes }: RememberedLeaf,
): Generator<Finding> {
  const domain = domainOfAsid(asid);
  const last = path.at(-1);
  if (last === undefined || !isParavirtual(view, domain)) return;
  const meaning = meaningOf("vsatp", level, last.pte);
  if (meaning.kind !== "leaf") return;
  for (let offset = 0n; offset < bytes; offset += PAGE) {
    const at = meaning.to + (start & (meaning.bytes - 1n)) + offset;
    const reason = strangerAt(view, domain, at, last);
    if (reason === undefined) continue;
    yield {
      invariant: "I1",
      object: `remembered page ${hex(start + offset)} of domain ${domain} on hart ${hart.id}`,
      sentence: `Hart ${hart.id} still remembers that ${hex(start + offset)} of domain ${domain} is ${hex(at)}, and ${reason}: an HFENCE.VVMA is missing.`,
    };
    return;
  }
}

/** Why a guest has no business at an address any more. */
function strangerAt(
  view: FrameView,
  domain: number,
  at: bigint,
  { address, pte }: RememberedLeaf["path"][number],
): string | undefined {
  const frame = Number((at - view.state.frameAddress(0)) / PAGE);
  if (at < view.state.frameAddress(0) || frame >= view.book.frameCount) return "that is no RAM";
  const entry = view.book.entryOf(frame);
  const use: GuestUse = { kind: "leaf", domain, level: 0, table: 0, at: address, entry: pte };
  if (entry.owner !== domain && wasGranted(view, frame, use, entry.owner)) return undefined;
  if (entry.owner !== domain) return `frame ${frame} is ${belongings(entry)} now`;
  return tableLevel(entry.type) >= 0 && letsWrite(use) ? `frame ${frame} holds page tables now` : undefined;
}
