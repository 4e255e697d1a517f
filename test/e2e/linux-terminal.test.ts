/** `npm run linux` on a terminal: what a person sees while it boots, and how they leave. `script` makes the terminal. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { LINUX_TIMEOUT_MS } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";

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
