/** Running: await, imports, loops, errors, types. */
import { cell, type SemanticsCase, stopped } from "./case.ts";

export const RUNNING_CASES: readonly SemanticsCase[] = [
  {
    name: "await stands at the top level",
    cells: [
      cell("const arrived = await new Promise<number>((resolve) => setTimeout(() => resolve(6), 5));"),
      cell("arrived * 7", { value: "42" }),
    ],
  },
  {
    name: "for await stands at the top level",
    cells: [
      cell("async function* buoys() { yield 1; yield 2; }\nlet buoySum = 0;"),
      cell("for await (const buoy of buoys()) buoySum += buoy;\nbuoySum", { value: "3" }),
    ],
  },
  {
    name: "await inside a top-level loop keeps the order of output",
    cells: [
      cell("for (const turn of [1, 2]) {\n  await null;\n  console.log(turn);\n}\nconsole.log('done');", {
        out: "1\n2\ndone\n",
      }),
    ],
  },
  {
    name: "a rejected await is the error of the cell",
    cells: [
      cell("await Promise.reject(new RangeError('adrift'));", {
        error: ["RangeError", /^adrift$/],
        trace: /adrift/,
      }),
    ],
  },
  {
    name: "labels, continue and do-while mean what they mean",
    cells: [
      cell(
        "const visited: number[] = [];\nouter: for (let row = 0; row < 3; row++) {\n  for (const column of [0, 1, 2]) {\n    if (column === 1) continue outer;\n    if (row === 2) break outer;\n    visited.push(row * 10 + column);\n  }\n}\nlet rounds = 0;\ndo { if (rounds === 1) continue; } while (++rounds < 3);\n[visited, rounds]",
        { value: "[ [ 0, 10 ], 3 ]" },
      ),
    ],
  },
  {
    name: "a resource declared with using is disposed at the end of its cell",
    cells: [
      cell("using lamp = { [Symbol.dispose]() { console.log('lamp out'); } };\nconsole.log('lamp lit');", {
        out: "lamp lit\nlamp out\n",
      }),
    ],
  },
  {
    name: "an import is visible in later cells",
    cells: [
      cell("import { show } from 'dom0-kit';\nimport * as kit from 'dom0-kit';"),
      cell("[typeof show, kit.show === show]", { value: "[ 'function', true ]" }),
    ],
  },
  {
    name: "an import is imported again under another name",
    cells: [
      cell("import { claim as first } from 'dom0-kit';"),
      cell("import { claim as second } from 'dom0-kit';\nsecond === first", { value: "true" }),
    ],
  },
  {
    name: "an import of types alone brings no value",
    cells: [
      cell("import type { MimeBundle } from 'dom0-kit';\nimport { type Displayable } from 'dom0-kit';"),
      cell(
        "const bundle: MimeBundle = {};\nconst shown: Displayable = { toMimeBundle: () => bundle };\ntypeof shown",
        {
          value: "'object'",
        },
      ),
    ],
  },
  {
    name: "a dynamic import gives the module",
    cells: [cell("const loaded = await import('dom0-kit');\ntypeof loaded.show", { value: "'function'" })],
  },
  {
    name: "a builtin of Node is importable",
    cells: [cell("import { basename } from 'node:path';\nbasename('/a/b.txt').length", { value: "5" })],
  },
  {
    name: "a module that does not exist is a type error",
    cells: [
      cell("import { ghost } from 'no-such-module';", {
        error: ["TypeScriptError", /Cannot find module 'no-such-module'/],
      }),
    ],
  },
  {
    name: "an error has its name and its message",
    cells: [cell("throw new TypeError('wrong kind');", { error: ["TypeError", /^wrong kind$/] })],
  },
  {
    name: "an error class of an earlier cell keeps its name",
    cells: [
      cell("class LeakError extends Error { override name = 'LeakError'; }"),
      cell("throw new LeakError('two litres');", { error: ["LeakError", /^two litres$/] }),
    ],
  },
  {
    name: "a thrown value that is no error is told as it is",
    cells: [cell("throw { code: 5 };", { error: ["Thrown", /code: 5/] })],
  },
  {
    name: "a traceback names cells, lines and functions, and nothing else",
    cells: [
      cell("function deepest(depth: number): never {\n  throw new RangeError('at ' + depth);\n}"),
      cell("const go = () => deepest(40);\n\ngo();", {
        error: ["RangeError", /^at 40$/],
        trace:
          /deepest \(cell \d+, line 2, column \d+\)\n\s+at go \(cell \d+, line 1, column \d+\)\n\s+at cell \d+, line 3, column 1\n/,
      }),
    ],
  },
  {
    name: "names declared before a throw survive it",
    cells: [
      cell("const before = 1;\nlet changed = 2;\nchanged = 3;\nthrow new Error('half way');", {
        error: ["Error", /half way/],
      }),
      cell("[before, changed]", { value: "[ 1, 3 ]" }),
    ],
  },
  {
    name: "names that a throw prevented do not exist",
    cells: [
      cell("throw new Error('too soon');\nconst nevermore = 1;", { error: ["Error", /too soon/] }),
      cell("nevermore", { error: ["TypeScriptError", /Cannot find name 'nevermore'/] }),
    ],
  },
  {
    name: "functions of a cell that threw survive, wherever they stand",
    cells: [
      cell(
        "throwAway();\nfunction throwAway() { throw new Error('thrown'); }\nfunction kept() { return 4; }",
        {
          error: ["Error", /thrown/],
        },
      ),
      cell("kept()", { value: "4" }),
    ],
  },
  {
    name: "a failed declaration leaves the earlier one of that name",
    cells: [
      cell("const compass = 1;"),
      cell("const compass = (() => { throw new Error('no needle'); })() as string;", {
        error: ["Error", /no needle/],
      }),
      cell("compass", { value: "1" }),
    ],
  },
  {
    name: "endless recursion is an error and the kernel lives",
    cells: [
      cell("function dive(): number { return dive() + 1; }\ndive();", {
        error: ["RangeError", /call stack/],
      }),
      cell("typeof dive", { value: "'function'" }),
    ],
  },
  {
    name: "a cell with a type error is not run",
    cells: [
      cell("let touched = 0;"),
      cell("touched = 1;\nconst wrong: number = 'text';", {
        error: ["TypeScriptError", /^2:7 - Type 'string' is not assignable to type 'number'/],
      }),
      cell("touched", { value: "0" }),
    ],
  },
  {
    name: "null and undefined are checked strictly",
    cells: [
      cell("const found = [1].find((each) => each > 1);\nfound.toFixed()", {
        error: ["TypeScriptError", /'found' is possibly 'undefined'/],
      }),
    ],
  },
  {
    name: "a parameter needs a type",
    cells: [
      cell("function untyped(value) { return value; }", {
        error: ["TypeScriptError", /implicitly has an 'any' type/],
      }),
    ],
  },
  {
    name: "an earlier let is assigned its own type alone",
    cells: [
      cell("let knots = 3;"),
      cell("knots = 'four';", {
        error: ["TypeScriptError", /Type 'string' is not assignable to type 'number'/],
      }),
    ],
  },
  {
    name: "an earlier const is not assigned",
    cells: [
      cell("const fixed = 3;"),
      cell("fixed = 4;", { error: ["TypeScriptError", /^1:1 - Cannot assign to 'fixed'/] }),
    ],
  },
  {
    name: "broken syntax is told with its place",
    cells: [cell("const broken = ;", { error: ["TypeScriptError", /^1:16 - Expression expected/] })],
  },
  {
    name: "the library is that of ES2023 and later",
    cells: [
      cell("[[3, 1, 2].toSorted(), Object.groupBy([1, 2], (each) => (each > 1 ? 'big' : 'small')).big]", {
        value: "[ [ 1, 2, 3 ], [ 2 ] ]",
      }),
    ],
  },
  {
    name: "WebAssembly is typed",
    cells: [
      cell(
        "const pages: WebAssembly.Memory = new WebAssembly.Memory({ initial: 2 });\npages.buffer.byteLength",
        { value: "131072" },
      ),
    ],
  },
  {
    name: "an endless loop is stopped and its state is kept",
    cells: [
      cell("let spins = 0;"),
      stopped("while (true) spins++;"),
      cell("spins > 1000", { value: "true" }),
    ],
  },
  {
    name: "a cell that waits for ever is stopped",
    cells: [stopped("const waited = 1;\nawait new Promise(() => {});"), cell("waited", { value: "1" })],
  },
  {
    name: "an endless loop that catches everything is stopped",
    cells: [
      cell("let caught = 0;"),
      stopped("for (;;) {\n  try {\n    while (true) caught++;\n  } catch {\n    caught = -1;\n  }\n}"),
      cell("caught === 0", { value: "false" }),
    ],
  },
  {
    name: "an endless loop that awaits is stopped",
    cells: [
      cell("let awaited = 0;"),
      stopped("while (true) {\n  await null;\n  awaited++;\n}"),
      cell("awaited > 0", { value: "true" }),
    ],
  },
  {
    name: "an endless loop in a function of an earlier cell is stopped",
    cells: [
      cell("let pumped = 0;\nfunction pump() { while (true) pumped++; }"),
      stopped("pump();"),
      cell("pumped > 1000", { value: "true" }),
    ],
  },
  {
    name: "code that never looks at the flag is stopped",
    cells: [
      cell("const kept1 = 5;"),
      stopped("/(a+)+b/.test('a'.repeat(60));"),
      cell("kept1", { value: "5" }),
    ],
  },
];
