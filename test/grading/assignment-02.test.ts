/**
 * Tests for the tests: every exercise of assignment 02 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localAnswer } from "../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../lib/checks/check.ts";
import { auditCheck } from "../../lib/course/assignments/walls/audit.ts";
import { blameCheck } from "../../lib/course/assignments/walls/blame.ts";
import { unmapCheck } from "../../lib/course/assignments/walls/unmap.ts";
import { type StartedCell, startCell } from "../../lib/grader/cell-runner.ts";
import { Course } from "../../lib/grader/course.ts";
import { releaseNotebook } from "../../lib/grader/release.ts";
import { nodeCompilerHost } from "../../lib/host/kernel/headless-files.ts";
import { createCellCompiler } from "../../lib/notebook/compiler/cell-compiler.ts";
import { isNotebookError, parseNotebook } from "../../lib/notebook/nbformat.ts";
import { exerciseTable } from "../support/exercise-table.ts";
import { gradeId, PROJECT, unwrap } from "./support/course.ts";

const ASSIGNMENT = "02-walls";
const FILE = path.join(PROJECT, "assignments/source", ASSIGNMENT, "walls.ipynb");
const IMPORTS = 'import { type Access, check } from "dom0-kit";';
const instances = process.env["DOM0_TEST_FULL"] === "1" ? 1_000 : 40;

const compiler = createCellCompiler(nodeCompilerHost(PROJECT));

/** Runs a cell after the imports and returns its names. */
async function namesOf(source: string): Promise<Record<string, unknown>> {
  compiler.reset();
  const scopes = new Map<number, StartedCell>();
  for (const text of [IMPORTS, source]) {
    const compiled = compiler.compile(text);
    if (!compiled.ok) throw new Error(compiled.diagnostics.map(({ message }) => message).join("; "));
    const load = () => import("../../lib/index.ts");
    const started = startCell(compiled.cell, (id) => scopes.get(id)?.scope() ?? {}, load);
    await started.done;
    scopes.set(compiled.cell.id, started);
    compiler.commit(compiled.cell.id);
  }
  const scope = [...scopes.values()].at(-1)?.scope() ?? {};
  return Object.fromEntries(
    Object.getOwnPropertyNames(scope).map((name) => [name, Reflect.get(scope, name)]),
  );
}

function cellOf(id: string): string {
  const notebook = parseNotebook(readFileSync(FILE, "utf8"));
  if (isNotebookError(notebook)) throw new Error(notebook.message);
  return notebook.cells.find((cell) => gradeId(cell) === id)?.source ?? "";
}

/** What students get in that cell. */
function stubOf(id: string): string {
  const source = unwrap(new Course(path.join(PROJECT, "assignments")).readSource(ASSIGNMENT));
  const manifest = source.manifest.notebooks[0];
  const notebook = source.notebooks[0]?.notebook;
  if (manifest === undefined || notebook === undefined) throw new Error("the assignment has no notebook");
  const released = unwrap(releaseNotebook(ASSIGNMENT, manifest, notebook));
  return released.cells.find((cell) => gradeId(cell) === id)?.source ?? "";
}

/** The instructor's answer with some of its text replaced. */
function changed(id: string, from: string, to: string): string {
  const source = cellOf(id);
  if (!source.includes(from)) throw new Error(`${id} has no ${from}`);
  return source.replaceAll(from, to);
}

const judge = (check: Check, value: unknown): Verdict => check.run(localAnswer(value), { instances });
const judged = exerciseTable();
interface Row {
  readonly name: string;
  readonly edit: readonly [from: string, to: string];
  readonly score: number;
  readonly says: RegExp;
}

const row = (name: string, score: number, says: RegExp, from: string, to: string): Row => ({
  name,
  edit: [from, to],
  score,
  says,
});

function table(check: Check, id: string, name: string, rows: readonly Row[]): void {
  describe(`${check.id} ${check.title}`, () => {
    test("the instructor's answer earns everything", async () => {
      const verdict = judge(check, (await namesOf(cellOf(id)))[name]);
      judged.add(check, "the instructor's answer", check.points, verdict);
      expect(verdict).toMatchObject({ passed: true, score: check.points });
    });
    test("the released stub earns nothing", async () => {
      const verdict = judge(check, (await namesOf(stubOf(id)))[name]);
      judged.add(check, "the released stub", 0, verdict);
      expect(verdict.message).toMatch(/not written yet/);
      expect(verdict.score).toBe(0);
    });
    test.each(rows)("$name earns $score", async ({ name: what, edit, score, says }) => {
      const verdict = judge(check, (await namesOf(changed(id, ...edit)))[name]);
      judged.add(check, what, score, verdict);
      expect(verdict.message).toMatch(says);
      expect(verdict.score).toBe(score);
    });
  });
}

table(blameCheck, "walk", "walk", [
  row("three levels whatever satp says", 1, /Under Sv48/, "satp >> 60n === 8n ? 3n : 4n", "3n"),
  row(
    "the table in place of the entry is blamed",
    3,
    /wrong entry/,
    "return { cause, at };",
    "return { cause, at: table };",
  ),
  row(
    "the root is blamed for every address",
    3,
    /no entry is read/,
    "return { cause, at: 0n };",
    "return { cause, at: (satp & 0xfffn) << 12n };",
  ),
  row("large pages of any alignment", 2, /must be 0, 9 for each level/, "(next & offset) !== 0n || ", ""),
  row("MXR for fetches too", 3, /MXR is about loads alone/, "fetch: x,", "fetch: x || (mxr && r),"),
  row("SUM forgotten", 3, /SUM|U with/, '(kind !== "fetch" && sum)', "false"),
  row(
    "pointers with bits of leaves followed",
    3,
    /must have A, D and U clear/,
    "if (a || d || u || shift === 12n)",
    "if (shift === 12n)",
  ),
]);

table(unmapCheck, "unmap", "unmapRange", [
  row(
    "tables never given back",
    2,
    /empty and still in place/,
    "for (const above of [middle, top]) {",
    "for (const above of [] as bigint[]) {",
  ),
  row("only the last table given back", 2, /Its parent may then be empty/, "of [middle, top]", "of [middle]"),
  row("tables freed while in use", 1, /./, "if (!isEmpty(table)) break;", ""),
  row("frames freed, entries above left", 2, /still leads to/, "      memory.delete(above);\n", ""),
  row(
    "pages cleared before all are looked at",
    3,
    /must be refused/,
    "if (!list.every(isMapped)) return { ok: false, memory, freed: [] };",
    "",
  ),
  row("frames lost", 2, /leaked/, "freed.push(table);", ""),
  // 1,536 entries that mean 134 million pages.
  row(
    "one table for everything",
    0,
    /the same table is reached again and again/,
    "if (!list.every(isMapped)) return { ok: false, memory, freed: [] };",
    `const everything = new Map<bigint, bigint>();
  for (let i = 0n; i < 512n; i += 1n) {
    everything.set(root + 8n * i, (((root + 0x1000n) >> 12n) << 10n) | 1n);
    everything.set(root + 0x1000n + 8n * i, (((root + 0x2000n) >> 12n) << 10n) | 1n);
    everything.set(root + 0x2000n + 8n * i, ((0x100000n + i) << 10n) | 0xd7n);
  }
  if (list.length > 0) return { ok: true, memory: everything, freed: [] };`,
  ),
]);

table(auditCheck, "audit", "audit", [
  row("entries alone, not frames", 2, /compare frames/, "rights.get(frame) === 12n", "flags === 12n"),
  row("whoever shares a frame is guilty", 2, /innocent/, "flags !== 0n && rights", "rights"),
  row(
    "addresses without their high bits",
    1,
    /bit 38 is repeated|upper half/,
    "BigInt.asUintN(64, BigInt.asIntN(39, va))",
    "va",
  ),
  row(
    "nobody is ever guilty",
    0,
    /never finds anything|not found/,
    "return pages.filter(",
    "return [].slice(0) || pages.filter(",
  ),
  row("the first half of each table", 1, /./, "i < 512n", "i < 256n"),
]);
