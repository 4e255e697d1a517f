/**
 * Record and replay of one domain, whatever its neighbors do: it goes on from a saved image, and what it could not have computed by itself
 * comes out of a log. That is what it reads of time, what hypercalls return, and when interrupts come.
 *
 * "When" is a number of steps: instructions that the domain itself has retired, and those that were done for it. `instret` counts the hypervisor's, too; but the way from a
 * handler's last operation into the guest, and from the guest to a handler's first, is always as long, so that the difference less that way is
 * the guest's. To stop it after exactly so many, replay uses that `time` is a tenth of the instructions retired: it waits for the beginning of a
 * tick, passes some operations by, and sets its timer, so that the alarm falls on the instruction. Nothing is stepped, and nothing is
 * asked for that this machine has not. (On a machine whose time is its own: a counter that overflows early, and single steps from there.)
 *
 * While a domain is recorded or repeated, `hcounteren` lets it read no counter and set no timer without coming here. Whenever the hart comes
 * back to it from somebody else it is interrupted before its first instruction, so that there is one way in to be measured.
 *
 * @spec norm:hcounteren_op
 */
import { INSNS_PER_TICK } from "../bus/clock.ts";
import { guestRegister, setGuestRegister, skip } from "./access.ts";
import { vcpusOf } from "./domain.ts";
import { Fault } from "./errors.ts";
import { deliverIllegal } from "./exceptions.ts";
import type { Host, Visit } from "./host.ts";
import {
  DomainFlag,
  type DomainView,
  LOG_ENTRIES,
  LogKind,
  LogRole,
  VcpuState,
  type VcpuView,
  VIRTIO_DEVICES,
} from "./layout.ts";
import { guestTime, NEVER, whenHere } from "./time.ts";
import { currentVcpu, VSTI } from "./vcpu.ts";
import { driveUart } from "./virtual-uart.ts";

/** How the guest came: by a trap, a call that is no hypercall, or a hypercall. The vector's way is longer for calls. */
export const Way = { TRAP: 0, CALL: 1, HYPERCALL: 2, SWITCH: 3 } as const;
export type WayNumber = (typeof Way)[keyof typeof Way];

/** Instructions from the last operation of a handler to the guest's first, by way: `hx`, (`j`), `leave`, `restore`. */
const IN: readonly bigint[] = [38n, 38n, 39n];
/** And from the guest's last to the operation that reads `instret`: the vector, `hx`'s handler up to there. */
const OUT: readonly bigint[] = [46n, 50n];
/** For a hypercall, all of the vector, whose constants depend on where the table lies, and so many more. */
const OUT_BEHIND_VECTOR = 4n;
/** Operations of `leaveFor` behind the one that sees the tick begin. */
const LAST_OPERATIONS = 3n;
const TICK = BigInt(INSNS_PER_TICK);

/** The first hypercalls (version, domain, yield) have to do with nobody else. */
const ALONE = 3n;
const CSR = { CYCLE: 0xc00, TIME: 0xc01, INSTRET: 0xc02, STIMECMP: 0x14d } as const;
const SPP = 1n << 8n;
const COUNTERS = 7n;
const WORD = (1n << 64n) - 1n;
const BUSY: readonly number[] = [LogRole.RECORDING, LogRole.REPLAYING];

/** Whether a domain is recorded or repeated at present. */
export const isLoggedDomain = ({ state: { vmLog } }: Pick<Host, "state">, { id }: DomainView): boolean =>
  BUSY.includes(vmLog.role) && vmLog.domain === id;

/** The log of a domain that is no more: the next one with its number has nothing to do with it. */
export function forgetLog(host: Pick<Host, "state">, domain: DomainView): void {
  if (!isLoggedDomain(host, domain)) return;
  host.state.vmLog.role = LogRole.NONE;
  host.state.vmLog.isWaiting = 0;
}

/** The domain goes on from an image that somebody has: from here on it is recorded, or does what a log says. */
export function beginLog(host: Host, domain: DomainView, role: number): void {
  const { migration, vmLog } = host.state;
  const [vcpu, ...others] = vcpusOf(host, domain.id);
  const hasVirtio = Array.from({ length: VIRTIO_DEVICES }, (_, slot) => domain.virtio.devices.get(slot)).some(
    ({ present }) => present !== 0,
  );
  const isOwn = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  if (vcpu === undefined || others.length > 0 || hasVirtio || isOwn) {
    vmLog.role = LogRole.REFUSED;
    return;
  }
  vmLog.role = role;
  vmLog.domain = domain.id;
  vmLog.count = 0n;
  // What was typed behind the piece of the image that its serial port is in comes out of the log.
  vmLog.typed = migration.typed;
  vmLog.deadline = vcpu.vs.vstimecmp;
  vcpu.vs.hcounteren = 0n;
  if (role === LogRole.REPLAYING) {
    domain.flags &= ~DomainFlag.HAS_TERMINAL;
    // Whatever it waits for comes from the log.
    if (vcpu.state === VcpuState.BLOCKED) vcpu.state = VcpuState.READY;
  }
}

/** First of all when a guest has come: how far it is. Whether anybody wants to know. */
export function noteExit(visit: Visit, way: WayNumber): boolean {
  const { vmLog } = visit.state;
  if (!BUSY.includes(vmLog.role)) return false;
  const now = visit.context.csr.read("instret");
  if (vmLog.domain !== visit.vcpu.domain) return false;
  const { entryWay } = vmLog;
  vmLog.pc = visit.context.csr.read("sepc");
  // From another guest it comes back before its first instruction.
  if (entryWay === Way.SWITCH) return true;
  vmLog.count += now - vmLog.enteredAt - 1n - (IN[entryWay] ?? 0n) - wayOut(visit, way);
  return true;
}

const wayOut = ({ map }: Visit, way: WayNumber): bigint =>
  OUT[way] ?? (map.addressOf("trapped") - map.addressOf("vector")) / 4n + OUT_BEHIND_VECTOR;

/** Last of all before a guest goes on: when it has to come back, and what is on the clock. */
export function leaveFor(host: Host, from: Visit | undefined, way: WayNumber): void {
  const { vmLog } = host.state;
  if (!BUSY.includes(vmLog.role)) return;
  const { csr } = host.context;
  const vcpu = currentVcpu(host);
  if (vcpu === undefined || vcpu.domain !== vmLog.domain) return;
  if (from?.vcpu.address !== vcpu.address) {
    vmLog.entryWay = Way.SWITCH;
    csr.write("stimecmp", 0n);
    return;
  }
  vmLog.entryWay = way;
  const { alarm } = host.state.pcpu(host.context.hart);
  if (vmLog.role === LogRole.RECORDING) {
    const due = (csr.read("hvip") & VSTI) === 0n ? whenHere(vcpu, vmLog.deadline) : NEVER;
    csr.write("stimecmp", due < alarm ? due : alarm);
    vmLog.enteredAt = csr.read("instret");
    return;
  }
  const left = instructionsLeft(host);
  const begun = csr.read("time");
  let tick = begun;
  while (tick === begun) tick = csr.read("time");
  // Behind the read that saw the tick begin: what is passed by, the last operations, the way in, and what is left.
  const further = 1n + LAST_OPERATIONS + (IN[way] ?? 0n) + left;
  const passed = (TICK - (further % TICK)) % TICK;
  for (let pass = 0n; pass < passed; pass += 1n) csr.read("instret");
  const stop = tick + (further + passed) / TICK;
  csr.write("stimecmp", left !== NEVER && stop < alarm ? stop : alarm);
  vmLog.enteredAt = csr.read("instret");
}

const entryAt = ({ state: { vmLog } }: Pick<Host, "state">, number: bigint) =>
  vmLog.entries.get(Number(number % BigInt(LOG_ENTRIES)));

/** What comes next by the log; `undefined`: nobody has said yet. */
const nextEntry = (host: Pick<Host, "state">) =>
  host.state.vmLog.taken === host.state.vmLog.written ? undefined : entryAt(host, host.state.vmLog.taken);

const comesByItself = (kind: bigint): boolean =>
  kind === BigInt(LogKind.VALUE) || kind === BigInt(LogKind.ANSWER);

/** How many instructions the guest may retire before something comes that it does not ask for. */
function instructionsLeft(host: Host): bigint {
  const entry = nextEntry(host);
  return entry === undefined || comesByItself(entry.kind) ? NEVER : entry.count - host.state.vmLog.count;
}

function put(host: Pick<Host, "state">, kind: number, value: bigint): void {
  const { vmLog } = host.state;
  const entry = entryAt(host, vmLog.written);
  entry.count = vmLog.count;
  entry.kind = BigInt(kind);
  entry.value = value;
  vmLog.written += 1n;
}

/** Something that the guest has asked for: it is written down, or comes out of the log. */
export function logged(visit: Visit, kind: number, ask: () => bigint): bigint {
  if (!isLoggedDomain(visit, visit.domain)) return ask();
  const { vmLog } = visit.state;
  if (vmLog.role === LogRole.RECORDING) {
    const value = BigInt.asUintN(64, ask());
    put(visit, kind, value);
    return value;
  }
  const entry = nextEntry(visit);
  if (entry === undefined || entry.kind !== BigInt(kind) || entry.count !== vmLog.count) {
    diverge(visit);
    return 0n;
  }
  vmLog.taken += 1n;
  return entry.value;
}

/** A hypercall of such a guest. What would let it share with others is not permitted: what they do is in no log. */
export function loggedCall(visit: Visit, serve: () => bigint): bigint {
  const number = visit.context.registers.a7 & 0xff_ffffn;
  return logged(visit, LogKind.ANSWER, () => (number < ALONE ? serve() : Fault.NOT_PERMITTED));
}

/** When the guest's timer is due; what was due before is not any more. */
export function setDeadline({ context: { csr }, state: { vmLog } }: Visit, deadline: bigint): void {
  vmLog.deadline = deadline;
  csr.write("hvip", csr.read("hvip") & ~VSTI);
}

/** Counters and the timer of a guest that must not have them by itself. False: that is not what it wanted. */
export function loggedCsr(visit: Visit, word: number): boolean {
  if (!isLoggedDomain(visit, visit.domain)) return false;
  const [number, funct3, rs1] = [word >>> 20, (word >>> 12) & 7, (word >>> 15) & 31];
  const { csr } = visit.context;
  const isTimer = number === CSR.STIMECMP;
  const isCounter = number >= CSR.CYCLE && number <= CSR.INSTRET;
  const isUser = (csr.read("sstatus") & SPP) === 0n;
  const isOpen =
    isCounter && (!isUser || ((csr.read("scounteren") >> BigInt(number - CSR.CYCLE)) & 1n) === 1n);
  const isWrite = (funct3 & 3) === 1 || rs1 !== 0;
  if ((word & 0x7f) !== 0x73 || (funct3 & 3) === 0 || (!isTimer && !isCounter)) return false;
  if (isTimer ? isUser : isWrite || !isOpen) {
    deliverIllegal(visit);
    return true;
  }
  const old = isTimer
    ? visit.state.vmLog.deadline
    : logged(visit, LogKind.VALUE, () => counter(visit, number));
  if (isTimer && isWrite) {
    const operand = (funct3 & 4) === 0 ? guestRegister(visit, rs1) : BigInt(rs1);
    const operation = funct3 & 3;
    setDeadline(visit, operation === 1 ? operand : operation === 2 ? old | operand : old & ~operand);
  }
  setGuestRegister(visit, (word >>> 7) & 31, old);
  skip(visit, 4);
  return true;
}

const counter = (visit: Visit, number: number): bigint =>
  number === CSR.TIME ? guestTime(visit) : visit.context.csr.read("instret");

/** When the guest has been answered: what comes without its asking. `isAlarm`: it did not come by itself. */
export function serveLog(visit: Visit, isAlarm: boolean): void {
  if (!isLoggedDomain(visit, visit.domain)) return;
  const { vcpu } = visit;
  const { csr } = visit.context;
  // What was done for the guest, or to it, is a step, too: before and behind it are different places.
  if (csr.read("sepc") !== visit.state.vmLog.pc) visit.state.vmLog.count += 1n;
  csr.write("vstimecmp", NEVER);
  if (visit.state.vmLog.role === LogRole.RECORDING) record(visit, isAlarm);
  else repeat(visit);
  if (vcpu.state === VcpuState.BLOCKED) vcpu.vs.vstimecmp = visit.state.vmLog.deadline;
}

function record(visit: Visit, isAlarm: boolean): void {
  const { context, domain, state } = visit;
  const { vmLog } = state;
  const pending = context.csr.read("hvip");
  if (guestTime(visit) >= vmLog.deadline && (pending & VSTI) === 0n) {
    put(visit, LogKind.TIMER, 0n);
    context.csr.write("hvip", pending | VSTI);
  }
  for (; vmLog.typed < BigInt(domain.uart.typed); vmLog.typed += 1n) {
    const { received } = domain.uart;
    put(visit, LogKind.INPUT, BigInt(received.get(Number(vmLog.typed) % received.length)));
  }
  if (isAlarm) put(visit, LogKind.CHECK, digestOf(visit));
  if (visit.vcpu.state === VcpuState.STOPPED) {
    put(visit, LogKind.END, digestOf(visit));
    vmLog.role = LogRole.NONE;
  } else if (vmLog.ends !== 0) {
    // It stands still there until the operator has the log.
    put(visit, LogKind.END, digestOf(visit));
    standStill(visit);
  } else if (vmLog.written - vmLog.taken > BigInt(LOG_ENTRIES / 2)) standStill(visit);
}

function repeat(visit: Visit): void {
  const { vcpu, state } = visit;
  const { vmLog } = state;
  for (let entry = nextEntry(visit); vmLog.role === LogRole.REPLAYING; entry = nextEntry(visit)) {
    if (entry === undefined) standStill(visit);
    else if (entry.count < vmLog.count) diverge(visit);
    if (entry === undefined || comesByItself(entry.kind) || entry.count !== vmLog.count) break;
    vmLog.taken += 1n;
    come(visit, Number(entry.kind), entry.value);
  }
  const isAwake = vmLog.role === LogRole.REPLAYING && vcpu.state === VcpuState.BLOCKED;
  if (isAwake) vcpu.state = VcpuState.READY;
}

/** Something comes that the guest has not asked for. */
function come(visit: Visit, kind: number, value: bigint): void {
  const { csr } = visit.context;
  const { uart } = visit.domain;
  if (kind === LogKind.TIMER) csr.write("hvip", csr.read("hvip") | VSTI);
  else if (kind === LogKind.INPUT) {
    uart.received.set(uart.typed % uart.received.length, Number(value));
    uart.typed += 1;
    driveUart(visit);
  } else if (digestOf(visit) !== value) diverge(visit);
  else if (kind === LogKind.END) halt(visit, LogRole.REPEATED);
}

/** A number that tells whether all registers are what they were. */
function digestOf({ vcpu, context }: Visit): bigint {
  let digest = context.csr.read("sepc");
  for (let number = 1; number < 32; number++)
    digest = ((digest ^ vcpu.area.saved.x.get(number)) * 0x9e37_79b9_7f4a_7c15n + 1n) & WORD;
  return digest;
}

const diverge = (visit: Visit): void => halt(visit, LogRole.DIVERGED);

function halt(visit: Visit, role: number): void {
  if (visit.vcpu.state !== VcpuState.STOPPED) standStill(visit);
  visit.state.vmLog.role = role;
  visit.state.vmLog.isWaiting = 0;
}

/** Until the operator has made room, or has brought more. */
function standStill({ vcpu, state: { vmLog } }: Visit): void {
  if (vcpu.state === VcpuState.PAUSED) return;
  vcpu.paused = vcpu.state === VcpuState.RUNNING ? VcpuState.READY : vcpu.state;
  vcpu.state = VcpuState.PAUSED;
  vmLog.isWaiting = 1;
}

/** At each visit: whether somebody who stands still may go on. */
export function serveWaitingLog(host: Host): void {
  const { vmLog } = host.state;
  if (vmLog.isWaiting === 0) return;
  const hasRoom = vmLog.role === LogRole.RECORDING && vmLog.written === vmLog.taken;
  const hasMore = vmLog.role === LogRole.REPLAYING && vmLog.written !== vmLog.taken;
  if (!hasRoom && !hasMore) return;
  vmLog.isWaiting = 0;
  for (const vcpu of vcpusOf(host, vmLog.domain)) {
    if (vcpu.state !== VcpuState.PAUSED) continue;
    // In replay a guest that waits is woken by the log, which is looked at when it runs.
    vcpu.state = hasMore ? VcpuState.READY : vcpu.paused;
    if (vmLog.ends !== 0) goFree(host, vcpu);
  }
}

/** The recording is over: the guest has its counters and its timer again. */
function goFree({ state: { vmLog } }: Host, { vs }: VcpuView): void {
  vs.hcounteren = COUNTERS;
  vs.vstimecmp = vmLog.deadline;
  vs.hvip &= ~VSTI;
  vmLog.role = LogRole.NONE;
}
