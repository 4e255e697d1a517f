/** The cell compiler. Oracles: TypeScript's own messages, JavaScript's semantics by running what was emitted. */
import path from "node:path";
import vm from "node:vm";
import * as fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nodeCompilerHost } from "../../../lib/host/kernel/headless-files.ts";
import { type CellCompiler, createCellCompiler } from "../../../lib/notebook/compiler/cell-compiler.ts";
import { parseCell } from "../../../lib/notebook/compiler/cell-names.ts";
import { typeErrorRecord } from "../../../lib/notebook/compiler/diagnostics.ts";
import { MappingTable } from "../../../lib/notebook/compiler/source-map.ts";
import { typeFilesFromMap } from "../../../lib/notebook/compiler/type-files.ts";
import { inspect } from "../../../lib/notebook/inspect/inspect.ts";
import type { EmittedCell } from "../../../lib/notebook/kernel-protocol.ts";
import { createCellSession } from "../../../lib/notebook/session.ts";

const FOLDER = path.resolve(import.meta.dirname, "../../../notebooks");
let compiler: CellCompiler;

beforeAll(() => {
  compiler = createCellCompiler(nodeCompilerHost(FOLDER));
});
beforeEach(() => compiler.reset());

function emitted(source: string): EmittedCell {
  const result = compiler.compile(source);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  compiler.commit(result.cell.id);
  return result.cell;
}

/** Runs cells in a session of this process and returns what each showed as its value. */
async function valuesOf(...sources: string[]): Promise<(string | undefined)[]> {
  const values = new Map<number, string>();
  const session = createCellSession({
    evaluate: (code, filename): unknown => new vm.Script(code, { filename }).runInThisContext(),
    load: () => Promise.reject(new Error("no modules here")),
    meta: {},
    emit: (cell, output) => {
      if (output.type === "execute_result") values.set(cell, String(output.data["text/plain"]));
      if (output.type === "error") values.set(cell, `${output.ename}: ${output.evalue}`);
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const shown: (string | undefined)[] = [];
  for (const source of sources) {
    const result = compiler.compile(source);
    if (!result.ok) {
      shown.push(
        `${result.diagnostics[0]?.line}:${result.diagnostics[0]?.column} ${result.diagnostics[0]?.message}`,
      );
      continue;
    }
    const { survivors } = await session.execute(result.cell);
    compiler.commit(result.cell.id, survivors);
    shown.push(values.get(result.cell.id));
  }
  return shown;
}

describe("a compiled cell", () => {
  it("keeps top-level names as plain local variables, so a loop touches no object", () => {
    const { code } = emitted("let total = 0;\nfor (let i = 0; i < 10; i++) total += i;");
    expect(code).toMatch(/\n\s*total \+= i;/);
  });

  it("reads only the cells whose names it mentions", () => {
    emitted("const first = 1;");
    emitted("const second = 2;");
    expect(emitted("second + 1").reads).toEqual([2]);
    expect(emitted("3").reads).toEqual([]);
  });

  it("names the modules it needs, types left out", () => {
    const { modules, values } = emitted(
      "import fs, { readFileSync as read, type Stats } from 'node:fs';\nimport type { Server } from 'node:net';\nimport * as path from 'node:path';",
    );
    expect(modules).toEqual([{ specifier: "node:fs" }, { specifier: "node:path" }]);
    expect(values).toEqual(["fs", "read", "path"]);
  });

  it("keeps import attributes", () => {
    const { modules } = emitted(
      "import data from './package-of-nothing.json' with { type: 'json' };".replace(
        "./package-of-nothing.json",
        "../package.json",
      ),
    );
    expect(modules).toEqual([{ specifier: "../package.json", attributes: { type: "json" } }]);
  });

  it("is the same text for the same cells", () => {
    const once = ["const a = 1;", "a + 1"].map(emitted);
    compiler.reset();
    expect(["const a = 1;", "a + 1"].map(emitted)).toEqual(once);
  });

  it("has a number of its own, also after a cell that did not compile", () => {
    expect(emitted("1").id).toBe(1);
    expect(compiler.compile("const wrong: string = 1;").ok).toBe(false);
    expect(emitted("2").id).toBe(3);
  });

  it("maps each place of its code back to the line that was written", () => {
    const source =
      "interface Gone { a: number }\n\nconst kept: Gone = { a: 1 };\nfor (const each of [kept]) {\n  each.a.toFixed();\n}";
    const cell = emitted(source);
    const line = cell.code.split("\n").findIndex((text) => text.includes("toFixed")) - 1;
    const column = (cell.code.split("\n")[line + 1] ?? "").indexOf("each.a.toFixed");
    expect(MappingTable.of(cell).original(line, column)).toEqual({ line: 4, column: 2 });
  });
});

describe("earlier names in a later cell", () => {
  it.each([
    ["a template tag", "const tag = (parts: TemplateStringsArray) => parts[0];", "tag`x`", "'x'"],
    [
      "a call keeps this undefined",
      "function who(this: unknown) { return this === undefined; }",
      "who()",
      "true",
    ],
    [
      "a method call keeps its object",
      "const box = { n: 5, get(): number { return this.n; } };",
      "box.get()",
      "5",
    ],
    ["new", "class Boat { n = 3; }", "new Boat().n", "3"],
    ["typeof", "let word = 'x';", "typeof word", "'string'"],
    ["a default parameter", "const fallback = 7;", "((n = fallback) => n)()", "7"],
    ["a computed key", "const key = 'k';", "({ [key]: 1 })", "{ k: 1 }"],
    ["a key of the same name", "const key = 'k';", "({ key: 1 }).key", "1"],
    [
      "a nested shorthand with a default",
      "let depth = 1;",
      "({ depth = 5 } = {} as { depth?: number }), depth",
      "5",
    ],
    ["a rest target", "let rest: number[] = [];", "[, ...rest] = [1, 2, 3], rest", "[ 2, 3 ]"],
    ["a loop target", "let at = 0;", "for (at of [4, 9]);\nat", "9"],
    ["optional chaining", "const maybe: { a?: { b: number } } = {};", "maybe.a?.b ?? 'none'", "'none'"],
    ["a label is no name", "const outer = 1;", "outer: for (;;) { break outer; }\nouter", "1"],
    ["a class field named so", "const size = 2;", "new (class { size = size * 2; })().size", "4"],
    [
      "an enum member named so",
      "const Red = 9;",
      "enum Color { Red = 1, Both = Red + 1 }\n[Color.Both, Red]",
      "[ 2, 9 ]",
    ],
    ["a generic call", "function same<T>(value: T): T { return value; }", "same<string>('s')", "'s'"],
    ["satisfies and as const", "const base = { a: 1 } as const;", "({ ...base } satisfies { a: 1 }).a", "1"],
    [
      "an assertion function",
      "function must(value: unknown): asserts value is string { if (typeof value !== 'string') throw new Error('no'); }",
      "const u: unknown = 'abc';\nmust(u);\nu.length",
      "3",
    ],
    [
      "a type predicate",
      "const isText = (value: unknown): value is string => typeof value === 'string';",
      "const v: unknown = 'ab';\nisText(v) ? v.length : 0",
      "2",
    ],
    [
      "a unique symbol",
      "const mark: unique symbol = Symbol('mark');",
      "const held: { [mark]: number } = { [mark]: 1 };\nheld[mark]",
      "1",
    ],
    ["a variable named __proto__", "const __proto__ = 4;", "__proto__", "4"],
    ["a variable named constructor", "let constructor = 4;", "constructor++, constructor", "5"],
  ])("%s", async (_, first, second, value) => {
    expect((await valuesOf(first, second))[1]).toBe(value);
  });

  it("narrows and widens an earlier let as one of the same cell", async () => {
    expect(
      await valuesOf("let state: 'idle' | 'busy' = 'idle';", "state = 'busy';\nstate", "state = 'gone';"),
    ).toEqual([undefined, "'busy'", `1:1 Type '"gone"' is not assignable to type '"idle" | "busy"'.`]);
  });

  it("says of which cell a constant is", async () => {
    expect(
      (await valuesOf("const fixed = 1;\nfunction f() {}", "fixed = 2;", "f = fixed;")).slice(1),
    ).toEqual([
      "1:1 Cannot assign to 'fixed' because it is declared in cell 1 without 'let'.",
      "1:1 Cannot assign to 'f' because it is declared in cell 1 without 'let'.",
    ]);
  });

  it("names types of other cells without their files", async () => {
    const [, , message] = await valuesOf(
      "class A { private a = 1; }",
      "class A { private a = 1; }\nlet next = new A();",
      "const a: number = next;",
    );
    expect(message).toBe("1:7 Type 'A' is not assignable to type 'number'.");
  });

  it("says of a message of the engine what the reader wrote", async () => {
    expect((await valuesOf("const notCallable = 5 as unknown as () => void;", "notCallable();"))[1]).toBe(
      "TypeError: notCallable is not a function",
    );
  });
});

describe("diagnostics", () => {
  it("stand at line and column from 1, with a picture", () => {
    const source = "const fine = 1;\n  const bad: string = fine;";
    const [first, ...others] = compiler.check(source);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ line: 2, column: 9, start: 24, length: 3, code: 2322 });
    expect(typeErrorRecord(source, compiler.check(source)).traceback).toEqual([
      "2:9 - error TS2322: Type 'number' is not assignable to type 'string'.",
      "",
      "2 |   const bad: string = fine;",
      "            ~~~",
    ]);
  });

  it("are at most twenty in an error record", () => {
    const source = Array.from({ length: 30 }, (_, at) => `const c${at}: string = ${at};`).join("\n");
    const { traceback } = typeErrorRecord(source, compiler.check(source));
    expect(traceback.at(-1)).toBe("… and 10 more");
  });

  it("refuse exports that a cell cannot have", () => {
    for (const source of [
      "export default 1;",
      "export default class A {}",
      "const a = 1;\nexport { a };",
      "export * from 'node:fs';",
    ]) {
      expect(compiler.check(source)[0]?.message, source).toMatch(/A cell exports nothing/);
    }
  });

  it("refuse the names that emitted code uses, and no others", () => {
    expect(compiler.check("let fine = 1;\nlet $cell12 = fine;")[0]).toMatchObject({
      line: 2,
      column: 5,
      message: "The kernel uses the name '$cell12' itself: choose another.",
    });
    expect(compiler.check("const $dom = '$dom0', $cellar = 1, $tick_ = 2;")).toEqual([]);
  });

  it.each([
    ["an open string", "const a = 'x"],
    ["an open template", "const a = `x"],
    ["an open comment", "/* x"],
    ["an open brace", "if (true) {"],
    ["a lone bracket", ")"],
    ["an unknown character", "const a = #;"],
  ])("stay inside the cell for %s", (_, source) => {
    const diagnostics = compiler.check(source);
    expect(diagnostics.length).toBeGreaterThan(0);
    for (const { start, line } of diagnostics) {
      expect(start).toBeLessThanOrEqual(source.length);
      expect(line).toBeLessThanOrEqual(source.split("\n").length);
    }
  });

  it("come for any text, and never as an exception", () => {
    const word = fc.constantFrom(
      "const",
      "let",
      "x",
      "y",
      "=",
      "1",
      "'s'",
      "(",
      ")",
      "{",
      "}",
      "=>",
      ";",
      "\n",
      "class",
      "import",
      "from",
      "await",
      "for",
      "of",
      "`",
      "${",
      "/*",
      "//",
      "type",
      "<",
      ">",
      "export",
      "function",
      "...",
      "[",
      "]",
      "@",
      "#p",
      "enum",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 14 }), (words) => {
        const result = compiler.compile(words.join(" "));
        if (!result.ok) {
          for (const { start } of result.diagnostics)
            expect(start).toBeLessThanOrEqual(words.join(" ").length);
        }
      }),
      { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 2_000 : 60 },
    );
  });
});

describe("a document whose cells have not run", () => {
  it("is checked in the order of its cells", () => {
    expect(compiler.check("b + 1", ["const a = 1;", "let b = a;"])).toEqual([]);
    expect(compiler.check("b + 1", ["const a = 1;"])[0]?.message).toBe("Cannot find name 'b'.");
  });

  it("sees an edit of an earlier cell", () => {
    expect(compiler.check("a.toFixed()", ["const a = 1;"])).toEqual([]);
    expect(compiler.check("a.toFixed()", ["const a = 'text';"])[0]?.message).toMatch(
      /'toFixed' does not exist on type '"text"'/,
    );
    expect(compiler.check("a.toFixed()", ["const a = 1;"])).toEqual([]);
  });

  it("lives beside the cells that ran", () => {
    emitted("const ran = 1;");
    expect(compiler.check("ran", [])[0]?.message).toBe("Cannot find name 'ran'.");
    expect(compiler.check("ran")).toEqual([]);
  });
});

describe("completion and quick info", () => {
  it("offer names of earlier cells, best first", () => {
    emitted("const counter = 1;\nfunction countDown() {}");
    const { from, to, entries } = compiler.complete("1 + coun", 8);
    expect([from, to]).toEqual([4, 8]);
    expect(entries.slice(0, 2).map(({ name }) => name)).toEqual(["countDown", "counter"]);
  });

  it("offer members of an earlier value, in the middle of a word too", () => {
    emitted("const ship = { sailors: 3, sail() {} };");
    const { from, to, entries } = compiler.complete("ship.saXX", 7);
    expect([from, to]).toEqual([5, 9]);
    expect(entries.map(({ name, kind }) => `${kind} ${name}`)).toEqual(["method sail", "property sailors"]);
  });

  it("offer literals of a union", () => {
    emitted("function go(where: 'north' | 'south') {}");
    expect(compiler.complete("go('n", 5).entries.map(({ name }) => name)).toContain("north");
  });

  it("tell the type and the words of a name of an earlier cell", () => {
    emitted("/** How deep it is, in metres. */\nfunction depth(at: number): number { return at; }");
    expect(compiler.quickInfo("depth(1)", 2)).toEqual({
      start: 0,
      length: 5,
      signature: "depth(at: number): number",
      documentation: "How deep it is, in metres.",
    });
    expect(compiler.quickInfo("  ", 1)).toBeUndefined();
  });

  it.each([
    ["1 + 1", "complete"],
    ["", "complete"],
    ["const a =", "incomplete"],
    ["if (true) {", "incomplete"],
    ["const t = `abc", "incomplete"],
    ["/* open", "incomplete"],
    ["f(1,", "incomplete"],
    ["const = 5; 1", "invalid"],
    ["a b c )", "invalid"],
  ] as const)("tell that %j is %s", (source, completeness) => {
    expect(compiler.completeness(source)).toBe(completeness);
  });
});

describe("names of a cell", () => {
  it("are those of its top level, and var of its blocks", () => {
    const { declared } = parseCell(
      "import d, * as ns from 'x';\nimport { a as b, type T } from 'y';\nlet l, { p: [q], ...r } = {} as any;\nif (l) { var v; let hidden; function alsoHidden() {} }\nfor (var w of []) {}\n(() => { var deep; });\nclass C {}\nenum E {}\nnamespace N { export const n = 1; }\nnamespace OnlyTypes { export type X = 1; }\ntype G<A> = A;\ninterface I {}\ndeclare const ambient: number;",
    );
    expect([...declared.keys()]).toEqual([
      "d",
      "ns",
      "b",
      "T",
      "l",
      "q",
      "r",
      "v",
      "w",
      "C",
      "E",
      "N",
      "OnlyTypes",
      "G",
      "I",
      "ambient",
    ]);
    const valued = [...declared.values()].filter(({ isValue }) => isValue).map(({ name }) => name);
    expect(valued).toEqual(["d", "ns", "b", "l", "q", "r", "v", "w", "C", "E", "N"]);
  });
});

describe("type files in memory", () => {
  it("serve a compiler without a disk", () => {
    const host = nodeCompilerHost(FOLDER);
    const map = new Map([
      ["/lib/lib.es5.d.ts", host.files.readFile(`${host.libFolder}/lib.es5.d.ts`) ?? ""],
      ["/node_modules/kit/index.d.ts", "export declare const size: number;"],
      ["/node_modules/kit/package.json", '{"name":"kit","types":"index.d.ts"}'],
    ]);
    const files = typeFilesFromMap(map);
    expect(files.directoryExists("/node_modules/kit/")).toBe(true);
    expect(files.getDirectories("/node_modules")).toEqual(["kit"]);
    expect(files.fileExists("/nowhere")).toBe(false);
    const inMemory = createCellCompiler({ files, folder: "/cells", libFolder: "/lib", ambient: [] });
    expect(inMemory.quickInfo("import { size } from 'kit';", 10)?.signature).toMatch(/size: number/);
  });
});

it("a value that cannot be printed is still a value", async () => {
  expect(
    (
      await valuesOf(
        "new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); } })",
      )
    )[0],
  ).toBe(
    inspect(
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no");
          },
          get: () => {
            throw new Error("no");
          },
        },
      ),
    ),
  );
});
