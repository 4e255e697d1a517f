/**
 * Interrupts for guests. `hvip` holds what is pending for the guest that runs; for the others it waits in RAM, and comes with them.
 *
 * @spec priv §"Hypervisor Interrupt (hvip, hip, and hie) Registers"
 */
import { vcpusOf } from "./domain.ts";
import type { Host, Visit } from "./host.ts";
import { PLIC_SOURCES, VcpuState, type VcpuView } from "./layout.ts";
import { isParavirtual } from "./paravirtual/roots.ts";
import { VSEI } from "./vcpu.ts";

/** Whether a virtual CPU is the one whose state the hart holds. */
export const isCurrent = ({ context, state }: Host, vcpu: VcpuView): boolean =>
  state.pcpu(context.hart).current === vcpu.address;

/** What is pending for a guest's supervisor: bits of `hvip`. In a machine mode of its own it is kept aside. */
export function pendingFor(host: Host, vcpu: VcpuView): bigint {
  if (vcpu.machine.mode !== 0n) return vcpu.machine.hvip;
  return isCurrent(host, vcpu) ? host.context.csr.read("hvip") : vcpu.vs.hvip;
}

/** Raises interrupts of a guest's supervisor, or takes them back. Whoever waits for one is ready. */
export function setPending(host: Host, vcpu: VcpuView, bits: bigint, isPending: boolean): void {
  const { inject } = host.parts;
  if (inject === undefined) changePending(host, vcpu, bits, isPending);
  else inject(host, vcpu, bits, isPending, () => changePending(host, vcpu, bits, isPending));
}

function changePending(host: Host, vcpu: VcpuView, bits: bigint, isPending: boolean): void {
  const before = pendingFor(host, vcpu);
  const after = isPending ? before | bits : before & ~bits;
  if (vcpu.machine.mode !== 0n) vcpu.machine.hvip = after;
  else if (isCurrent(host, vcpu)) host.context.csr.write("hvip", after);
  else vcpu.vs.hvip = after;
  if (isPending) wake(vcpu);
}

/** A virtual CPU that waits is ready again; one that is paused will be. One that just yields its hart keeps what it has. */
export function wake(vcpu: VcpuView): void {
  const { state } = vcpu;
  if (state === VcpuState.PAUSED && vcpu.paused === VcpuState.BLOCKED) vcpu.paused = VcpuState.READY;
  if (state !== VcpuState.BLOCKED) return;
  vcpu.state = VcpuState.READY;
  vcpu.schedule.boosted = 1n;
}

/**
 * Sets the level of a line to the virtual PLIC. A request, once made, stays until somebody claims it.
 * @spec riscv-plic-1.0.0 "Interrupt Gateways"
 */
export function setLine(visit: Pick<Visit, keyof Host | "domain">, source: number, isHigh: boolean): void {
  const { plic } = visit.domain;
  const bit = 1n << BigInt(source);
  const before = plic.level;
  if (((before & bit) !== 0n) === isHigh) return;
  plic.level = isHigh ? before | bit : before & ~bit;
  if (isParavirtual(visit.domain)) interruptDirectly(visit);
  if (!isHigh || isParavirtual(visit.domain)) return;
  requestAgain(visit, source);
  notifyContexts(visit);
}

/** A paravirtualized guest has no PLIC: a line that is high is an interrupt of its first virtual CPU. */
function interruptDirectly(visit: Pick<Visit, keyof Host | "domain">): void {
  const [first] = vcpusOf(visit, visit.domain.id);
  if (first !== undefined) setPending(visit, first, VSEI, visit.domain.plic.level !== 0n);
}

/** A gateway that is open passes a line that is high on. */
export function requestAgain({ domain: { plic } }: Pick<Visit, "domain">, source: number): void {
  const bit = 1n << BigInt(source);
  if ((plic.level & bit) !== 0n && (plic.claimed & bit) === 0n) plic.pending |= bit;
}

/** The pending enabled source of highest priority of a context, the lowest among equals; 0 when there is none. */
export function bestSource({ domain: { plic } }: Pick<Visit, "domain">, context: number) {
  let best = { source: 0, priority: 0 };
  let left = plic.pending & plic.enable.get(context);
  for (let source = 1; left >> 1n !== 0n && source < PLIC_SOURCES; source++) {
    const bit = 1n << BigInt(source);
    if ((left & bit) === 0n) continue;
    left &= ~bit;
    const priority = plic.priority.get(source);
    if (priority > best.priority) best = { source, priority };
  }
  return best;
}

/** Whether a context's line is high. @spec riscv-plic-1.0.0 "Priority Thresholds" */
export const isContextHigh = (visit: Pick<Visit, "domain">, context: number): boolean =>
  bestSource(visit, context).priority > visit.domain.plic.threshold.get(context);

/** Drives the supervisor's external interrupt of each virtual CPU. Machine modes look for themselves. */
export function notifyContexts(visit: Pick<Visit, keyof Host | "domain">): void {
  for (const vcpu of vcpusOf(visit, visit.domain.id)) {
    const context = 2 * vcpu.number;
    setPending(visit, vcpu, VSEI, isContextHigh(visit, context + 1));
    if (isContextHigh(visit, context)) wake(vcpu);
  }
}
