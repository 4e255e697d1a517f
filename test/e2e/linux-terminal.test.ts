/** `npm run linux` on a terminal: what a person sees while it boots, and how they leave. `script` makes the terminal. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { LINUX_TIMEOUT_MS } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";

const full = process.env["DOM0_TEST_FULL"] === "1";
const MAIN = join(PROJECT_ROOT, "lib/host/cli/main.ts");
const LEAVE = "\u0001x";

/** Runs the command on a terminal of its own, then `stty`; presses keys when the screen first shows `when`. */
function onTerminal(when: RegExp, keys: string): Promise<string> {
  const command = `'${process.execPath}' '${MAIN}' linux; echo "exit $?"; stty -a`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { stdio: "pipe" });
  let screen = "";
  let isPressed = false;
  return new Promise((resolve, reject) => {
    child.stdout.on("data", (bytes: Buffer) => {
      screen += bytes.toString("latin1");
      if (isPressed || !when.test(screen)) return;
      isPressed = true;
      child.stdin.write(keys);
    });
    child.on("error", reject);
    child.on("close", () => resolve(screen));
  });
}

describeWith(["debianLinux"], "a boot on a terminal", () => {
  it("shows how far it is, ends at Ctrl-A x, and leaves the terminal as it was", {
    timeout: LINUX_TIMEOUT_MS,
  }, async () => {
    const screen = await onTerminal(/boot: [1-9]\d* million instructions, \d+\.\d MIPS/, `\u0003${LEAVE}`);
    expect(screen).toContain("making the root disk");
    expect(screen).toContain("exit 0");
    expect(screen).toMatch(/[^-]icanon/);
    expect(screen).toMatch(/[^-]echo\b/);
  });
});

describeWith(["debianLinux"], "a booted machine in a file", () => {
  it("is refused in one line when the file is no machine", () => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, "linux", "--from", MAIN], {
      encoding: "utf8",
      input: "",
    });
    expect(status).toBe(1);
    expect(stderr.trim().split("\n").at(-1)).toMatch(/^dom0 linux: /);
  });

  if (!full) return;
  it("goes on from its shell, under our firmware too, with nothing that was typed after it was kept", {
    timeout: LINUX_TIMEOUT_MS,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), "dom0-kept-"));
    const file = join(folder, "linux.image");
    const linux = (args: readonly string[], input: string) =>
      spawnSync(process.execPath, [MAIN, "linux", ...args], { encoding: "utf8", input });
    try {
      const first = linux(["--firmware", "typescript", "--keep", file], "echo first-$((6*7)); poweroff -f\n");
      expect([first.status, first.stdout.includes("first-42")]).toEqual([0, true]);
      for (const word of ["second", "third"]) {
        const next = linux(["--from", file], `echo ${word}-$((6*7)); poweroff -f\n`);
        expect([next.status, next.stdout.includes(`${word}-42`)]).toEqual([0, true]);
        expect(next.stdout).not.toContain("first");
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
