/** The real gdb-multiarch at our stub. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { assetFile, PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { describeWith, partPath } from "../support/optional.ts";

const KERNEL = assetFile("images/mini-kernel.elf");
const MAIN = join(PROJECT_ROOT, "lib/host/cli/main.ts");

let server: ChildProcess | undefined;
afterEach(() => server?.kill("SIGKILL"));

/** Starts `dom0 gdb` and tells its port. */
async function listening(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, "gdb", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  server = child;
  let said = "";
  for await (const text of child.stderr) {
    said += text;
    const port = /localhost:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(said);
}

/** Runs commands in gdb-multiarch, and what it printed, line by line. */
async function session(args: readonly string[], commands: readonly string[]): Promise<string> {
  const port = await listening(args);
  const all = [
    "set pagination off",
    "set confirm off",
    `target remote localhost:${port}`,
    ...commands,
    "detach",
  ];
  const { stdout, stderr, status } = spawnSync(
    partPath("gdb"),
    ["-nx", "-batch", ...all.flatMap((command) => ["-ex", command]), KERNEL],
    { encoding: "utf8", timeout: 60_000 },
  );
  expect(status, stderr).toBe(0);
  return stdout + stderr; // what `monitor` answers comes on the second
}

describeWith(["gdb"], "gdb-multiarch", () => {
  it("attaches, steps, and steps back to the same registers", async () => {
    const show = 'printf "%lx %lx %lx\\n", $pc, $t0, $sp';
    const out = await session(
      [KERNEL],
      [
        ...[show, "stepi", show, "stepi", show, "stepi", show],
        ...["reverse-stepi", show, "reverse-stepi", show, "reverse-stepi", show],
      ],
    );
    const places = out.split("\n").filter((line) => /^[0-9a-f]+ [0-9a-f]+ [0-9a-f]+$/.test(line));
    expect(places[0]).toMatch(/^80000000 /);
    expect(new Set(places).size).toBe(4);
    expect(places.slice(4)).toEqual([places[2], places[1], places[0]]);
  });

  it("stops at breakpoints and at stores, and runs backward to them", async () => {
    const out = await session(
      [KERNEL],
      [
        ...["hbreak kernel_main", "continue", 'printf "at %lx, priv %d\\n", $pc, $priv'],
        ...[
          "set $slot = $sp - 16",
          'eval "watch *(unsigned long*)%#lx", $slot',
          "continue",
          'printf "stored %lx\\n", $pc',
        ],
        ...["continue", 'printf "again %lx\\n", $pc', "reverse-continue", 'printf "undone %lx\\n", $pc'],
        ...["delete", "monitor retired", "monitor harts"],
      ],
    );
    const at = (name: string) =>
      Number.parseInt(new RegExp(`^${name} ([0-9a-f]+)`, "m").exec(out)?.[1] ?? "", 16);
    expect(out).toMatch(/^at [0-9a-f]+, priv 1$/m); // S-mode
    expect(out).toMatch(/Hardware watchpoint 2/);
    // GDB shows the place behind the store when it runs forward, and the store itself when it runs backward.
    expect(at("again")).toBeGreaterThan(0x8000_0000);
    expect([2, 4]).toContain(at("again") - at("undone"));
    expect(out).toMatch(/Old value = .*\nNew value = /);
    expect(out).toMatch(/history from 0 to \d+/);
  });

  it("shows harts as threads, reads and writes memory, and says where history begins", async () => {
    const out = await session(
      [KERNEL, "--harts", "3"],
      [
        ...["info threads", "thread 3", 'printf "hart %d\\n", $mhartid'],
        ...[
          "set *(int*)0x80300000 = 1234",
          'printf "memory %d\\n", *(int*)0x80300000',
          "monitor phys 0x80300000 4",
        ],
        ...["set $a5 = 77", "stepi", 'printf "a5 %d\\n", $a5', "reverse-continue", "x/i $pc"],
      ],
    );
    for (const hart of [0, 1, 2]) expect(out).toContain(`hart ${hart}, M-mode`);
    expect(out).toContain("hart 2\n");
    expect(out).toContain("memory 1234");
    expect(out).toContain("d2 04 00 00");
    expect(out).toContain("a5 77");
    expect(out).toMatch(/No more reverse-execution history/);
  });
});
