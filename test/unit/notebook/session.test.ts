/** A session in this process: outcomes, survivors, interrupts. The cells are written as a compiler would emit them. */
import vm from "node:vm";
import { describe, expect, it } from "vitest";
import type { CellOutput, EmittedCell } from "../../../lib/notebook/kernel-protocol.ts";
import { createCellSession } from "../../../lib/notebook/session.ts";
import { errorRecord } from "../../../lib/notebook/traceback.ts";

const cell = (id: number, body: string, more: Partial<EmittedCell> = {}): EmittedCell => ({
  id,
  code: `(async function ($dom0, first, second) {"use strict";\n${body}\n})`,
  reads: [],
  modules: [],
  values: [],
  mappings: "",
  source: "",
  ...more,
});

function start(interruptFlag?: Int32Array) {
  const outputs: CellOutput[] = [];
  const session = createCellSession({
    evaluate: (code, filename): unknown => new vm.Script(code, { filename }).runInThisContext(),
    load: ({ specifier }) =>
      specifier === "known"
        ? Promise.resolve({ answer: 42 })
        : Promise.reject(new Error(`Cannot find module '${specifier}'`)),
    meta: {},
    emit: (_, output) => void outputs.push(output),
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    ...(interruptFlag && { interruptFlag }),
  });
  return { session, outputs };
}

describe("a session", () => {
  it("hands a cell the names of earlier cells and its modules, in order", async () => {
    const { session, outputs } = start();
    await session.execute(
      cell(1, "$dom0.define({ n: { get: () => n, set: (v) => { n = v; } } });\nlet n = 1;", {
        values: ["n"],
      }),
    );
    await session.execute(
      cell(2, "first.n += 1;\n$dom0.result = [first.n, second.answer];", {
        reads: [1],
        modules: [{ specifier: "known" }],
      }),
    );
    expect(outputs).toEqual([{ type: "execute_result", data: { "text/plain": "[ 2, 42 ]" } }]);
  });

  it("says which names hold a value after a throw", async () => {
    const { session } = start();
    const names = ["before", "after", "hoisted"].map((name) => `${name}: { get: () => ${name} }`).join(", ");
    const { status, survivors, error } = await session.execute(
      cell(
        1,
        `$dom0.define({ ${names} });\nlet before;\nthrow new RangeError("x");\nlet after;\nfunction hoisted() {}`,
        { values: ["before", "after", "hoisted"] },
      ),
    );
    expect({ status, survivors, ename: error?.ename }).toEqual({
      status: "error",
      survivors: ["before", "hoisted"],
      ename: "RangeError",
    });
  });

  it("keeps no name of a cell whose module is missing or whose code is broken", async () => {
    const { session } = start();
    const missing = await session.execute(
      cell(1, "", { values: ["a"], modules: [{ specifier: "unknown" }] }),
    );
    expect([missing.survivors, missing.error?.evalue]).toEqual([[], "Cannot find module 'unknown'"]);
    const broken = await session.execute(cell(2, "let let = 1;", { values: ["a"] }));
    expect([broken.survivors, broken.error?.ename]).toEqual([[], "SyntaxError"]);
  });

  it("stops a waiting cell, and the loop that it has left behind", async () => {
    const { session } = start();
    const running = session.execute(
      cell(
        1,
        "globalThis.turns = 0;\nawait new Promise((go) => { globalThis.wake = go; });\nfor (;;) { $dom0.tick(); globalThis.turns++; }",
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    session.interrupt();
    expect(await running).toMatchObject({ status: "interrupted", error: { ename: "Interrupted" } });
    const shared = globalThis as unknown as { wake(): void; turns: number };
    shared.wake();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(shared.turns).toBe(0);
  });

  it("stops a busy cell by the flag, and lowers the flag for the next one", async () => {
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const { session, outputs } = start(flag);
    const raise = "Atomics.store(globalThis.testFlag, 0, 1);";
    Object.assign(globalThis, { testFlag: flag });
    expect((await session.execute(cell(1, `${raise}\nfor (;;) $dom0.tick();`))).status).toBe("interrupted");
    expect(flag[0]).toBe(0);
    expect((await session.execute(cell(2, "$dom0.tick();\n$dom0.result = 1;"))).status).toBe("ok");
    expect(outputs.at(-1)).toEqual({ type: "execute_result", data: { "text/plain": "1" } });
  });

  it("ignores an interrupt while nothing runs", async () => {
    const { session } = start();
    session.interrupt();
    expect((await session.execute(cell(1, ""))).status).toBe("ok");
  });
});

describe("an error record", () => {
  const nothing = () => undefined;

  it("tells any thrown value in words", () => {
    expect(errorRecord("text", nothing)).toEqual({
      ename: "Thrown",
      evalue: "text",
      traceback: ["Thrown: text"],
    });
    expect(errorRecord(undefined, nothing).evalue).toBe("undefined");
    expect(errorRecord({ a: [1n] }, nothing).evalue).toBe("{ a: [ 1n ] }");
  });

  it("survives an error that throws when it is read", () => {
    const hostile = new Proxy(new Error("x"), {
      get: () => {
        throw new Error("no");
      },
    });
    expect(errorRecord(hostile, nothing)).toMatchObject({ ename: "Error", evalue: "<unprintable>" });
  });

  it("follows causes, a few levels deep", () => {
    let error = new Error("level 9");
    for (let level = 8; level >= 0; level--) error = new Error(`level ${level}`, { cause: error });
    const lines = errorRecord(error, nothing).traceback;
    expect(lines.filter((line) => line.startsWith("Caused by:"))).toHaveLength(4);
    expect(lines[0]).toBe("Error: level 0");
  });

  it("reads stacks of other engines", () => {
    const source = "let a;\nboom()";
    const known = cell(3, "", { source, mappings: "AAAA;AACA" });
    const error = Object.assign(new Error("x"), { stack: "boom@cell-3.js:2:1\n@cell-3.js:3:1" });
    expect(errorRecord(error, (id) => (id === 3 ? known : undefined)).traceback).toEqual([
      "Error: x",
      "    at boom (cell 3, line 1, column 1)",
      "    at cell 3, line 2, column 1",
      "",
      "1 | let a;",
      "    ^",
    ]);
  });
});

describe("a run that its host has cut off", () => {
  it("is ended as interrupted, its names kept, and its late end disturbs nobody", async () => {
    const { session, outputs } = start();
    const lost = session.execute(
      cell(
        1,
        "$dom0.define({ n: { get: () => n } });\nlet n = 3;\nawait new Promise((go) => { globalThis.wake = go; });",
        { values: ["n"] },
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(session.abandon()).toMatchObject({ status: "interrupted", survivors: ["n"] });
    expect(session.abandon()).toBeUndefined();
    const next = session.execute(
      cell(2, "await new Promise((go) => setTimeout(go, 30));\n$dom0.result = first.n;", { reads: [1] }),
    );
    (globalThis as unknown as { wake(): void }).wake();
    await lost;
    expect((await next).status).toBe("ok");
    expect(outputs.at(-1)).toEqual({ type: "execute_result", data: { "text/plain": "3" } });
  });
});
