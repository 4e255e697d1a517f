/** A guest has come to the hypervisor: why, what is done about it, and who runs next. */
import { type GPA, gpa, pageOf } from "../hs/address.ts";
import type { HsContext } from "../hs/context.ts";
import { answerHypercall, type HypervisorMap } from "../hs/hypervisor.ts";
import { decodeCsr } from "../isa/csr-map.ts";
import { EXCEPTION, INTERRUPT } from "../isa/trap.ts";
import { type Access, fetchedAccess, isOfTables, transformedAccess } from "./access.ts";
import { isShared, unshare } from "./copy-on-write.ts";
import { logStore } from "./dirty-log.ts";
import { isGuestRam, populate } from "./domain.ts";
import { deliver } from "./exceptions.ts";
import { type Host, hostOf, type PartedHandle, type Visit } from "./host.ts";
import { isCurrent } from "./interrupts.ts";
import { DomainFlag, ExitKind, VcpuState } from "./layout.ts";
import { MACHINE, settleMachineMode } from "./machine-mode.ts";
import { waitForMemory } from "./memory-wait.ts";
import { serveMigration } from "./migration.ts";
import { deviceAt, emulate, type VirtualDevice } from "./mmio.ts";
import { serveOperator } from "./orders.ts";
import type { Hypercall, VmmParts, Wish } from "./parts.ts";
import { privileged } from "./privileged.ts";
import { answerSbi } from "./sbi.ts";
import { noteVisit, schedule } from "./scheduler.ts";
import { lookUp } from "./second-stage.ts";
import { takeTyped } from "./terminal.ts";
import { hostTime } from "./time.ts";
import { hearTyped } from "./typing.ts";
import { currentVcpu } from "./vcpu.ts";
import { leaveFor, loggedCall, noteExit, serveLog, Way, type WayNumber } from "./vm-log.ts";

const count = ({ vcpu }: Visit, kind: number): void => vcpu.exits.set(kind, vcpu.exits.get(kind) + 1n);

/** What happens when guests trap, by `scause`: exceptions. Those that are not here are the guest's own. */
const EXITS: ReadonlyMap<number, (visit: Visit) => void> = new Map<number, (visit: Visit) => void>([
  [EXCEPTION.ecallFromVs, call],
  [EXCEPTION.virtualInstruction, (visit) => emulated(visit, ExitKind.VIRTUAL_INSTRUCTION)],
  [EXCEPTION.illegalInstruction, (visit) => emulated(visit, ExitKind.MACHINE_MODE)],
  [EXCEPTION.instructionGuestPageFault, (visit) => pageFault(visit, EXCEPTION.instructionAccessFault)],
  [EXCEPTION.loadGuestPageFault, (visit) => pageFault(visit, EXCEPTION.loadAccessFault)],
  [EXCEPTION.storeGuestPageFault, (visit) => pageFault(visit, EXCEPTION.storeAccessFault)],
]);

/** The guest that has come to the hypervisor on this hart. */
function visitOf(context: HsContext, map: HypervisorMap, parts: VmmParts): Visit {
  const host = hostOf(context, map, parts);
  const vcpu = currentVcpu(host);
  if (vcpu === undefined) throw new Error("a trap from a guest while none runs");
  return { ...host, vcpu, domain: host.state.domain(vcpu.domain) };
}

/** Each trap that is no hypercall. */
export function handleTrap(context: HsContext, map: HypervisorMap, parts: VmmParts): void {
  const visit = visitOf(context, map, parts);
  const { interrupt, code } = decodeCsr("scause", context.csr.read("scause"));
  const isCall = interrupt === 0n && Number(code) === EXCEPTION.ecallFromVs;
  const isLogged = noteExit(visit, isCall ? Way.CALL : Way.TRAP);
  if (interrupt === 1n) hostInterrupt(visit, Number(code), isLogged);
  else {
    answer(visit, Number(code));
    if (isLogged) serveLog(visit, false);
  }
  goOn(visit, Way.TRAP);
}

/** A hypercall: `a0` is what it returns, and the guest goes on behind it. */
export const hypercall =
  (serve: Hypercall): PartedHandle =>
  (context, map, parts) => {
    const visit = visitOf(context, map, parts);
    const isLogged = noteExit(visit, Way.HYPERCALL);
    count(visit, ExitKind.HYPERCALL);
    const value = isLogged ? loggedCall(visit, () => serve(visit)) : serve(visit);
    answerHypercall(context, BigInt.asUintN(64, value));
    if (isLogged) serveLog(visit, false);
    goOn(visit, Way.HYPERCALL);
  };

/**
 * Back to a guest: to this one if it can run, else to whoever the scheduler chooses. It chooses once in a trap: the vector's code goes on with
 * what the area says that it came in with.
 */
function goOn(visit: Visit, way: WayNumber): void {
  if (visit.vcpu.state !== VcpuState.RUNNING && isCurrent(visit, visit.vcpu)) schedule(visit);
  enter(visit);
  leaveFor(visit, visit, way);
}

/** Before a guest runs that brings its own machine mode: interrupts for that. */
function enter(host: Host): void {
  const vcpu = currentVcpu(host);
  if (vcpu === undefined) return;
  const domain = host.state.domain(vcpu.domain);
  if ((domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0) settleMachineMode({ ...host, vcpu, domain });
}

function answer(visit: Visit, cause: number): void {
  const exit = EXITS.get(cause);
  if (exit !== undefined) {
    exit(visit);
    return;
  }
  count(visit, ExitKind.FAULT);
  deliver(visit, cause, visit.context.csr.read("stval"));
}

/** A call goes to the guest's machine mode, if it has one, or is an SBI call. */
function call(visit: Visit): void {
  const { domain, vcpu } = visit;
  if ((domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) === 0) {
    count(visit, ExitKind.SBI_CALL);
    answerSbi(visit);
    return;
  }
  count(visit, ExitKind.MACHINE_MODE);
  deliver(visit, vcpu.machine.mode === MACHINE ? EXCEPTION.ecallFromM : EXCEPTION.ecallFromS, 0n);
}

function emulated(visit: Visit, kind: number): void {
  count(visit, kind);
  privileged(visit);
}

/** The guest-physical address of a guest-page fault. @spec norm:htval_trapval */
function faultAddress({ context: { csr } }: Visit): GPA {
  return gpa((csr.read("htval") << 2n) | (csr.read("stval") & 3n));
}

/**
 * No page in the second stage: memory that the guest has and has not used yet, a device, or nothing.
 *
 * @param otherwise  The exception that a bare board would have raised where nothing is.
 */
function pageFault(visit: Visit, otherwise: number): void {
  const address = faultAddress(visit);
  const wish = WISHES[otherwise] ?? "load";
  if (answerMemory(visit, address, wish)) return;
  const device = wish === "fetch" ? undefined : deviceAt(visit, address);
  if (device !== undefined && answerDevice(visit, device, address)) return;
  count(visit, ExitKind.FAULT);
  deliver(visit, otherwise, visit.context.csr.read("stval"));
}

const WISHES: Readonly<Record<number, Wish>> = {
  [EXCEPTION.instructionAccessFault]: "fetch",
  [EXCEPTION.loadAccessFault]: "load",
  [EXCEPTION.storeAccessFault]: "store",
};

function answerMemory(visit: Visit, address: GPA, wish: Wish): boolean {
  const { guestPageFault } = visit.parts;
  return guestPageFault === undefined
    ? giveMemory(visit, address)
    : guestPageFault(visit, address, wish, () => giveMemory(visit, address));
}

/** The guest's own RAM, or a store to it that is logged. False: there is no memory that the guest should have. */
function giveMemory(visit: Visit, address: GPA): boolean {
  const { domain } = visit;
  if (isGuestRam(domain, address) && givePage(visit, address)) return true;
  if (!logStore(visit, domain, address)) return false;
  count(visit, ExitKind.DIRTY_PAGE);
  return true;
}

function answerDevice(visit: Visit, device: VirtualDevice, address: GPA): boolean {
  const { decodeAccess, emulateMmio } = visit.parts;
  const access =
    decodeAccess === undefined ? trappedAccess(visit) : decodeAccess(visit, () => trappedAccess(visit));
  if (access === undefined) return false;
  count(visit, ExitKind.MMIO);
  return emulateMmio === undefined
    ? emulate(visit, device, address, access)
    : emulateMmio(visit, device, address, access, () => emulate(visit, device, address, access));
}

/** The instruction's own access; `undefined` where it was the hart's, to page tables that the guest has put among devices. */
function trappedAccess(visit: Visit): Access | undefined {
  const htinst = Number(visit.context.csr.read("htinst"));
  return isOfTables(htinst) ? undefined : (transformedAccess(htinst) ?? fetchedAccess(visit));
}

/** A page that the guest has not used yet, or one that it shares and stores to. False: it is neither. */
function givePage(visit: Visit, address: GPA): boolean {
  const { domain } = visit;
  const isNew = lookUp(visit, domain.id, pageOf(address)) === undefined;
  if (!isNew && !isShared(visit, domain, address)) return false;
  count(visit, isNew ? ExitKind.DEMAND_PAGE : ExitKind.COPY_ON_WRITE);
  const own = isNew ? populate(visit, domain, address) : unshare(visit, domain, address);
  if (own === undefined) waitForMemory(visit, hostTime(visit));
  return true;
}

/** The host's own interrupts: its timer is the scheduler's, and the serial port has something for the guest at the terminal. */
function hostInterrupt(visit: Visit, code: number, isLogged: boolean): void {
  count(visit, ExitKind.INTERRUPT);
  if (code === INTERRUPT.supervisorExternal) typed(visit);
  if (isLogged) serveLog(visit, true);
  if (code === INTERRUPT.supervisorTimer) {
    serveMigration(visit);
    serveOperator(visit);
    noteVisit(visit);
    schedule(visit);
  } else if (code !== INTERRUPT.supervisorExternal) visit.context.csr.clear("sip", 1n << BigInt(code));
}

function typed(visit: Host): void {
  const domain = takeTyped(visit);
  if (domain !== undefined) hearTyped(visit, domain);
}

/** Behind each WFI of the hart while nobody can run. */
export function handleIdle(context: HsContext, map: HypervisorMap, parts: VmmParts): void {
  const host = hostOf(context, map, parts);
  if (context.hart !== 0) return;
  const { SEIP } = decodeCsr("sip", context.csr.read("sip"));
  if (SEIP === 1n) typed(host);
  serveMigration(host);
  serveOperator(host);
  noteVisit(host);
  schedule(host);
  enter(host);
  leaveFor(host, undefined, Way.SWITCH);
}
