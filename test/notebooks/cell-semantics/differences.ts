/**
 * Where a kernel differs from what the cases say, and why. A new difference fails, and so does one that vanished.
 *
 * Kernel-wide and read away by the driver: plain tslab prints the last value to stdout and errors to stderr as text
 * (no `execute_result`, no error record).
 */
import type { Expected } from "./case.ts";

export type KernelName = "headless" | "launcher" | "browser" | "plain tslab";

/** One known difference: for each cell that differs, what this kernel does instead. */
export interface Difference {
  readonly reason: string;
  /** Index of the cell in its case → what is seen there. */
  readonly cells: Readonly<Record<number, Expected>>;
}

type Differences = Readonly<Record<string, Difference>>;

const notFound = (name: string): Expected => ({
  error: ["TypeScriptError", new RegExp(`Cannot find name '${name}'`)],
});

const BROWSER: Differences = {
  "a builtin of Node is importable": {
    reason: "there is no Node in a browser",
    cells: { 0: { error: ["TypeScriptError", /Cannot find (?:name|module) 'node:path'/] } },
  },
  "code that never looks at the flag is stopped": {
    reason: "nothing reaches into a busy worker: the page ends it and runs the earlier cells again",
    cells: { 1: { out: "begun\n", hung: true }, 2: notFound("kept1") },
  },
};

const DROPS_FAILED_CELLS = "tslab forgets every name of a cell that failed";
const COPIES =
  "tslab copies variables to an exports object; functions and patterns keep the cell's own variable";
const OLD_TYPESCRIPT = "tslab compiles with TypeScript 5.0 and the library of ES2022 without WebAssembly";
const NO_LIMITS = "tslab limits no output";
const NOT_STRICT = "tslab does not compile strictly";

const PLAIN_TSLAB: Differences = {
  "a function of an earlier cell sees a let that a later cell assigns": {
    reason: COPIES,
    cells: { 1: { value: "1" } },
  },
  "variables of an earlier cell are swapped by destructuring": {
    reason: COPIES,
    cells: { 2: { value: "[ 2, 1 ]" } },
  },
  "a shorthand property takes the value of an earlier name": {
    reason: "tslab does not rewrite shorthand properties",
    cells: { 1: { error: ["ReferenceError", /port is not defined/] } },
  },
  "a var inside a block belongs to the whole cell and to later cells": {
    reason: "tslab exports the names of top-level statements alone",
    cells: { 1: notFound("inBlock") },
  },
  "a global declared by augmentation is known to later cells": {
    reason: "tslab loses the name of a global augmentation in its declarations",
    cells: { 0: { error: ["TypeScriptError", /Cannot find name '__global'/] }, 1: { value: "NaN" } },
  },
  "a cell may say export, and means nothing by it": {
    reason: "tslab appends exports of its own, which conflict",
    cells: {
      0: { error: ["TypeScriptError", /Cannot redeclare exported variable 'shared'/] },
      1: notFound("sharedToo"),
    },
  },
  "for await stands at the top level": {
    reason: "tslab looks for await expressions alone when it decides that a cell is async",
    cells: { 1: { error: ["SyntaxError", /Unexpected reserved word/] } },
  },
  "a resource declared with using is disposed at the end of its cell": {
    reason: OLD_TYPESCRIPT,
    cells: { 0: { error: ["TypeScriptError", /Cannot find name 'using'/] } },
  },
  "the library is that of ES2023 and later": {
    reason: OLD_TYPESCRIPT,
    cells: { 0: { error: ["TypeScriptError", /'toSorted' does not exist/] } },
  },
  "WebAssembly is typed": {
    reason: OLD_TYPESCRIPT,
    cells: { 0: { error: ["TypeScriptError", /Cannot find namespace 'WebAssembly'/] } },
  },
  "a traceback names cells, lines and functions, and nothing else": {
    reason: "tslab prints Node's stack, with frames of its own and lines of the emitted code",
    cells: { 1: { error: ["RangeError", /^at 40$/], trace: /evalmachine/ } },
  },
  "names declared before a throw survive it": {
    reason: DROPS_FAILED_CELLS,
    cells: { 1: notFound("before") },
  },
  "functions of a cell that threw survive, wherever they stand": {
    reason: DROPS_FAILED_CELLS,
    cells: { 1: notFound("kept") },
  },
  "a failed declaration leaves the earlier one of that name": {
    reason: "tslab has cleared the exported value before the cell threw",
    cells: { 2: {} },
  },
  "endless recursion is an error and the kernel lives": {
    reason: DROPS_FAILED_CELLS,
    cells: { 1: notFound("dive") },
  },
  "a cell that waits for ever is stopped": { reason: DROPS_FAILED_CELLS, cells: { 1: notFound("waited") } },
  "null and undefined are checked strictly": {
    reason: NOT_STRICT,
    cells: { 0: { error: ["TypeError", /Cannot read properties of undefined/] } },
  },
  "a parameter needs a type": { reason: NOT_STRICT, cells: { 0: {} } },
  "an endless loop that awaits is stopped": {
    reason: "tslab stops what runs before the first await, and what waits; a loop after it blocks the kernel",
    cells: { 1: { out: "begun\n", hung: true }, 2: notFound("awaited") },
  },
  "null is a value": { reason: "tslab prints neither undefined nor null", cells: { 0: {} } },
  "a last value that is displayable is displayed": {
    reason: "tslab knows no displayable values and prints the object",
    cells: { 0: { value: "Flag {}" } },
  },
  "a display that JSON cannot hold is told, not thrown": {
    reason: "tslab hands the bundle to JSON.stringify unguarded",
    cells: { 0: { error: ["Thrown", /Do not know how to serialize a BigInt/] } },
  },
  "text without end is cut with a note": {
    reason: NO_LIMITS,
    cells: { 0: { out: `${"x".repeat(99)}\n`.repeat(12_000) } },
  },
  "displays without end are cut with a note": {
    reason: NO_LIMITS,
    cells: { 0: { shows: Array.from({ length: 1_005 }, () => ({ "text/html": "n" })) } },
  },
  "what a timer prints after its cell goes to that cell": {
    reason: "tslab sends all output to the cell that runs",
    cells: { 0: {}, 1: { out: "late\nmine\n" } },
  },
};

export const DIFFERENCES: Readonly<Record<KernelName, Differences>> = {
  headless: {},
  launcher: {},
  browser: BROWSER,
  "plain tslab": PLAIN_TSLAB,
};
