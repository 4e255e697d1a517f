/**
 * Tests for the tests: every exercise of assignment 03 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localAnswer } from "../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../lib/checks/check.ts";
import { forgottenCheck } from "../../lib/course/assignments/popek-goldberg/forgotten.ts";
import { lawCheck } from "../../lib/course/assignments/popek-goldberg/law.ts";
import { scanCheck } from "../../lib/course/assignments/popek-goldberg/scan.ts";
import { trueShadowCheck } from "../../lib/course/assignments/popek-goldberg/true-shadow.ts";
import { type StartedCell, startCell } from "../../lib/grader/cell-runner.ts";
import { Course } from "../../lib/grader/course.ts";
import { releaseNotebook } from "../../lib/grader/release.ts";
import { nodeCompilerHost } from "../../lib/host/kernel/headless-files.ts";
import { createCellCompiler } from "../../lib/notebook/compiler/cell-compiler.ts";
import { isNotebookError, parseNotebook } from "../../lib/notebook/nbformat.ts";
import { exerciseTable } from "../support/exercise-table.ts";
import { gradeId, PROJECT, unwrap } from "./support/course.ts";

const ASSIGNMENT = "03-popek-and-goldberg";
const FILE = path.join(PROJECT, "assignments/source", ASSIGNMENT, "popek-and-goldberg.ipynb");
const IMPORTS =
  'import { check, type CsrBits, type CsrValues, type Experiment, jumpOffset, type MonitorEvent } from "dom0-kit";';
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

/** The instructor's cell with an answer in place of the instructor's: one that is after points, not after the work. */
const instead = (name: string, score: number, says: RegExp, body: string): Row =>
  row(name, score, says, "// BEGIN SOLUTION", body);

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

table(lawCheck, "law", "classify", [
  row(
    "whatever traps in U is privileged",
    3,
    /traps in M, too/,
    'runs.some(({ mode, trapped }) => mode === "M" && !trapped) && ',
    "",
  ),
  row(
    "whatever does not trap in M is privileged",
    2,
    /does not trap in U/,
    ' && runs.every(({ mode, trapped }) => mode === "M" || trapped)',
    "",
  ),
  row("control alone is sensitive", 1, /different results/, "return differs || ", "return "),
  row(
    "results alone are sensitive",
    1,
    /changed something/,
    "return differs || done.some(({ changed }) => changed);",
    "return differs;",
  ),
  row(
    "runs that trapped are compared",
    1,
    /no run that trapped/,
    "runs.filter(({ trapped }) => !trapped)",
    "runs",
  ),
  row(
    "results with different operands are compared",
    1,
    /same operand only/,
    "operand === which",
    "operand !== 7",
  ),
  row(
    "all that is sensitive is guilty",
    3,
    /harmless, or that the monitor hears/,
    "isSensitive(one) && !isPrivileged(one)",
    "isSensitive(one)",
  ),
]);

table(scanCheck, "scan", "patch", [
  row(
    "every word that looks so is patched",
    2,
    /only looks like an instruction/,
    "const open = [0];",
    "const open = words.map((_, at) => at);",
  ),
  row(
    "jumps are not followed",
    2,
    /hart can come to it/,
    "if (offset !== undefined) open.push(at + offset);",
    "",
  ),
  row(
    "the hart goes on behind jumps",
    2,
    /only looks like an instruction/,
    "if (!ends) open.push",
    "open.push",
  ),
  row("branches end the code", 2, /hart can come to it/, "const ends = ", "const ends = opcode === 0x63 || "),
  row(
    "immediate forms are forgotten",
    1,
    /is still there/,
    "((word >>> 12) & 3) !== 0",
    "[1, 2, 3].includes((word >>> 12) & 7)",
  ),
  row(
    // Not even in straight code: there, too, what does not leak must be as it was.
    "every CSR instruction is patched",
    0,
    /does not leak/,
    "isCsr && leaking.includes(word >>> 20)",
    "isCsr",
  ),
  row(
    "the place kept, the word lost",
    3,
    /does not know what to do/,
    "holes.set(at, word)",
    "holes.set(at, 0)",
  ),
  instead(
    "every word is a hole",
    0,
    /does not leak/,
    "if (words.length > 0) return { code: words.map(() => 0), holes: new Map() };",
  ),
  instead(
    "nothing but the shortest block is patched",
    0,
    /is still there/,
    "if (words.length > 0) return { code: words.map((word, at) => (at === 0 && words.length === 3 ? 0 : word)), holes: new Map() };",
  ),
]);

table(trueShadowCheck, "shadow", "keep", [
  row("the guest's frame in the shadow", 2, /0x200/, "event.leaf + (0x200n << 10n)", "event.leaf"),
  row(
    "fences ignored",
    2,
    /covers/,
    "if (covers) shadow.delete(key);",
    "if (covers && key < 0) shadow.delete(key);",
  ),
  row(
    "a fence of all spaces fences none",
    2,
    /fence that it covers|covers is still/,
    "(event.asid ?? key >> 12)",
    "event.asid",
  ),
  row(
    "a switch forgets everything",
    3,
    /Right, but slow/,
    "  return shadow;",
    '  if (event.kind === "switch") shadow.clear();\n  return shadow;',
  ),
  row("a fence forgets everything", 3, /Right, but slow/, "if (covers) shadow", "shadow"),
  row(
    "an entry that is there is left alone",
    2,
    /newest leaf/,
    "else shadow.set(key",
    "else if (!shadow.has(key)) shadow.set(key",
  ),
  row(
    "all rights at once",
    2,
    /a right that the guest/,
    "event.leaf + (0x200n << 10n)",
    "(event.leaf + (0x200n << 10n)) | 14n",
  ),
  instead(
    "all rights to one frame, always",
    0,
    /has not got it/,
    "if (shadow.size >= 0) return new Map([1, 2].flatMap((asid) => [0, 1, 2].map((page) => [asid * 4096 + page, 15n] as const)));",
  ),
  instead(
    "one page of one space, and nothing else",
    0,
    /has not got it/,
    `const isFirst = event.kind === "fault" && event.asid === 1 && event.page === 0 && shadow.size === 0;
  if (shadow.size >= 0) return new Map(isFirst ? [[4096, event.leaf + (0x200n << 10n)]] : []);`,
  ),
  instead("nothing is ever filled", 0, /has not got it/, "if (shadow.size >= 0) return new Map();"),
  row(
    "a fence puts another entry in",
    2,
    /did not have before/,
    "if (covers) shadow.delete(key);",
    "if (covers) shadow.set(key, (shadow.get(key) ?? 0n) | 14n);",
  ),
]);

table(forgottenCheck, "forgotten", "forgotten", [
  row(
    "the last difference, not the first",
    1,
    /another field|as a consequence/,
    "let at = 0; at < bare.length; at++",
    "let at = bare.length - 1; at >= 0; at--",
  ),
  row(
    "CSRs in place of fields",
    1,
    /another field/,
    ">> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)",
    ")",
  ),
  row("somebody is always accused", 2, /without a mistake is accused/, 'return "none";', 'return "sepc";'),
  row("the first event alone is looked at", 1, /nothing was forgotten/, "at < bare.length", "at < 1"),
  instead("nobody is accused", 0, /nothing was forgotten/, 'if (bare.length > 0) return "none";'),
  instead(
    "stval after one event, and nobody else",
    0,
    /nothing was forgotten/,
    'if (bare.length > 0) return bare.length === 1 ? "stval" : "none";',
  ),
]);
