/** The coverage of the manual's rules: what counts as tested, on planted projects, and on this one as it is. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../lib/host/node-assets.ts";
import type { Place } from "../../../lib/host/spec-coverage/citation.ts";
import { codeCitations } from "../../../lib/host/spec-coverage/code-citations.ts";
import { LEDGER_FILE, writeLedger } from "../../../lib/host/spec-coverage/ledger.ts";
import { mutantsOf, mutated } from "../../../lib/host/spec-coverage/mutants.ts";
import { runMutants, type Task } from "../../../lib/host/spec-coverage/mutation-run.ts";
import { exemptionProblems } from "../../../lib/host/spec-coverage/not-applicable.ts";
import { readCoverage } from "../../../lib/host/spec-coverage/report.ts";
import { testCitations } from "../../../lib/host/spec-coverage/test-citations.ts";
import { tasksOf, updated } from "../../../lib/host/spec-coverage/update.ts";
import { seededNumbers } from "../../support/random.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";

describe("a citation in code", () => {
  const placesOf = (text: string): (readonly [string, readonly string[]])[] =>
    codeCitations("lib/x.ts", text).places.map(({ name, tags }) => [name, tags]);

  it("belongs to the declaration below it, the statement beside it, or the row of a table", () => {
    const text = `import { a } from "./a.ts";
/** Doc. @spec norm:sret_v0 */
export function outer(x: bigint): bigint {
  if (x === 0n) return 1n; // norm:sret_v1
  // norm:mret_h
  const y = x + 1n;
  return y;
}
const TABLE = {
  row: { address: 1, spec: "norm:hie_img", fields: { A: 1 } },
  other: make("pattern", "norm:add_op", () => 1),
};
`;
    expect(placesOf(text)).toEqual([
      ["outer", ["sret_v0"]],
      ["outer", ["sret_v1"]],
      ["outer.y", ["mret_h"]],
      ["TABLE.row", ["hie_img"]],
      ["TABLE.other", ["add_op"]],
    ]);
  });

  it("that has a name belongs to the rows that use it", () => {
    const text = `const LESS = "norm:blt_bltu_op";\nconst T = { blt: make(LESS), bltu: make(LESS), beq: make("") };\n`;
    expect(placesOf(text)).toEqual([
      ["T.blt", ["blt_bltu_op"]],
      ["T.bltu", ["blt_bltu_op"]],
    ]);
  });

  it("at the head of a file belongs to nothing, and is said to", () => {
    const { strays } = codeCitations(
      "lib/x.ts",
      `/** File. @spec norm:sret_v0 */\nimport { a } from "./a.ts";\n`,
    );
    expect(strays).toMatchObject([{ file: "lib/x.ts", line: 1 }]);
  });

  it("has a digest that comments and layout do not change, and code does", () => {
    const hash = (body: string): string | undefined =>
      codeCitations("lib/x.ts", `/** norm:sret_v0 */\nfunction f() {\n${body}\n}\n`).places[0]?.hash;
    expect(hash("return 1; // why")).toBe(hash("\n\n  /* other words */ return 1;"));
    expect(hash("return 1;")).not.toBe(hash("return 2;"));
  });
});

describe("a citation in a test", () => {
  const text = (helper: string, title: string): string => `
const ROWS = [["a", "norm:sret_v1"]];
const help = () => ${helper};
const unrelated = 1;
describe("outer (norm:mret_h)", () => {
  it.each(ROWS)("${title} %s (%s)", () => { help(); /* norm:sret_v0 */ });
});
it("cites nothing", () => {});
`;

  it("is in titles, in comments inside, and in the table of cases", () => {
    expect(testCitations("test/x.test.ts", text("1", "a row"))).toMatchObject([
      { title: "outer (norm:mret_h) > a row %s (%s)", tags: ["mret_h", "sret_v0"], rowTags: ["sret_v1"] },
    ]);
  });

  it("has a digest that follows what the test names, and nothing else", () => {
    const hash = (written: string): string | undefined => testCitations("test/x.test.ts", written)[0]?.hash;
    const before = hash(text("1", "a row"));
    expect(hash(text("2", "a row"))).not.toBe(before);
    expect(hash(text("1", "another"))).not.toBe(before);
    expect(hash(text("1", "a row").replace("unrelated = 1", "unrelated = 2"))).toBe(before);
  });
});

describe("mutants", () => {
  const of = (text: string): string[] =>
    mutantsOf("x.ts", text, 0, text.length).map((one) => mutated(text, one));

  it("change conditions, constants, masks, statements, rows and order, one at a time", () => {
    expect(of("if (a === 1n) f();")).toEqual(["if (a !== 1n) f();", "if (a === 0n) f();", "if (a === 1n) ;"]);
    expect(of("const M = 0xcn | B;")).toEqual([
      "const M = 0xcn & B;",
      "const M = 13n | B;",
      "const M = 8n | B;",
    ]);
    expect(of("const L = [x, y];")).toEqual([
      "const L = [...[], y];",
      "const L = [x, ...[]];",
      "const L = [y, x];",
    ]);
    expect(of("const F = { A: rw(1) };")).toContain("const F = { A: ro(1) };");
    expect(of("const F = { A: rw(1) };")).toContain("const F = { ...{} };");
    expect(of('f("VTVM");')).toContain('f("VTSR");');
  });

  it("touch nothing outside the cited code", () => {
    const text = "const a = 1;\nconst b = 2;\n";
    expect(mutantsOf("x.ts", text, 13, 25).every(({ start, end }) => start >= 13 && end <= 25)).toBe(true);
  });
});

/** A project of files in which rules are cited well and badly. */
const PLANTED_CODE = `
// norm:sret_v0
export const twice = (x: number): number => x * 2 + 0;
// norm:sret_v1
export const half = (x: number): number => x / 2;
// norm:mret_h
export const wrong = (x: number): number => x + 7;
// norm:hie_img
export const crash = (x: number): number => [[1], [2]][x + 1]![0]!;
// norm:hip_img
export const early = (x: number): number => x - 1;
// norm:hvip_img
export const rows = (x: number): number => x + 3;
// norm:hgeip_sz_acc_op
export const handed = (x: number): number => twice(x);
// norm:hgeie_img
export const unseen = (x: number): number => x + 3;
const row = (picture: string, run: (x: number) => number) => ({ picture, run });
export const table = {
  // norm:xret_op norm:mcause_enc_img
  known: row("0000000 rs2 rs1 000 rd 0110011", (x) => x + 5),
  // norm:wfi_op
  done: row("0100000 rs2 rs1 000 rd 0110011", (x) => x + 6),
};
`;
const PLANTED_TEST = `
import { beforeEach, describe, expect, it } from "vitest";
import { crash, early, half, handed, rows, table, twice, unseen, wrong } from "../lib/hart/planted.ts";
it("looks (norm:sret_v0)", () => expect(twice(3)).toBe(6));
it("cannot fail (norm:sret_v1)", () => { half(4); expect(1).toBe(1); });
it("looks at other code (norm:mret_h)", () => expect(twice(3)).toBe(6));
it("looks at what cannot be changed in itself (norm:hgeip_sz_acc_op)", () => expect(handed(3)).toBe(6));
it("only crashes (norm:hie_img)", () => { crash(0); });
describe("a hook", () => {
  beforeEach(() => expect(early(3)).toBe(2));
  it("that looks instead of the test (norm:hip_img)", () => { expect(1).toBe(1); });
});
it.each([[1, 4, "norm:hvip_img"], [0, 0, "norm:hgeie_img"]] as const)("row %i %i (%s)", (x, y) => {
  if (x === 1) expect(rows(x)).toBe(y);
  unseen(1);
});
it("only knows the word (norm:xret_op norm:mcause_enc_img)", () =>
  expect(table.known?.picture).toBe("0000000 rs2 rs1 000 rd 0110011"));
it("runs it (norm:wfi_op)", () => expect(table.done.run(1)).toBe(7));
`;

describe("a planted project", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), "dom0-coverage-"));
    for (const folder of ["lib/hart", "test/spec-coverage"])
      mkdirSync(path.join(root, folder), { recursive: true });
    write("lib/hart/planted.ts", PLANTED_CODE);
    write("test/planted.test.ts", PLANTED_TEST);
    write("test/spec-coverage/not-applicable.json", "[]");
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, text: string): void => writeFileSync(path.join(root, file), text);
  const statuses = async (): Promise<Record<string, string>> => {
    const { chapters } = await readCoverage(root);
    const rules = chapters.flatMap((chapter) => chapter.rules).filter(({ status }) => status !== "missing");
    return Object.fromEntries(rules.map(({ tag, status }) => [tag, status]));
  };

  it("shows as tested only the rule whose test says no to a change of the code that cites it", async () => {
    await writeLedger(root, (await updated({ root, all: false })).ledger);
    expect(await statuses()).toEqual({
      sret_v0: "tested",
      hvip_img: "tested",
      // The bits of an instruction are a test of its encoding, not of what it does.
      mcause_enc_img: "tested",
      xret_op: "cited",
      wfi_op: "tested",
      sret_v1: "cited",
      mret_h: "cited",
      hie_img: "cited",
      hip_img: "cited",
      hgeie_img: "cited",
      hgeip_sz_acc_op: "cited",
    });
  });

  it("shows a rule as not verified once its code or its test has changed, and runs that rule alone again", async () => {
    await writeLedger(root, (await updated({ root, all: false })).ledger);
    write(
      "lib/hart/planted.ts",
      `${PLANTED_CODE.replace("x * 2 + 0", "0 + x * 2")}\nexport const other = 1;\n`,
    );
    expect(await statuses()).toMatchObject({ sret_v0: "cited", hvip_img: "tested" });
    const again = await updated({ root, all: false });
    expect(again.tasks.map(({ place }) => place.name)).not.toContain("rows");
    await writeLedger(root, again.ledger);
    expect(await statuses()).toMatchObject({ sret_v0: "tested" });
    write("test/planted.test.ts", PLANTED_TEST.replace("toBe(6)", "toBeGreaterThan(0)"));
    expect(await statuses()).toMatchObject({ sret_v0: "cited", hvip_img: "tested" });
  });

  it("does not count a change that hangs, and goes on", async () => {
    const body = "{ let left = x; let y = 0; while (left > 0) { left -= 1; y += 2; } return y; }";
    write("lib/hart/planted.ts", PLANTED_CODE.replace("x * 2 + 0", body));
    const run = await updated({ root, all: false, hangMilliseconds: 3_000 });
    const entry = run.ledger.find(({ tag }) => tag === "sret_v0");
    const survivors = run.results[run.tasks.findIndex(({ tags }) => tags.includes("sret_v0"))]?.survivors;
    expect(survivors).toContain("-= became +=");
    expect(entry?.killed).toBeGreaterThan(0);
  }, 120_000);

  it("says which tests do not pass as they are", async () => {
    write("test/planted.test.ts", PLANTED_TEST.replace("toBe(6)", "toBe(5)"));
    const { results } = await updated({ root, all: false });
    expect(results.flatMap(({ failing }) => failing).join()).toContain("looks (norm:sret_v0)");
  });
});

describe("a rule that does not apply", () => {
  const known = new Set(["sret_v0", "sret_v1"]);

  it("needs a reason in a sentence, a rule that exists, and no test", () => {
    const of = (reason: string, tags: string[], tested: string[] = []): string[] =>
      exemptionProblems([{ reason, tags }], known, new Set(tested));
    expect(of("Nothing is executed speculatively.", ["sret_v0"])).toEqual([]);
    expect(of("n/a", ["sret_v0"])).toHaveLength(1);
    expect(of("Nothing is executed speculatively.", ["sret_v9"])).toHaveLength(1);
    expect(of("Nothing is executed speculatively.", ["sret_v0", "sret_v0"])).toHaveLength(1);
    expect(of("Nothing is executed speculatively.", ["sret_v0"], ["sret_v0"])).toHaveLength(1);
  });
});

/** Places of the sample that a quick run tries again. */
const SAMPLE = 6;

/** Says now and then how far a long run is. */
function progress(done: number, all: number, mutants: number): void {
  if (isFull && (done % 100 === 0 || done === all))
    process.stderr.write(`spec coverage: ${done} of ${all} places, ${mutants} changes tried\n`);
}

describe("this project", () => {
  it("has no stray citation, no doubtful exemption, and no chapter below its floor", async () => {
    expect((await readCoverage(PROJECT_ROOT)).problems).toEqual([]);
  });

  it("has a ledger that holds when its changes are tried again", async () => {
    const { chapters } = await readCoverage(PROJECT_ROOT);
    const verified = new Map<string, Place>(
      chapters.flatMap(({ rules }) =>
        rules.flatMap(({ tag, places }) =>
          places.flatMap(({ place, verified: isVerified }) =>
            isVerified ? [[`norm:${tag} at ${place.file}:${place.line}`, place] as const] : [],
          ),
        ),
      ),
    );
    const places = new Set([...verified.values()].map(({ file, start }) => `${file} ${start}`));
    const tasks = tasksOf(chapters, true).filter(({ place }) => places.has(`${place.file} ${place.start}`));
    expect(tasks.length).toBeGreaterThan(SAMPLE);
    const seed = readFileSync(path.join(PROJECT_ROOT, LEDGER_FILE)).length;
    const next = seededNumbers(seed);
    const tried = isFull ? tasks : Array.from({ length: SAMPLE }, () => tasks[next(tasks.length)] as Task);
    const results = await runMutants(tried, { root: PROJECT_ROOT, onProgress: progress });
    const unconfirmed = results.flatMap(({ entries }, at) =>
      entries
        .filter(({ killed }) => killed === 0)
        .map(({ tag, file }) => `norm:${tag} at ${file}:${tried[at]?.place.line}`)
        .filter((name) => verified.has(name)),
    );
    expect(unconfirmed, `seed ${seed}`).toEqual([]);
  }, 1_200_000);
});
