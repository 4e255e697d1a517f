/**
 * A domain that comes from another machine. What is told of it is as trustworthy as the wire: a guest's registers may hold anything, and
 * what is the hypervisor's (its `hgatp`, its rights, where its structures lie) is never taken from a record.
 */
import { gpa } from "../hs/address.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import { diskPage } from "./disk-pages.ts";
import { freeVcpu, GUEST_RAM, maxFramesFor, vcpusOf } from "./domain.ts";
import { disown, takeFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import {
  DOMAIN_VCPUS,
  DOMAINS,
  DomainFlag,
  DomainState,
  type DomainView,
  FrameType,
  MigrationReason,
  PAGE_BYTES,
  TYPED_BYTES,
  Vcpu,
  VcpuState,
  type VcpuView,
  VIRTIO_DEVICES,
  VIRTIO_QUEUES,
} from "./layout.ts";
import { beginLeaving } from "./leaving.ts";
import { MOVABLE, type Piece, piecesOf } from "./migration-pieces.ts";
import { type Record, writeBytes } from "./records.ts";
import { ALL_RIGHTS, lookUp, mapPage } from "./second-stage.ts";
import { hearTyped } from "./typing.ts";
import { GUEST_EXCEPTIONS, hgatpOf, resetVcpu, VSEI, VSSI, VSTI } from "./vcpu.ts";
import { MAX_QUEUE_SIZE } from "./virtio/rings.ts";

const GUEST_INTERRUPTS = VSSI | VSTI | VSEI;
const SPP = encodeCsr("sstatus", { SPP: 1 });
/** What may differ between guests in `hstatus`, and what is so for all. */
const HSTATUS_OPEN = encodeCsr("hstatus", { SPVP: 1, VTVM: 1, VTSR: 1 });
const HSTATUS_FIXED = encodeCsr("hstatus", { SPV: 1, VTW: 1 });
const HENVCFG = encodeCsr("henvcfg", { STCE: 1, ADUE: 1, PBMTE: 1 });
export const arriving = ({ state }: Host): DomainView => state.domain(state.migration.domain);

/** A domain of the kind that the other machine describes, with no memory. Why it cannot be, or 0. */
export function admit(host: Host, record: Record): number {
  const { state } = host;
  const [ramBytes, flags, entry, tree] = [0, 1, 2, 3].map((index) => record.word(index)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const [vcpus, diskBytes] = [Number(record.word(6)), record.word(8)];
  if (ramBytes === 0n || ramBytes % BigInt(PAGE_BYTES) !== 0n) return MigrationReason.INVALID;
  if (ramBytes + diskBytes > host.map.ram.sizeBytes) return MigrationReason.TOO_LARGE;
  if (vcpus < 1 || vcpus > DOMAIN_VCPUS || (flags & ~BigInt(MOVABLE)) !== 0n) return MigrationReason.INVALID;
  const id = freeDomain(host);
  if (id === undefined || diskBytes > BigInt(state.diskPages(id).length * PAGE_BYTES))
    return MigrationReason.NO_ROOM;
  const domain = state.domain(id);
  state.migration.domain = id;
  domain.id = id;
  domain.state = DomainState.ARRIVING;
  domain.flags = Number(flags) & (hasTerminal(host) ? ~DomainFlag.HAS_TERMINAL : MOVABLE);
  domain.root = state.root(id);
  domain.ramBase = GUEST_RAM;
  domain.ramBytes = ramBytes;
  domain.entry = gpa(entry);
  domain.tree = gpa(tree);
  domain.maxFrames = maxFramesFor(ramBytes, diskBytes);
  domain.virtio.diskBytes = diskBytes;
  domain.weight = Number(record.word(4) & 0xffffn);
  domain.cap = Number(record.word(5) & 0xffffn);
  state.migration.isSaved = record.word(7);
  for (let number = 0; number < vcpus; number++) {
    const vcpu = freeVcpu(host);
    if (vcpu === undefined) return MigrationReason.NO_ROOM;
    resetVcpu(vcpu, domain, number);
    vcpu.state = VcpuState.PAUSED;
    vcpu.paused = VcpuState.STOPPED;
  }
  return MigrationReason.NONE;
}

function freeDomain({ state }: Host): number | undefined {
  for (let id = state.bootInfo.domains + 1; id < DOMAINS; id++)
    if (state.domain(id).state === DomainState.NONE) return id;
  return undefined;
}

/** Whether somebody is at the terminal who may still print. One that has moved away, or ended, leaves it to others. */
function hasTerminal({ state }: Host): boolean {
  const alive: readonly number[] = [DomainState.RUNNING, DomainState.BUILDING, DomainState.ARRIVING];
  for (let id = 1; id < DOMAINS; id++) {
    const domain = state.domain(id);
    if ((domain.flags & DomainFlag.HAS_TERMINAL) !== 0 && alive.includes(domain.state)) return true;
  }
  return false;
}

/** Whether a record is about a page that the domain may have. */
export function isPage({ ramBytes, virtio: { diskBytes } }: DomainView, record: Record): boolean {
  const { length } = record.bytesFrom(1);
  const pages = (ramBytes + diskBytes + BigInt(PAGE_BYTES - 1)) / BigInt(PAGE_BYTES);
  return record.word(0) < pages && (length === 0 || length === PAGE_BYTES);
}

/** Gives a domain a page by number: of its RAM, or behind that of its disk. False: no frame is left. */
export function fillNumbered(host: Host, domain: DomainView, number: bigint, bytes: Uint8Array): boolean {
  const ramPages = domain.ramBytes / BigInt(PAGE_BYTES);
  if (number < ramPages) return fillPage(host, domain, domain.ramBase + number * BigInt(PAGE_BYTES), bytes);
  const at = diskPage(host, domain.id, Number(number - ramPages));
  if (at !== undefined) writeBytes(host.context, at, bytes.length === 0 ? new Uint8Array(PAGE_BYTES) : bytes);
  return at !== undefined;
}

/** Gives a domain bytes at a guest-physical page. False: no frame is left for them. */
export function fillPage(host: Host, { id }: DomainView, at: bigint, bytes: Uint8Array): boolean {
  const page = gpa(at);
  const present = lookUp(host, id, page)?.at;
  const frame = present ?? takeFrame(host, id, FrameType.RAM);
  if (frame === undefined) return false;
  if (present === undefined && !mapPage(host, id, page, frame, ALL_RIGHTS)) {
    disown(host, frame);
    return false;
  }
  writeBytes(host.context, frame, bytes.length === 0 ? new Uint8Array(PAGE_BYTES) : bytes);
  return true;
}

/** The piece that a record is about, as long as it can be one. */
export function pieceOf(host: Host, domain: DomainView, record: Record): Piece | undefined {
  const piece = piecesOf(domain, vcpusOf(host, domain.id))[Number(record.word(0))];
  const { length } = record.bytesFrom(1);
  return length === 0 || length === piece?.bytes ? piece : undefined;
}

/** Puts a piece in its place. What of virtual CPUs is this hypervisor's stays so, whatever came: whose they are, too. */
export function applyPiece(
  host: Host,
  domain: DomainView,
  { at, bytes: size }: Piece,
  bytes: Uint8Array,
): void {
  const vcpus = vcpusOf(host, domain.id);
  const { diskBytes } = domain.virtio;
  writeBytes(host.context, at, bytes.length === 0 ? new Uint8Array(size) : bytes);
  domain.virtio.diskBytes = diskBytes;
  for (const [number, vcpu] of vcpus.entries()) keepOwn(domain, vcpu, number);
}

function keepOwn(domain: DomainView, vcpu: VcpuView, number: number): void {
  const { vs, machine } = vcpu;
  vcpu.domain = domain.id;
  vcpu.number = number;
  vcpu.state = VcpuState.PAUSED;
  vs.hgatp = hgatpOf(domain.root, domain.id);
  vs.hstatus = (vs.hstatus & HSTATUS_OPEN) | HSTATUS_FIXED;
  vs.hedeleg &= GUEST_EXCEPTIONS;
  vs.hideleg &= GUEST_INTERRUPTS;
  vs.hie &= GUEST_INTERRUPTS;
  vs.hvip &= GUEST_INTERRUPTS;
  vs.henvcfg &= HENVCFG;
  vs.sstatus &= SPP;
  const isOwn = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  if (machine.mode !== 0n) machine.mode = isOwn ? 3n : 0n;
}

/** Whether the hypervisor can go on with what came. */
export function isSound(host: Host, { id, uart, virtio }: DomainView): boolean {
  const states: readonly number[] = [VcpuState.STOPPED, VcpuState.READY, VcpuState.BLOCKED];
  return (
    uart.typed - uart.read >= 0 &&
    uart.typed - uart.read <= TYPED_BYTES &&
    vcpusOf(host, id).every(({ paused }) => states.includes(paused)) &&
    queuesOf(virtio).every(({ size }) => size <= MAX_QUEUE_SIZE)
  );
}

const queuesOf = ({ devices }: DomainView["virtio"]) =>
  Array.from({ length: VIRTIO_DEVICES }, (_, device) =>
    Array.from({ length: VIRTIO_QUEUES }, (_, queue) => devices.get(device).queues.get(queue)),
  ).flat();

/** The guest goes on here. Its time goes on where it stood still. */
export function beginHere(host: Host, domain: DomainView, now: bigint): void {
  const { migration } = host.state;
  for (const vcpu of vcpusOf(host, domain.id)) {
    vcpu.vs.htimedelta = BigInt.asUintN(64, vcpu.vs.htimedelta + migration.sourceTime - now);
    vcpu.state = vcpu.paused;
    const { schedule } = vcpu;
    schedule.credit = 0n;
    schedule.turn = 0n;
    schedule.ranInPeriod = 0n;
    schedule.since = now;
  }
  domain.state = DomainState.RUNNING;
  migration.wentOnAt = now;
  hearTyped(host, domain);
}

/** Everything that came is thrown away. */
export function throwAway(host: Host): void {
  const { domain: id } = host.state.migration;
  if (id === 0 || host.state.domain(id).state !== DomainState.ARRIVING) return;
  for (const { address } of vcpusOf(host, id))
    writeBytes(host.context, address, new Uint8Array(Vcpu.sizeBytes));
  beginLeaving(host, id);
}
