/**
 * Timers of guests. Most have one in the hart (Sstc): while they run, `vstimecmp` interrupts them without the hypervisor, which only wakes
 * those that sleep. Others ask for an interrupt by an SBI call: the deadline lies in RAM, and the hypervisor raises the interrupt.
 */
import type { Host, Visit } from "./host.ts";
import { setPending, wake } from "./interrupts.ts";
import { DomainFlag, VcpuState, type VcpuView } from "./layout.ts";
import { earlier, hostTime, NEVER, whenHere } from "./time.ts";
import { VSTI } from "./vcpu.ts";

const STCE = 1n << 63n;
const MACHINE_TIMER = 1n << 7n;

/** When a virtual CPU that waits has to be woken for its timer. */
export function wakeTime(vcpu: VcpuView): bigint {
  const { vs, machine, timer } = vcpu;
  const own = ((machine.mode === 0n ? vs.henvcfg : machine.menvcfg) & STCE) === 0n ? timer : vs.vstimecmp;
  return whenHere(vcpu, (machine.mie & MACHINE_TIMER) === 0n ? own : earlier(own, machine.mtimecmp));
}

/** A guest wants its timer's interrupt at a time of its own; what was pending before is not any more. @spec SBI 2.0 "Timer Extension" */
export function setGuestTimer(visit: Visit, deadline: bigint): void {
  const { setTimer } = visit.parts;
  if (setTimer === undefined) setDeadline(visit, deadline);
  else setTimer(visit, deadline, () => setDeadline(visit, deadline));
  const now = hostTime(visit);
  answerTimer(visit, visit.vcpu, now);
  armTimer(visit, visit.vcpu, now);
}

function setDeadline(visit: Visit, deadline: bigint): void {
  const { context, domain, vcpu } = visit;
  if ((domain.flags & DomainFlag.TIMER_BY_CALL) === 0) {
    context.csr.write("vstimecmp", deadline);
    return;
  }
  vcpu.timer = deadline;
  setPending(visit, vcpu, VSTI, false);
}

/** Looks whether a virtual CPU's timer is due. */
export function answerTimer(host: Host, vcpu: VcpuView, now: bigint): void {
  const part = host.parts.answerTimer;
  if (part === undefined) ring(host, vcpu, now);
  else part(host, vcpu, now, () => ring(host, vcpu, now));
}

/** Whoever waits for its timer is woken; a deadline in RAM becomes an interrupt, once. */
function ring(host: Host, vcpu: VcpuView, now: bigint): void {
  if (vcpu.state === VcpuState.BLOCKED && wakeTime(vcpu) <= now) wake(vcpu);
  if (vcpu.timer === NEVER || whenHere(vcpu, vcpu.timer) > now) return;
  vcpu.timer = NEVER;
  setPending(host, vcpu, VSTI, true);
}

/** The hart's timer: the scheduler's alarm, or before it a deadline that the guest has set and its hart does not know. */
export function armTimer({ context, state }: Host, vcpu: VcpuView | undefined, now: bigint): void {
  const { alarm } = state.pcpu(context.hart);
  const due = vcpu === undefined ? NEVER : whenHere(vcpu, earlier(vcpu.machine.mtimecmp, vcpu.timer));
  const own = due <= now ? NEVER : due;
  context.csr.write("stimecmp", earlier(alarm, own));
}
