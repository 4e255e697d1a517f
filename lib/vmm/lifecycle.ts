/**
 * Domains come and go while the machine runs: put together empty, filled, started, paused, and destroyed. The operator orders it, or a
 * domain that is privileged asks for it. One that switched itself off or crashed stays, with its memory, until somebody destroys it.
 *
 * What becomes of a destroyed domain's pages that others map is Xen's rule: each lives until its last mapping goes, and until then its owner's
 * number is not given to another.
 */
import { beyond, gpa, type HPA } from "../hs/address.ts";
import { freeVcpus, GUEST_RAM, maxFramesFor, plugConsole, ramAddress, vcpusOf } from "./domain.ts";
import { Fault } from "./errors.ts";
import { closePortsTo } from "./events.ts";
import { dropGrants } from "./grants.ts";
import type { Host } from "./host.ts";
import {
  Balloon,
  DOMAIN_VCPUS,
  DOMAINS,
  DomainFlag,
  DomainState,
  type DomainView,
  MigrationRole,
  MOST_FRAMES,
  PAGE_BYTES,
  Vcpu,
  VcpuState,
} from "./layout.ts";
import { beginLeaving } from "./leaving.ts";
import { dismantleParavirtual } from "./paravirtual/dismantling.ts";
import { isParavirtual } from "./paravirtual/roots.ts";
import { writeBytes } from "./records.ts";
import { resetVcpu, startVcpu } from "./vcpu.ts";
import { feedConsole } from "./virtio/registers.ts";
import { forgetLog, isLoggedDomain } from "./vm-log.ts";

/** A domain that is wanted. */
export interface Wanted {
  readonly ramBytes: bigint;
  readonly vcpus: bigint;
  /** Bits of {@link DomainFlag}. */
  readonly flags: bigint;
  /** Frames that it may have; 0: all its RAM and the tables for it. */
  readonly maxFrames: bigint;
}

const WEIGHT = 256;

/** An empty domain, whose virtual CPUs are stopped. Its number. */
export function createDomain(host: Host, { ramBytes, vcpus, flags, maxFrames }: Wanted): bigint {
  const { state } = host;
  const isSize = ramBytes > 0n && ramBytes % BigInt(PAGE_BYTES) === 0n && ramBytes <= host.map.ram.sizeBytes;
  // Only the domain builder makes first page tables (`paravirtual/builder.ts`); without them the machine would be the guest's.
  const isUnbuilt = (flags & BigInt(DomainFlag.PARAVIRTUAL)) !== 0n;
  if (maxFrames > MOST_FRAMES || !isSize || isUnbuilt || vcpus < 1n || vcpus > BigInt(DOMAIN_VCPUS))
    return Fault.INVALID;
  const id = freeNumber(host);
  const free = freeVcpus(host).slice(0, Number(vcpus));
  if (id === undefined || free.length < Number(vcpus)) return Fault.NO_SPACE;
  const domain = state.domain(id);
  domain.id = id;
  domain.state = DomainState.BUILDING;
  domain.flags = Number(flags);
  domain.root = state.root(id);
  domain.ramBase = GUEST_RAM;
  domain.ramBytes = ramBytes;
  domain.maxFrames = maxFrames === 0n ? maxFramesFor(ramBytes) : Number(maxFrames);
  domain.weight = WEIGHT;
  plugConsole(domain);
  for (const [place, vcpu] of free.entries()) {
    // Whoever had it before has left registers.
    writeBytes(host.context, vcpu.address, new Uint8Array(Vcpu.sizeBytes));
    resetVcpu(vcpu, domain, place);
  }
  return BigInt(id);
}

function freeNumber({ state }: Host): number | undefined {
  for (let id = 1; id < DOMAINS; id++) if (state.domain(id).state === DomainState.NONE) return id;
  return undefined;
}

/** A domain by the number that somebody gives; `undefined` for numbers of none, and for one that only migration may touch. */
function domainAt({ state }: Host, number: bigint): DomainView | undefined {
  if (number < 1n || number >= BigInt(DOMAINS)) return undefined;
  const domain = state.domain(Number(number));
  const untouchable: readonly number[] = [DomainState.NONE, DomainState.DYING, DomainState.ARRIVING];
  return untouchable.includes(domain.state) ? undefined : domain;
}

/** Copies bytes within a page to a domain that is being put together. */
export function writeDomain(host: Host, number: bigint, address: bigint, from: HPA, bytes: bigint): bigint {
  const { context } = host;
  const domain = domainAt(host, number);
  if (domain === undefined) return Fault.NO_DOMAIN;
  if (domain.state !== DomainState.BUILDING) return Fault.BUSY;
  const page = BigInt(PAGE_BYTES);
  if (bytes > page - (address % page)) return Fault.INVALID;
  const to = ramAddress(host, domain, gpa(address));
  if (to === undefined) return Fault.BAD_ADDRESS;
  for (let done = 0n; done < bytes; done += 1n)
    context.store(beyond(to, done), 1, context.load(beyond(from, done), 1));
  return bytes;
}

/** Lets a domain that was put together begin, where and with which `a1`. On a bare board all harts begin. */
export function startDomain(host: Host, number: bigint, entry: bigint, argument: bigint): bigint {
  const domain = domainAt(host, number);
  if (domain === undefined) return Fault.NO_DOMAIN;
  if (domain.state !== DomainState.BUILDING) return Fault.BUSY;
  domain.entry = gpa(entry);
  domain.tree = gpa(argument);
  domain.state = DomainState.RUNNING;
  const isBare = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  for (const vcpu of vcpusOf(host, domain.id))
    if (vcpu.number === 0 || isBare) startVcpu(vcpu, entry, argument);
  return 0n;
}

/** Whether a domain is on its way to another machine, or runs under a log that says when what happens. */
const isBound = (host: Host, domain: DomainView): boolean => {
  const { migration, leaving } = host.state;
  const isMigrating = migration.role !== MigrationRole.NONE && migration.domain === domain.id;
  const isLogged = isLoggedDomain(host, domain) && domain.state === DomainState.RUNNING;
  return leaving.domain === domain.id || isMigrating || isLogged;
};

/** Sets how many frames a domain may have. What it has already stays its own. */
export function limitDomain(host: Host, number: bigint, frames: bigint): bigint {
  const domain = domainAt(host, number);
  if (domain === undefined) return Fault.NO_DOMAIN;
  if (frames > MOST_FRAMES) return Fault.INVALID;
  domain.maxFrames = Number(frames);
  return 0n;
}

/** Stops a domain until it is let go on. */
export function pauseDomain(host: Host, number: bigint): bigint {
  const domain = domainAt(host, number);
  if (domain?.state !== DomainState.RUNNING) return Fault.NO_DOMAIN;
  if (isBound(host, domain)) return Fault.BUSY;
  for (const vcpu of vcpusOf(host, domain.id)) {
    if (vcpu.state === VcpuState.PAUSED || vcpu.state === VcpuState.STOPPED) continue;
    vcpu.paused = vcpu.state;
    vcpu.state = VcpuState.PAUSED;
  }
  return 0n;
}

/** Lets a domain go on. One that slept is awake: what it waited for may have come meanwhile. */
export function unpauseDomain(host: Host, number: bigint): bigint {
  const domain = domainAt(host, number);
  if (domain?.state !== DomainState.RUNNING) return Fault.NO_DOMAIN;
  if (isBound(host, domain)) return Fault.BUSY;
  for (const vcpu of vcpusOf(host, domain.id))
    if (vcpu.state === VcpuState.PAUSED) vcpu.state = VcpuState.READY;
  feedConsole({ ...host, domain });
  return 0n;
}

/**
 * Ends a domain, whatever it does. From here on nothing of it runs, nobody hears from it, and nothing can be granted to it; its memory goes
 * visit by visit (`leaving.ts`), and its number with the last page.
 */
export function destroyDomain(host: Host, number: bigint): bigint {
  const domain = domainAt(host, number);
  const { state } = host;
  if (domain === undefined) return Fault.NO_DOMAIN;
  if (isBound(host, domain) || state.leaving.domain !== 0) return Fault.BUSY;
  const { id } = domain;
  forgetLog(host, domain);
  for (const vcpu of vcpusOf(host, id)) vcpu.state = VcpuState.NONE;
  domain.state = DomainState.DYING;
  closePortsTo(host, id);
  dropGrants(host, domain);
  if (isParavirtual(domain)) dismantleParavirtual(host, domain);
  writeBytes(host.context, state.balloon(id).address, new Uint8Array(Balloon.sizeBytes));
  beginLeaving(host, id);
  return 0n;
}
