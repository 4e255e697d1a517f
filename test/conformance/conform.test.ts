/** `npm run conform`: both conventions, every way to fail, and what the command says about a folder. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { command } from "../../lib/host/cli/conform.ts";
import { CONFORMANCE_PROGRAMS } from "../../lib/host/conformance/programs.ts";
import {
  differences,
  parseExpectedFailures,
  runFolder,
  surprises,
} from "../../lib/host/conformance/run-folder.ts";
import { type Conformance, runProgram } from "../../lib/host/conformance/run-program.ts";
import { signatureBytes } from "../../lib/host/conformance/signature.ts";
import { describeWith, partPath } from "../support/optional.ts";

let folder: string;

/** Assembles a program that begins at the start of RAM and has the words that the conventions look at. */
function build(name: string, body: string, toHost = "tohost"): void {
  const source = `
    .globl _start, ${toHost}, begin_signature, end_signature
    _start:
    ${body}
    1: j 1b
    .data
    .balign 64
    ${toHost}: .dword 0
    begin_signature: .word 0xdeadbeef, 1
    end_signature:
  `;
  const file = path.join(folder, name);
  writeFileSync(`${file}.S`, source);
  const target = ["-march=rv64im_zicsr_zifencei", "-mabi=lp64", "-mcmodel=medany"];
  const flags = [...target, "-nostdlib", "-static", "-Wl,-n,-Ttext=0x80000000"];
  const { status, stderr } = spawnSync(partPath("gcc"), [...flags, `${file}.S`, "-o", file], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
}

const WRITE_TO_HOST = "la t0, tohost; sd t1, 0(t0)";
const run = (name: string, signature?: string) =>
  runProgram(name, new Uint8Array(readFileSync(path.join(folder, name))), signature, { budget: 20_000 });

/** Runs the command; what it printed to either stream, and its exit code. */
const conform = (...args: string[]) => heard(command, args);

async function heard({ run }: typeof command, args: string[]) {
  const written = { out: [] as string[], err: [] as string[] };
  const hear = (lines: string[]) => (text: unknown) => lines.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(hear(written.out)),
    vi.spyOn(process.stderr, "write").mockImplementation(hear(written.err)),
  ];
  try {
    const code = await run(args);
    return { code, out: written.out.join(""), err: written.err.join("") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describeWith(["gcc"], "npm run conform", () => {
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "dom0-conform-"));
    build("right", `li t1, 1; ${WRITE_TO_HOST}`);
    build("wrong", `li t1, ${(3 << 1) | 1}; ${WRITE_TO_HOST}`);
    build("silent", "csrw mie, zero; wfi");
    build("endless", "nop");
    build("caller", `li t1, 0x80001000; ${WRITE_TO_HOST}`);
    build("unnamed", "nop", "elsewhere");
    build("signed", `la t0, begin_signature; li t1, 0x12345678; sw t1, 4(t0); li t1, 1; ${WRITE_TO_HOST}`);
    writeFileSync(path.join(folder, "cut"), readFileSync(path.join(folder, "right")).subarray(0, 100));
    mkdirSync(path.join(folder, "deeper"));
    writeFileSync(path.join(folder, "deeper/cut"), readFileSync(path.join(folder, "right")));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("passes a program that writes 1 to tohost", () => {
    expect(run("right")).toMatchObject({ outcome: "passed" });
  });

  it("names the case of a program that writes twice its number plus one", () => {
    expect(run("wrong")).toMatchObject({ outcome: "failed", detail: "case 3 failed" });
  });

  it("fails a program that sleeps without a verdict, and one that asks its host for a service", () => {
    expect(run("silent")).toMatchObject({
      outcome: "failed",
      detail: "never wrote to tohost: sleeps for good",
    });
    expect(run("caller")).toMatchObject({ outcome: "failed", detail: expect.stringContaining("0x80001000") });
  });

  it("says that an endless program has timed out, at exactly its budget", () => {
    expect(run("endless")).toMatchObject({ outcome: "timed-out", instructions: 20_000 });
  });

  it("compares the signature when a file stands beside the program, however many bytes are in a line", () => {
    expect(run("signed", "deadbeef\n12345678\n")).toMatchObject({ outcome: "passed" });
    expect(run("signed", "12345678DEADBEEF\n")).toMatchObject({ outcome: "passed" });
    const detail = "signature differs at byte 4: 12345678 instead of 12345679";
    expect(run("signed", "deadbeef\n12345679\n")).toMatchObject({ outcome: "failed", detail });
    expect(run("signed", "deadbeef\n")).toMatchObject({ detail: "signature has 8 bytes instead of 4" });
    expect(run("signed", "not hexadecimal")).toMatchObject({ outcome: "failed" });
  });

  it("calls a damaged program, and one without tohost, not runnable", () => {
    expect(run("cut").outcome).toBe("not-runnable");
    expect(run("unnamed")).toMatchObject({
      outcome: "not-runnable",
      detail: "the program has no symbol tohost",
    });
  });

  it("runs a whole folder, passing over what is not ELF, and goes on behind what cannot be run", async () => {
    const results = await runFolder(folder, { budget: 20_000 });
    const outcomes = Object.fromEntries(results.map(({ name, outcome }) => [name, outcome]));
    expect(outcomes).toEqual({
      caller: "failed",
      cut: "not-runnable",
      "deeper/cut": "passed",
      endless: "timed-out",
      right: "passed",
      signed: "passed",
      silent: "failed",
      unnamed: "not-runnable",
      wrong: "failed",
    });
  });

  it("prints a row for each program and a summary, and exits with 1 for a failure that is not listed", async () => {
    const { code, out } = await conform(folder, "--filter", "r", "--budget", "20_000");
    expect(code).toBe(1);
    expect(out).toMatch(/^FAIL {2}wrong +case 3 failed$/m);
    expect(out).toMatch(/^pass {2}right$/m);
    expect(out).toMatch(/^surprise {2}wrong: case 3 failed$/m);
    expect(out).not.toContain("endless");
  });

  it("takes a list of expected failures: exits with 0 when it is right, with 1 when a listed program passes or is not there", async () => {
    const list = path.join(folder, "list.json");
    const withList = (reasons: Record<string, string>) => {
      writeFileSync(list, JSON.stringify(reasons));
      return conform(folder, "--filter", "r", "--expected", list);
    };
    const right = { caller: "asks", wrong: "on purpose", "deeper/cut": "passes" };
    expect(await withList(right)).toMatchObject({
      code: 1,
      out: expect.stringContaining("deeper/cut passes, but is"),
    });
    const { "deeper/cut": _, ...correct } = right;
    const { code, out } = await withList(correct);
    expect(out).toContain("(expected: on purpose)");
    expect(code).toBe(0);
    expect(await withList({ ...correct, "r-gone": "?" })).toMatchObject({
      code: 1,
      out: expect.stringContaining("r-gone is"),
    });
  });

  it("finds the list in the folder by itself", async () => {
    const list = path.join(folder, "expected-failures.json");
    writeFileSync(list, JSON.stringify({ wrong: "on purpose" }));
    expect((await conform(folder, "--filter", "wrong")).code).toBe(0);
    rmSync(list);
  });

  it("prints one JSON object and nothing else with --json", async () => {
    const { out, code } = await conform(folder, "--filter", "right", "--json");
    expect(JSON.parse(out)).toMatchObject({
      programs: [{ name: "right", outcome: "passed" }],
      surprises: [],
      differences: [],
    });
    expect(code).toBe(0);
  });

  it("refuses what it cannot do with one line and 2", async () => {
    for (const args of [
      [],
      [folder, folder],
      [`${folder}/nowhere`],
      [folder, "--nonsense"],
      [folder, "--budget", "many"],
      [folder, "--engine", "steam"],
    ]) {
      const { code, err, out } = await conform(...args);
      expect(code, args.join(" ")).toBe(2);
      expect(err, args.join(" ")).toMatch(/^dom0 conform: [^\n]+\n$/);
      expect(out).toBe("");
    }
    expect(await conform(folder, "--filter", "nothing has this name")).toMatchObject({ code: 2 });
    writeFileSync(path.join(folder, "bad.json"), "[1, 2]");
    expect(await conform(folder, "--expected", path.join(folder, "bad.json"))).toMatchObject({ code: 2 });
    expect(await conform(folder, "--expected", path.join(folder, "missing.json"))).toMatchObject({ code: 2 });
  });
});

describe("npm run conform", () => {
  it("passes the programs of this repository", async () => {
    const { code, out } = await conform(CONFORMANCE_PROGRAMS, "--filter", "h-");
    expect(out).toMatch(/^\d\d programs: \d\d passed; no surprises$/m);
    expect(code).toBe(0);
  });

  it("prints one table for both engines, and finds nothing else on the second", async () => {
    const { code, out } = await conform(CONFORMANCE_PROGRAMS, "--filter", "sraiw", "--engine", "both");
    expect(out).toBe(
      "pass  sraiw\n1 programs: 1 passed; 0 of them differ between the engines; no surprises\n",
    );
    expect(code).toBe(0);
  });

  it("fails when a bug in one engine alone breaks a program, and says what each has found", async () => {
    vi.resetModules();
    const { OPS } = await import("../../lib/engine/translator/emit/table.ts");
    const [sraiw, srliw] = ["sraiw", "srliw"].map((name) => OPS.find((op) => op.name === name));
    if (sraiw === undefined || srliw === undefined) throw new Error("not translated");
    Object.assign(sraiw, { emitter: srliw.emitter });
    const { command: broken } = await import("../../lib/host/cli/conform.ts");
    vi.resetModules();
    const args = [CONFORMANCE_PROGRAMS, "--filter", "srai", "--engine", "both"];
    const { code, out } = await heard(broken, args);
    expect(out).toMatch(
      /^differs {2}sraiw: reference: passed, \d+ instructions; translator: failed, case \d+ failed, \d+ instructions$/m,
    );
    expect(out).toMatch(/programs: \d passed; 1 of them differ between the engines; no surprises$/m);
    expect(code).toBe(1);
    const { out: json } = await heard(broken, [...args, "--json"]);
    expect(JSON.parse(json).differences).toHaveLength(1);
  });

  it("finds a difference in outcome, in words, in the number of instructions, and a program that only one has run", () => {
    const result = { name: "a", outcome: "failed", detail: "case 1 failed", instructions: 7 } as const;
    const compare = (...other: Partial<Conformance>[]) =>
      differences(
        { engine: "reference", results: [result] },
        { engine: "translator", results: other.map((change) => ({ ...result, ...change })) },
      );
    expect(compare({})).toEqual([]);
    for (const change of [
      { outcome: "timed-out" },
      { detail: "case 2 failed" },
      { instructions: 8 },
    ] as const)
      expect(compare(change)).toHaveLength(1);
    expect(compare()).toEqual(["a: reference: failed, case 1 failed, 7 instructions; translator: not run"]);
    expect(compare({}, { name: "b" })).toHaveLength(1);
  });

  it("reads lists and signatures of any content without throwing", () => {
    for (const text of ["", "{", "null", "[]", '"text"', '{"a":1}', '{"a":""}'])
      expect(parseExpectedFailures(text), text).toBeUndefined();
    expect(parseExpectedFailures('{"a":"reason"}')).toEqual({ a: "reason" });
    for (const text of ["0", "0x12", "zz", "123"]) expect(signatureBytes(text), text).toBeUndefined();
    expect(signatureBytes("01020304\n\n05060708\r\n")).toEqual(Uint8Array.of(4, 3, 2, 1, 8, 7, 6, 5));
  });

  it("is surprised by unlisted failures and by listed passes, and knows no names of Object.prototype", () => {
    const result = (name: string, outcome: "passed" | "failed") => ({
      name,
      outcome,
      detail: "d",
      instructions: 1,
    });
    expect(surprises([result("a", "failed"), result("toString", "failed")], { a: "known" })).toEqual([
      "toString: d",
    ]);
    expect(surprises([result("constructor", "passed")], {})).toEqual([]);
  });
});
