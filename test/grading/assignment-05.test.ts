/**
 * Tests for the tests: every exercise of assignment 05 with the instructor's answer, the released stub, and wrong answers that
 * must lose the right points and be told why. The cells run through the kit's own compiler; the table is printed.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { localAnswer } from "../../lib/checks/answer.ts";
import type { Check, Verdict } from "../../lib/checks/check.ts";
import { billCheck } from "../../lib/course/assignments/sharing/bill.ts";
import { capsCheck } from "../../lib/course/assignments/sharing/caps.ts";
import { contextCheck } from "../../lib/course/assignments/sharing/context.ts";
import { timerCheck } from "../../lib/course/assignments/sharing/timer.ts";
import { type StartedCell, startCell } from "../../lib/grader/cell-runner.ts";
import { Course } from "../../lib/grader/course.ts";
import { releaseNotebook } from "../../lib/grader/release.ts";
import { nodeCompilerHost } from "../../lib/host/kernel/headless-files.ts";
import { createCellCompiler } from "../../lib/notebook/compiler/cell-compiler.ts";
import { isNotebookError, parseNotebook } from "../../lib/notebook/nbformat.ts";
import { exerciseTable } from "../support/exercise-table.ts";
import { gradeId, PROJECT, unwrap } from "./support/course.ts";

const ASSIGNMENT = "05-sharing-the-cpu";
const FILE = path.join(PROJECT, "assignments/source", ASSIGNMENT, "sharing-the-cpu.ipynb");
const IMPORTS =
  'import { type CappedGuest, check, type Csrs, type CsrWrite, type HartTime, NEVER, type Span, type TimerEvent } from "dom0-kit";';
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
  /** What is handed in, made of the instructor's answer to an exercise. */
  readonly source: (id: string) => string;
  readonly score: number;
  readonly says: RegExp;
  /** The case that is shown with the first property that it breaks. */
  readonly shows?: RegExp;
}

const row = (name: string, score: number, says: RegExp, from: string, to: string, shows?: RegExp): Row => ({
  name,
  source: (id) => changed(id, from, to),
  score,
  says,
  ...(shows === undefined ? {} : { shows }),
});
const own = (name: string, score: number, says: RegExp, source: string): Row => ({
  name,
  source: () => source,
  score,
  says,
});

type Names = Record<string, unknown>;
const named =
  (name: string) =>
  (names: Names): unknown =>
    names[name];

function table(check: Check, id: string, pick: (names: Names) => unknown, rows: readonly Row[]): void {
  describe(`${check.id} ${check.title}`, () => {
    test("the instructor's answer earns everything", async () => {
      const verdict = judge(check, pick(await namesOf(cellOf(id))));
      judged.add(check, "the instructor's answer", check.points, verdict);
      expect(verdict).toMatchObject({ passed: true, score: check.points });
    });
    test("the released stub earns nothing", async () => {
      const verdict = judge(check, pick(await namesOf(stubOf(id))));
      judged.add(check, "the released stub", 0, verdict);
      expect(verdict.message).toMatch(/not written yet/);
      expect(verdict.score).toBe(0);
    });
    test.each(rows)("$name earns $score", async ({ name: what, source, score, says, shows = /^/ }) => {
      const verdict = judge(check, pick(await namesOf(source(id))));
      judged.add(check, what, score, verdict);
      expect(verdict.message).toMatch(says);
      expect(verdict.score).toBe(score);
      expect(verdict.properties.find(({ passed }) => !passed)?.detail ?? "").toMatch(shows);
    });
  });
}

table(timerCheck, "timer", named("timer"), [
  row(
    "a deadline that rings again and again",
    2,
    /canceled|woken for nothing|comes twice/,
    "[deadline, pending] = [NEVER, true]",
    "pending = true",
  ),
  row(
    "setting it leaves what was raised",
    1,
    /comes twice/,
    "[deadline, pending] = [event.deadline, false]",
    "deadline = event.deadline",
  ),
  row(
    "only behind the deadline",
    0,
    /has reached the deadline|due at once/,
    ">= deadline) [",
    "> deadline) [",
  ),
  row(
    "raised only for a moment",
    1,
    /stays raised/,
    "pending }, pending, alarm",
    "pending: false }, pending, alarm",
  ),
  row(
    "a deadline in the past waits for the next look",
    0,
    /already been is due at once/,
    "if (deadline !== NEVER && ",
    'if (event.what !== "set" && deadline !== NEVER && ',
  ),
  row("the guest's clock is the machine's", 3, /lost|early|signed numbers/, "event.now + delta", "event.now"),
  row("the alarm is the deadline", 3, /signed numbers/, "deadline - BigInt.asIntN(64, delta)", "deadline"),
  row("delta is no negative number", 3, /signed numbers/, "BigInt.asIntN(64, delta)", "delta"),
  own(
    "a state with methods",
    0,
    /must be plain data/,
    `class Timer {
  deadline = NEVER;
  alarm() { return this.deadline; }
}
function timer(state: Timer | undefined, event: TimerEvent) {
  const kept = state ?? new Timer();
  return { state: kept, pending: false, alarm: kept.alarm() };
}`,
  ),
  own(
    "a function for a state",
    0,
    /must be plain data/,
    "const timer = () => ({ state: { next: () => 1 }, pending: false, alarm: NEVER });",
  ),
]);

table(capsCheck, "next", named("next"), [
  row(
    "weights forgotten",
    2,
    /by weight/,
    "a.ran / a.weight - b.ran / b.weight",
    "a.ran - b.ran",
    /^weight \d+, weight \d+: /,
  ),
  row(
    "whole slices, also near the cap",
    1,
    /more than its cap/,
    "Math.min(time.slice, time.left, room(first))",
    "Math.min(time.slice, time.left)",
    /^weight \d+ cap \d+: /,
  ),
  row("caps forgotten", 1, /more than its cap/, "cap === 0 ? time.slice :", "cap >= 0 ? time.slice :"),
  // The other caps of such a machine are never reached, and so these two say nothing about caps.
  row(
    "everybody waits for who is capped",
    1,
    /hardly has the hart/,
    "const open = guests.filter((guest) => room(guest) > 0);",
    "const open = guests.some((guest) => room(guest) <= 0) ? [] : [...guests];",
  ),
  row(
    "the heaviest first",
    1,
    /by weight|fairly/,
    "a.ran / a.weight - b.ran / b.weight",
    "b.weight - a.weight",
  ),
  own(
    "one tick for one guest, then nobody",
    0,
    /by weight|fairly/,
    `const next = (guests: readonly CappedGuest[], time: HartTime) =>
  guests.every(({ ran }) => ran === 0) ? { id: 1, ticks: 1 } : { id: 0, ticks: time.left };`,
  ),
]);

table(contextCheck, "context", ({ save, restore, inject }) => ({ save, restore, inject }), [
  row("no floats", 3, /Floating-point/, "...own, ...floats,", "...own,"),
  row("fcsr forgotten", 3, /all 32, and fcsr/, ', "fcsr"]', "]"),
  row(
    "htimedelta forgotten",
    3,
    /does not come back/,
    "senvcfg htimedelta",
    "senvcfg",
    /^turns 1 [23]: guest [23] finds others' htimedelta$/,
  ),
  row(
    "all of sstatus",
    3,
    /Of sstatus only SPP/,
    "const status = ((hart",
    'const status = saved["sstatus"] ?? 0n; const unused = ((hart',
  ),
  row(
    "hgatp behind vsatp",
    3,
    /stand over another/,
    '[["vsatp", 0n], ...rest, ["sstatus", status], ["vsatp", saved["vsatp"] ?? 0n]]',
    '[["vsatp", saved["vsatp"] ?? 0n], ...rest, ["sstatus", status]]',
  ),
  row("an interrupt takes the place of another", 3, /add the bits/, '(saved["hvip"] ?? 0n) | bits', "bits"),
  row("interrupts for who is away are dropped", 3, /is lost/, "hvip: (saved", "hvap: (saved"),
  row(
    "everything is the guest's",
    3,
    /of the hypervisor is overwritten/,
    '[...own, ...floats, "vsatp", "sstatus"]',
    '[...own, ...floats, "vsatp", "sstatus", "stvec", "stimecmp"]',
  ),
  own(
    "one register is written, and nothing else",
    0,
    /do not come back|no switch yet/,
    `const save = (hart: Csrs): Csrs => ({});
const inject = (saved: Csrs): Csrs => saved;
const restore = (): CsrWrite[] => [["f0", 1n]];`,
  ),
]);

table(billCheck, "bill", named("bill"), [
  row("a tick each", 1, /all of it/, "(sampled[domain] ?? 0) + tick;", "(sampled[domain] ?? 0) + 1;"),
  row(
    "one tick a stay at most",
    1,
    /may meet several/,
    "at < to; at += tick",
    "at < to; at += 1e9",
    /^tick \d+: \d:\S+( \d:\S+)?$/,
  ),
  row(
    "the one who goes pays",
    1,
    /the one who comes pays/,
    "Math.ceil(from / tick) * tick; at < to",
    "(Math.floor(from / tick) + 1) * tick; at <= to",
  ),
  row("the hypervisor is accused", 2, /nobody's thief/, "domain > 0 && isThief", "isThief"),
  row("everybody with more than he paid is a thief", 2, /An innocent/, "> 2 * (sampled", "> (sampled"),
  row(
    "only those who had something are listed",
    2,
    /Those that had nothing|one who comes|several/,
    "fill(0);\n  const sampled",
    "fill(0).slice(0, 1);\n  const sampled",
  ),
  row(
    "thieves that are no numbers",
    2,
    /a list of domains/,
    "filter((domain) => domain > 0 && isThief(domain)) };",
    "filter((domain) => domain > 0 && isThief(domain)).flatMap((domain) => [{ domain }, { domain }]) as never };",
  ),
]);
