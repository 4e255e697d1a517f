/**
 * Tests for the checks of notebook 02: the reference answer earns everything, the stub nothing, and each plausible wrong answer
 * loses the points of the properties that it breaks, with a sentence that teaches. The table is printed.
 */
import { stripTypeScriptTypes } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { localAnswer } from "../../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../../lib/checks/check.ts";
import { seededWords, seedFor } from "../../../lib/checks/seed.ts";
import { hint, referenceAnswer } from "../../../lib/course/help.ts";
import type { WallsExercise } from "../../../lib/course/walls/answers.ts";
import { WALLS_CHECKS } from "../../../lib/course/walls/exercises.ts";
import { FORGETFUL_KERNELS, firstWrongLoad, runKernel } from "../../../lib/course/walls/fence-machine.ts";
import { machineWalk, walkCases } from "../../../lib/course/walls/walk-cases.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { encodeCsr, SV39 } from "../../../lib/isa/csr-map.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { exerciseTable } from "../../support/exercise-table.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";
/** 2,000 makes 100,000 walks of 02.3. */
const INSTANCES = isFull ? 2_000 : 40;

const HANDED: Readonly<Record<WallsExercise, string>> = {
  "02.1": "mine",
  "02.2": "{ seed: SEED, at, entry }",
  "02.3": "walkSv39",
  "02.4": "mapRange",
  "02.6": "tableReads",
  "02.5": "{ trial, isWrong }",
};
const IDS = Object.keys(HANDED) as WallsExercise[];

function checkOf(id: WallsExercise): Check {
  const found = WALLS_CHECKS.find((check) => check.id === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const answerOf = (id: WallsExercise, source: string, seed: number): unknown =>
  new Function("SEED", "seededWords", `${stripTypeScriptTypes(source)}\nreturn ${HANDED[id]};`)(
    seed,
    seededWords,
  ) as unknown;

const judge = (id: WallsExercise, value: unknown, instances = 40): Verdict =>
  checkOf(id).run(localAnswer(value), { seed: seedFor(id, "test"), instances });

/** The reference with some of its text replaced; throws when the text is not there. */
function changed(id: WallsExercise, ...edits: readonly (readonly [from: string, to: string])[]): string {
  return edits.reduce(
    (source, [from, to]) => {
      if (!source.includes(from)) throw new Error(`${id} has no ${from}`);
      return source.replaceAll(from, to);
    },
    referenceAnswer(id, 1),
  );
}

interface Row {
  readonly id: WallsExercise;
  readonly what: string;
  readonly source: string;
  readonly score: number;
  readonly says: RegExp;
}

const row = (id: WallsExercise, what: string, score: number, says: RegExp, source: string): Row => ({
  id,
  what,
  source,
  score,
  says,
});

const numbersOf = (source: string): string[] => [...source.matchAll(/0x[0-9a-f]+n/g)].map(([text]) => text);
const [at = "0n", entry = "0n"] = numbersOf(referenceAnswer("02.2", 1));
const [paddr = "0n"] = numbersOf(referenceAnswer("02.1", 1));
const [, first = "", second = "", third = ""] =
  /\[(\d+), (\d+), (\d+)\]/.exec(referenceAnswer("02.1", 1)) ?? [];

const ROWS: readonly Row[] = [
  row(
    "02.1",
    "the untouched stub",
    0,
    /Cut the address from the right/,
    "const mine = { seed: SEED, indexes: [0, 0, 0], paddr: 0n, store: -1 };",
  ),
  row(
    "02.1",
    "indexes from right to left",
    2,
    /wrong order/,
    changed("02.1", [`[${first}, ${second}, ${third}]`, `[${third}, ${second}, ${first}]`]),
  ),
  row(
    "02.1",
    "the page without the offset",
    2,
    /Add the offset/,
    changed("02.1", [paddr, `${paddr} & ~4095n`]),
  ),
  row(
    "02.1",
    "W forgotten, or seen where it is not",
    2,
    /Spell out the last byte/,
    `${referenceAnswer("02.1", 1)} mine.store = 15 - mine.store;`,
  ),
  row("02.2", "the untouched stub", 0, /at must be the address/, "const at = 0n; const entry = 0n;"),
  row(
    "02.2",
    "both rights taken away",
    1,
    /program cannot use its data|cannot be fetched|vault/,
    `const at = ${at}; const entry = ${entry} & ~12n;`,
  ),
  row(
    "02.2",
    "the wrong one of the two rights taken away",
    1,
    /Take the other right away|vault/,
    `const at = ${at}; const entry = (${entry} ^ 12n);`,
  ),
  row(
    "02.2",
    "the page made invalid",
    1,
    /program cannot use its data|cannot be fetched|vault/,
    `const at = ${at}; const entry = ${entry} & ~1n;`,
  ),
  row(
    "02.2",
    "the entry as it was",
    0,
    /nothing has changed/,
    `const at = ${at}; const entry = ${entry} | 12n;`,
  ),
  row("02.3", "the untouched stub", 0, /another code/, "function walkSv39() { return 0; }"),
  row("02.3", "everything is a load fault", 0, /another code|allowed/, "function walkSv39() { return 13; }"),
  row(
    "02.3",
    "no large pages",
    3,
    /A leaf may stand above/,
    changed("02.3", ["const offset =", "if (shift > 12n) return fault;\n    const offset ="]),
  ),
  row(
    "02.3",
    "large pages of any alignment",
    3,
    /must be 0, 9 for each level/,
    changed("02.3", ["(next & offset) !== 0n || ", ""]),
  ),
  row(
    "02.3",
    "twelve bits of offset in a large page",
    3,
    /the wrong place/,
    changed("02.3", ["return next | (va & offset);", "return next | (va & 4095n);"]),
  ),
  row(
    "02.3",
    "SUM lets supervisor mode fetch",
    3,
    /never executes a page with U/,
    changed("02.3", ['u && (kind === "fetch" || !sum)', "u && !sum"]),
  ),
  row("02.3", "MXR forgotten", 3, /allowed|another code/, changed("02.3", ["r || (mxr && x)", "r"])),
  row(
    "02.3",
    "A and D not looked at",
    3,
    /software sets/,
    changed("02.3", [' || !a || (kind === "store" && !d)', ""]),
  ),
  row(
    "02.3",
    "addresses not checked",
    3,
    /must all equal/,
    changed("02.3", ["if (BigInt.asUintN(64, BigInt.asIntN(39, va)) !== va) return fault;", ""]),
  ),
  row(
    "02.3",
    "reserved bits and W without R not looked at",
    3,
    /reserved/,
    changed("02.3", [" || (w && !r) || (pte >> 54n & 0x7fn) !== 0n", ""]),
  ),
  row(
    "02.4",
    "the untouched stub",
    0,
    /refuses everything/,
    "const mapRange = (memory, root, va, pa, pages, flags, free) => ({ ok: false, memory, free });",
  ),
  row(
    "02.4",
    "W and X granted",
    3,
    /writable and executable|refused/,
    changed("02.4", ["if ((flags & 0xcn) === 0xcn) return refused;", ""]),
  ),
  row(
    "02.4",
    "mapped pages mapped again",
    3,
    /mapped already/,
    changed("02.4", ["if (memory.has(leaf)) return refused;", ""]),
  ),
  row(
    "02.4",
    "a new table for every page",
    2,
    /can be done was refused|leaked/,
    changed("02.4", ["if (!memory.has(at)) {", "{"]),
  ),
  row(
    "02.4",
    "a refusal half done",
    3,
    /left entries behind/,
    changed("02.4", [
      "const refused = { ok: false, memory: new Map(memory), free: [...free] };",
      "const refused = { ok: false, memory, free };",
    ]),
  ),
  row(
    "02.4",
    "a refusal that keeps frames",
    3,
    /kept frames/,
    changed("02.4", ["free: [...free] };", "free };"]),
  ),
  row(
    "02.4",
    "frames taken but not removed from the list",
    0,
    /Not even one page/,
    changed("02.4", ["free.shift()", "free[i < 0n ? 1 : 0]"]),
  ),
  // 1,536 entries that mean 134 million pages.
  row(
    "02.4",
    "one table for everything",
    0,
    /the same table is reached again and again/,
    `const mapRange = (memory, root) => {
      const [middle, last] = [root + 0x1000n, root + 0x2000n];
      for (let i = 0n; i < 512n; i += 1n) {
        memory.set(root + 8n * i, ((middle >> 12n) << 10n) | 1n);
        memory.set(middle + 8n * i, ((last >> 12n) << 10n) | 1n);
        memory.set(last + 8n * i, ((0x100000n + i) << 10n) | 0xd7n);
      }
      return { ok: true, memory, free: [] };
    };`,
  ),
  row(
    "02.6",
    "the untouched stub",
    0,
    /three tables/,
    "const tableReads = () => ({ afresh: -1, remembered: -1 });",
  ),
  row("02.6", "M-mode counted", 0, /M-mode/, changed("02.6", ['else if (touch.mode !== "M") {', "else {"])),
  row(
    "02.6",
    "addresses in place of pages",
    1,
    /pages, not addresses|forget every page/,
    changed("02.6", [">> 12n", ">> 0n"]),
  ),
  row(
    "02.6",
    "a fence that changes nothing",
    1,
    /fence makes the hart forget/,
    changed("02.6", ["known = new Set();\n    else", "known = known;\n    else"]),
  ),
  row("02.6", "one entry a walk", 0, /three tables/, changed("02.6", ["+= 3", "+= 1"])),
  row(
    "02.5",
    "the untouched stub",
    0,
    /without requests/,
    "const trial = () => []; const isWrong = () => false;",
  ),
  row(
    "02.5",
    "everybody accused",
    0,
    /is accused/,
    changed("02.5", ["return history.some(", "return true || history.some("]),
  ),
  row(
    "02.5",
    "nobody accused",
    1,
    /did not notice/,
    changed("02.5", ["return history.some(", "return false && history.some("]),
  ),
  row(
    "02.5",
    "loads only behind all changes",
    1,
    /No trial brings/,
    changed("02.5", [
      "return Array.from(",
      "return [{ op: 'map', page: 0, frame: 1 }, { op: 'unmap', page: 0 }, { op: 'map', page: 1, frame: 2 }, { op: 'load', page: 1 }, { op: 'load', page: 0 }]; Array.from(",
    ]),
  ),
  row(
    "02.5",
    "unmap never tried",
    4,
    /No trial brings/,
    changed("02.5", ['{ op: "unmap", page: pick() } : ', '{ op: "load", page: pick() } : ']),
  ),
  row(
    "02.5",
    "a page fault taken for a mistake",
    0,
    /is accused/,
    changed("02.5", ["(frames.get(event.page) ?? -1)", "frames.get(event.page)"]),
  ),
];

const table = exerciseTable();

describe("the exercises of notebook 02", () => {
  it.each(IDS)(
    "%s: the reference answer earns everything, under several seeds",
    { timeout: isFull ? 600_000 : 300_000 },
    (id) => {
      for (const seed of [1, 2, 3, 99]) {
        const verdict = judge(id, answerOf(id, referenceAnswer(id, seed), seed), seed === 1 ? INSTANCES : 20);
        if (seed === 1) table.add(checkOf(id), "the reference answer", checkOf(id).points, verdict);
        expect(verdict.message).toBe("Every property holds.");
        expect(verdict.score).toBe(checkOf(id).points);
      }
    },
  );

  it.each(ROWS)("$id: $what earns $score", ({ id, what, source, score, says }) => {
    const verdict = judge(id, answerOf(id, source, 1), 80);
    table.add(checkOf(id), what, score, verdict);
    expect(verdict.message).toMatch(says);
    expect(verdict.score).toBeCloseTo(score, 6);
  });

  it.each(IDS)("%s: two hints, then the answer", (id) => {
    expect(String(hint(id)["text/plain"])).toContain(`hint("${id}", 2)`);
    expect(String(hint(id, 2)["text/plain"])).toContain(`answer("${id}", SEED)`);
  });
});

describe("what the checks compare with", () => {
  it("is what a whole machine with these tables in its RAM says", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    const families = ["pages", "large", "rights", "malformed"] as const;
    for (const family of families)
      for (const walk of fc.sample(walkCases(family), { seed: 3, numRuns: 150 })) {
        const start = board.snapshot();
        for (const [paddr, word] of walk.memory) board.memory.store(paddr, 8, word);
        writeCsr(board.hart, "pmpaddr0", (1n << 54n) - 1n);
        writeCsr(board.hart, "pmpcfg0", 0x1fn);
        writeCsr(board.hart, "satp", encodeCsr("satp", { MODE: SV39, PPN: walk.root >> 12n }));
        writeCsr(
          board.hart,
          "mstatus",
          encodeCsr("mstatus", { SUM: walk.access.sum ? 1 : 0, MXR: walk.access.mxr ? 1 : 0 }),
        );
        const told = explainTranslation(board.hart, walk.va, walk.access.kind, walk.access.user ? "U" : "S");
        const { result } = machineWalk(walk);
        // PMP and empty places of the bus are no matter of the walk.
        expect(told.paddr).toBe(typeof result === "bigint" ? result : undefined);
        board.revert(start);
      }
  });

  it("is a machine on which each forgotten fence shows", () => {
    for (const habit of FORGETFUL_KERNELS) {
      const ops = [
        { op: "map", page: 0, frame: 1 },
        { op: "load", page: 0 },
        { op: "map", page: 0, frame: 2 },
        { op: "load", page: 0 },
        { op: "unmap", page: 0 },
        { op: "load", page: 0 },
      ] as const;
      expect(firstWrongLoad(runKernel(ops, habit)), habit.name).toBeGreaterThan(0);
    }
  });
});
