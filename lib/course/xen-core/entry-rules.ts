/** Seven rules for entries of a paravirtualized guest's tables, and what a guest gains when one of them is missing. */
import { PTE } from "../../mmu/pte.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import { frameCensus } from "./census.ts";
import { buildOffice, type OfficeGuest } from "./office.ts";
import { GUEST_BASE } from "./puppet.ts";
import { isLeaf } from "./reader-parts.ts";

/** A rule. */
export interface EntryRule {
  readonly name: string;
  /** What an entry that breaks it is taken for where the rule is missing: the entry, and the level at which it is judged. */
  readonly overlooked: (entry: bigint, level: number) => readonly [bigint, number];
  /** An entry that breaks it, for a frame of the guest's own. */
  readonly breaking: (frame: bigint) => bigint;
  /** The level of the table that it is for. */
  readonly level: 0 | 1;
}

const entryTo = (frame: bigint, flags: bigint): bigint => ((frame >> 12n) << 10n) | flags;
const READ = PTE.V | PTE.R | PTE.A;
const WRITE = READ | PTE.W | PTE.D;
const NAPOT = 1n << 63n;
const MEMORY_TYPE = 3n << 61n;
const RESERVED = 0x7fn << 54n;
const POINTER_BITS = PTE.U | PTE.A | PTE.D;

const without =
  (bits: bigint): EntryRule["overlooked"] =>
  (entry, level) => [entry & ~bits, level];

/** In the order of `lib/vmm/paravirtual/entries.ts`. */
export const ENTRY_RULES: readonly EntryRule[] = [
  { name: "no G", overlooked: without(PTE.G), breaking: (frame) => entryTo(frame, WRITE | PTE.G), level: 0 },
  { name: "no N", overlooked: without(NAPOT), breaking: (frame) => entryTo(frame, WRITE | NAPOT), level: 0 },
  {
    name: "no memory type",
    overlooked: without(MEMORY_TYPE),
    breaking: (frame) => entryTo(frame, WRITE | (1n << 61n)),
    level: 0,
  },
  {
    name: "no reserved bits",
    overlooked: without(RESERVED),
    breaking: (frame) => entryTo(frame, WRITE | (1n << 54n)),
    level: 0,
  },
  {
    name: "no U, A, D in a pointer",
    overlooked: (entry, level) => [isLeaf(entry) ? entry : entry & ~POINTER_BITS, level],
    breaking: (frame) => entryTo(frame, PTE.V | PTE.A),
    level: 1,
  },
  {
    name: "no leaf above level 0",
    overlooked: (entry, level) => [entry, isLeaf(entry) ? 0 : level],
    breaking: (frame) => entryTo(frame, WRITE),
    level: 1,
  },
  {
    name: "no W without R",
    overlooked: (entry, level) => [(entry & PTE.W) === 0n ? entry : entry | PTE.R, level],
    breaking: (frame) => entryTo(frame, PTE.V | PTE.W | PTE.A | PTE.D),
    level: 0,
  },
];

/** The hypervisor without one of its rules. */
export const forgetting = ({ overlooked }: EntryRule): VmmParts => ({
  meaningOf: (entry, level, reference) => reference(...overlooked(entry, level)),
});

/** Pages of the guest: its last ones, its tables among them, lie behind 0x8040_0000. */
export const MALLORY_PAGES = 464;
const LARGE = 0x20_0000n;

/** A frame of the guest's where an entry of the kind does most harm: the first of 2 MiB, or one of sixteen with its tables. */
function frameFor(mallory: OfficeGuest, rule: EntryRule): bigint {
  const own = frameCensus(mallory).filter(({ owner, kind }) => owner === mallory.name && kind === "memory");
  const tables = frameCensus(mallory).filter(({ owner, kind }) => owner === mallory.name && kind === "table");
  const first = tables[0]?.address ?? 0n;
  const wanted =
    rule.name === "no leaf above level 0"
      ? first - (first % LARGE)
      : rule.name === "no N"
        ? first - (first % 0x1_0000n) + 0x8000n
        : mallory.frameOf(GUEST_BASE + 0x8000n);
  return own.find(({ address }) => address === wanted)?.address ?? own.at(-1)?.address ?? 0n;
}

/** What became of a guest's try: what the hypervisor answered, and the invariants that were broken behind it. */
export interface Forgotten {
  readonly rule: string;
  readonly answer: number;
  readonly broken: readonly string[];
}

/** Takes the rules away one by one, each on a machine of its own, and lets the referee judge what a guest makes of it. */
export function forgetEachRule(): Forgotten[] {
  return ENTRY_RULES.map((rule) => {
    const { office, mallory } = buildOffice(
      { mallory: { kind: "paravirtual", pages: MALLORY_PAGES } },
      { parts: forgetting(rule) },
    );
    const frame =
      rule.level === 1 && rule.name !== "no leaf above level 0"
        ? spareTable(mallory)
        : frameFor(mallory, rule);
    const table = mallory.entryFor(GUEST_BASE, rule.level) & ~0xfffn;
    const answer = mallory.update(table + 8n * (rule.level === 1 ? 100n : 500n), rule.breaking(frame));
    return {
      rule: rule.name,
      answer,
      broken: [...new Set(office.judge.violations.map(({ invariant }) => invariant))].sort(),
    };
  });
}

/** A frame that can be a table: its owner maps it to be read alone, and it holds zeros. */
function spareTable(mallory: OfficeGuest): bigint {
  const page = GUEST_BASE + 0x8000n;
  const frame = mallory.frameOf(page) ?? 0n;
  mallory.update(mallory.entryFor(page), entryTo(frame, READ));
  return frame;
}
