/** Runs every case in one kernel and compares with the table, known differences included. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Expected, SemanticsCase, Step } from "./case.ts";
import { NAME_CASES } from "./cases-names.ts";
import { OUTPUT_CASES } from "./cases-output.ts";
import { RUNNING_CASES } from "./cases-running.ts";
import { DIFFERENCES, type KernelName } from "./differences.ts";
import type { CellKernel, Outcome } from "./kernel.ts";

export const CASES: readonly SemanticsCase[] = [...NAME_CASES, ...RUNNING_CASES, ...OUTPUT_CASES];

/** How a kernel's outcome is read: plain tslab has no separate value. */
export type Reading = (outcome: Outcome, expected: Expected) => { outcome: Outcome; expected: Expected };

const asItIs: Reading = (outcome, expected) => ({ outcome, expected });

/** Declares the tests of one kernel. */
export function testKernel(name: KernelName, start: () => Promise<CellKernel>, read: Reading = asItIs): void {
  describe(`cells in the ${name} kernel`, () => {
    let kernel: CellKernel;
    beforeAll(async () => {
      kernel = await start();
    });
    afterAll(() => kernel?.close());

    for (const each of CASES) {
      it(each.name, async () => {
        const outcomes = await runCase(kernel, each);
        const difference = DIFFERENCES[name][each.name];
        each.cells.forEach((step, at) => {
          const outcome = outcomes[at];
          if (outcome === undefined) throw new Error("a cell has no outcome");
          const own = difference?.cells[at];
          if (own !== undefined) {
            expect(
              mismatch(read(outcome, step)),
              `listed difference vanished (${difference?.reason})`,
            ).not.toBe("");
          }
          expect(mismatch(read(outcome, own ?? step)), `cell ${at + 1}`).toBe("");
        });
      });
    }

    it("has no listed difference that names no case", () => {
      const names = new Set(CASES.map((each) => each.name));
      expect(Object.keys(DIFFERENCES[name]).filter((listed) => !names.has(listed))).toEqual([]);
    });
  });
}

async function runCase(kernel: CellKernel, { cells }: SemanticsCase): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of cells) outcomes.push(await runStep(kernel, step));
  return outcomes;
}

/** A cell to be stopped is stopped a while after it printed: before that it may still be compiled. */
async function runStep(kernel: CellKernel, { source, interruptAfterMs }: Step): Promise<Outcome> {
  if (interruptAfterMs === undefined) return kernel.execute(source);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await kernel.execute(source, () => {
      timer ??= setTimeout(() => kernel.interrupt(), interruptAfterMs);
    });
  } finally {
    clearTimeout(timer);
  }
}

/** What differs, in one text; empty when nothing does. */
function mismatch({ outcome, expected }: { outcome: Outcome; expected: Expected }): string {
  const lines: string[] = [];
  const note = (what: string, got: unknown, wanted: unknown) =>
    lines.push(`${what}: got ${clip(got)}, expected ${clip(wanted)}`);
  if (outcome.out !== (expected.out ?? "")) note("stdout", outcome.out, expected.out ?? "");
  if (!(expected.err ?? /^$/).test(outcome.err)) note("stderr", outcome.err, expected.err ?? "");
  if (outcome.value !== expected.value) note("value", outcome.value, expected.value);
  if (JSON.stringify(outcome.shows) !== JSON.stringify(expected.shows ?? []))
    note("shows", outcome.shows, expected.shows ?? []);
  const status = expected.hung
    ? "hung"
    : expected.interrupted
      ? "interrupted"
      : expected.error === undefined
        ? "ok"
        : "error";
  if (outcome.status !== status) note("status", `${outcome.status} ${outcome.error?.evalue ?? ""}`, status);
  if (expected.error !== undefined && outcome.error !== undefined) {
    const [ename, evalue] = expected.error;
    if (outcome.error.ename !== ename) note("ename", outcome.error.ename, ename);
    if (!evalue.test(outcome.error.evalue)) note("evalue", outcome.error.evalue, evalue);
    const trace = outcome.error.traceback.join("\n");
    if (!(expected.trace ?? /^/).test(trace)) note("traceback", trace, expected.trace);
  }
  return lines.join("\n");
}

function clip(value: unknown): string {
  const text = value instanceof RegExp ? String(value) : JSON.stringify(value);
  return text !== undefined && text.length > 400 ? `${text.slice(0, 400)}… (${text.length})` : String(text);
}
