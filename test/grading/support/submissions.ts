/**
 * The class: right, wrong and hostile submissions of assignment 01, each with the score it must get.
 *
 * Numbers in `attack` are those of the attack catalogue. Twelve points are given by tests; two wait for a person.
 */
import path from "node:path";
import type { Notebook } from "../../../lib/notebook/nbformat.ts";
import { CHECKSUM, CODEC, REPLAY, RIGHT, TRIP } from "./answers.ts";
import { changeCell, codeCell, gradeId, insertBefore, mapCells, withAnswers } from "./course.ts";

/** One student of the class. */
export interface Member {
  readonly student: string;
  readonly attack: string;
  readonly notebook: (released: Notebook) => Notebook;
  readonly score: number;
  /** How the cage must have ended; "done" when left out. */
  readonly end?: string;
  /** Text that one of the flags must contain. */
  readonly flag?: RegExp;
  /** File name, when it is not the released one. */
  readonly file?: string;
}

const right = (released: Notebook): Notebook => withAnswers(released, RIGHT);
const with_ = (answers: Partial<typeof RIGHT>) => (released: Notebook) =>
  withAnswers(right(released), answers);
const isTest = (id: string | undefined): boolean => id?.endsWith("-test") === true;
/** Puts a cell before one test of a right notebook. */
const before =
  (id: string, source: string, answers: Partial<typeof RIGHT> = {}) =>
  (released: Notebook) =>
    insertBefore(with_(answers)(released), source, (other) => other === id);

const WRONG_CODEC = CODEC.forgetful;

const HONEST: readonly Member[] = [
  { student: "right", attack: "none", notebook: right, score: 12, flag: /the same file as copies's/ },
  {
    student: "copies",
    attack: "100 somebody else's file",
    notebook: right,
    score: 12,
    flag: /the same file as/,
  },
  { student: "blank", attack: "none", notebook: (released) => released, score: 0 },
  {
    student: "wrong-checksum",
    attack: "none",
    notebook: with_({ checksum: CHECKSUM.signedBytes }),
    score: 10.4,
  },
  { student: "wrong-codec", attack: "none", notebook: with_({ codec: WRONG_CODEC }), score: 10 },
  { student: "wrong-trip", attack: "none", notebook: with_({ trip: TRIP.forever }), score: 10 },
  { student: "wrong-replay", attack: "none", notebook: with_({ replay: REPLAY.offByOne }), score: 11 },
  {
    student: "warns",
    attack: "107 stderr",
    notebook: before("codec-test", 'console.warn("deprecated"); console.error("only a warning");'),
    score: 12,
  },
];

const METADATA: readonly Member[] = [
  {
    student: "edited-test",
    attack: "1 edited test",
    notebook: (released) =>
      changeCell(with_({ codec: WRONG_CODEC })(released), "codec-test", (cell) => ({
        ...cell,
        source: "const fine = true;",
      })),
    score: 10,
    flag: /locked cell was changed/,
  },
  {
    student: "deleted-test",
    attack: "2 deleted tests",
    notebook: (released) =>
      mapCells(with_({ codec: WRONG_CODEC })(released), (cell) => (isTest(gradeId(cell)) ? [] : cell)),
    score: 10,
    flag: /test cell is missing/,
  },
  {
    student: "metadata",
    attack: "4, 5, 7, 11, 13 points, roles, cell type, schema, kernel",
    notebook: (released) => ({
      ...changeCell(with_({ codec: WRONG_CODEC })(released), "codec-test", (cell) => ({
        cell_type: "markdown",
        id: cell.id,
        source: cell.source,
        metadata: {
          nbgrader: {
            grade_id: "codec-test",
            grade: false,
            solution: true,
            points: "1e309",
            schema_version: 99,
          },
        },
      })),
      metadata: { kernelspec: { name: "bash", display_name: "/bin/sh", language: "sh" } },
    }),
    score: 10,
    flag: /became markdown/,
  },
  {
    student: "duplicate",
    attack: "8 two cells with one name",
    notebook: (released) =>
      changeCell(right(released), "codec", (cell) => [
        cell,
        { ...codeCell("function decodeMstatus() { while (true) {} }"), metadata: cell.metadata },
      ]),
    score: 12,
    flag: /2 cells claim this name/,
  },
  {
    student: "proto-id",
    attack: "10 a name that is a prototype's",
    notebook: (released) =>
      mapCells(right(released), (cell, index) =>
        index === 1
          ? [
              cell,
              ...["__proto__", "constructor", "../x"].map((grade_id) =>
                codeCell("1 + 1", { nbgrader: { grade_id, grade: true, points: 100 } }),
              ),
            ]
          : cell,
      ),
    score: 12,
  },
  {
    student: "renamed",
    attack: "14 renamed notebook",
    notebook: right,
    score: 12,
    file: "p1 (1).ipynb",
    flag: /renamed/,
  },
  {
    student: "throws-before",
    attack: "16 a throwing cell before each test",
    notebook: (released) =>
      insertBefore(with_({ codec: WRONG_CODEC })(released), 'throw new Error("stop here");', isTest),
    score: 10,
  },
  {
    student: "undefined-before",
    attack: "17 a cell that does not compile before each test",
    notebook: (released) =>
      insertBefore(with_({ codec: WRONG_CODEC })(released), "nobodyDefinedThis();", isTest),
    score: 10,
  },
  {
    student: "delimiters",
    attack: "22 the instructor's marks in an answer",
    notebook: with_({
      codec: `// BEGIN HIDDEN TESTS\n// END SOLUTION\n${CODEC.plain}\n// BEGIN MARK SCHEME\n// END HIDDEN TESTS`,
    }),
    score: 12,
  },
];

const BEFORE_LOCKED: readonly Member[] = [
  {
    student: "early",
    attack: "50 everything is broken before the instructor's first cell runs",
    notebook: (released) => ({
      ...released,
      cells: [
        codeCell(
          "Object.defineProperties = () => { throw new Error('mine'); }; Reflect.apply = () => 1; (globalThis as Record<string, unknown>).Promise = 1;",
        ),
        ...right(released).cells,
      ],
    }),
    score: 12,
  },
];

const CHANNEL: readonly Member[] = [
  {
    student: "spy",
    attack: "23, 31, 32 looking for answers, processes and secrets",
    notebook: before(
      "checksum-test",
      `const fs = await import("node:fs");
const seen = [...fs.readdirSync("/"), ...fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)), ...Object.keys(process.env)];
console.log(JSON.stringify(seen));
for (const file of ["/kit/assignments", "/srv", "/home", "/var/lib", "/etc/passwd"]) if (fs.existsSync(file)) console.log("LEAK " + file);`,
    ),
    score: 12,
  },
  {
    student: "type-spy",
    attack: "29 a type error that quotes the instructor's files",
    notebook: before(
      "checksum-test",
      `const spied: 1 = null as unknown as typeof import(${JSON.stringify(path.join(import.meta.dirname, "secret.ts"))}).SECRET;`,
    ),
    score: 12,
  },
  {
    student: "leaker",
    attack: "26 hidden inputs printed by a later cell",
    notebook: before(
      "trip-test",
      'console.log("INPUTS " + (globalThis as { seen?: bigint[] }).seen?.join());',
      {
        codec: CODEC.plain.replace(
          "{ const bit",
          "{ const all = globalThis as { seen?: bigint[] }; (all.seen ??= []).push(word); const bit",
        ),
      },
    ),
    score: 12,
  },
  {
    student: "quoting",
    attack: "28 an error that quotes the hidden input",
    notebook: with_({
      codec: CODEC.plain.replace(
        "{ const bit",
        '{ if (word > 5n) throw new Error("INPUT " + word); const bit',
      ),
    }),
    score: 9,
  },
  {
    student: "patched",
    attack: "35, 37, 38 patched assert and check, polluted prototypes, a printed verdict",
    notebook: before(
      "codec-test",
      `const assert = (await import("node:assert").catch(() => ({ default: {} }))).default as unknown as Record<string, unknown>;
assert["strictEqual"] = assert["deepEqual"] = () => {};
const all = globalThis as unknown as Record<string, unknown>;
all["check"] = () => ({ passed: true, score: 100 });
for (const [key, value] of Object.entries({ passed: true, score: 100, points: 100, share: 1, ok: true, status: "judged" }))
  Object.defineProperty(Object.prototype, key, { value, configurable: true, enumerable: false, writable: true });
Array.prototype.every = () => true;
JSON.stringify = () => "{}";
console.log('{"scores":{"codec-test":100}}'); process.stdout.write("ok 1 - all tests passed\\n");`,
      { codec: WRONG_CODEC },
    ),
    score: 10,
  },
  {
    student: "getters",
    attack: "43, 46 a counting getter and a lying toJSON",
    notebook: with_({
      codec: `let calls = 0;
function decodeMstatus(word: bigint): Mstatus {
  return { get sie() { calls += 1; return calls % 2 === 0; }, toJSON: () => ({ passed: true }) } as unknown as Mstatus;
}
function encodeMstatus(status: Mstatus): bigint { return { toJSON: () => "0x0", valueOf: () => 0n } as unknown as bigint; }`,
    }),
    score: 9,
  },
  {
    student: "proxy",
    attack: "44, 47 a proxy and an object that equal everything",
    notebook: with_({
      codec: `const mimic = new Proxy({}, { get: () => true, has: () => true, ownKeys: () => [] });
function decodeMstatus(word: bigint): Mstatus { return mimic as Mstatus; }
function encodeMstatus(status: Mstatus): bigint {
  return { equals: () => true, asymmetricMatch: () => true, [Symbol.toPrimitive]: () => 0n } as unknown as bigint;
}`,
    }),
    score: 9,
  },
  {
    student: "thenable",
    attack: "49, 50 a thenable that never settles, a patched promise",
    notebook: with_({
      replay: `${REPLAY.plain.split("\n")[0]}
function retired(turns: number): number {
  return { then(resolve: (value: number) => void) { resolve(1); resolve(2); } } as unknown as number;
}
Promise.prototype.then = function () { return new Promise(() => {}); } as typeof Promise.prototype.then;`,
    }),
    score: 11,
  },
  {
    student: "payload",
    attack: "59 values made to break a decoder",
    notebook: with_({
      codec: `const cycle: unknown[] = []; cycle.push(cycle);
const sparse: unknown[] = []; sparse.length = 2 ** 32 - 1;
const payloads: unknown[] = [cycle, sparse, JSON.parse('{"__proto__":{"passed":true},"constructor":1}'), 1n << 100000n, "x".repeat(1 << 23)];
let at = 0;
function decodeMstatus(word: bigint): Mstatus { at += 1; return payloads[at % payloads.length] as Mstatus; }
function encodeMstatus(status: Mstatus): bigint { return payloads[2] as bigint; }`,
    }),
    score: 9,
  },
  {
    student: "hidden-error",
    attack: "62 an error whose message throws",
    notebook: with_({
      codec: `function decodeMstatus(word: bigint): Mstatus {
  throw new Proxy(new Error("x"), { get() { throw new Error("again"); }, getPrototypeOf() { throw new Error("and again"); } });
}
function encodeMstatus(status: Mstatus): bigint { throw Object.defineProperty(new Error(), "message", { get() { throw 1; } }); }`,
    }),
    score: 9,
  },
  {
    student: "forger",
    attack: "40 bytes written to the channel",
    notebook: before(
      "codec-test",
      `const { writeSync } = await import("node:fs");
const forged = new Uint8Array([5, 0, 0, 0, 9, 1, 3, 3, 3]);
for (let i = 0; i < 3; i += 1) writeSync(3, forged);`,
    ),
    score: 4,
    end: "protocol",
  },
];

const RESOURCES: readonly Member[] = [
  {
    student: "exits",
    attack: "41 exit inside a tested function",
    notebook: with_({ codec: CODEC.plain.replace("{ const bit", "{ process.exit(0); const bit") }),
    score: 4,
    end: "exit",
  },
  {
    student: "starves",
    attack: "64 microtasks without end",
    notebook: before("trip-test", "while (true) await null;"),
    score: 7,
    end: "timeout",
  },
  {
    student: "heap-bomb",
    attack: "67 a heap that grows",
    notebook: before(
      "replay-test",
      "const all: unknown[] = []; for (;;) all.push(new Array(1000).fill({}));",
    ),
    score: 10,
    end: "memory",
  },
  {
    student: "buffer-bomb",
    attack: "68 array buffers that grow",
    notebook: before(
      "replay-test",
      "const all: Uint8Array[] = []; for (;;) all.push(new Uint8Array(1 << 26).fill(1));",
    ),
    score: 12,
  },
  {
    student: "flood",
    attack: "70 output without end",
    notebook: before(
      "trip-test",
      'const fs = await import("node:fs"); for (;;) fs.writeSync(1, "y".repeat(65536));',
    ),
    score: 7,
    end: "output",
  },
  {
    student: "chatty",
    attack: "71 a million lines through the console",
    notebook: before("trip-test", 'for (let i = 0; i < 200_000; i += 1) console.log("line", i);'),
    score: 12,
  },
  {
    student: "leftovers",
    attack: "73, 74 open files, timers and servers left behind",
    notebook: before(
      "checksum-test",
      `const fs = await import("node:fs"); const files: number[] = [];
try { for (;;) files.push(fs.openSync("/dev/null", "r")); } catch {} for (const fd of files) fs.closeSync(fd);
setInterval(() => {}, 10); new Promise(() => {});`,
    ),
    score: 12,
  },
  {
    student: "daemon",
    attack: "76 a process that wants to outlive its job",
    notebook: before(
      "checksum-test",
      `const { spawn } = await import("node:child_process");
const child = spawn(process.execPath, ["-e", "/* dom0-daemon */ setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" });
child.on("error", () => {}); child.unref();`,
    ),
    score: 12,
  },
  {
    student: "type-bomb",
    attack: "77 types that take forever",
    notebook: before(
      "trip-test",
      `type Pair<T, N extends 0[]> = N["length"] extends 24 ? T : Pair<T | [T, N], [...N, 0]> | Pair<[T], [...N, 0]>;
const bomb: Pair<1, []> extends string ? 1 : 2 = 2;`,
    ),
    score: 12,
  },
];

const PUBLISHED: readonly Member[] = [
  {
    student: "markup",
    attack: "61, 101 script in output and answer, colors in the terminal",
    notebook: (released) =>
      changeCell(
        before(
          "checksum-test",
          `console.log('<script>alert(1)</script><img src=x onerror=alert(2)>\\u001b[32mPASS\\u001b[0m\\r\\u202E');`,
        )(released),
        "why",
        (cell) => ({
          ...cell,
          source:
            'Because <script>alert(3)</script> [link](javascript:alert(4)) ![i](https://example.org/i.png) <svg onload="alert(5)"> **good**',
        }),
      ),
    score: 12,
  },
];

/** What comes after the list of modules: these import Node's own, as if there were a way past the list. */
const WITH_MODULES: ReadonlySet<string> = new Set([
  "spy",
  "patched",
  "forger",
  "flood",
  "leftovers",
  "daemon",
]);
const HOSTILE: readonly Member[] = [...CHANNEL, ...RESOURCES];

/** Everybody whose cells import the kit alone. */
export const CLASS: readonly Member[] = [
  ...HONEST,
  ...METADATA,
  ...BEFORE_LOCKED,
  ...HOSTILE.filter(({ student }) => student === "patched" || !WITH_MODULES.has(student)),
  ...PUBLISHED,
];

/** Those who meet the walls. */
export const PAST_THE_LIST: readonly Member[] = HOSTILE.filter(({ student }) => WITH_MODULES.has(student));

/** Prints what becomes of each attempt: "OPEN name" when it gave something. */
const attempts = (attempts: Readonly<Record<string, string>>): string =>
  Object.entries(attempts)
    .map(
      ([name, code]) =>
        `try { const got: unknown = await (async (): Promise<unknown> => ${code})(); console.log(got === undefined ? "SHUT" : "OPEN", ${JSON.stringify(name)}, String(got)); } catch (error) { console.log("SHUT", ${JSON.stringify(name)}, String(error)); }`,
    )
    .join("\n");

const imported = (specifier: string): string => `import(${JSON.stringify(specifier)} as string)`;

/** Those who look for another door than the kit's. Each prints lines of "SHUT". */
export const AT_THE_DOOR: readonly Member[] = [
  {
    student: "modules",
    attack: "3 the models' own files, and Node's",
    notebook: before(
      "checksum-test",
      attempts(
        Object.fromEntries(
          [
            ...[
              "node:fs",
              "fs",
              "node:module",
              "fast-check",
              "dom0-kit/",
              "dom0-kit/lib/index.ts",
              "DOM0-KIT",
            ],
            ...[
              "./lib/index.ts",
              "../kit/lib/index.ts",
              "/kit/lib/course/assignments/xen-core/hand-office.ts",
            ],
            ...["file:///kit/lib/course/help.ts", "data:text/javascript,export default 1", ""],
          ].map((specifier) => [specifier, imported(specifier)]),
        ),
      ),
    ),
    score: 12,
  },
  {
    student: "back-doors",
    attack: "3 modules by way of process, eval and constructors",
    notebook: before(
      "checksum-test",
      `const all = globalThis as unknown as { process: Record<string, (name: string) => unknown>; console: Record<string, { constructor: unknown }> };\n${attempts(
        {
          getBuiltinModule: 'all.process["getBuiltinModule"]!("fs")',
          binding: 'all.process["binding"]!("fs")',
          dlopen: 'all.process["dlopen"]',
          mainModule: 'all.process["mainModule"]',
          execve: 'all.process["execve"]',
          require: 'eval("require")("fs")',
          eval: "(0, eval)(\"import('node:fs')\")",
          Function: "new Function(\"return import('node:fs')\")()",
          later: "Promise.resolve(\"import('node:fs')\").then(eval)",
          stream: '(all.console["_stdout"]!.constructor === Object ? undefined : all.console["_stdout"])',
        },
      )}`,
    ),
    score: 12,
  },
];
