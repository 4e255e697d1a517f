/**
 * The machine that a domain comes to. What it is told is as trustworthy as the wire: a guest's registers may hold anything, and what
 * is the hypervisor's (its `hgatp`, its rights, where its structures lie) is never taken from a record.
 */
import { gpa } from "../hs/address.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import { freeVcpu, GUEST_RAM, maxFramesFor, vcpusOf } from "./domain.ts";
import { takeFrame } from "./frames.ts";
import type { Host } from "./host.ts";
import {
  DOMAIN_VCPUS,
  DOMAINS,
  Domain,
  DomainFlag,
  DomainState,
  type DomainView,
  FrameType,
  MigrationOrder,
  MigrationPhase,
  MigrationReason,
  MigrationRole,
  PAGE_BYTES,
  Vcpu,
  VcpuState,
  type VcpuView,
} from "./layout.ts";
import { piecesOf } from "./migration-pieces.ts";
import { SILENCE_TICKS } from "./migration-source.ts";
import { type Record, RecordKind, sendAnswer, takeRecord, writeBytes } from "./records.ts";
import { hostTime } from "./scheduler.ts";
import { ALL_RIGHTS, dismantle, lookUp, mapPage } from "./second-stage.ts";
import { GUEST_EXCEPTIONS, hgatpOf, resetVcpu, VSEI, VSSI, VSTI } from "./vcpu.ts";

const TYPED_BYTES = 64;
const GUEST_INTERRUPTS = VSSI | VSTI | VSEI;
const SPP = encodeCsr("sstatus", { SPP: 1 });
/** What may differ between guests in `hstatus`, and what is so for all. */
const HSTATUS_OPEN = encodeCsr("hstatus", { SPVP: 1, VTVM: 1, VTSR: 1 });
const HSTATUS_FIXED = encodeCsr("hstatus", { SPV: 1, VTW: 1 });
const HENVCFG = encodeCsr("henvcfg", { STCE: 1, ADUE: 1, PBMTE: 1 });

/** One visit: at most one record. */
export function serveDestination(host: Host): void {
  const { migration } = host.state;
  const { phase, order } = migration;
  const now = hostTime(host);
  if (phase === MigrationPhase.DONE || phase === MigrationPhase.GIVEN_UP || phase === MigrationPhase.IDLE)
    return;
  const isPrepared = phase === MigrationPhase.PREPARED;
  if (isPrepared && order !== MigrationOrder.NONE) {
    if (order === MigrationOrder.BEGIN) run(host, now);
    else refuse(host, MigrationReason.ORDERED);
    return;
  }
  const record = takeRecord(host, true);
  if (record === undefined) waitOn(host, now);
  else if (record === "corrupted") {
    // Whoever has said that all has come cannot take that back: the source may have let go.
    if (isPrepared) migration.reason = MigrationReason.CORRUPTED;
    else refuse(host, MigrationReason.CORRUPTED);
  } else {
    migration.heardAt = now;
    const reason = take(host, record, now);
    if (reason !== MigrationReason.NONE) refuse(host, reason);
  }
}

/** Nothing whole has come. Before the first byte, and when all has come, there is no hurry. */
function waitOn(host: Host, now: bigint): void {
  const { phase, heardAt, inbox } = host.state.migration;
  const isPatient =
    phase === MigrationPhase.PREPARED || (phase === MigrationPhase.WAITING && inbox.length === 0n);
  if (isPatient) host.state.migration.heardAt = now;
  else if (now - heardAt > SILENCE_TICKS) refuse(host, MigrationReason.SILENCE);
}

/** Does what a record says. Why it cannot be done, or 0. */
function take(host: Host, record: Record, now: bigint): number {
  const { phase } = host.state.migration;
  const isOpen = phase === MigrationPhase.ROUNDS;
  if (record.kind === RecordKind.GIVE_UP) return MigrationReason.REFUSED;
  if (record.kind === RecordKind.HELLO && phase === MigrationPhase.WAITING) return admit(host, record);
  if (record.kind === RecordKind.PAGE && isOpen) return takePage(host, record);
  if (record.kind === RecordKind.STATE && isOpen) return takePiece(host, record);
  if (record.kind === RecordKind.END && isOpen) return prepare(host, record, now);
  if (record.kind === RecordKind.GO && phase === MigrationPhase.PREPARED) {
    run(host, now);
    return MigrationReason.NONE;
  }
  // Out of turn. What was promised stays promised.
  return phase === MigrationPhase.PREPARED ? MigrationReason.NONE : MigrationReason.INVALID;
}

const arriving = ({ state }: Host): DomainView => state.domain(state.migration.domain);

/** A domain of the kind that the source describes, with no memory. */
function admit(host: Host, record: Record): number {
  const { state } = host;
  const [ramBytes, flags, entry, tree] = [0, 1, 2, 3].map((index) => record.word(index)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const vcpus = Number(record.word(6));
  if (ramBytes === 0n || ramBytes % BigInt(PAGE_BYTES) !== 0n) return MigrationReason.INVALID;
  if (ramBytes > host.map.ram.sizeBytes) return MigrationReason.TOO_LARGE;
  if (vcpus < 1 || vcpus > DOMAIN_VCPUS) return MigrationReason.INVALID;
  const id = freeDomain(host);
  if (id === undefined) return MigrationReason.NO_ROOM;
  const domain = state.domain(id);
  const mayHave = hasTerminal(host)
    ? DomainFlag.BEGINS_IN_MACHINE_MODE
    : DomainFlag.BEGINS_IN_MACHINE_MODE | DomainFlag.HAS_TERMINAL;
  state.migration.domain = id;
  domain.id = id;
  domain.state = DomainState.ARRIVING;
  domain.flags = Number(flags) & mayHave;
  domain.root = state.root(id);
  domain.ramBase = GUEST_RAM;
  domain.ramBytes = ramBytes;
  domain.entry = gpa(entry);
  domain.tree = gpa(tree);
  domain.maxFrames = maxFramesFor(ramBytes);
  domain.weight = Number(record.word(4) & 0xffffn);
  domain.cap = Number(record.word(5) & 0xffffn);
  state.migration.isSaved = record.word(7);
  state.migration.phase = MigrationPhase.ROUNDS;
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

function hasTerminal({ state }: Host): boolean {
  for (let id = 1; id < DOMAINS; id++)
    if ((state.domain(id).flags & DomainFlag.HAS_TERMINAL) !== 0) return true;
  return false;
}

function takePage(host: Host, record: Record): number {
  const domain = arriving(host);
  const number = record.word(0);
  const bytes = record.bytesFrom(1);
  if (number >= domain.ramBytes / BigInt(PAGE_BYTES)) return MigrationReason.INVALID;
  if (bytes.length !== 0 && bytes.length !== PAGE_BYTES) return MigrationReason.INVALID;
  const page = gpa(domain.ramBase + number * BigInt(PAGE_BYTES));
  const present = lookUp(host, domain.id, page)?.at;
  const frame = present ?? takeFrame(host, domain.id, FrameType.RAM);
  if (frame === undefined) return MigrationReason.NO_ROOM;
  if (present === undefined && !mapPage(host, domain.id, page, frame, ALL_RIGHTS))
    return MigrationReason.NO_ROOM;
  writeBytes(host.context, frame, bytes.length === 0 ? new Uint8Array(PAGE_BYTES) : bytes);
  host.state.migration.pages += 1n;
  return MigrationReason.NONE;
}

function takePiece(host: Host, record: Record): number {
  const domain = arriving(host);
  const vcpus = vcpusOf(host, domain.id);
  const piece = piecesOf(domain, vcpus)[Number(record.word(0))];
  const bytes = record.bytesFrom(1);
  if (piece === undefined || piece.bytes !== bytes.length) return MigrationReason.INVALID;
  writeBytes(host.context, piece.at, bytes);
  for (const [number, vcpu] of vcpus.entries()) keepOwn(vcpu, domain, number);
  return MigrationReason.NONE;
}

/** What is this hypervisor's in a virtual CPU, whatever came. */
function keepOwn(vcpu: VcpuView, domain: DomainView, number: number): void {
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
  if (machine.mode !== 0n) machine.mode = 3n;
}

/** Whether the hypervisor can go on with what came. */
function isSound({ uart }: DomainView, vcpus: readonly VcpuView[]): boolean {
  const states: readonly number[] = [VcpuState.STOPPED, VcpuState.READY, VcpuState.BLOCKED];
  return (
    uart.typed - uart.read >= 0 &&
    uart.typed - uart.read <= TYPED_BYTES &&
    vcpus.every(({ paused }) => states.includes(paused))
  );
}

/** All has come. The guest's time goes on where it stood still. */
function prepare(host: Host, record: Record, now: bigint): number {
  const { migration } = host.state;
  const domain = arriving(host);
  const vcpus = vcpusOf(host, domain.id);
  if (record.word(1) !== migration.pages || !isSound(domain, vcpus)) return MigrationReason.INVALID;
  migration.sourceTime = record.word(0);
  migration.phase = MigrationPhase.PREPARED;
  if (migration.isSaved === 1n) run(host, now);
  else sendAnswer(host, RecordKind.READY, migration.digest);
  return MigrationReason.NONE;
}

function run(host: Host, now: bigint): void {
  const { migration } = host.state;
  const domain = arriving(host);
  for (const vcpu of vcpusOf(host, domain.id)) {
    vcpu.vs.htimedelta = BigInt.asUintN(64, vcpu.vs.htimedelta + migration.sourceTime - now);
    vcpu.state = vcpu.paused;
    const { schedule } = vcpu;
    schedule.credit = 0n;
    schedule.turn = 0n;
    schedule.since = now;
  }
  domain.state = DomainState.RUNNING;
  migration.wentOnAt = now;
  migration.phase = MigrationPhase.DONE;
  migration.role = MigrationRole.NONE;
}

/** Everything that came is thrown away. The machine stays, and can be told to wait for another. */
function refuse(host: Host, reason: number): void {
  const { migration } = host.state;
  const { domain: id } = migration;
  if (id !== 0 && host.state.domain(id).state === DomainState.ARRIVING) {
    for (const { address } of vcpusOf(host, id))
      writeBytes(host.context, address, new Uint8Array(Vcpu.sizeBytes));
    dismantle(host, id);
    writeBytes(host.context, host.state.domain(id).address, new Uint8Array(Domain.sizeBytes));
  }
  migration.phase = MigrationPhase.GIVEN_UP;
  migration.reason = reason;
  migration.inbox.length = 0n;
  sendAnswer(host, RecordKind.GIVE_UP, BigInt(reason));
}
