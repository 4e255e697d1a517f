import { type ChildProcess, spawn } from "node:child_process";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../../lib/host/node-assets.ts";

const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** `npm start` as a user types it, in its own process group so that Ctrl-C can be sent to all of it. */
function npmStart(port: number) {
  const child = spawn("npm", ["start", "--silent"], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, PORT: String(port) },
    detached: true,
  });
  started.push(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  const says = async (text: string) => {
    while (!output.includes(text)) {
      if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { says, exit, output: () => output, interrupt: () => process.kill(-(child.pid ?? 0), "SIGINT") };
}

/** A port that nobody listens on right now, and a way to occupy it. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("npm start", () => {
  it("serves the course at the port of PORT, says how to open Jupyter, and ends cleanly on Ctrl-C", async () => {
    const port = await freePort();
    const course = npmStart(port);
    await course.says(`http://127.0.0.1:${port}`);
    await course.says("npm run lab");
    const page = await fetch(`http://127.0.0.1:${port}/`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain("Escape from dom0");
    course.interrupt();
    await course.exit;
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it("says in one line that a port is taken and exits with a code that is not 0", async () => {
    const occupied = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => occupied.once("listening", resolve));
    const { port } = occupied.address() as net.AddressInfo;
    const course = npmStart(port);
    expect(await course.exit).not.toBe(0);
    expect(course.output()).toContain(String(port));
    expect(course.output()).not.toMatch(/^\s+at /m);
    await new Promise((resolve) => occupied.close(resolve));
  });
});
