/**
 * Machine mode for guests that bring their own, as bare kernels and firmware do. It runs in VS-mode, where each instruction that is
 * machine mode's alone is illegal, comes here and is done to CSRs in RAM; everything else it does runs at full speed.
 *
 * While it runs, the guest's supervisor is put aside: `vsatp` is Bare, none of its interrupts is pending, and each exception comes
 * here. PMP is remembered and not enforced: a guest is protected from others, and not from itself.
 *
 * Popek and Goldberg would have us note what does not trap and should: `sip`, `sie` and `sstatus.SIE` are CSRs of the mode in which
 * machine mode really runs. It reads no pending interrupts in `sip`, and must not set one there: `mip` is for that.
 */
import { decodeCsr, encodeCsr } from "../isa/csr-map.ts";
import { INTERRUPT } from "../isa/trap.ts";
import type { Visit } from "./host.ts";
import { isContextHigh } from "./interrupts.ts";
import type { VcpuView } from "./layout.ts";
import { guestTime, hostTime } from "./time.ts";
import { GUEST_EXCEPTIONS } from "./vcpu.ts";
import { armTimer } from "./virtual-timer.ts";

/** What `machine.mode` is while the guest believes to be in machine mode. */
export const MACHINE = 3n;
const SPP = encodeCsr("sstatus", { SPP: 1 });
const TRAPS = encodeCsr("hstatus", { VTVM: 1, VTSR: 1 });
const STCE = encodeCsr("henvcfg", { STCE: 1 });
const INTERRUPT_BIT = 1n << 63n;
const bit = (name: keyof typeof INTERRUPT): bigint => 1n << BigInt(INTERRUPT[name]);
const MTI = bit("machineTimer");
const MEI = bit("machineExternal");
const STI = bit("supervisorTimer");
/** Interrupts of a guest's supervisor: as `mip` has them, and a place higher as `hvip` has them. */
export const SUPERVISOR_INTERRUPTS: bigint = bit("supervisorSoftware") | STI | bit("supervisorExternal");
/** The highest first. @spec norm:intr_M_mode_pri */
const BY_PRIORITY = [
  INTERRUPT.machineExternal,
  INTERRUPT.machineSoftware,
  INTERRUPT.machineTimer,
  INTERRUPT.supervisorExternal,
  INTERRUPT.supervisorSoftware,
  INTERRUPT.supervisorTimer,
];

/** What `hideleg` lets the guest's supervisor have: what its machine mode has delegated. */
const delegatedInterrupts = ({ machine }: VcpuView): bigint =>
  (machine.mideleg & SUPERVISOR_INTERRUPTS) << 1n;

/** A trap into the guest's machine mode. @spec norm:mstatus_xpie_xie_xpp_trap_op */
export function enterMachineMode(visit: Visit, cause: bigint, tval: bigint): void {
  const { context, vcpu } = visit;
  const { csr } = context;
  const { machine } = vcpu;
  const isSupervisor = (csr.read("sstatus") & SPP) !== 0n;
  const from = machine.mode === MACHINE ? MACHINE : isSupervisor ? 1n : 0n;
  const { MIE } = decodeCsr("mstatus", machine.mstatus);
  machine.mcause = cause;
  machine.mepc = csr.read("sepc");
  machine.mtval = tval;
  machine.mstatus = encodeCsr("mstatus", { MPP: from, MPIE: MIE, MIE: 0 }, machine.mstatus);
  if (from !== MACHINE) leaveSupervisor(visit);
  const base = machine.mtvec & ~3n;
  const isVectored = (machine.mtvec & 1n) === 1n && (cause & INTERRUPT_BIT) !== 0n;
  csr.write("sepc", isVectored ? base + 4n * (cause & ~INTERRUPT_BIT) : base);
  csr.set("sstatus", SPP);
}

function leaveSupervisor({ context: { csr }, vcpu: { machine } }: Visit): void {
  machine.satp = csr.read("vsatp");
  machine.hvip |= csr.read("hvip");
  machine.mode = MACHINE;
  csr.write("vsatp", 0n);
  csr.write("hvip", 0n);
  csr.write("hedeleg", 0n);
  csr.write("henvcfg", machine.menvcfg & ~STCE);
  csr.set("hstatus", TRAPS);
}

/** MRET. */
export function returnFromMachineMode(visit: Visit): void {
  const { context, vcpu } = visit;
  const { machine } = vcpu;
  const { MPP, MPIE } = decodeCsr("mstatus", machine.mstatus);
  machine.mstatus = encodeCsr("mstatus", { MIE: MPIE, MPIE: 1, MPP: 0 }, machine.mstatus);
  context.csr.write("sepc", machine.mepc);
  if (MPP !== MACHINE) enterSupervisorMode(visit, MPP === 1n);
}

/** The guest's supervisor, or a program of its, runs again. */
export function enterSupervisorMode({ context: { csr }, vcpu }: Visit, isSupervisor: boolean): void {
  const { machine } = vcpu;
  const { TVM, TSR } = decodeCsr("mstatus", machine.mstatus);
  machine.mode = 0n;
  machine.mstatus = encodeCsr("mstatus", { MPRV: 0 }, machine.mstatus);
  csr.write("vsatp", machine.satp);
  const delegated = delegatedInterrupts(vcpu);
  csr.write("hvip", machine.hvip & delegated);
  csr.write("hideleg", delegated);
  machine.hvip &= ~delegated;
  csr.write("hedeleg", machine.medeleg & GUEST_EXCEPTIONS);
  csr.write("henvcfg", machine.menvcfg);
  csr.write("hcounteren", machine.mcounteren);
  csr.write("hstatus", encodeCsr("hstatus", { VTVM: TVM, VTSR: TSR }, csr.read("hstatus")));
  if (isSupervisor) csr.set("sstatus", SPP);
  else csr.clear("sstatus", SPP);
}

/** `mip` as the guest's machine mode sees it. */
export function pendingInMachine(visit: Visit): bigint {
  const { context, vcpu } = visit;
  const { machine } = vcpu;
  const now = guestTime(visit);
  const hvip = machine.mode === MACHINE ? machine.hvip : context.csr.read("hvip") | machine.hvip;
  const timer = machine.mtimecmp <= now ? MTI : 0n;
  const external = isContextHigh(visit, 2 * vcpu.number) ? MEI : 0n;
  const ownTimer = (machine.menvcfg & STCE) !== 0n && context.csr.read("vstimecmp") <= now ? STI : 0n;
  return machine.mip | timer | external | ((hvip >> 1n) & SUPERVISOR_INTERRUPTS) | ownTimer;
}

/** What the guest's machine mode has enabled, with its supervisor's. */
export const enabledInMachine = ({ context, vcpu }: Visit): bigint =>
  vcpu.machine.mie | ((context.csr.read("hie") >> 1n) & SUPERVISOR_INTERRUPTS);

/** Before the guest goes on: an interrupt for its machine mode that is pending and enabled. @spec norm:intr_mip_mie_op */
export function settleMachineMode(visit: Visit): void {
  const { context, vcpu } = visit;
  const { machine } = vcpu;
  if (machine.mode !== MACHINE) keepUndelegated(context, vcpu);
  const { MIE } = decodeCsr("mstatus", machine.mstatus);
  const waiting = pendingInMachine(visit) & enabledInMachine(visit) & ~machine.mideleg;
  const isOpen = machine.mode !== MACHINE || MIE === 1n;
  const cause = isOpen ? BY_PRIORITY.find((number) => ((waiting >> BigInt(number)) & 1n) === 1n) : undefined;
  if (cause !== undefined) enterMachineMode(visit, INTERRUPT_BIT | BigInt(cause), 0n);
  armTimer(visit, visit.vcpu, hostTime(visit));
}

/** What is pending and not the supervisor's to take waits for machine mode, out of the hart's sight. */
function keepUndelegated({ csr }: Visit["context"], vcpu: VcpuView): void {
  const hvip = csr.read("hvip");
  const delegated = delegatedInterrupts(vcpu);
  if ((hvip & ~delegated) === 0n) return;
  vcpu.machine.hvip |= hvip & ~delegated;
  csr.write("hvip", hvip & delegated);
}
