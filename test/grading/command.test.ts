/** `dom0 grade` from outside: its exit codes, its one-line errors, and what it leaves behind when it is stopped. */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gradebook } from "../../lib/grader/gradebook/gradebook.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { RIGHT } from "./support/answers.ts";
import { ASSIGNMENT, codeCell, NOTEBOOK, PROJECT, TestCourse, withAnswers } from "./support/course.ts";

const NODE = path.join(PROJECT, "node_modules/node/bin/node");
const DISPATCHER = path.join(PROJECT, "lib/host/cli/main.ts");
const COMMAND_MS = 180_000;

const command = (...args: readonly string[]): string[] => ["--no-warnings", DISPATCHER, "grade", ...args];

function run(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(NODE, command(...args), {
    encoding: "utf8",
    timeout: COMMAND_MS,
  });
  return { code: status, out: stdout, err: stderr };
}

describe("wrong use", () => {
  const empty = mkdtempSync(path.join(tmpdir(), "dom0-empty-"));
  afterAll(() => rmSync(empty, { recursive: true, force: true }));

  test.each([
    [[], 2, /name an action: release, validate/],
    [["mark"], 2, /name an action/],
    [["release", "--colour"], 2, /see dom0 grade --help/],
    [["autograde", "--jobs", "many"], 2, /--jobs wants a whole number/],
    [["autograde", "--student", "../eve"], 2, /no student id/],
    [["release", "a", "b"], 2, /one assignment at a time/],
    [["release", "--course", empty], 1, /holds no assignments: is --course right/],
    [["export", "--course", empty], 1, /nothing is graded yet/],
    [["validate"], 1, /name a notebook/],
    [["validate", "/no/such.ipynb"], 1, /there is no file/],
    [["release", "nothing-like-it"], 1, /there is no assignment "nothing-like-it"; there are: 01-/],
  ] as const)(
    "%j ends with %i and one line",
    (args, code, message) => {
      const result = run(...args);
      expect(result).toMatchObject({ code, out: "" });
      expect(result.err).toMatch(message);
      expect(result.err.trim().split("\n")).toHaveLength(1);
    },
    COMMAND_MS,
  );

  test(
    "help names every action and option",
    () => {
      const { code, out } = run("--help");
      expect(code).toBe(0);
      for (const word of [
        "release",
        "validate",
        "autograde",
        "feedback",
        "export",
        "--course",
        "--jobs",
        "--seed",
      ])
        expect(out).toContain(word);
    },
    COMMAND_MS,
  );
});

describeWith(["bwrap"], "a term in five commands", () => {
  const course = new TestCourse();
  const at = ["--course", course.course.root];
  const notebook = path.join(course.course.root, "mine.ipynb");
  beforeAll(() => course.submit("alice", withAnswers(course.released, RIGHT)));
  afterAll(() => course.dispose());

  test(
    "release, validate, autograde, feedback and export follow one another",
    () => {
      expect(run("release", "01", ...at)).toMatchObject({
        code: 0,
        out: expect.stringContaining("14 points"),
      });
      const released = readFileSync(
        path.join(course.course.folder("release", ASSIGNMENT), `${NOTEBOOK}.ipynb`),
        "utf8",
      );
      expect(released).not.toMatch(/BEGIN|A1\.1-long/);
      expect(readdirSync(course.course.folder("release", ASSIGNMENT))).toEqual([`${NOTEBOOK}.ipynb`]);
      expect(
        run("validate", path.join(course.course.folder("release", ASSIGNMENT), `${NOTEBOOK}.ipynb`)),
      ).toMatchObject({
        code: 1,
        out: expect.stringMatching(/is not written yet[\s\S]*0 of 5 pass/),
      });
      writeFileSync(notebook, readFileSync(path.join(course.folder("alice"), `${NOTEBOOK}.ipynb`)));
      expect(run("validate", notebook).out).toMatch(/4 of 5 pass/);
      expect(run("autograde", "01", "--instances", "20", ...at)).toMatchObject({
        code: 0,
        out: expect.stringMatching(/alice: 12 of 14[\s\S]*1 graded[\s\S]*the course's secret seed/),
      });
      expect(run("autograde", "01", "--instances", "20", ...at).out).toMatch(/alice: unchanged/);
      expect(run("autograde", "01", "--instances", "5", "--seed", "dispute-7", ...at).out).toMatch(
        /alice: 12 of 14[\s\S]*the seed that you chose/,
      );
      expect(run("feedback", "01", ...at)).toMatchObject({
        code: 0,
        out: expect.stringContaining("Wrote 1 page"),
      });
      expect(run("export", ...at).out).toContain(`${ASSIGNMENT},,,alice,,,,12.0,0.0,12.0,14.0`);
    },
    COMMAND_MS,
  );

  test(
    "practice says that it is not for credit",
    () => {
      const { code, out } = run("autograde", "01", "--practice", "--force", "--instances", "5", ...at);
      expect({ code, out }).toMatchObject({
        code: 0,
        out: expect.stringMatching(/alice: 12 of 14[\s\S]*Practice, not for credit/),
      });
    },
    COMMAND_MS,
  );

  test(
    "a release that does not fit on the disk says so and leaves nothing",
    () => {
      const release = path.join(course.course.root, "release");
      rmSync(release, { recursive: true, force: true });
      mkdirSync(release);
      const small = ["--dev-bind", "/", "/", "--size", "8192", "--tmpfs", release, "--"];
      const { status, stderr } = spawnSync(
        partPath("bwrap"),
        [
          ...small,
          "/bin/sh",
          "-c",
          '"$0" "$@"; code=$?; ls -A "$LEFT" >&2; exit $code',
          NODE,
          ...command("release", "01", ...at),
        ],
        { encoding: "utf8", env: { ...process.env, LEFT: release }, timeout: COMMAND_MS },
      );
      expect(status).toBe(1);
      expect(stderr.trim()).toMatch(
        /^dom0 grade: .*the disk is full: free some space.*nothing was half-written$/,
      );
    },
    COMMAND_MS,
  );

  test(
    "Ctrl-C ends every process and leaves a gradebook that opens",
    async () => {
      const slow = {
        ...course.released,
        cells: [
          codeCell("await new Promise((done) => setTimeout(done, 3_000)); // dom0-slow"),
          ...course.released.cells,
        ],
      };
      for (const student of ["s1", "s2", "s3"]) course.submit(student, slow);
      const child = spawn(
        NODE,
        command("autograde", "01", "--jobs", "1", "--instances", "5", "--force", ...at),
        { stdio: ["ignore", "pipe", "pipe"] },
      );
      let printed = "";
      child.stdout.on("data", (chunk: Buffer) => {
        printed += chunk.toString("utf8");
        if (printed.includes("alice:")) setTimeout(() => child.kill("SIGINT"), 1_000);
      });
      let complaint = "";
      child.stderr.on("data", (chunk: Buffer) => {
        complaint += chunk.toString("utf8");
      });
      const code = await new Promise((resolve) => child.on("exit", resolve));
      expect({ code, complaint }).toMatchObject({
        code: 130,
        complaint: expect.stringContaining("nothing is half-written"),
      });
      const book = Gradebook.open(course.course.gradebook);
      expect(book.students(ASSIGNMENT)).toEqual(["alice"]);
      book.close();
      const left = readdirSync(course.course.root, { recursive: true, encoding: "utf8" }).filter((name) =>
        /\.(part|old)$/.test(name),
      );
      expect(left).toEqual([]);
    },
    COMMAND_MS,
  );
});
