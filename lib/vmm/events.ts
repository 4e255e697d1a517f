/** Event channels: one domain tells another that there is something to look at, one bit of it. They interrupt through the PLIC. */
import { Fault, runningDomain } from "./errors.ts";
import type { Host, Visit } from "./host.ts";
import { setLine } from "./interrupts.ts";
import { DOMAINS, type DomainView, PORTS, PortState } from "./layout.ts";

/** Source of the virtual PLIC: one that no device of the board has. */
export const EVENT_SOURCE = 50;

/** Bit of no port of anybody's: the hypervisor has something to say. It can neither be masked nor closed. */
const HYPERVISOR_BIT = 0;

type At = Pick<Visit, keyof Host | "domain">;
const bit = (port: number): bigint => 1n << BigInt(port);
const wordMask = (1n << BigInt(PORTS)) - 1n;

/** Events that came and are not masked hold the line high. */
const drive = (at: At): void =>
  setLine(at, EVENT_SOURCE, (at.domain.eventsPending & ~at.domain.eventsMasked & wordMask) !== 0n);

function freePort({ ports }: DomainView): number | undefined {
  for (let port = 1; port < PORTS; port++) if (ports.get(port).state === PortState.FREE) return port;
  return undefined;
}

/** A port of the domain that is not free; `undefined` for any other number. */
const usedPort = ({ ports }: DomainView, port: bigint): number | undefined =>
  port >= 1n && port < BigInt(PORTS) && ports.get(Number(port)).state !== PortState.FREE
    ? Number(port)
    : undefined;

/** A port that waits for a domain to bind it. */
export function allocatePort(visit: Visit, remote: bigint): bigint {
  if (runningDomain(visit, remote) === undefined) return Fault.NO_DOMAIN;
  const port = freePort(visit.domain);
  if (port === undefined) return Fault.NO_SPACE;
  const end = visit.domain.ports.get(port);
  end.state = PortState.UNBOUND;
  end.remote = Number(remote);
  end.remotePort = 0;
  return BigInt(port);
}

/** Binds a port that another domain has allocated for this one. */
export function bindPort(visit: Visit, remote: bigint, remotePort: bigint): bigint {
  const other = runningDomain(visit, remote);
  if (other === undefined) return Fault.NO_DOMAIN;
  const far = usedPort(other, remotePort);
  if (far === undefined) return Fault.NO_ENTRY;
  const farEnd = other.ports.get(far);
  if (farEnd.state !== PortState.UNBOUND || farEnd.remote !== visit.domain.id) return Fault.NOT_PERMITTED;
  const port = freePort(visit.domain);
  if (port === undefined || (other.id === visit.domain.id && port === far)) return Fault.NO_SPACE;
  const end = visit.domain.ports.get(port);
  end.state = PortState.BOUND;
  end.remote = other.id;
  end.remotePort = far;
  farEnd.state = PortState.BOUND;
  farEnd.remotePort = port;
  return BigInt(port);
}

/** Tells the other end. */
export function sendEvent(visit: Visit, number: bigint): bigint {
  const port = usedPort(visit.domain, number);
  const end = port === undefined ? undefined : visit.domain.ports.get(port);
  if (end?.state !== PortState.BOUND) return Fault.NO_ENTRY;
  const domain = visit.state.domain(end.remote);
  domain.eventsPending |= bit(end.remotePort);
  drive({ ...visit, domain });
  return 0n;
}

/** Tells a domain that the hypervisor has something to say to it: the target of its balloon has changed. */
export function tellOfHypervisor(at: At): void {
  at.domain.eventsPending |= bit(HYPERVISOR_BIT);
  drive(at);
}

/** What has come, and from now on has been seen. */
export function takeEvents(visit: Visit): bigint {
  const { domain } = visit;
  const pending = domain.eventsPending & ~domain.eventsMasked;
  domain.eventsPending &= ~pending;
  drive(visit);
  return pending;
}

/** Whether events at a port interrupt. */
export function maskPort(visit: Visit, number: bigint, isMasked: bigint): bigint {
  const { domain } = visit;
  const port = usedPort(domain, number);
  if (port === undefined) return Fault.NO_ENTRY;
  if (isMasked > 1n) return Fault.INVALID;
  domain.eventsMasked = isMasked === 1n ? domain.eventsMasked | bit(port) : domain.eventsMasked & ~bit(port);
  drive(visit);
  return 0n;
}

/** Gives a port up. The other end, if there is one, waits for somebody to bind it again. */
export function closePort(visit: Visit, number: bigint): bigint {
  const { domain, state } = visit;
  const port = usedPort(domain, number);
  if (port === undefined) return Fault.NO_ENTRY;
  const end = domain.ports.get(port);
  if (end.state === PortState.BOUND) {
    const far = state.domain(end.remote).ports.get(end.remotePort);
    far.state = PortState.UNBOUND;
    far.remotePort = 0;
  }
  freePortOf(visit, port);
  return 0n;
}

function freePortOf(at: At, port: number): void {
  const { domain } = at;
  domain.ports.get(port).state = PortState.FREE;
  domain.eventsPending &= ~bit(port);
  domain.eventsMasked &= ~bit(port);
  drive(at);
}

/** Frees all ports of other domains that lead to a domain or wait for it: whoever gets its number next is a stranger. */
export function closePortsTo(host: Host, remote: number): void {
  for (let id = 1; id < DOMAINS; id++) {
    const domain = host.state.domain(id);
    for (let port = 1; port < PORTS; port++) {
      const end = domain.ports.get(port);
      if (end.state !== PortState.FREE && end.remote === remote) freePortOf({ ...host, domain }, port);
    }
  }
}
