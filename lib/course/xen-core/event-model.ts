/** Event channels as plain data, and what each call does to them: the model that answers are held against. */

/** One end of a channel. Port 0 is none. */
export interface EventPort {
  readonly state: "free" | "waiting" | "bound";
  /** The domain at the other end, or the one that may bind it. */
  readonly remote: number;
  /** The port at the other end; 0 while nobody has bound it. */
  readonly remotePort: number;
}

/** What the hypervisor keeps of a domain. Bit n is port n's. */
export interface EventDomain {
  readonly ports: readonly EventPort[];
  readonly pending: bigint;
  readonly masked: bigint;
}

/** Domains by number; 0 is the hypervisor, and has no ports. */
export type EventDomains = readonly EventDomain[];

/** A call: its name, and two numbers that it may want. */
export interface EventCall {
  readonly domain: number;
  readonly call: "allocate" | "bind" | "send" | "mask" | "take" | "close";
  readonly a: number;
  readonly b: number;
}

/** What a call returns: a value or, negative, an error; and the domains behind it. */
export interface EventResult {
  readonly value: bigint;
  readonly domains: EventDomains;
}

export const EVENT_PORTS = 6;
const FREE: EventPort = { state: "free", remote: 0, remotePort: 0 };
const ERROR = { permission: -1n, entry: -2n, domain: -3n, invalid: -22n, space: -28n } as const;

/** Domains without channels. @param count  Domains beside the hypervisor. */
export const quietDomains = (count: number): EventDomains =>
  Array.from({ length: count + 1 }, (_, domain) => ({
    ports: domain === 0 ? [] : Array.from({ length: EVENT_PORTS }, () => FREE),
    pending: 0n,
    masked: 0n,
  }));

const bit = (port: number): bigint => 1n << BigInt(port);

/** Another domain in its place. */
const withDomain = (domains: EventDomains, number: number, change: Partial<EventDomain>): EventDomains =>
  domains.map((domain, index) => (index === number ? { ...domain, ...change } : domain));

const withPort = (domains: EventDomains, number: number, port: number, end: EventPort): EventDomains =>
  withDomain(domains, number, {
    ports: domains[number]?.ports.map((each, index) => (index === port ? end : each)) ?? [],
  });

/** The port, if it is not free. */
const used = (domains: EventDomains, domain: number, port: number): EventPort | undefined => {
  const end = port === 0 ? undefined : domains[domain]?.ports[port];
  return end === undefined || end.state === "free" ? undefined : end;
};

const freePort = (domains: EventDomains, domain: number): number | undefined => {
  const found = domains[domain]?.ports.findIndex(({ state }, port) => port > 0 && state === "free") ?? -1;
  return found < 0 ? undefined : found;
};

/** What a call does. */
export function eventModel(domains: EventDomains, { domain, call, a, b }: EventCall): EventResult {
  const refused = (value: bigint): EventResult => ({ value, domains });
  const mine = domains[domain];
  if (mine === undefined) return refused(ERROR.domain);
  switch (call) {
    case "allocate": {
      if (a === 0 || domains[a] === undefined) return refused(ERROR.domain);
      const port = freePort(domains, domain);
      if (port === undefined) return refused(ERROR.space);
      return {
        value: BigInt(port),
        domains: withPort(domains, domain, port, { state: "waiting", remote: a, remotePort: 0 }),
      };
    }
    case "bind":
      return bind(domains, domain, a, b);
    case "send": {
      const end = used(domains, domain, a);
      if (end?.state !== "bound") return refused(ERROR.entry);
      const pending = (domains[end.remote]?.pending ?? 0n) | bit(end.remotePort);
      return { value: 0n, domains: withDomain(domains, end.remote, { pending }) };
    }
    case "mask": {
      if (used(domains, domain, a) === undefined) return refused(ERROR.entry);
      if (b !== 0 && b !== 1) return refused(ERROR.invalid);
      const masked = b === 1 ? mine.masked | bit(a) : mine.masked & ~bit(a);
      return { value: 0n, domains: withDomain(domains, domain, { masked }) };
    }
    case "take": {
      const value = mine.pending & ~mine.masked;
      return { value, domains: withDomain(domains, domain, { pending: mine.pending & ~value }) };
    }
    case "close":
      return close(domains, domain, a);
  }
}

function bind(domains: EventDomains, domain: number, remote: number, remotePort: number): EventResult {
  const refused = (value: bigint): EventResult => ({ value, domains });
  if (remote === 0 || domains[remote] === undefined) return refused(ERROR.domain);
  const far = used(domains, remote, remotePort);
  if (far === undefined) return refused(ERROR.entry);
  if (far.state !== "waiting" || far.remote !== domain) return refused(ERROR.permission);
  const port = freePort(domains, domain);
  if (port === undefined) return refused(ERROR.space);
  const bound = withPort(domains, domain, port, { state: "bound", remote, remotePort });
  return {
    value: BigInt(port),
    domains: withPort(bound, remote, remotePort, { state: "bound", remote: domain, remotePort: port }),
  };
}

/** The other end waits for the same domain again; nothing of the port stays behind. */
function close(domains: EventDomains, domain: number, port: number): EventResult {
  const end = used(domains, domain, port);
  const mine = domains[domain];
  if (end === undefined || mine === undefined) return { value: ERROR.entry, domains };
  const farEnd = domains[end.remote]?.ports[end.remotePort];
  const freed =
    end.state === "bound" && farEnd !== undefined
      ? withPort(domains, end.remote, end.remotePort, { ...farEnd, state: "waiting", remotePort: 0 })
      : domains;
  const closed = withPort(freed, domain, port, FREE);
  return {
    value: 0n,
    domains: withDomain(closed, domain, {
      pending: mine.pending & ~bit(port),
      masked: mine.masked & ~bit(port),
    }),
  };
}
