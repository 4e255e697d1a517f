/** Exercise A4.1: a second stage out of pieces of memory, with pages as large as they can be. */
import fc from "fast-check";
import { groupedHex } from "../../../bits/hex.ts";
import type { Answer, Outcome } from "../../../checks/answer.ts";
import {
  type Check,
  type CheckRun,
  defineCheck,
  type Finding,
  type Property,
} from "../../../checks/check.ts";
import { describeInert, type Inert, member } from "../../../checks/inert.ts";
import { type Broken, fails, forAllAtOnce } from "../../../checks/property.ts";
import { type MappedPage, meaningOf } from "../../../referee/page-tables.ts";
import { ENDLESS_TABLES, listTables } from "../../walls/table-listing.ts";

/** Memory that the guest shall have. */
interface Piece {
  readonly gpa: bigint;
  readonly hpa: bigint;
  readonly bytes: bigint;
  /** R, W and X, as in an entry. */
  readonly rights: bigint;
}

interface Plan {
  readonly pieces: readonly Piece[];
  readonly free: readonly bigint[];
}

const KIB4 = 4096n;
const MIB2 = 1n << 21n;
const GIB = 1n << 30n;
const SIZES = [GIB, MIB2, KIB4] as const;
const FRAMES = 0x9000_0000n;

/** Pieces by what their addresses have in common: the larger that is, the larger the pages may be. */
const SHAPES = [
  { common: KIB4, least: 1, most: 5, unit: KIB4 },
  { common: KIB4, least: 512, most: 700, unit: KIB4 },
  { common: MIB2, least: 510, most: 1_026, unit: KIB4 },
  { common: MIB2, least: 1, most: 3, unit: MIB2 },
  { common: GIB, least: 511, most: 514, unit: MIB2 },
] as const;

const piece = (slot: number): fc.Arbitrary<Piece> =>
  fc
    .record({
      shape: fc.nat(SHAPES.length - 1),
      count: fc.nat(600),
      start: fc.constantFrom(0n, KIB4, 511n * KIB4, MIB2, MIB2 - KIB4, 3n * MIB2),
      host: fc.integer({ min: 1, max: 30 }),
      rights: fc.constantFrom(14n, 6n, 10n, 2n),
    })
    .map(({ shape, count, start, host, rights }) => {
      const { common, least, most, unit } = SHAPES[shape] ?? SHAPES[0];
      const offset = common === GIB ? (start >= MIB2 ? MIB2 : 0n) : start;
      // One piece in each stretch of 4 GiB; the last lies where the wide root is needed.
      const base = slot === 2 ? 1n << 39n : BigInt(slot) * 4n * GIB + 2n * GIB;
      return {
        gpa: base + offset,
        hpa: 64n * GIB * BigInt(1 + slot) + BigInt(host) * common + (common === KIB4 ? 0n : offset % common),
        bytes: BigInt(least + (count % (most - least + 1))) * unit,
        rights,
      };
    });

const plans: fc.Arbitrary<Plan> = fc
  .record({
    pieces: fc
      .uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 })
      .chain((slots) => fc.tuple(...slots.map(piece))),
    first: fc.nat(7),
    frames: fc.integer({ min: 3, max: 18 }),
    hole: fc.integer({ min: 0, max: 12 }),
  })
  .map(({ pieces, first, frames, hole }) => ({
    pieces,
    free: Array.from({ length: frames }, (_, index) => FRAMES + BigInt(first + index) * KIB4).filter(
      (_, index) => index !== hole,
    ),
  }));

interface Wanted {
  readonly ok: boolean;
  readonly tables: number;
  readonly leaves: readonly {
    readonly gpa: bigint;
    readonly hpa: bigint;
    readonly bytes: bigint;
    readonly rights: bigint;
  }[];
}

/** Places for a root: four free frames in a row, the first at a multiple of 16 KiB. */
const rootsIn = (free: readonly bigint[]): bigint[] =>
  free.filter(
    (frame) => frame % (4n * KIB4) === 0n && [1n, 2n, 3n].every((page) => free.includes(frame + page * KIB4)),
  );

/** The model: pages as large as both addresses and what is left allow, and the tables that these need. */
function modelOf({ pieces, free }: Plan): Wanted {
  const tables = new Set<string>();
  const leaves: Wanted["leaves"][number][] = [];
  for (const { gpa, hpa, bytes, rights } of pieces)
    for (let done = 0n; done < bytes; ) {
      const size =
        SIZES.find(
          (each) => (gpa + done) % each === 0n && (hpa + done) % each === 0n && bytes - done >= each,
        ) ?? KIB4;
      leaves.push({ gpa: gpa + done, hpa: hpa + done, bytes: size, rights });
      if (size < GIB) tables.add(`1 ${(gpa + done) / GIB}`);
      if (size < MIB2) tables.add(`0 ${(gpa + done) / MIB2}`);
      done += size;
    }
  const ok = rootsIn(free).length > 0 && free.length - 4 >= tables.size;
  return { ok, tables: tables.size, leaves };
}

/** What an answer built. */
interface Built {
  readonly ok: boolean;
  readonly root: bigint;
  readonly memory: ReadonlyMap<bigint, bigint>;
  /** What the tables map. */
  readonly pages: readonly MappedPage[];
}

/** The frames that a plan has suffice for fewer pages, of whatever size. */
const MOST_PAGES = 10_000;

function builtOf(outcome: Outcome | undefined): Built | Broken {
  if (outcome?.ok !== true)
    return {
      hint: `buildSecondStage ${outcome?.category ?? "did not answer"}.`,
      detail: outcome?.message ?? "",
    };
  const { value } = outcome;
  const [ok, root, memory] = (["ok", "root", "memory"] as const).map((name): Inert => member(value, name));
  const isShape =
    typeof ok === "boolean" &&
    (!ok ||
      (typeof root === "bigint" &&
        memory instanceof Map &&
        [...memory].every(
          ([at, entry]) =>
            typeof at === "bigint" && typeof entry === "bigint" && entry >= 0n && entry >> 64n === 0n,
        )));
  if (!isShape)
    return {
      hint: "Return { ok, root, memory }: a boolean, the root's address, and entries of 64 bits by address.",
      detail: "",
    };
  return ok
    ? read(root as bigint, memory as ReadonlyMap<bigint, bigint>)
    : { ok, root: 0n, memory: new Map(), pages: [] };
}

/** Reads the tables, once for all questions. */
function read(root: bigint, memory: Built["memory"]): Built | Broken {
  const tables = { register: "hgatp", root: root & ~0x3fffn, levels: 3 } as const;
  const { pages, isWhole } = listTables(tables, (at) => memory.get(at) ?? 0n, MOST_PAGES);
  return isWhole
    ? { ok: true, root, memory, pages }
    : { hint: ENDLESS_TABLES, detail: `the root is at ${describeInert(root)}` };
}

const isBroken = (built: Built | Broken): built is Broken => "hint" in built;

function tablesOf({ root, memory }: Built): bigint[] {
  const found: bigint[] = [];
  const visit = (table: bigint, level: number): void => {
    for (let index = 0n; index < (level === 2 ? 2048n : 512n); index += 1n) {
      const meaning = meaningOf("hgatp", level, memory.get(table + 8n * index) ?? 0n);
      if (meaning.kind !== "table" || found.length > 100) continue;
      found.push(meaning.to);
      visit(meaning.to, level - 1);
    }
  };
  visit(root & ~0x3fffn, 2);
  return found;
}

const planWords = ({ pieces, free }: Plan): string =>
  `pieces ${pieces
    .map(({ gpa, hpa, bytes }) => `${groupedHex(gpa, 8)} to ${groupedHex(hpa, 8)}, ${bytes / KIB4} pages`)
    .join("; ")}; free frames ${free.map((frame) => groupedHex(frame, 8)).join(" ")}`;

type Question = (built: Built, wanted: Wanted, plan: Plan) => string | undefined;

/** Stretches that follow each other in both kinds of addresses are one, whatever the size of their pages. */
function joined(pages: readonly { gpa: bigint; hpa: bigint; bytes: bigint; rights: bigint }[]) {
  const sorted = pages.toSorted((a, b) => (a.gpa < b.gpa ? -1 : 1));
  const runs: { gpa: bigint; hpa: bigint; bytes: bigint; rights: bigint }[] = [];
  for (const page of sorted) {
    const last = runs.at(-1);
    if (
      last !== undefined &&
      last.gpa + last.bytes === page.gpa &&
      last.hpa + last.bytes === page.hpa &&
      last.rights === page.rights
    )
      last.bytes += page.bytes;
    else runs.push({ ...page });
  }
  return runs;
}

const leads: Question = (built, wanted) => {
  if (!wanted.ok) return undefined;
  if (!built.ok)
    return "It can be done and was refused: four free frames in a row at a multiple of 16 KiB are the root, any others are tables.";
  const seen = joined(
    built.pages.map(({ address, to, bytes, rights }) => ({
      gpa: address,
      hpa: to,
      bytes,
      rights: rights & 14n,
    })),
  );
  const should = joined(wanted.leaves);
  const same = (left: (typeof seen)[number] | undefined, right: (typeof seen)[number]): boolean =>
    left?.gpa === right.gpa &&
    left.hpa === right.hpa &&
    left.bytes === right.bytes &&
    left.rights === right.rights;
  if (seen.length === should.length && should.every((run, at) => same(seen[at], run))) return undefined;
  return should.some(({ gpa }) => !seen.some((run) => run.gpa <= gpa && gpa < run.gpa + run.bytes))
    ? "Memory is missing. A leaf needs V, U, A, D and its rights; a large page must be aligned in both kinds of addresses; the root's index has eleven bits, 40 to 30."
    : "Memory leads elsewhere, has other rights, or is there and was not asked for.";
};

const root: Question = (built, wanted, { free }) => {
  if (!wanted.ok || !built.ok) return wanted.ok ? "It can be done and was refused." : undefined;
  const isUsed = [...built.memory].some(([at, entry]) => at >> 14n === built.root >> 14n && entry !== 0n);
  if (!isUsed) return "The root has no entry: a place alone is no wall.";
  if (built.root % 0x4000n !== 0n)
    return "The root is not at a multiple of 16 KiB: hgatp has no room for the two low bits of its page number.";
  return rootsIn(free).includes(built.root)
    ? undefined
    : "The root needs four free frames in a row: it has 2,048 entries.";
};

const large: Question = (built, wanted) => {
  if (!wanted.ok) return undefined;
  if (!built.ok) return "It can be done and was refused: with pages as large as possible the frames suffice.";
  // Few pages are no merit where memory is missing. Leaves count wherever they stand: whether they are reached, others ask.
  const leaves = [...built.memory.values()].filter((entry) => (entry & 1n) !== 0n && (entry & 14n) !== 0n);
  if (leaves.length < wanted.leaves.length)
    return "There are fewer leaves than this memory needs: some is missing, or a page is larger than both addresses and what is left allow.";
  if (built.pages.length <= wanted.leaves.length) return undefined;
  return "Some pages could be larger: 2 MiB or 1 GiB, where both addresses are multiples of that and so much is left.";
};

const frames: Question = (built, wanted, { free }) => {
  if (!wanted.ok)
    return built.ok ? "It cannot be done with these frames, and yet the answer was yes." : undefined;
  if (!built.ok) return "It can be done and was refused.";
  const tables = tablesOf(built);
  const roots = [0n, 1n, 2n, 3n].map((page) => (built.root & ~0x3fffn) + page * KIB4);
  if (tables.some((table) => !free.includes(table))) return "A table stands in memory that is not free.";
  if (new Set([...tables, ...roots]).size !== tables.length + 4)
    return "One frame has two uses: the root's four frames are no tables, and each table has a frame of its own.";
  const used = new Set([...tables, ...roots]);
  return [...built.memory.keys()].some((at) => !used.has(at & ~0xfffn))
    ? "An entry was stored outside of the root and its tables."
    : undefined;
};

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("buildSecondStage must be a function.");
  return forAllAtOnce(plans, run, 91, (batch) => {
    const outcomes = answer.callEach(
      batch.map(({ pieces, free }) => [pieces.map((each) => ({ ...each })), [...free]]),
    );
    return batch.map((plan, index): Broken | undefined => {
      const built = builtOf(outcomes[index]);
      if (isBroken(built)) return built;
      const hint = question(built, modelOf(plan), plan);
      return hint === undefined ? undefined : { hint, detail: planWords(plan) };
    });
  });
}

const property = (id: string, says: string, question: Question): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, question),
});

/** Check of exercise A4.1. */
export const buildCheck: Check = defineCheck({
  id: "A4.1",
  title: "Build the wall",
  points: 4,
  properties: [
    property("leads", "the guest reaches its memory, with its rights, and nothing else", leads),
    property("root", "the root is four free frames at a multiple of 16 KiB", root),
    property("large", "pages are as large as they can be", large),
    property(
      "frames",
      "tables stand in free frames, each used once, and what cannot be done is refused",
      frames,
    ),
  ],
});
