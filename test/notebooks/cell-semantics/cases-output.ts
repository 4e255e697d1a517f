/** Output: values, console, displays, limits, what comes late. */
import { cell, type SemanticsCase } from "./case.ts";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const OUTPUT_CASES: readonly SemanticsCase[] = [
  {
    name: "an empty cell and a comment put out nothing",
    cells: [cell(""), cell("// nothing here"), cell("/* nor here */")],
  },
  {
    name: "the last expression is the value of the cell",
    cells: [cell("const unshown = 1;\n6 * 7", { value: "42" })],
  },
  { name: "a semicolon does not hide the value", cells: [cell("6 * 7;", { value: "42" })] },
  { name: "a statement has no value", cells: [cell("const silent = 42;")] },
  { name: "undefined is no value", cells: [cell("void 0")] },
  { name: "null is a value", cells: [cell("null", { value: "null" })] },
  { name: "a string is shown in quotes", cells: [cell("'tide'", { value: "'tide'" })] },
  { name: "a bigint is shown with its n", cells: [cell("2n ** 70n", { value: "1180591620717411303424n" })] },
  {
    name: "an object that holds itself is shown",
    cells: [
      cell("const loop: { self?: unknown; size: number } = { size: 1 };\nloop.self = loop;\nloop", {
        value: "<ref *1> { size: 1, self: [Circular *1] }",
      }),
    ],
  },
  {
    name: "maps, sets and typed arrays are shown with their kind and size",
    cells: [
      cell("[new Map([['a', 1n]]), new Set([1, 'b']), new Uint8Array([1, 2])]", {
        value: "[ Map(1) { 'a' => 1n }, Set(2) { 1, 'b' }, Uint8Array(2) [ 1, 2 ] ]",
      }),
    ],
  },
  {
    name: "an object of a class is shown with the name of its class",
    cells: [
      cell("class Island { area = 4; #hidden = 1; get twice() { return this.#hidden; } }\nnew Island()", {
        value: "Island { area: 4 }",
      }),
    ],
  },
  {
    name: "a promise that was not awaited is shown as a promise",
    cells: [
      cell("Promise.resolve(5)", { value: "Promise { 5 }" }),
      cell("new Promise(() => {})", { value: "Promise { <pending> }" }),
    ],
  },
  {
    name: "a long array is shown in columns and cut at a hundred",
    cells: [cell("Array.from({ length: 120 }, (_, index) => index)", { value: columns() })],
  },
  {
    name: "deep objects are shown to the third level",
    cells: [
      cell("({ one: { two: { three: { four: 4 } } } })", {
        value: "{ one: { two: { three: [Object] } } }",
      }),
    ],
  },
  {
    name: "console.log formats its values",
    cells: [
      cell("console.log('%s has %d', 'ship', 3, { deck: [1] }, 'sail');", {
        out: "ship has 3 { deck: [ 1 ] } sail\n",
      }),
    ],
  },
  {
    name: "console.error goes to stderr and console.log to stdout",
    cells: [
      cell("console.log('one');\nconsole.error('two');\nconsole.warn('three');\nconsole.info('four');", {
        out: "one\nfour\n",
        err: /^two\nthree\n$/,
      }),
    ],
  },
  {
    name: "console.group indents",
    cells: [
      cell(
        "console.group('hold');\nconsole.log('barrel\\nrope');\nconsole.groupEnd();\nconsole.log('deck');",
        { out: "hold\n  barrel\n  rope\ndeck\n" },
      ),
    ],
  },
  {
    name: "console.table draws a table",
    cells: [
      cell("console.table([{ reg: 'a0', value: 1 }, { reg: 'a1', value: 2 }]);", {
        out: "┌─────────┬──────┬───────┐\n│ (index) │ reg  │ value │\n├─────────┼──────┼───────┤\n│ 0       │ 'a0' │ 1     │\n│ 1       │ 'a1' │ 2     │\n└─────────┴──────┴───────┘\n",
      }),
    ],
  },
  {
    name: "text/html is displayed",
    cells: [
      cell(
        "import { show as showHtml } from 'dom0-kit';\nshowHtml({ 'text/html': '<b>bold</b>', 'text/plain': 'bold' });",
        { shows: [{ "text/html": "<b>bold</b>", "text/plain": "bold" }] },
      ),
    ],
  },
  {
    name: "text/markdown, LaTeX and SVG are displayed",
    cells: [
      cell(
        "import { show as showText } from 'dom0-kit';\nshowText({ 'text/markdown': '*m*' });\nshowText({ 'text/latex': '$x$' });\nshowText({ 'image/svg+xml': '<svg/>' });",
        { shows: [{ "text/markdown": "*m*" }, { "text/latex": "$x$" }, { "image/svg+xml": "<svg/>" }] },
      ),
    ],
  },
  {
    name: "a PNG given as bytes is displayed as base64",
    cells: [
      cell(
        `import { show as showBytes } from 'dom0-kit';\nshowBytes({ 'image/png': Uint8Array.from(atob('${PIXEL}'), (each) => each.charCodeAt(0)) });`,
        {
          shows: [{ "image/png": PIXEL }],
        },
      ),
    ],
  },
  {
    name: "a Plotly figure is displayed with its fallbacks",
    cells: [
      cell(
        "import { show as showPlot } from 'dom0-kit';\nshowPlot({ 'application/vnd.plotly.v1+json': { data: [{ y: [1, 2] }], layout: {} }, 'image/svg+xml': '<svg/>', 'text/plain': 'chart' });",
        {
          shows: [
            {
              "application/vnd.plotly.v1+json": { data: [{ y: [1, 2] }], layout: {} },
              "image/svg+xml": "<svg/>",
              "text/plain": "chart",
            },
          ],
        },
      ),
    ],
  },
  {
    name: "JSON is displayed as data",
    cells: [
      cell(
        "import { show as showJson } from 'dom0-kit';\nshowJson({ 'application/json': { deep: [1, null, 'x'] } });",
        { shows: [{ "application/json": { deep: [1, null, "x"] } }] },
      ),
    ],
  },
  {
    name: "a last value that is displayable is displayed",
    cells: [
      cell(
        "class Flag { toMimeBundle() { return { 'text/html': '<i>flag</i>', 'text/plain': 'flag' }; } }\nnew Flag()",
        { shows: [{ "text/html": "<i>flag</i>", "text/plain": "flag" }] },
      ),
    ],
  },
  {
    name: "a display that JSON cannot hold is told, not thrown",
    cells: [
      cell(
        "import { show as showBad } from 'dom0-kit';\nshowBad({ 'application/json': { big: 1n } });\n'after'.length",
        { err: /cannot be sent/, value: "5" },
      ),
    ],
  },
  {
    name: "text without end is cut with a note",
    cells: [
      cell(
        "const line = 'x'.repeat(99) + '\\n';\nfor (let at = 0; at < 12_000; at++) console.log(line.slice(0, -1));",
        { out: `${"x".repeat(99)}\n`.repeat(10_000), err: /more than 1000000 characters/ },
      ),
    ],
  },
  {
    name: "displays without end are cut with a note",
    cells: [
      cell(
        "import { show as showMany } from 'dom0-kit';\nfor (let at = 0; at < 1_005; at++) showMany({ 'text/html': 'n' });",
        {
          shows: Array.from({ length: 1_000 }, () => ({ "text/html": "n" })),
          err: /more than 1000 outputs/,
        },
      ),
    ],
  },
  {
    name: "what a timer prints after its cell goes to that cell",
    cells: [
      cell("void setTimeout(() => console.log('late'), 40);", { out: "late\n" }),
      cell("await new Promise((resolve) => setTimeout(resolve, 150));\nconsole.log('mine');", {
        out: "mine\n",
      }),
    ],
  },
  {
    name: "a rejection that nobody handles is told and the kernel lives",
    cells: [
      cell("Promise.reject(new Error('nobody'));\n1", { value: "1", err: /nobody/ }),
      cell("2", { value: "2" }),
    ],
  },
  {
    name: "an error in a timer is told and the kernel lives",
    cells: [
      cell(
        "setTimeout(() => { throw new Error('in a timer'); }, 10);\nawait new Promise((resolve) => setTimeout(resolve, 60));\n1",
        { value: "1", err: /in a timer/ },
      ),
      cell("2", { value: "2" }),
    ],
  },
];

/** 100 of 120 numbers, twelve a line, right-aligned; typed by hand from Node's own `util.inspect`. */
function columns(): string {
  const rows: string[] = [];
  for (let from = 0; from < 100; from += 12) {
    const row = Array.from({ length: Math.min(12, 100 - from) }, (_, at) => String(from + at).padStart(2));
    rows.push(`  ${row.join(", ").replace(/^ (?=\d,)/, " ")}`);
  }
  return `[\n${rows.join(",\n")},\n  ... 20 more items\n]`;
}
