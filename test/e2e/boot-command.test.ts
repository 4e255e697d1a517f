import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { assetFile, PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { assembled } from "../support/assembled.ts";
import { elf } from "../support/elf-file.ts";

const KERNEL = assetFile("images/mini-kernel.elf");
const folder = mkdtempSync(join(tmpdir(), "dom0-boot-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function boot(args: string[], input = "") {
  const main = join(PROJECT_ROOT, "lib/host/cli/main.ts");
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, "boot", ...args], {
    encoding: "utf8",
    input,
  });
  return { stdout, stderr, status };
}

function program(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, elf([{ paddr: 0x8000_0000n, bytes: assembled(text).bytes }]));
  return file;
}

describe("dom0 boot", () => {
  it("runs the C kernel to its end, and with --trace says which run it was", () => {
    const { stdout, stderr, status } = boot([KERNEL, "--trace"]);
    expect(stdout).toContain("kernel: no process left, powering off\n");
    expect(stderr).toMatch(/\d+ events, trace hash [0-9a-f]{64}\n$/);
    expect(status).toBe(0);
  });

  it("gives what is piped in to the guest, and ends with the guest's own exit code", () => {
    const echo = program(
      "echo.elf",
      `li s0, 0x10000000
       loop: lbu t0, 5(s0)
       andi t0, t0, 1
       beqz t0, loop
       lbu a0, 0(s0)
       li t0, 10
       beq a0, t0, done
       sb a0, 0(s0)
       j loop
       done: li t0, 0x100000
       li t1, 0x173333
       sw t1, 0(t0)`,
    );
    expect(boot([echo], "hello\n")).toEqual({ stdout: "hello", stderr: "", status: 0x17 });
  });

  it("says in one line what is wrong with a file, and ends with 1", () => {
    const kernel = readFileSync(KERNEL);
    const file = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const x86 = Uint8Array.from(kernel);
    x86[18] = 62;
    for (const [path, message] of [
      [join(folder, "nothing"), /no such file/],
      [folder, /a folder/],
      [file("truncated.elf", kernel.subarray(0, 5000)), /ends at byte \d+ of 5000/],
      [file("text.elf", Buffer.from("hello")), /Not an ELF file/],
      [file("x86.elf", x86), /x86-64/],
    ] as const) {
      const { stdout, stderr, status } = boot([path]);
      expect([stdout, status]).toEqual(["", 1]);
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n").length).toBe(1);
    }
  });

  it("says what to do when the image is larger than RAM", () => {
    const large = join(folder, "large.elf");
    writeFileSync(large, elf([{ paddr: 0x8000_0000n, bytes: new Uint8Array(4), memoryBytes: 0x200_0000n }]));
    expect(boot([large]).stderr).toMatch(/32 MiB and RAM has 16 MiB.*--ram MEBIBYTES/);
    expect(boot([large, "--ram", "64", "--instructions", "10"]).status).toBe(3);
  });

  it("names any other ending, and refuses wrong use with 2", () => {
    const stuck = program("stuck.elf", "csrw mtvec, zero\n ecall");
    expect(boot([stuck])).toMatchObject({ status: 3, stderr: expect.stringMatching(/traps for ever/) });
    const asleep = program("asleep.elf", "wfi");
    expect(boot([asleep])).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/nothing will ever wake it/),
    });
    for (const args of [[], [KERNEL, KERNEL], [KERNEL, "--ram", "x"], [KERNEL, "--nonsense"]]) {
      const { stdout, stderr, status } = boot(args);
      expect([stdout, status, stderr.trimEnd().split("\n").length]).toEqual(["", 2, 1]);
    }
  });
});
