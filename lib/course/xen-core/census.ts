/** What every frame of a machine is used for: the hypervisor's frame table, and what an onlooker finds who goes through all tables. */
import { leavesOf, type MappedPage } from "../../referee/page-tables.ts";
import { DOMAINS, DomainState, FrameType } from "../../vmm/layout.ts";
import type { Office } from "./office.ts";

/** What a frame is. */
export type FrameKind = "firmware" | "hypervisor" | "free" | "memory" | "table" | "loader";

/** A frame. */
export interface FrameView {
  /** Machine address. */
  readonly address: bigint;
  readonly kind: FrameKind;
  /** Name of the guest that owns it; empty: nobody's, or the hypervisor's. */
  readonly owner: string;
  /** Two letters at most: the owner's, and what kind of table it is (`g`: second stage; a digit: level of its own tables). */
  readonly letters: string;
  readonly refs: number;
  readonly typed: number;
  /** Names of guests that reach it, and do not own it. */
  readonly lentTo: readonly string[];
  /** It holds page tables, and a guest can write it. */
  readonly isBroken: boolean;
}

/** All frames, in order. */
export type Census = readonly FrameView[];

const TABLES: ReadonlyMap<number, string> = new Map<number, string>([
  [FrameType.G_TABLE, "g"],
  [FrameType.PAGE_TABLE_0, "0"],
  [FrameType.PAGE_TABLE_1, "1"],
  [FrameType.PAGE_TABLE_2, "2"],
]);
const WRITABLE = 4n;
const PAGE = 4096n;

/** Who reaches a frame. */
interface Reach {
  readonly readers: Set<number>;
  readonly writers: Set<number>;
}

function reachOf(office: Office): ReadonlyMap<number, Reach> {
  const { state } = office.vmm;
  const first = state.frameAddress(0);
  const found = new Map<number, Reach>();
  const note = (domain: number, { to, bytes, rights }: MappedPage): void => {
    for (let at = to; at < to + bytes; at += PAGE) {
      const frame = Number((at - first) / PAGE);
      const reach = found.get(frame) ?? { readers: new Set(), writers: new Set() };
      reach.readers.add(domain);
      if ((rights & WRITABLE) !== 0n) reach.writers.add(domain);
      found.set(frame, reach);
    }
  };
  for (let domain = 1; domain < DOMAINS; domain++) {
    if (state.domain(domain).state !== DomainState.RUNNING) continue;
    const tables = office.tablesOf(domain);
    if (tables !== undefined) for (const page of leavesOf(tables, office.read)) note(domain, page);
  }
  return found;
}

/** Looks at every frame. */
export function frameCensus({ office }: { readonly office: Office }): Census {
  const { state, map } = office.vmm;
  const { first, end } = state.pool;
  const base = state.frameNumber(map.base);
  const reach = reachOf(office);
  const nameOf = (domain: number): string => office.names[domain - 1] ?? `domain ${domain}`;
  return Array.from({ length: Number(map.ram.sizeBytes / PAGE) }, (_, number) => {
    const { owner, type, refCount, typeCount } = state.frame(number);
    const level = TABLES.get(type);
    const { readers = new Set<number>(), writers = new Set<number>() } = reach.get(number) ?? {};
    const kind: FrameKind =
      type === FrameType.FREE
        ? unusedKind(number, base, first, end)
        : level === undefined
          ? "memory"
          : "table";
    const name = owner === 0 ? "" : nameOf(owner);
    return {
      address: state.frameAddress(number),
      kind,
      owner: name,
      letters: `${name.slice(0, 1).toUpperCase()}${level ?? ""}`,
      refs: refCount,
      typed: typeCount,
      lentTo: type === FrameType.FREE ? [] : [...readers].filter((domain) => domain !== owner).map(nameOf),
      isBroken: level !== undefined && writers.size > 0,
    };
  });
}

const unusedKind = (number: number, base: number, first: number, end: number): FrameKind =>
  number < base ? "firmware" : number < first ? "hypervisor" : number < end ? "free" : "loader";
