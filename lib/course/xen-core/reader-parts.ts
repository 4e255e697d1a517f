/** A reader's answers as parts of the hypervisor: what was a function of plain data works on tables in machine RAM. */
import { PTE } from "../../mmu/pte.ts";
import { EVENT_SOURCE } from "../../vmm/events.ts";
import type { Host, Visit } from "../../vmm/host.ts";
import { setLine } from "../../vmm/interrupts.ts";
import { DOMAINS, DomainState, PORTS, PortState } from "../../vmm/layout.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import type { EventDomains } from "./event-model.ts";

/** A type whose members may be changed, all the way down: what a cell gets is a copy, and its own. */
export type Draft<Value> =
  Value extends ReadonlyMap<infer Key, infer Item>
    ? Map<Key, Draft<Item>>
    : Value extends readonly (infer Item)[]
      ? Draft<Item>[]
      : Value extends object
        ? { -readonly [Name in keyof Value]: Draft<Value[Name]> }
        : Value;

/** A reader's event channels: exercise 06.3. */
export type EventFunction = (
  domains: Draft<EventDomains>,
  me: number,
  call: string,
  a: number,
  b: number,
) => { readonly value: bigint; readonly domains: Draft<EventDomains> };

const NAMES = ["free", "waiting", "bound"] as const;
const STATES: Readonly<Record<string, number>> = {
  free: PortState.FREE,
  waiting: PortState.UNBOUND,
  bound: PortState.BOUND,
};

/** The hypervisor's tables as plain data. A domain that does not run has no ports, and is not there. */
function readDomains({ state }: Host): Draft<EventDomains> {
  const domains: Draft<EventDomains> = [{ ports: [], pending: 0n, masked: 0n }];
  for (let id = 1; id < DOMAINS; id++) {
    const domain = state.domain(id);
    if (domain.state !== DomainState.RUNNING) break;
    const ports = Array.from({ length: PORTS }, (_, port) => {
      const { state: is, remote, remotePort } = domain.ports.get(port);
      return { state: NAMES[is] ?? "free", remote, remotePort };
    });
    domains.push({ ports, pending: domain.eventsPending, masked: domain.eventsMasked });
  }
  return domains;
}

/** Writes them back, and lets each domain's interrupt line follow. */
function writeDomains(host: Host, domains: Draft<EventDomains>): void {
  for (const [id, { ports, pending, masked }] of domains.entries()) {
    if (id === 0 || id >= DOMAINS) continue;
    const domain = host.state.domain(id);
    for (const [port, end] of ports.slice(0, PORTS).entries()) {
      const view = domain.ports.get(port);
      const is = STATES[end.state] ?? PortState.FREE;
      if (view.state !== is) view.state = is;
      if (view.remote !== end.remote) view.remote = end.remote;
      if (view.remotePort !== end.remotePort) view.remotePort = end.remotePort;
    }
    domain.eventsPending = BigInt.asUintN(PORTS, pending);
    domain.eventsMasked = BigInt.asUintN(PORTS, masked);
    setLine({ ...host, domain }, EVENT_SOURCE, (domain.eventsPending & ~domain.eventsMasked) !== 0n);
  }
}

/** Hypercalls that the reader's function serves; `event_allocate` and `event_close` stay the reference's. */
export function eventParts(eventCall: EventFunction): VmmParts {
  const serve =
    (call: string) =>
    (visit: Visit): bigint => {
      const { a0, a1 } = visit.context.registers;
      const small = (value: bigint): number => (value < 1n << 16n ? Number(value) : 1 << 16);
      const result = eventCall(readDomains(visit), visit.domain.id, call, small(a0), small(a1));
      if (typeof result?.value !== "bigint" || !Array.isArray(result.domains))
        throw new Error("eventCall must return { value, domains }");
      writeDomains(visit, result.domains);
      return result.value;
    };
  return {
    hypercalls: {
      event_bind: serve("bind"),
      event_send: serve("send"),
      event_mask: serve("mask"),
      event_take: serve("take"),
    },
  };
}

/** Whether an entry is a leaf: some right is set. */
export const isLeaf = (entry: bigint): boolean => (entry & (PTE.R | PTE.W | PTE.X)) !== 0n;
