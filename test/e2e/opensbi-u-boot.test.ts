/** Firmware and boot loader as Debian ships them for QEMU's `virt` board, unchanged, on ours. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { buildBoard } from "../../lib/board/virt.ts";
import { describeWith, partPath } from "../support/optional.ts";

/** Where the firmware of this kind jumps to. */
const NEXT_STAGE = 0x8020_0000n;
const PIECE = 2_000_000;
const PIECES = 40;

const file = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

/** Runs until the console shows a text; the whole console. Throws when it does not within 80 million instructions. */
function runUntil(board: Board, shown: string | RegExp): string {
  for (let piece = 0; piece < PIECES; piece++) {
    const { text } = board.console;
    if (typeof shown === "string" ? text.includes(shown) : shown.test(text)) return text;
    board.run({ instructions: PIECE });
  }
  throw new Error(`the console never showed ${shown}; it ends with: ${board.console.text.slice(-400)}`);
}

describeWith(["opensbi", "uboot"], "a real boot", () => {
  let board: Board;

  beforeAll(() => {
    board = buildBoard({ ramBytes: 128 << 20 });
    expect(board.loadElf(file(partPath("opensbi")))).toMatchObject({ kind: "elf" });
    expect(board.memory.write(NEXT_STAGE, file(partPath("uboot")))).toBeUndefined();
  });

  it("starts OpenSBI, which finds our devices in the device tree and our extensions by trying them", () => {
    const text = runUntil(board, "Boot HART MEDELEG");
    expect(text).toMatch(/^\s*OpenSBI v\d/);
    for (const line of [
      /Platform IPI Device +: aclint-mswi/,
      /Platform Timer Device +: aclint-mtimer @ 10000000Hz/,
      /Platform Console Device +: uart8250/,
      /Platform Shutdown Device +: sifive_test/,
      /Boot HART Priv Version +: v1\.12/,
      /Boot HART Base ISA +: rv64imafdcbh/,
      /Boot HART ISA Extensions +: .*sstc/,
      /Boot HART PMP Count +: 16/,
      /Boot HART PMP Address Bits: 54/,
      /Boot HART MIDELEG +: 0x0000000000001666/,
    ])
      expect(text).toMatch(line);
  });

  it("goes on to U-Boot in supervisor mode, which counts down and takes a key", () => {
    expect(runUntil(board, "Hit any key to stop autoboot")).toContain("DRAM:  128 MiB");
    expect(board.hart.mode).toBe("S");
    board.type(" ");
    expect(runUntil(board, /=> $/)).toContain("U-Boot");
  });

  it("obeys commands, and switches the machine off as the device tree says", () => {
    board.type("setexpr product 1234 \\* 5678\nprintenv product\n");
    expect(runUntil(board, /product=\S+\s+=> $/)).toContain("product=6260060"); // 0x1234 × 0x5678
    board.type("poweroff\n");
    expect(board.run({ instructions: 20 * PIECE })).toMatchObject({ reason: "poweroff", exitCode: 0 });
  });
});
