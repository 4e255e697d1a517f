/**
 * What guests see of each other and of their memory, without frames and counts: pages hold a value, grants and mappings lead to pages, own
 * tables to both. For each operation it says what the guest's own registers must have afterwards; `undefined`: nobody can say.
 */
import {
  type Act,
  domainOf,
  type Operation,
  PAGES,
  type SceneName,
  SLOTS,
  STRAY,
  type Target,
  twinOf,
  type Way,
} from "./campaign-operations.ts";

/** Errors of hypercalls. */
export const ERROR = {
  NOT_PERMITTED: -1n,
  NO_ENTRY: -2n,
  NO_DOMAIN: -3n,
  BAD_ADDRESS: -14n,
  BUSY: -16n,
  NO_SPACE: -28n,
} as const;
/** What an access leaves that faulted: this, minus its cause. */
export const FAULT = -1_000n;
const fault = (cause: number): bigint => FAULT - BigInt(cause);
const CAUSE = {
  load: { missing: 13, nowhere: 5 },
  store: { missing: 15, nowhere: 7 },
  fetch: { missing: 12, nowhere: 1 },
} as const;
type Kind = keyof typeof CAUSE;
const NEEDED: Readonly<Record<Kind, string>> = { load: "r", store: "w", fetch: "x" };
const ILLEGAL = 2;
const [GRANTS, PORTS] = [32, 64];
/** A serial port that has sent everything. */
const IDLE_PORT = 0x60n;

interface Cell {
  value: bigint;
  isCode: boolean;
}
interface Grant {
  readonly to: number;
  readonly page: number;
  readonly isWritable: boolean;
  readonly cell: Cell;
  mapped: number;
}
interface Mapping {
  readonly mapper: number;
  readonly place: number;
  readonly grant: Grant;
  readonly isWritable: boolean;
}
interface Port {
  readonly remote: number;
  remotePort: number;
}
interface Entry {
  readonly target: Target;
  readonly rights: string;
}
interface Domain {
  readonly id: number;
  readonly cells: Cell[];
  readonly entries: (Entry | undefined)[];
  isLarge: boolean;
  readonly grants: (Grant | undefined)[];
  readonly ports: (Port | undefined)[];
  pending: bigint;
  printed: string;
}

const empty = (): Cell => ({ value: 0n, isCode: false });
/** One of a list, if there is any. */
const pick = <T>(list: readonly T[], number: number): T | undefined =>
  list[number % Math.max(list.length, 1)];
const freeIn = (table: readonly unknown[], first = 0): number => {
  for (let at = first; ; at++) if (table[at] === undefined) return at;
};

/** All domains of one machine. */
export class CampaignModel {
  readonly #domains: readonly Domain[];
  readonly #mappings: (Mapping | undefined)[] = [];
  readonly #scene: SceneName;

  constructor(scene: SceneName) {
    this.#scene = scene;
    this.#domains = Array.from({ length: scene === "two" ? 2 : 3 }, (_, index) => ({
      id: index + 1,
      cells: Array.from({ length: PAGES }, empty),
      entries: new Array<undefined>(SLOTS).fill(undefined),
      isLarge: false,
      grants: [],
      ports: [],
      pending: 0n,
      printed: "",
    }));
  }

  /** What the domain has printed. */
  printedBy(id: number): string {
    return this.#domains[id - 1]?.printed ?? "";
  }

  /** Notes what a domain prints; the letter. */
  print(id: number, value: number): string {
    const letter = String.fromCharCode(96 + value);
    const domain = this.#domains[id - 1];
    if (domain !== undefined) domain.printed += letter;
    return letter;
  }

  /** What is in `a0` behind an operation of a domain with a second stage. */
  answer(operation: Operation): bigint {
    const answer = ANSWERS[operation.act];
    const domain = this.#domains[domainOf(this.#scene, operation) - 1];
    if (answer === undefined || domain === undefined) throw new Error(`no answer for ${operation.act}`);
    return answer.call(this, domain, operation);
  }

  /** The operation as it is made: about something that there is, mostly, and by a domain that has it. */
  resolve(operation: Operation): Operation {
    if (!("stray" in operation) || operation.stray === STRAY) return operation;
    if ("way" in operation) {
      const domain = this.#domains[domainOf(this.#scene, operation) - 1];
      if (domain === undefined) return operation;
      return { ...operation, way: this.#wayThatLeads(domain, operation.act, operation.way) };
    }
    for (let turn = 0; turn < 3; turn++) {
      const each = { ...operation, domain: ((operation.domain - 1 + turn) % 3) + 1 };
      const domain = this.#domains[domainOf(this.#scene, each) - 1];
      const found = domain === undefined ? undefined : this.#named(domain, each);
      if (found !== undefined) return found;
    }
    return operation;
  }

  /** The same about what the domain has of that kind; `undefined`: nothing. */
  #named(domain: Domain, operation: Operation): Operation | undefined {
    switch (operation.act) {
      case "grant_map":
      case "grant_copy": {
        const found = pick(this.#grantsTo(domain.id), operation.number);
        if (found === undefined) return undefined;
        const [granter, number, grant] = found;
        if (operation.act === "grant_copy")
          return { ...operation, granter, number, isStore: operation.isStore && grant.isWritable };
        const free = [0, 1, 2].filter((place) => !this.#isMapped(domain.id, place));
        const place = pick(free, operation.place) ?? operation.place;
        return { ...operation, granter, number, place, isWritable: operation.isWritable && grant.isWritable };
      }
      case "grant_unmap": {
        const mine = [...this.#mappings.keys()].filter((at) => this.#mappings[at]?.mapper === domain.id);
        const number = pick(mine, operation.number);
        return number === undefined ? undefined : { ...operation, number };
      }
      case "grant_revoke": {
        const mine = [...domain.grants.keys()].filter((at) => domain.grants[at]?.mapped === 0);
        const number = pick(mine, operation.number);
        return number === undefined ? undefined : { ...operation, number };
      }
      case "event_bind": {
        const waiting = this.#domains.flatMap(({ id, ports }) =>
          [...ports.entries()].flatMap(([at, port]) =>
            port?.remotePort === 0 && port.remote === domain.id ? [[id, at] as const] : [],
          ),
        );
        const found = pick(waiting, operation.number);
        return found === undefined ? undefined : { ...operation, to: found[0], number: found[1] - 1 };
      }
      case "event_send": {
        const bound = [...domain.ports.keys()].filter((at) => (domain.ports[at]?.remotePort ?? 0) !== 0);
        const port = pick(bound, operation.number);
        return port === undefined ? undefined : { ...operation, number: port - 1 };
      }
      default:
        return operation;
    }
  }

  /** A way by which the access is made, if there is one of the kind. */
  #wayThatLeads(domain: Domain, act: "load" | "store" | "plant" | "fetch", way: Way): Way {
    const kind = act === "plant" ? "store" : act;
    const leads = (each: Way): boolean => {
      const cell = this.access(domain, each, kind);
      return typeof cell !== "bigint" && (kind !== "fetch" || cell.isCode);
    };
    if (leads(way)) return way;
    const all = [0, 1, 2, 3, 4];
    const slots: Way[] = all.slice(0, SLOTS).map((slot) => ({ slot }));
    const pages: Way[] = all.map((page) => ({ direct: { page } }));
    const places: Way[] = all.slice(0, 3).map((place) => ({ direct: { place } }));
    const isPlace = "direct" in way && "place" in way.direct;
    const ways =
      "slot" in way ? [...slots, ...pages] : isPlace ? [...places, ...pages] : [...pages, ...slots];
    return ways.find(leads) ?? way;
  }

  #grantsTo(id: number): (readonly [granter: number, number: number, grant: Grant])[] {
    return this.#domains.flatMap((granter) =>
      [...granter.grants.entries()].flatMap(([number, grant]) =>
        grant?.to === id ? [[granter.id, number, grant] as const] : [],
      ),
    );
  }

  #isMapped(id: number, place: number): boolean {
    return this.#mappings.some((each) => each?.mapper === id && each.place === place);
  }

  domain(id: number): Domain | undefined {
    return this.#domains[id - 1];
  }

  /** An access by a way. */
  access(domain: Domain, way: Way, kind: Kind): Cell | bigint {
    const { missing, nowhere } = CAUSE[kind];
    let target: Target;
    if ("slot" in way) {
      const entry = domain.entries[way.slot];
      if (entry === undefined || !entry.rights.includes(NEEDED[kind])) return fault(missing);
      target = entry.target;
    } else if ("large" in way) {
      if (!domain.isLarge) return fault(missing);
      target = { page: way.large };
    } else target = way.direct;
    if ("page" in target) return domain.cells[target.page] ?? empty();
    const { place } = target;
    const mapping = this.#mappings.find((each) => each?.mapper === domain.id && each.place === place);
    const isAllowed = mapping !== undefined && (kind === "load" || (kind === "store" && mapping.isWritable));
    return isAllowed ? mapping.grant.cell : fault(nowhere);
  }

  /** A grant of one domain's to another, or the error. */
  grantTo({ id }: Domain, granter: number, number: number, isWritable: boolean): Grant | bigint {
    const owner = this.domain(granter);
    if (owner === undefined) return ERROR.NO_DOMAIN;
    const grant = owner.grants[number];
    if (grant === undefined) return ERROR.NO_ENTRY;
    return grant.to !== id || (isWritable && !grant.isWritable) ? ERROR.NOT_PERMITTED : grant;
  }

  map({ id }: Domain, grant: Grant, { place, isWritable }: Act<"grant_map">): bigint {
    if (this.#mappings.some((each) => each?.mapper === id && each.place === place)) return ERROR.BAD_ADDRESS;
    const free = freeIn(this.#mappings);
    this.#mappings[free] = { mapper: id, place, grant, isWritable };
    grant.mapped += 1;
    return BigInt(free);
  }

  unmap({ id }: Domain, number: number): bigint {
    const mapping = this.#mappings[number];
    if (mapping?.mapper !== id) return ERROR.NO_ENTRY;
    mapping.grant.mapped -= 1;
    this.#mappings[number] = undefined;
    return 0n;
  }
}

type Answer<Name extends Operation["act"]> = (
  this: CampaignModel,
  domain: Domain,
  operation: Act<Name>,
) => bigint;

const TABLE: { readonly [Name in Operation["act"]]?: Answer<Name> } = {
  map(domain, { slot, target, rights }) {
    domain.entries[slot] = { target, rights };
    return 0n;
  },
  unmap(domain, { slot }) {
    domain.entries[slot] = undefined;
    return 0n;
  },
  protect(domain, { slot, rights }) {
    const entry = domain.entries[slot];
    if (entry !== undefined) domain.entries[slot] = { ...entry, rights };
    return 0n;
  },
  large(domain, { isOn }) {
    domain.isLarge = isOn;
    return 0n;
  },
  load(domain, { way }) {
    const cell = this.access(domain, way, "load");
    return typeof cell === "bigint" ? cell : cell.value;
  },
  store(domain, { way, value }) {
    const cell = this.access(domain, way, "store");
    if (typeof cell === "bigint") return cell;
    cell.value = BigInt(value);
    return 0n;
  },
  plant(domain, { way }) {
    const cell = this.access(domain, way, "store");
    if (typeof cell === "bigint") return cell;
    cell.isCode = true;
    return 0n;
  },
  fetch(domain, { way }) {
    const cell = this.access(domain, way, "fetch");
    return typeof cell === "bigint" ? cell : cell.isCode ? 0n : fault(ILLEGAL);
  },
  grant(domain, { to, page, isWritable }) {
    if (this.domain(to) === undefined) return ERROR.NO_DOMAIN;
    const free = freeIn(domain.grants);
    if (free >= GRANTS) return ERROR.NO_SPACE;
    domain.grants[free] = { to, page, isWritable, cell: domain.cells[page] ?? empty(), mapped: 0 };
    return BigInt(free);
  },
  grant_map(domain, operation) {
    const grant = this.grantTo(domain, operation.granter, operation.number, operation.isWritable);
    return typeof grant === "bigint" ? grant : this.map(domain, grant, operation);
  },
  grant_unmap(domain, { number }) {
    return this.unmap(domain, number);
  },
  grant_revoke(domain, { number }) {
    const grant = domain.grants[number];
    if (grant === undefined) return ERROR.NO_ENTRY;
    if (grant.mapped > 0) return ERROR.BUSY;
    domain.grants[number] = undefined;
    return 0n;
  },
  grant_copy(domain, { granter, number, page, isStore }) {
    const grant = this.grantTo(domain, granter, number, isStore);
    if (typeof grant === "bigint") return grant;
    const own = domain.cells[page] ?? empty();
    if (isStore) grant.cell.value = own.value;
    else own.value = grant.cell.value;
    return 8n;
  },
  balloon_give(domain, { page }) {
    if (domain.grants.some((grant) => grant?.page === page)) return ERROR.BUSY;
    domain.cells[page] = empty();
    return 1n;
  },
  balloon_take: () => 1n,
  event_allocate(domain, { to }) {
    if (this.domain(to) === undefined) return ERROR.NO_DOMAIN;
    const free = freeIn(domain.ports, 1);
    if (free >= PORTS) return ERROR.NO_SPACE;
    domain.ports[free] = { remote: to, remotePort: 0 };
    return BigInt(free);
  },
  event_bind(domain, { to, number }) {
    const other = this.domain(to);
    if (other === undefined) return ERROR.NO_DOMAIN;
    const far = other.ports[number + 1];
    if (far === undefined) return ERROR.NO_ENTRY;
    if (far.remotePort !== 0 || far.remote !== domain.id) return ERROR.NOT_PERMITTED;
    const free = freeIn(domain.ports, 1);
    domain.ports[free] = { remote: to, remotePort: number + 1 };
    far.remotePort = free;
    return BigInt(free);
  },
  event_send(domain, { number }) {
    const port = domain.ports[number + 1];
    const other = port === undefined || port.remotePort === 0 ? undefined : this.domain(port.remote);
    if (port === undefined || other === undefined) return ERROR.NO_ENTRY;
    other.pending |= 1n << BigInt(port.remotePort);
    return 0n;
  },
  event_take(domain) {
    const { pending } = domain;
    domain.pending = 0n;
    return pending;
  },
  yield: () => 0n,
  print(domain, { value }) {
    this.print(domain.id, value);
    return 0n;
  },
  device(domain, { isStore, value }) {
    if (isStore) this.print(domain.id, value);
    return isStore ? 0n : IDLE_PORT;
  },
  twins(domain, { page, value }) {
    for (const cell of [domain.cells[page], domain.cells[twinOf(page)]])
      if (cell !== undefined) Object.assign(cell, { value: BigInt(value), isCode: true });
    return 0n;
  },
  scan: () => 0n,
};
const ANSWERS = TABLE as Readonly<
  Partial<Record<Operation["act"], (this: CampaignModel, domain: Domain, operation: Operation) => bigint>>
>;
