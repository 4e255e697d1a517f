/** Exercise A4.2: a guest's access through both stages, and what the hypervisor is told of a fault. The judge is the machine. */
import fc from "fast-check";
import { hex } from "../../../bits/hex.ts";
import type { Answer, Outcome } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { describeInert, member } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import {
  entryTo,
  hgatpFor,
  type TwoStageCase,
  TwoStageMachine,
  type TwoStageOutcome,
  vsatpFor,
} from "../../second-wall/two-stage-machine.ts";
import { type Access, accessWords } from "../../walls/walk-cases.ts";

/** What a family of cases varies. */
type Family = "pages" | "large" | "rights" | "implicit" | "malformed";

const ROOT = 0x8004_0000n;
/** Tables of the second stage, in the order in which they are needed. */
const TABLES = [0x8004_4000n, 0x8004_5000n, 0x8004_6000n, 0x8004_7000n] as const;
/** 2 MiB that hold the guest's tables. */
const GUEST_HOME = 0x8020_0000n;
const GOOD_GUEST = 0xdfn;
const GOOD_HOST = 0xdfn;

interface Draft {
  readonly place: bigint;
  readonly ppn: bigint;
  readonly tablesAt: number;
  readonly dataAt: number;
  readonly pages: readonly [number, number, number];
  readonly guestLevel: number;
  readonly hostLevel: number;
  readonly isGuestOff: boolean;
  readonly isHostOff: boolean;
  readonly guestFlags: bigint;
  readonly hostFlags: bigint;
  readonly access: Access;
  readonly spoiler: number;
  readonly where: number;
}

/** Leaf flags: mostly usable, sometimes with one of the bits flipped. */
const flags = fc
  .record({ bits: fc.constantFrom(0xdfn, 0xd3n, 0xd7n, 0xdbn, 0xd9n, 0xcfn, 0xc7n), flip: fc.nat(11) })
  .map(({ bits, flip }) =>
    flip === 0 ? bits ^ 64n : flip === 1 ? bits ^ 128n : flip === 2 ? bits ^ 16n : bits,
  );

const drafts: fc.Arbitrary<Draft> = fc.record({
  place: fc.bigInt({ min: 0n, max: (1n << 39n) - 1n }),
  ppn: fc.bigInt({ min: 0n, max: (1n << 40n) - 1n }),
  tablesAt: fc.integer({ min: 0, max: 1_000 }),
  dataAt: fc.integer({ min: 1_024, max: 2_047 }),
  pages: fc
    .uniqueArray(fc.nat(511), { minLength: 3, maxLength: 3 })
    .map((pages) => pages as unknown as readonly [number, number, number]),
  guestLevel: fc.nat(2),
  hostLevel: fc.nat(2),
  isGuestOff: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 5),
  isHostOff: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 5),
  guestFlags: flags,
  hostFlags: flags,
  access: fc.record({
    kind: fc.constantFrom("load", "store", "fetch"),
    user: fc.boolean(),
    sum: fc.boolean(),
    mxr: fc.boolean(),
  }),
  spoiler: fc.nat(5),
  where: fc.nat(5),
});

const pageOf = (address: bigint, level: number): bigint => address & -(1n << BigInt(12 + 9 * level));
const indexOf = (address: bigint, level: number): bigint =>
  (address >> BigInt(12 + 9 * level)) & (level === 2 ? 2047n : 511n);

/** Maps one guest-physical page by a leaf of a level. Each GiB has its own tables. */
function mapSecond(
  memory: Map<bigint, bigint>,
  tables: readonly [bigint, bigint],
  gpa: bigint,
  hpa: bigint,
  level: number,
  leafFlags: bigint,
): void {
  const path = [ROOT, ...tables].slice(0, 3 - level);
  for (const [depth, table] of path.entries()) {
    const at = table + 8n * indexOf(gpa, 2 - depth);
    const next = path[depth + 1];
    memory.set(at, next === undefined ? entryTo(pageOf(hpa, level), leafFlags) : entryTo(next, 1n));
  }
}

/** Lays the tables of both stages for a draft. */
function build(draft: Draft, family: Family): TwoStageCase {
  const { pages, access, isHostOff } = draft;
  const varies = family === "rights";
  const guestLevel = family === "large" ? draft.guestLevel : 0;
  const hostLevel = family === "large" ? draft.hostLevel : 0;
  const isGuestOff = family === "large" && draft.isGuestOff;
  const off = family === "large" && isHostOff;
  const memory = new Map<bigint, bigint>();
  const home = off ? GUEST_HOME : (BigInt(draft.tablesAt) << 30n) | (5n << 21n);
  const [top, middle, last] = pages.map((page) => BigInt(page) << 12n) as [bigint, bigint, bigint];
  const data = pageOf((BigInt(draft.dataAt) << 30n) | (draft.place & 0x3fff_f000n), guestLevel);
  const plain: Access = { ...access, user: true, sum: false, mxr: false };
  const gva = isGuestOff ? data | (draft.place & 0xfffn) : BigInt.asUintN(64, BigInt.asIntN(39, draft.place));
  const gpa = isGuestOff ? gva : data | (gva & ((1n << BigInt(12 + 9 * guestLevel)) - 1n));
  // The guest's tables, at their host-physical places.
  const chain = [top, middle, last].slice(0, 3 - guestLevel);
  for (const [depth, table] of isGuestOff ? [] : [...chain.entries()]) {
    const at = GUEST_HOME + table + 8n * ((gva >> BigInt(30 - 9 * depth)) & 511n);
    const next = chain[depth + 1];
    memory.set(
      at,
      next === undefined ? entryTo(data, varies ? draft.guestFlags : GOOD_GUEST) : entryTo(home + next, 1n),
    );
  }
  // The second stage: one page for each of the guest's tables (or one of 2 MiB for all), and the data's.
  if (!off) {
    const own = [TABLES[0], TABLES[1]] as const;
    for (const table of isGuestOff ? [] : chain)
      mapSecond(memory, own, home + table, GUEST_HOME + table, hostLevel === 0 ? 0 : 1, GOOD_HOST);
    const hpa = pageOf(draft.ppn << 12n, hostLevel);
    mapSecond(memory, [TABLES[2], TABLES[3]], gpa, hpa, hostLevel, varies ? draft.hostFlags : GOOD_HOST);
  }
  const made: TwoStageCase = {
    memory,
    vsatp: isGuestOff ? 0n : vsatpFor(home + top),
    hgatp: off ? 0n : hgatpFor(ROOT, 3),
    gva,
    access: varies ? access : plain,
  };
  if (family === "implicit") spoilImplicit(memory, home + (chain[draft.where % 3] ?? top), draft.spoiler);
  if (family === "malformed") return spoil(made, draft, gpa);
  return made;
}

/** Something is wrong with the second stage's leaf for one of the guest's tables. */
function spoilImplicit(memory: Map<bigint, bigint>, gpa: bigint, spoiler: number): void {
  const at = TABLES[1] + 8n * indexOf(gpa, 0);
  const entry = memory.get(at) ?? 0n;
  // A table is loaded, whatever the access is: W, X and D do not matter, R, U and A do.
  const changed = [
    entry & ~1n,
    entry & ~14n,
    (entry & ~14n) | 8n,
    entry & ~16n,
    entry & ~64n,
    entry & ~0x8cn,
  ];
  memory.set(at, changed[spoiler] ?? 0n);
}

/** Something means nothing: an entry of either stage, or an address. */
function spoil(made: TwoStageCase, { spoiler, where }: Draft, gpa: bigint): TwoStageCase {
  const memory = new Map(made.memory);
  const [at, entry] = [...memory][where % memory.size] ?? [0n, 0n];
  if (spoiler === 0) memory.set(at, entry & ~1n);
  else if (spoiler === 1) memory.set(at, (entry & ~2n) | 4n);
  else if (spoiler === 2) memory.set(at, entry | (1n << 56n));
  else if (spoiler === 3) memory.set(at, (entry & 14n) === 0n ? entry | 64n : entry & ~14n);
  else if (spoiler === 4) return { ...made, memory, gva: made.gva ^ (1n << 45n) };
  // A guest-physical address has 41 bits: one more, and it has no place, although the rest would lead to a page.
  else return { ...made, memory, vsatp: 0n, gva: gpa | (1n << 41n) };
  return { ...made, memory };
}

const cases = (family: Family): fc.Arbitrary<TwoStageCase> => drafts.map((draft) => build(draft, family));

function caseWords({ memory, vsatp, hgatp, gva, access }: TwoStageCase): string {
  const entries = [...memory].map(([at, entry]) => `${hex(at)}: ${hex(entry)}`);
  return `${accessWords(access).replace("U-mode", "VU-mode").replace("S-mode", "VS-mode")} at ${hex(gva)}; vsatp ${hex(vsatp)}, hgatp ${hex(hgatp)}; ${entries.join(", ")}`;
}

/** What to say about a wrong outcome: which stage decided, and the machine's own sentence without addresses. */
function hintFor({ explanation, cause, gpa }: TwoStageOutcome, got: number): string {
  const second = cause >= 20;
  const isImplicit =
    second && gpa !== undefined && explanation.levels.some(({ verdict }) => verdict === "pte-guest-fault");
  if (second && got === cause - 8)
    return "A guest-page fault has codes of its own: 20 fetch, 21 load, 23 store. 12, 13 and 15 are the guest's, for its own tables.";
  if (second && got >= 20)
    return "A guest-page fault while the guest's tables are read has the code of the access itself: a store that finds no table is 23.";
  if (isImplicit)
    return "The hart reads the guest's entries through the second stage, as loads: that leaf needs V, R, U and A.";
  if (second)
    return "The second stage says no. Each access of a guest is user mode's there: U always, then R, W or X, A, and D for a store. The guest's SUM and MXR count in its own tables only. Bits 63 to 41 of a guest-physical address are 0.";
  if (cause === 0)
    return "This is allowed. In the guest's tables its own mode, SUM and MXR decide; in the second stage it is user mode without MXR. MODE 0 of either register means: no such tables.";
  return "The guest's own tables say no, with 12, 13 or 15: U and SUM, R with MXR, W, X, A, D, malformed entries, an address that is not canonical. They are asked before the second stage is asked for the data.";
}

function compare(
  each: TwoStageCase,
  wanted: TwoStageOutcome,
  outcome: Outcome | undefined,
): Broken | undefined {
  const words = caseWords(each);
  if (outcome?.ok !== true)
    return {
      hint: `translate ${outcome?.category ?? "did not answer"}.`,
      detail: `${outcome?.message ?? ""}; ${words}`,
    };
  const [paddr, cause, gpa] = (["paddr", "cause", "gpa"] as const).map((name) => member(outcome.value, name));
  const got = typeof cause === "number" ? cause : 0;
  const detail = `${words} — the machine gives ${wanted.paddr === undefined ? `cause ${wanted.cause}${wanted.gpa === undefined ? "" : `, gpa ${hex(wanted.gpa)}`}` : hex(wanted.paddr)}, you give ${describeInert(outcome.value)}`;
  if (typeof paddr !== "bigint" && typeof cause !== "number")
    return { hint: "translate must return { paddr } or { cause } or { cause, gpa }.", detail };
  if (got !== wanted.cause) return { hint: hintFor(wanted, got), detail };
  if (wanted.paddr !== undefined)
    return paddr === wanted.paddr
      ? undefined
      : {
          hint: "It leads elsewhere. Below a leaf of level n the low 12 + 9n bits come from the address that was looked up: the guest-virtual one in the guest's tables, the guest-physical one in the second stage.",
          detail,
        };
  if (wanted.gpa === undefined || gpa === wanted.gpa) return undefined;
  return {
    hint: "The right cause, the wrong gpa: it is the guest-physical address that the second stage refused, to the byte. While a table of the guest is read, that is the address of its entry.",
    detail,
  };
}

/** The machine answers many cases with one board. */
const machine = (() => {
  let made: TwoStageMachine | undefined;
  return () => (made ??= new TwoStageMachine());
})();

function judge(answer: Answer, run: CheckRun, family: Family, salt: number): Finding {
  if (!answer.isFunction) return fails("translate must be a function.");
  return forAllAtOnce(cases(family), { ...run, instances: 4 * run.instances }, salt, (batch) => {
    const outcomes = answer.callEach(
      batch.map(({ memory, vsatp, hgatp, gva, access }) => [memory, vsatp, hgatp, gva, { ...access }]),
    );
    return batch.map((each, index) => compare(each, machine().ask(each), outcomes[index]));
  });
}

const property = (id: Family, says: string, salt: number): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, id, salt),
});

/** Check of exercise A4.2. */
export const bothWalksCheck: Check = defineCheck({
  id: "A4.2",
  title: "Both walks, and who said no",
  points: 5,
  properties: [
    property("pages", "pages of 4 KiB in both stages are found", 11),
    property("large", "so are large ones, and either stage may be off", 12),
    property("rights", "each stage decides by its own bits, for its own mode", 13),
    property("implicit", "the guest's tables are read through the second stage, as loads", 14),
    property("malformed", "entries and addresses that mean nothing fault, with the right cause and gpa", 15),
  ],
});

/** For tests: random cases of a family. */
export const bothWalksCases = cases;
