import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packRecording, unpackRecording } from "../../lib/board/recording.ts";
import { buildBoard } from "../../lib/board/virt.ts";
import { installFirmware } from "../../lib/firmware/firmware.ts";
import { assetFile, PROJECT_ROOT } from "../../lib/host/node-assets.ts";
import { assembled } from "../support/assembled.ts";
import { elf } from "../support/elf-file.ts";
import { describeWith } from "../support/optional.ts";
import { PAYLOAD } from "../support/sbi-caller.ts";

const KERNEL = assetFile("images/mini-kernel.elf");
const MAIN = join(PROJECT_ROOT, "lib/host/cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "dom0-replay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function dom0(args: readonly string[], input = "") {
  const { stdout, stderr, status } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: "utf8",
    input,
  });
  return { stdout, stderr, status };
}

const recordingOf = (name: string, args: readonly string[], input = ""): string => {
  const file = join(folder, name);
  expect(dom0(["boot", ...args, "--record", file], input).stderr).toBe("");
  return file;
};

describe("dom0 boot --record and dom0 replay", () => {
  it("repeat a run with what was typed, and print what the guest printed", () => {
    const echo = join(folder, "echo.elf");
    const text = `li s0, 0x10000000
      loop: lbu t0, 5(s0)
      andi t0, t0, 1
      beqz t0, loop
      lbu a0, 0(s0)
      li t0, 10
      beq a0, t0, done
      sb a0, 0(s0)
      j loop
      done: li t0, 0x100000
      li t1, 0x5555
      sw t1, 0(t0)`;
    writeFileSync(echo, elf([{ paddr: 0x8000_0000n, bytes: assembled(text).bytes }]));
    const file = recordingOf("echo.recording", [echo, "--seed", "7"], "hello\n");
    const { stdout, status } = dom0(["replay", file, "--console"]);
    expect(stdout).toMatch(
      /^helloThe same run: \d+ instructions, \d+ checkpoints, trace hash [0-9a-f]{64}\.\n$/,
    );
    expect(status).toBe(0);
  });

  it("keep a run that Ctrl-C ended", async () => {
    const loop = join(folder, "loop.elf");
    const text = "li t0, 0x10000000\n li t1, 33\n sb t1, 0(t0)\n loop: j loop";
    writeFileSync(loop, elf([{ paddr: 0x8000_0000n, bytes: assembled(text).bytes }]));
    const file = join(folder, "loop.recording");
    const child = spawn(process.execPath, [MAIN, "boot", loop, "--record", file], { stdio: "pipe" });
    const ended = once(child, "close");
    expect(String((await once(child.stdout, "data"))[0])).toBe("!");
    child.kill("SIGINT");
    expect(await ended).toEqual([3, null]);
    const { stdout, status } = dom0(["replay", file]);
    expect(stdout).toMatch(/^The same run: \d+ instructions/);
    expect(status).toBe(0);
  });

  it("say in one line what is wrong with a file", () => {
    const file = join(folder, "text.recording");
    writeFileSync(file, "hello");
    for (const [args, message, code] of [
      [["replay", file], /no "dom0 recording"/, 1],
      [["replay", join(folder, "nothing")], /no such file/, 1],
      [["replay"], /name one recording/, 2],
      [["doctor", "--replay", file], /no "dom0 recording"/, 1],
      [["gdb", "--replay", file], /no "dom0 recording"/, 1],
      [["gdb", KERNEL, "--port", "70000"], /--port takes/, 2],
    ] as const) {
      const { stderr, status } = dom0(args);
      expect(stderr).toMatch(message);
      expect([status, stderr.trimEnd().split("\n").length]).toEqual([code, 1]);
    }
  });
});

/** A machine that stands before its first instruction: the firmware, and a payload that prints `A` to `Z` and switches off. */
function firmwareImage(): { readonly file: string; readonly hash: string } {
  const text = `li s0, 65
    again: mv a0, s0
    li a7, 1
    ecall
    addi s0, s0, 1
    li t0, 91
    bne s0, t0, again
    li a7, 8
    ecall`;
  const board = buildBoard({ harts: 2 });
  board.memory.write(PAYLOAD, assembled(text).bytes);
  expect(installFirmware(board).kind).toBe("firmware");
  const file = join(folder, "firmware.image");
  writeFileSync(file, board.saveImage());
  expect(board.run({ instructions: 1e6 })).toMatchObject({ reason: "poweroff" });
  return { file, hash: board.trace.hash() };
}

describe("the commands on a machine with our firmware", () => {
  const recording = join(folder, "firmware.recording");

  it("go on with a kept machine, and repeat the recording of that", () => {
    const { file, hash } = firmwareImage();
    const kept = dom0(["linux", "--from", file, "--hash", "--record", recording]);
    expect(kept).toEqual({
      stdout: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
      stderr: `trace hash ${hash}\n`,
      status: 0,
    });
    expect(dom0(["replay", recording]).stdout).toMatch(new RegExp(`^The same run: .*${hash}`));
  });

  it("do not blame the emulator, and do not ask QEMU what it cannot know", () => {
    const { stdout, status } = dom0(["doctor", "--replay", recording]);
    expect(stdout.match(/^\S.* the same run$/gm)?.length).toBe(5);
    expect(stdout).toMatch(/on QEMU +not compared: /);
    expect(stdout).toMatch(/Nothing speaks against the emulator/);
    expect(status).toBe(0);
  });

  it("stand at the end of the recording for a debugger", async () => {
    const child = spawn(process.execPath, [MAIN, "gdb", "--replay", recording, "--port", "0"], {
      stdio: "pipe",
    });
    const ended = once(child, "close");
    expect(String((await once(child.stderr, "data"))[0])).toMatch(/^waiting for: gdb-multiarch/);
    child.kill();
    await ended;
  });

  it("leave hx illegal in a kept machine that has another firmware", () => {
    const text = `la t0, trapped
      csrw mtvec, t0
      hx 1
      li a0, 0x13333
      j end
      .balign 4
      trapped: csrr a0, mcause
      slli a0, a0, 16
      li t0, 0x3333
      add a0, a0, t0
      end: li t1, 0x100000
      sw a0, 0(t1)`;
    const board = buildBoard();
    board.memory.write(0x8000_0000n, assembled(text).bytes);
    const file = join(folder, "bare.image");
    writeFileSync(file, board.saveImage());
    expect(board.run({ instructions: 1000 })).toMatchObject({ reason: "poweroff", exitCode: 2 });
    const hash = board.trace.hash();
    expect(dom0(["linux", "--from", file, "--hash"])).toEqual({
      stdout: "",
      stderr: `trace hash ${hash}\n`,
      status: 0,
    });
  });
});

describeWith(["qemu"], "dom0 doctor --replay", () => {
  it("says of a correct machine that the program is to blame, after every setting and QEMU agreed", () => {
    const file = recordingOf("kernel.recording", [KERNEL]);
    const { stdout, status } = dom0(["doctor", "--replay", file]);
    expect(stdout.match(/^\S.* the same run$/gm)?.length).toBe(5);
    expect(stdout).toMatch(/on QEMU +\d+ lines of the console are the same/);
    expect(stdout).toMatch(/It is very probably your program/);
    expect(status).toBe(0);
  });

  it("says of a recording that does not repeat that the emulator is to blame", () => {
    const file = recordingOf("other.recording", [KERNEL]);
    const recording = unpackRecording(new Uint8Array(readFileSync(file)));
    if ("kind" in recording) return expect.unreachable(recording.message);
    const other = { ...recording, end: { ...recording.end, hash: "0".repeat(64) } };
    writeFileSync(file, packRecording(other));
    const { stdout, status } = dom0(["doctor", "--replay", file]);
    expect(stdout).toMatch(/trace hash at the end is another/);
    expect(stdout).toMatch(/emulator's bug/);
    expect(status).toBe(4);
  });
});
