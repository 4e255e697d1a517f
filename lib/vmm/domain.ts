/** Domains: how they are built out of what the loader has left, how their memory comes to them page by page, and how they end. */
import { beyond, type GPA, gpa, type HPA, hpa, pageOf } from "../hs/address.ts";
import { unshare } from "./copy-on-write.ts";
import { isLogged, logStore, markDirty } from "./dirty-log.ts";
import { adoptFrame, disown, isSharedFrame, takeFrame, takeRun } from "./frames.ts";
import type { Host, Visit } from "./host.ts";
import { LARGE_BYTES, LARGE_PAGES, mapLargePage, mayMapLarge } from "./large-pages.ts";
import {
  BOOT_PIECES,
  Domain,
  DomainFlag,
  DomainState,
  type DomainView,
  FrameType,
  PAGE_BYTES,
  PAGE_SHIFT,
  VCPUS,
  VcpuState,
  type VcpuView,
  VirtioSlot,
} from "./layout.ts";
import { ownMemory } from "./paravirtual/page-types.ts";
import { isParavirtual } from "./paravirtual/roots.ts";
import { writeBytes } from "./records.ts";
import { ALL_RIGHTS, lookUp, type Mapped, makeTablesFor, mapPage, Right } from "./second-stage.ts";
import { resetVcpu, startVcpu } from "./vcpu.ts";

/** Where guests find RAM, as on the board. */
export const GUEST_RAM = gpa(0x8000_0000n);

/** Sets up the frame pool: everything from the end of the hypervisor's image to what the loader has left. */
export function buildPool({ map, state }: Host): void {
  const { pool, bootInfo } = state;
  const [first, end] = [state.frameNumber(map.end), state.frameNumber(bootInfo.poolEnd)];
  pool.first = first;
  pool.end = end;
  pool.untouched = first;
  pool.head = 0;
  pool.free = end - first;
}

/** Builds the domains that the loader has left, and makes the first virtual CPU of each ready. */
export function buildDomains(host: Host): void {
  const count = host.state.bootInfo.domains;
  for (let index = 0; index < count; index++) buildDomain(host, index);
}

function buildDomain({ state }: Host, index: number): void {
  const boot = state.bootInfo.domain.get(index);
  const id = index + 1;
  const domain = state.domain(id);
  domain.id = id;
  domain.state = DomainState.RUNNING;
  domain.flags = boot.flags;
  domain.root = state.root(id);
  domain.ramBase = GUEST_RAM;
  domain.ramBytes = boot.ramBytes;
  domain.entry = boot.entry;
  domain.tree = boot.tree;
  domain.maxFrames = maxFramesFor(boot.ramBytes, boot.diskBytes);
  domain.weight = boot.weight;
  domain.cap = boot.cap;
  domain.virtio.diskBytes = boot.diskBytes;
  domain.virtio.devices.get(VirtioSlot.DISK).present = boot.diskBytes === 0n ? 0 : 1;
  plugConsole(domain);
  const { vcpus } = boot;
  // On a bare board all harts begin; firmware starts the others when it is asked.
  const isBare = (boot.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  for (let number = 0; number < vcpus; number++) {
    const vcpu = freeVcpu({ state });
    if (vcpu === undefined) return;
    resetVcpu(vcpu, domain, number);
    if ((number === 0 && !isParavirtual(domain)) || isBare) startVcpu(vcpu, boot.entry, boot.tree);
  }
}

/** The virtio console, if the domain's flags say that it has one. */
export function plugConsole({ flags, virtio }: DomainView): void {
  virtio.devices.get(VirtioSlot.CONSOLE).present = (flags & DomainFlag.HAS_VIRTIO_CONSOLE) === 0 ? 0 : 1;
}

/** All its RAM, and the tables that map it: one for each 2 MiB, and those above; and its disk. */
export const maxFramesFor = (ramBytes: bigint, diskBytes = 0n): number =>
  Number((ramBytes >> PAGE_SHIFT) + (ramBytes >> (PAGE_SHIFT + 9n)) + (diskBytes >> PAGE_SHIFT)) + 9;

/** Virtual CPUs that nobody has. */
export const freeVcpus = ({ state }: Pick<Host, "state">): VcpuView[] =>
  vcpusIn(state).filter((vcpu) => vcpu.state === VcpuState.NONE);

export const freeVcpu = (host: Pick<Host, "state">): VcpuView | undefined => freeVcpus(host)[0];

/** All virtual CPUs, those that do not exist included. */
const vcpusIn = (state: Host["state"]): VcpuView[] =>
  Array.from({ length: VCPUS }, (_, index) => state.vcpu(index));

/** The virtual CPUs that exist. */
export const allVcpus = ({ state }: Pick<Host, "state">): VcpuView[] =>
  vcpusIn(state).filter((vcpu) => vcpu.state !== VcpuState.NONE);

/** A domain's, by number. */
export const vcpusOf = (host: Pick<Host, "state">, domain: number): VcpuView[] =>
  allVcpus(host).filter((vcpu) => vcpu.domain === domain);

/** Whether a domain runs, and is not standing still: paused, or on its way to another machine. */
export const goesOn = (host: Pick<Host, "state">, { id, state }: DomainView): boolean =>
  state === DomainState.RUNNING && vcpusOf(host, id).every((vcpu) => vcpu.state !== VcpuState.PAUSED);

/** Whether a guest-physical address is RAM of the domain. */
export const isGuestRam = ({ ramBase, ramBytes }: DomainView, address: bigint): boolean =>
  address >= ramBase && address < ramBase + ramBytes;

/**
 * Gives a domain a page of its RAM that it has not used before: a page of its image or device tree, if it lies there, else a frame
 * out of the pool.
 *
 * @returns Where it lies; `undefined`: the machine, or what the domain may have, is used up.
 */
export function populate(host: Host, domain: DomainView, address: GPA): HPA | undefined {
  const page = pageOf(address);
  const large = populateLarge(host, domain, pageOf(address, LARGE_BYTES));
  if (large !== undefined) return beyond(large, page % LARGE_BYTES);
  const { id } = domain;
  // Tables first: a page that the loader has left, and that was taken and could not be mapped, would be lost.
  if (!makeTablesFor(host, id, page)) return undefined;
  const loaded = loadedPage(host, id, page);
  const frame = loaded ?? takeFrame(host, id, FrameType.RAM);
  if (frame === undefined) return undefined;
  if (loaded !== undefined) adoptFrame(host, frame, id);
  if (mapPage(host, id, page, frame, ALL_RIGHTS)) {
    markDirty(host, domain, page);
    return frame;
  }
  disown(host, frame);
  return undefined;
}

/**
 * Gives a domain that wants large pages 2 MiB at once, where nothing was used yet, nothing was left by the loader, and the machine has
 * frames in a row. While stores are logged, pages come one by one.
 */
function populateLarge(host: Host, domain: DomainView, page: GPA): HPA | undefined {
  const { id, flags } = domain;
  if ((flags & DomainFlag.LARGE_PAGES) === 0 || isLogged(host, domain)) return undefined;
  const isWhole = isGuestRam(domain, page) && isGuestRam(domain, page + LARGE_BYTES - 1n);
  if (!isWhole || isLoaded(host, id, page, LARGE_BYTES) || !mayMapLarge(host, id, page)) return undefined;
  const frames = takeRun(host, id, LARGE_PAGES);
  if (frames === undefined || mapLargePage(host, id, page, frames, ALL_RIGHTS)) return frames;
  for (let each = 0; each < LARGE_PAGES; each++) disown(host, beyond(frames, each * PAGE_BYTES));
  return undefined;
}

/** Whether the loader has left something for a range of a domain's RAM. */
function isLoaded({ state }: Pick<Host, "state">, domain: number, start: GPA, size: bigint): boolean {
  const { pieces } = state.bootInfo.domain.get(domain - 1);
  for (let index = 0; index < BOOT_PIECES; index++) {
    const { at, bytes } = pieces.get(index);
    if (bytes !== 0n && at < start + size && start < at + bytes) return true;
  }
  return false;
}

/** The page that the loader has left for a guest-physical page, as long as nobody has had its frame. */
export function loadedPage({ state }: Pick<Host, "state">, domain: number, page: GPA): HPA | undefined {
  const { pieces } = state.bootInfo.domain.get(domain - 1);
  for (let index = 0; index < BOOT_PIECES; index++) {
    const { at, bytes, from } = pieces.get(index);
    if (page < at || page >= at + bytes) continue;
    const address = beyond(from, page - at);
    const { type, flags } = state.frame(state.frameNumber(address));
    return type === FrameType.FREE && flags === 0 ? address : undefined;
  }
  return undefined;
}

/**
 * Host-physical address of a byte of a domain's RAM, which is given to it if need be; `undefined` outside it. Whoever asks may store
 * there. A paravirtualized domain's addresses are the machine's own.
 */
export function ramAddress(host: Host, domain: DomainView, address: GPA): HPA | undefined {
  if (isParavirtual(domain)) return ownMemory(host, domain.id, hpa(address));
  if (!isGuestRam(domain, address)) return undefined;
  const mapped = lookUp(host, domain.id, pageOf(address));
  const frame =
    mapped === undefined ? populate(host, domain, address) : writable(host, domain, address, mapped);
  return frame === undefined ? undefined : hpa(frame | (address & BigInt(PAGE_BYTES - 1)));
}

/** Where a page that is mapped may be stored to. */
function writable(host: Host, domain: DomainView, address: GPA, { at, rights }: Mapped): HPA | undefined {
  if ((rights & Right.WRITE) !== 0n) return at;
  if (isSharedFrame(host, at)) return unshare(host, domain, address);
  logStore(host, domain, address);
  return at;
}

/** What the loader has left for a page, and nobody has used, becomes the pool's. */
export function dropLoaded(host: Host, domain: number, page: GPA): void {
  const frame = loadedPage(host, domain, page);
  if (frame === undefined) return;
  adoptFrame(host, frame, domain);
  disown(host, frame);
}

/** Nothing is left of a domain, and its number is free. */
export function forgetDomain({ context, state }: Host, { id, address }: DomainView): void {
  const { disk, pieces } = state.bootInfo.domain.get(id - 1);
  for (let index = 0; index < BOOT_PIECES; index++) pieces.get(index).bytes = 0n;
  disk.bytes = 0n;
  writeBytes(context, address, new Uint8Array(Domain.sizeBytes));
}

/** Stops all virtual CPUs of a domain. The one that runs is switched away from when the scheduler is asked next. */
function endDomain(host: Host, domain: DomainView, state: number): void {
  domain.state = state;
  for (const vcpu of vcpusOf(host, domain.id)) vcpu.state = VcpuState.STOPPED;
}

/** A domain has switched itself off. */
export function switchOff(visit: Visit, exitCode: bigint): void {
  visit.domain.exitCode = exitCode;
  endDomain(visit, visit.domain, DomainState.OFF);
}

/** A domain did something that nobody can make good: it is stopped, and says why. The hypervisor and the others go on. */
export function crash(visit: Visit): void {
  const { csr } = visit.context;
  const [cause, pc, value] = [csr.read("scause"), csr.read("sepc"), csr.read("stval")];
  crashAt(visit, visit.domain, { cause, pc, value });
}

/** The same for what it did before, in a trap that is over. */
export function crashAt(
  host: Host,
  domain: DomainView,
  { cause, pc, value }: Record<"cause" | "pc" | "value", bigint>,
): void {
  domain.crashCause = cause;
  domain.crashPc = pc;
  domain.crashValue = value;
  endDomain(host, domain, DomainState.CRASHED);
}
