/**
 * Roots: which tables a paravirtualized guest uses. Without a second stage nothing but `vsatp` stands between it and the machine, so it
 * never has another root than one that was checked, and never none.
 *
 * `hgatp` is all zero while such a guest runs: with MODE Bare the manual wants the other fields to be zero, VMID among them. What a hart
 * remembers of all these guests is therefore under VMID 0, which no domain with a second stage has; ASIDs tell them apart.
 *
 * @spec norm:hgatp_mode_bare @spec norm:hgatp_mode_bare_trans
 */
import { type GVA, type HPA, hpa } from "../../hs/address.ts";
import { decodeCsr, encodeCsr } from "../../isa/csr-map.ts";
import { Fault } from "../errors.ts";
import { refer } from "../frames.ts";
import type { Host, Visit } from "../host.ts";
import { asidOf, DomainFlag, type DomainView, PAGE_SHIFT, TableFlag, type VcpuView } from "../layout.ts";
import { allowance, getTyped, ownFrame, putTyped, ROOT, tableOf } from "./page-types.ts";

const SV39 = 8n;

/** Whether a domain is paravirtualized. */
export const isParavirtual = ({ flags }: DomainView): boolean => (flags & DomainFlag.PARAVIRTUAL) !== 0;

/** `vsatp` for a virtual CPU of a paravirtualized domain. */
export const vsatpOf = (root: HPA, { domain, number }: VcpuView): bigint =>
  encodeCsr("vsatp", { MODE: SV39, ASID: asidOf(domain, number), PPN: root >> PAGE_SHIFT });

/** The root that a value of `vsatp` names. */
export const rootOf = (vsatp: bigint): HPA => hpa(decodeCsr("vsatp", vsatp).PPN << PAGE_SHIFT);

/**
 * Forgets what the hart remembers of paravirtualized guests: of one address, or all. HFENCE.VVMA is about the VMID in `hgatp`, so one of
 * these guests must be the hart's.
 * @spec norm:hfence-vvma_limits
 */
export const fenceGuests = ({ context }: Pick<Host, "context">, address?: GVA): void =>
  context.fenceGuestTranslations(address);

/** The same, whoever has the hart: for a moment it is as if nobody had it. */
export function forgetGuests({ context }: Pick<Host, "context">): void {
  const { csr } = context;
  const [hgatp, vsatp] = [csr.read("hgatp"), csr.read("vsatp")];
  csr.write("vsatp", 0n);
  csr.write("hgatp", 0n);
  fenceGuests({ context });
  csr.write("hgatp", hgatp);
  csr.write("vsatp", vsatp);
}

/** Makes a frame a table of a level for as long as the guest wants it to be one. */
export function pinTable(visit: Visit, address: bigint, level: bigint): bigint {
  const at = hpa(address);
  if (address % 4096n !== 0n || level > BigInt(ROOT)) return Fault.INVALID;
  const frame = ownFrame(visit, visit.domain.id, at);
  if (frame === undefined) return Fault.NOT_PERMITTED;
  if ((frame.flags & TableFlag.PINNED) !== 0) return Fault.BUSY;
  const refused = getTyped(visit, visit.domain.id, at, tableOf(Number(level)), allowance());
  if (refused === 0n) frame.flags |= TableFlag.PINNED;
  return refused;
}

/** Takes the pin out again. The frame is a table as long as anything uses it as one. */
export function unpinTable(visit: Visit, address: bigint): bigint {
  const at = hpa(address);
  const frame = address % 4096n === 0n ? ownFrame(visit, visit.domain.id, at) : undefined;
  if (frame === undefined || (frame.flags & TableFlag.PINNED) === 0) return Fault.NO_ENTRY;
  frame.flags &= ~TableFlag.PINNED;
  putTyped(visit, at);
  return 0n;
}

/**
 * Goes on with another root. The fence is for the old one, whose tables may be anything from now on.
 *
 * @param address  Machine address of a frame that is a root, or can be one.
 */
export function setRoot(visit: Visit, address: bigint): bigint {
  const { context, domain, vcpu } = visit;
  const root = hpa(address);
  if (address % 4096n !== 0n) return Fault.INVALID;
  const refused = getTyped(visit, domain.id, root, tableOf(ROOT), allowance());
  if (refused !== 0n) return refused;
  const old = rootOf(context.csr.read("vsatp"));
  context.csr.write("vsatp", vsatpOf(root, vcpu));
  fenceGuests(visit);
  putTyped(visit, old);
  return 0n;
}

/**
 * The root with which a virtual CPU begins that another one starts: that one's. The one that it had when it was stopped goes, and is
 * fenced before: this CPU keeps its ASID, under which harts may still know what those tables said.
 *
 * @returns Its `vsatp`; 0, no tables, where there is a second stage.
 */
export function inheritRoot(visit: Visit, target: VcpuView): bigint {
  if (!isParavirtual(visit.domain)) return 0n;
  const root = rootOf(visit.context.csr.read("vsatp"));
  refer(visit, root, true);
  const { vsatp } = target.vs;
  if (vsatp !== 0n) {
    fenceGuests(visit);
    putTyped(visit, rootOf(vsatp));
  }
  return vsatpOf(root, target);
}
