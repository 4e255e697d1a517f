/**
 * Who has the hart, and who waits for it: an onlooker beside the machine. It notes the time of every trap that leaves a guest, and behind
 * every handler reads in the hypervisor's RAM who is to run and in which state everybody is. It changes nothing.
 */

import { INSNS_PER_TICK } from "../../bus/clock.ts";
import type { HandlerCall, HostHandler } from "../../hart/handler-table.ts";
import { VcpuState } from "../../vmm/layout.ts";
import type { VmHost } from "../vm-host.ts";

/** Somebody has the hart for a time. */
export interface Span {
  /** The domain; 0: the hypervisor, or nobody. */
  readonly domain: number;
  /** In ticks of `time`. */
  readonly from: number;
  readonly to: number;
}

/** A domain could run and did not. */
export type Wait = Span;

/** What was seen of a machine. */
export interface Watched {
  /** In order, without gaps. */
  readonly spans: readonly Span[];
  /** Times in which a domain was ready and another had the hart. */
  readonly waits: readonly Wait[];
}

/** Runs a machine for so many ticks of its time and sees who had the hart. Guests have a virtual CPU each. */
export function watch(host: VmHost, ticks: number): Watched {
  const { board } = host;
  const now = (): number => board.clock.now / INSNS_PER_TICK;
  const spans: Span[] = [];
  const waits: Wait[] = [];
  const waiting = new Map<number, number>();
  let open = { domain: currentOf(host), from: now() };
  const turnTo = (domain: number): void => {
    const at = now();
    if (at > open.from) spans.push({ ...open, to: at });
    open = { domain, from: at };
  };
  const noteWaits = (): void => {
    for (const { domain, state } of host.vcpus()) {
      const since = waiting.get(domain);
      if (state === VcpuState.READY && since === undefined) waiting.set(domain, now());
      if (state === VcpuState.READY || since === undefined) continue;
      waits.push({ domain, from: since, to: now() });
      waiting.delete(domain);
    }
  };
  const stopTraps = board.onTrap(({ from, to }) => {
    if (to === "S" && (from === "VS" || from === "VU")) turnTo(0);
  });
  const stopHandlers = accompany(host, () => {
    noteWaits();
    turnTo(currentOf(host));
  });
  noteWaits();
  board.run({ instructions: ticks * INSNS_PER_TICK, untilInsns: board.clock.now + ticks * INSNS_PER_TICK });
  stopTraps();
  stopHandlers();
  turnTo(0);
  for (const [domain, from] of waiting) waits.push({ domain, from, to: now() });
  return { spans, waits };
}

/** The domain that the hart runs, as the hypervisor's RAM says. */
function currentOf(host: VmHost): number {
  const { current } = host.state.pcpu(0);
  return host.vcpus().find(({ address }) => address === current)?.domain ?? 0;
}

/** Is called behind each handler until the returned function is. */
function accompany({ board: { handlers } }: VmHost, behind: () => void): () => void {
  const stops = handlers.numbers.map((number) => {
    const inner = handlers.get(number);
    if (inner === undefined) return () => {};
    const outer: HostHandler = (call: HandlerCall) => {
      const outcome = inner(call);
      if (outcome === undefined) behind();
      return outcome;
    };
    handlers.register(number, outer);
    return () => {
      if (handlers.get(number) === outer) handlers.register(number, inner);
    };
  });
  return () => {
    for (const stop of stops) stop();
  };
}

/** The part of the time that each domain had, from what the hypervisor has written down: index 0 is domain 1. */
export function sharesOf(host: VmHost): readonly number[] {
  const ran = host.vcpus().map(({ schedule }) => Number(schedule.ran));
  const all = ran.reduce((sum, ticks) => sum + ticks, 0);
  return ran.map((ticks) => (all === 0 ? 0 : ticks / all));
}
