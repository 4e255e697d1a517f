/** Traps of the guest into the guest, and its returns from them: what a hart would do to its CSRs, done to the virtual ones. */
import { SSTATUS_MASK, statusField, withStatus } from "../../hart/status.ts";
import { encodeCsr } from "../../isa/csr-map.ts";
import { INTERRUPT } from "../../isa/trap.ts";
import { Mode, type Monitor } from "./host.ts";

const INTERRUPT_BIT = 1n << 63n;
const FLOATS = encodeCsr("mstatus", { FS: 3 });
const SUMMARY = encodeCsr("mstatus", { SD: 1 });
/** What wires make pending. The guest owns the machine's devices, so their interrupts are its own. */
const WIRES = bits(
  "machineExternal",
  "machineSoftware",
  "machineTimer",
  "supervisorExternal",
  "supervisorTimer",
);
/** The highest first. @spec norm:intr_M_mode_pri */
const BY_PRIORITY = [
  INTERRUPT.machineExternal,
  INTERRUPT.machineSoftware,
  INTERRUPT.machineTimer,
  INTERRUPT.supervisorExternal,
  INTERRUPT.supervisorSoftware,
  INTERRUPT.supervisorTimer,
];

function bits(...names: (keyof typeof INTERRUPT)[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(INTERRUPT[name])), 0n);
}

/** The guest's `mstatus`. FS is what the hart really has, which knows when a register of the unit was written. */
export function virtualStatus({ context, state }: Monitor): bigint {
  const floats = context.csr.read("mstatus") & FLOATS;
  return (state.csrs.mstatus & ~(FLOATS | SUMMARY)) | floats | (floats === FLOATS ? SUMMARY : 0n);
}

/** The same, changed, by software or by a trap. */
export function setVirtualStatus({ context, state }: Monitor, value: bigint): void {
  state.csrs.mstatus = value & ~(FLOATS | SUMMARY);
  const { csr } = context;
  const real = csr.read("mstatus");
  if (((real ^ value) & FLOATS) !== 0n) csr.write("mstatus", (real & ~FLOATS) | (value & FLOATS));
}

/** The bits of `mstatus` that `sstatus` shows. */
export const SUPERVISOR_STATUS: bigint = SSTATUS_MASK;

/** `mip`: what the guest has set, and what its devices raise. */
export const pending = ({ context, state }: Monitor): bigint =>
  state.csrs.mip | (context.csr.read("mip") & WIRES);

/** An exception of the guest: to its supervisor if it comes from below machine mode and is delegated, else to its machine mode. */
export function deliver(monitor: Monitor, cause: number, tval: bigint): void {
  const { mode, csrs } = monitor.state;
  const isDelegated = mode !== Mode.M && ((csrs.medeleg >> BigInt(cause)) & 1n) === 1n;
  trap(monitor, BigInt(cause), tval, isDelegated);
}

/** @spec norm:mstatus_xpie_xie_xpp_trap_op */
function trap(monitor: Monitor, cause: bigint, tval: bigint, toSupervisor: boolean): void {
  const { state, context } = monitor;
  const { csrs, mode } = state;
  const status = csrs.mstatus;
  const pc = context.csr.read("mepc");
  if (toSupervisor) {
    csrs.scause = cause;
    csrs.sepc = pc;
    csrs.stval = tval;
    csrs.mstatus = withStatus(status, { SPP: mode, SPIE: statusField(status, "SIE"), SIE: 0n });
  } else {
    csrs.mcause = cause;
    csrs.mepc = pc;
    csrs.mtval = tval;
    csrs.mstatus = withStatus(status, { MPP: mode, MPIE: statusField(status, "MIE"), MIE: 0n });
  }
  state.mode = toSupervisor ? Mode.S : Mode.M;
  const vector = toSupervisor ? csrs.stvec : csrs.mtvec;
  const base = vector & ~3n;
  const isVectored = (vector & 1n) === 1n && (cause & INTERRUPT_BIT) !== 0n;
  context.csr.write("mepc", isVectored ? base + 4n * (cause & ~INTERRUPT_BIT) : base);
}

/** MRET. @spec norm:mstatus_xret_op @spec norm:mstatus_mprv_clr_mret_sret_less_priv */
export function returnFromMachine({ state, context }: Monitor): void {
  const { csrs } = state;
  const status = csrs.mstatus;
  const mode = statusField(status, "MPP");
  const MPRV = mode === Mode.M ? statusField(status, "MPRV") : 0n;
  csrs.mstatus = withStatus(status, { MIE: statusField(status, "MPIE"), MPIE: 1n, MPP: Mode.U, MPRV });
  state.mode = mode;
  context.csr.write("mepc", csrs.mepc);
}

/** SRET. @spec norm:mstatus_xret_op */
export function returnFromSupervisor({ state, context }: Monitor): void {
  const { csrs } = state;
  const status = csrs.mstatus;
  state.mode = statusField(status, "SPP");
  csrs.mstatus = withStatus(status, { SIE: statusField(status, "SPIE"), SPIE: 1n, SPP: 0n, MPRV: 0n });
  context.csr.write("mepc", csrs.sepc);
}

/** Which interrupts the guest would take if they were pending now: those for its machine mode, and for its supervisor. @spec norm:intr_mip_mie_op */
function open({ state: { csrs, mode } }: Monitor): { readonly machine: bigint; readonly supervisor: bigint } {
  const status = csrs.mstatus;
  const isMachineOpen = mode !== Mode.M || statusField(status, "MIE") === 1n;
  const isSupervisorOpen = mode === Mode.U || (mode === Mode.S && statusField(status, "SIE") === 1n);
  return {
    machine: isMachineOpen ? csrs.mie & ~csrs.mideleg : 0n,
    supervisor: isSupervisorOpen ? csrs.mie & csrs.mideleg : 0n,
  };
}

/**
 * Before the guest goes on: an interrupt that it would take now is taken. The hart's own enables become what the guest would take if
 * it came later, so that the hart interrupts the guest exactly when a bare one would.
 */
export function settleInterrupts(monitor: Monitor): void {
  const before = open(monitor);
  const waiting = pending(monitor);
  const first = (set: bigint): number | undefined =>
    BY_PRIORITY.find((code) => (((waiting & set) >> BigInt(code)) & 1n) === 1n);
  const forMachine = first(before.machine);
  const code = forMachine ?? first(before.supervisor);
  if (code !== undefined) trap(monitor, INTERRUPT_BIT | BigInt(code), 0n, forMachine === undefined);
  const { machine, supervisor } = code === undefined ? before : open(monitor);
  monitor.context.csr.write("mie", machine | supervisor);
}
