/** A reader's scheduler and timer in the hypervisor: small functions on numbers, and what they must remember in its RAM. */

import type { Host } from "../../vmm/host.ts";
import { setPending } from "../../vmm/interrupts.ts";
import { DomainFlag, VcpuState, type VcpuView } from "../../vmm/layout.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import { VSTI } from "../../vmm/vcpu.ts";

/** One who could run. */
export interface Sharer {
  readonly id: number;
  /** What it has used, by its weight. */
  readonly used: number;
}

/** A reader's scheduler. */
export interface FairShare {
  /** What somebody has used, after it ran for so many ticks. */
  readonly charge: (used: number, ran: number, weight: number) => number;
  /** What somebody who wakes has used, when those who are ready have used that. */
  readonly wake: (used: number, others: readonly number[]) => number;
  /** Whose turn it is: an `id`. */
  readonly choose: (ready: readonly Sharer[]) => number;
}

/** A guest's timer. */
export interface GuestTimer {
  /** In the guest's time; 2^64 - 1 for never. */
  readonly deadline: bigint;
  /** `htimedelta`: what is added to the machine's time, modulo 2^64, to have the guest's. */
  readonly delta: bigint;
}

/** Whether a timer is due, and what its deadline is from now on. */
export type Ring = (now: bigint, timer: GuestTimer) => { readonly due: boolean; readonly deadline: bigint };

/** What is used is kept in the word of the credit, in steps of a thousandth. */
const STEPS = 1024;
const usedBy = ({ schedule }: VcpuView): number => Number(BigInt.asIntN(64, schedule.credit)) / STEPS;
const noteUsed = ({ schedule }: VcpuView, used: number): void => {
  schedule.credit = BigInt.asUintN(64, BigInt(Math.round(used * STEPS)));
};
const weightOf = (host: Host, { domain }: VcpuView): number => host.state.domain(domain).weight;

/** The hypervisor with this scheduler. The machine must be one that accounts: `scheduler: "CREDIT"`. */
export const shareParts = ({ charge, wake, choose }: FairShare): VmmParts => ({
  charge: (host, vcpu, ran) => noteUsed(vcpu, charge(usedBy(vcpu), Number(ran), weightOf(host, vcpu))),
  pay: () => {},
  choose: (_host, { vcpus }) => {
    const ready = vcpus.filter(({ state }) => state === VcpuState.READY);
    for (const vcpu of ready) {
      if (vcpu.schedule.boosted === 0n) continue;
      const others = ready.filter((other) => other !== vcpu && other.schedule.boosted === 0n);
      noteUsed(vcpu, wake(usedBy(vcpu), others.map(usedBy)));
      vcpu.schedule.boosted = 0n;
    }
    if (ready.length === 0) return undefined;
    const id = choose(ready.map((vcpu) => ({ id: vcpu.domain, used: usedBy(vcpu) })));
    return ready.find(({ domain }) => domain === id) ?? ready[0];
  },
});

/** The hypervisor with this timer, for guests with `timer: "call"`. */
export const timerParts = (ring: Ring): VmmParts => ({
  answerTimer: (host, vcpu, now, reference) => {
    if ((host.state.domain(vcpu.domain).flags & DomainFlag.TIMER_BY_CALL) === 0) {
      reference();
      return;
    }
    const { due, deadline } = ring(now, { deadline: vcpu.timer, delta: vcpu.vs.htimedelta });
    vcpu.timer = deadline;
    if (due) setPending(host, vcpu, VSTI, true);
  },
});
