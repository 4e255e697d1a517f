import { spawnSync } from "node:child_process";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../../lib/host/node-assets.ts";

/** `npx dom0 …` without npx: the same file that npm links as the command. */
function dom0(...args: string[]) {
  const script = path.join(PROJECT_ROOT, "lib/host/bootstrap/dom0.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

const COMMANDS = [
  "run",
  "figures",
  "exercises",
  "nbconvert",
  "grade",
  "check",
  "bench",
  "images",
  "datasets",
  "serve",
  "doctor",
];

describe("the command line", () => {
  it("lists every command in its help and exits with 0", () => {
    const { status, stdout } = dom0("--help");
    expect(status).toBe(0);
    for (const name of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, "m"));
  });

  it.each(COMMANDS)("dom0 %s --help says how it is used, without doing anything", (name) => {
    const { status, stdout } = dom0(name, "--help");
    expect(status).toBe(0);
    expect(stdout).toMatch(/Usage: /);
  });

  it.each(["nosuch", "__proto__", "toString"])(
    "answers the unknown command %s in one line with exit code 2",
    (name) => {
      const { status, stderr } = dom0(name);
      expect(status).toBe(2);
      expect(stderr.trim().split("\n")).toEqual([
        `dom0: there is no command "${name}"; dom0 --help lists them.`,
      ]);
    },
  );

  it("names a benchmark or check that does not exist, with exit code 2", () => {
    expect(dom0("bench", "nosuch")).toMatchObject({ status: 2 });
    expect(dom0("check", "nosuch")).toMatchObject({ status: 2 });
  });
});
