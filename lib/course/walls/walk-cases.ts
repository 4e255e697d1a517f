/** Random walks: one path through three tables (four under Sv48) and one access. The machine's own walk says what must come out. */
import fc from "fast-check";
import { hex } from "../../bits/hex.ts";
import type { Inert } from "../../checks/inert.ts";
import { vaddr } from "../../isa/address.ts";
import { type Leaf, type WalkFault, type WalkStep, walkPageTable } from "../../mmu/page-walk.ts";
import { pteFlagsText } from "../../mmu/pte.ts";
import { SCHEMES } from "../../mmu/scheme.ts";

/** Who wants what of an address. `sum` and `mxr` are the bits of `sstatus`. */
export interface Access {
  readonly kind: "fetch" | "load" | "store";
  /** User mode's rights; otherwise supervisor mode's. */
  readonly user: boolean;
  readonly sum: boolean;
  readonly mxr: boolean;
}

/** One walk to be done. */
export interface WalkCase {
  /** Entries by physical address; whatever is not there is 0. */
  readonly memory: ReadonlyMap<bigint, bigint>;
  readonly root: bigint;
  readonly va: bigint;
  readonly access: Access;
  readonly scheme: "Sv39" | "Sv48";
}

/** Codes of page faults by access. */
export const PAGE_FAULT = { fetch: 12, load: 13, store: 15 } as const;

/** What the machine's walk makes of it, and the entry that it looked at last. */
export interface WalkOutcome {
  readonly found: Leaf | WalkFault;
  readonly last: WalkStep | undefined;
  /** The physical address, or the code of the fault. */
  readonly result: bigint | number;
}

/** Walks as the machine does, with A and D left to software. */
export function machineWalk({ memory, root, va, access, scheme }: WalkCase): WalkOutcome {
  let last: WalkStep | undefined;
  const found = walkPageTable(
    {
      scheme: SCHEMES[scheme],
      rootPpn: root >> 12n,
      vaddr: vaddr(va),
      kind: access.kind,
      asUser: access.user,
      sum: access.sum,
      mxr: access.mxr,
      setsAccessedDirty: false,
      allowsMemoryTypes: false,
      needsExecute: false,
    },
    (address) => memory.get(address) ?? 0n,
    (step) => {
      last = step;
    },
  );
  return { found, last, result: found.kind === "leaf" ? BigInt(found.paddr) : PAGE_FAULT[access.kind] };
}

/** The case as arguments for an answer. */
export const walkArguments = ({ memory, root, va, access }: WalkCase): Inert[] => [
  memory,
  root,
  va,
  { ...access },
];

/** What a family of cases is about. */
export type Family = "pages" | "large" | "rights" | "malformed";

const ROOT = 0x8000_1000n;
const tableAt = (level: number): bigint => ROOT + BigInt(8 - level) * 0x1000n;

const V = 1n;
const GOOD_LEAF = 0xdfn; // D A U X W R V, all rights, for user mode

const accesses: fc.Arbitrary<Access> = fc.record({
  kind: fc.constantFrom("load" as const, "store" as const, "fetch" as const),
  user: fc.boolean(),
  sum: fc.boolean(),
  mxr: fc.boolean(),
});

/** Flags of a leaf: any rights that are not reserved. */
const leafFlags = fc
  .record({
    rights: fc.constantFrom(2n, 6n, 8n, 10n, 14n),
    u: fc.boolean(),
    g: fc.boolean(),
    a: fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0),
    d: fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0),
    rsw: fc.integer({ min: 0, max: 3 }),
  })
  .map(
    ({ rights, u, g, a, d, rsw }) =>
      V | rights | (u ? 16n : 0n) | (g ? 32n : 0n) | (a ? 64n : 0n) | (d ? 128n : 0n) | (BigInt(rsw) << 8n),
  );

/** What makes an entry mean nothing. */
const SPOILERS = [
  ["V is 0", (entry: bigint) => entry & ~V],
  ["W without R", (entry: bigint) => (entry & ~2n) | 4n],
  ["a reserved bit", (entry: bigint) => entry | (1n << 57n)],
  ["A in a pointer", (entry: bigint) => ((entry & 0xen) === 0n ? entry | 64n : entry & ~V)],
  ["U in a pointer", (entry: bigint) => ((entry & 0xen) === 0n ? entry | 16n : entry & ~V)],
  ["no leaf at the end", (entry: bigint) => entry & ~0xden],
  ["an address that is not canonical", (entry: bigint) => entry],
] as const;

interface Draft {
  readonly place: bigint;
  readonly ppn: bigint;
  readonly flags: bigint;
  readonly leafLevel: number;
  readonly isAligned: boolean;
  readonly access: Access;
  readonly spoiler: number;
  readonly spoiledLevel: number;
}

const everything = { user: true, sum: false, mxr: false } as const;

const drafts = (levels: number): fc.Arbitrary<Draft> =>
  fc.record({
    place: fc.bigInt({ min: 0n, max: (1n << BigInt(12 + 9 * levels)) - 1n }),
    ppn: fc.bigInt({ min: 0n, max: (1n << 44n) - 1n }),
    flags: leafFlags,
    leafLevel: fc.integer({ min: 1, max: levels - 1 }),
    isAligned: fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0),
    access: accesses,
    spoiler: fc.nat(SPOILERS.length - 1),
    spoiledLevel: fc.nat(levels - 1),
  });

/** Lays the tables for a draft. */
function build(draft: Draft, family: Family, scheme: WalkCase["scheme"]): WalkCase {
  const { levels, addressBits } = SCHEMES[scheme];
  const leafLevel = family === "large" ? draft.leafLevel : 0;
  const memory = new Map<bigint, bigint>();
  const isPlain = family !== "rights";
  const flags = isPlain ? GOOD_LEAF : draft.flags;
  const access = isPlain ? { ...everything, kind: draft.access.kind } : draft.access;
  const mask = (1n << BigInt(9 * leafLevel)) - 1n;
  const ppn = family === "large" && !draft.isAligned ? draft.ppn | 1n : draft.ppn & ~mask;
  const spoil = SPOILERS[draft.spoiler];
  const isNotCanonical = family === "malformed" && draft.spoiler === SPOILERS.length - 1;
  for (let level = levels - 1; level >= leafLevel; level -= 1) {
    const table = level === levels - 1 ? ROOT : tableAt(level);
    const at = table + ((draft.place >> BigInt(12 + 9 * level)) & 511n) * 8n;
    const entry = level === leafLevel ? (ppn << 10n) | flags : ((tableAt(level - 1) >> 12n) << 10n) | V;
    const isSpoiled = family === "malformed" && level === draft.spoiledLevel;
    memory.set(at, isSpoiled && spoil !== undefined ? spoil[1](entry) : entry);
    // "pages": one in eight addresses has no table.
    if (family === "pages" && draft.spoiler === 0 && level === draft.spoiledLevel) memory.delete(at);
  }
  const signed = BigInt.asUintN(64, BigInt.asIntN(addressBits, draft.place));
  const va = isNotCanonical ? signed ^ (1n << 50n) : signed;
  return { memory, root: ROOT, va, access, scheme };
}

/** Random walks of one family; they shrink towards small addresses and loads. */
export const walkCases = (family: Family, scheme: WalkCase["scheme"] = "Sv39"): fc.Arbitrary<WalkCase> =>
  drafts(SCHEMES[scheme].levels).map((draft) => build(draft, family, scheme));

/** An access in words. */
export const accessWords = ({ kind, user, sum, mxr }: Access): string =>
  `a ${kind} in ${user ? "U" : "S"}-mode${sum ? ", SUM = 1" : ""}${mxr ? ", MXR = 1" : ""}`;

/** A case in words: the access and the entries on its way. */
export function caseWords({ memory, va, access }: WalkCase): string {
  const entries = [...memory].map(([at, pte]) => `${hex(at)}: ${hex(pte)} (${pteFlagsText(pte)})`);
  return `${accessWords(access)} at ${hex(va)}; entries ${entries.join(", ") || "none"}`;
}
