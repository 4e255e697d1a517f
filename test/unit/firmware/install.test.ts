/** Putting the firmware on a board: what it refuses, and the device tree that it hands over, as dtc reads it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { flattenTree, node } from "../../../lib/board/flattened-tree.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { attachFirmware, installFirmware } from "../../../lib/firmware/firmware.ts";
import { areaOf, HartArea } from "../../../lib/firmware/map.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { describeWith, partPath } from "../../support/optional.ts";
import { PAYLOAD } from "../../support/sbi-caller.ts";

describe("installing firmware", () => {
  it.each([
    ["a payload in the firmware's memory", { payloadEntry: 0x8000_fffcn }, "RAM from 0x80010000 on"],
    ["a payload outside RAM", { payloadEntry: 0x1_0000_0000n }, "cannot begin at 0x100000000"],
    ["a hart that is not there", { bootHart: 1 }, "has no hart 1"],
    ["half a hart", { bootHart: 0.5 }, "has no hart 0.5"],
    ["a device tree that is none", { deviceTree: Uint8Array.of(1, 2, 3) }, "Not a device tree blob"],
  ])("refuses %s, and changes nothing", (_, options, words) => {
    const board = buildBoard();
    const before = board.snapshot();
    expect(installFirmware(board, options)).toMatchObject({
      kind: "load-error",
      message: expect.stringContaining(words),
    });
    expect(board.trace.hash()).toBe(buildBoard().trace.hash());
    expect(board.memory.bytes(0x8000_0000n, 4096)).toEqual(new Uint8Array(4096));
    expect(board.handlers.numbers).toEqual([]);
    board.revert(before);
  });

  it("publishes where everything is, to traces too", () => {
    const board = buildBoard({ harts: 2 });
    const firmware = installFirmware(board);
    if (firmware.kind !== "firmware") throw new Error(firmware.message);
    expect(board.symbols.nameOf((firmware.symbols.get("vector") ?? 0n) + 4n)).toBe("firmware.vector+0x4");
    const areas = ["hart0", "hart1"].map((name) => firmware.symbols.get(name) ?? 0n);
    expect((areas[1] ?? 0n) - (areas[0] ?? 0n)).toBe(BigInt(HartArea.sizeBytes));
    expect(areaOf(onlooker(board), 1).address).toBe(areas[1]);
  });

  it("can be done again after a reset, with the same result", () => {
    const board = buildBoard();
    installFirmware(board);
    board.run({ instructions: 500 });
    const first = board.trace.hash();
    board.reset();
    installFirmware(board);
    board.run({ instructions: 500 });
    expect(board.trace.hash()).toBe(first);
  });
});

describe("a machine with firmware in a file", () => {
  /** Prints letters for ever, one call a letter. */
  const letters = (): Board => {
    const payload = assemble(
      "li s0, 65\n again: mv a0, s0\n li a7, 1\n ecall\n addi s0, s0, 1\n li t0, 91\n bne s0, t0, again\n li s0, 65\n j again",
      { origin: PAYLOAD },
    );
    if (payload.kind !== "program") throw new Error(payload.message);
    const board = buildBoard({ harts: 2 });
    board.memory.write(PAYLOAD, payload.bytes);
    installFirmware(board);
    return board;
  };

  it("goes on elsewhere once the handlers are attached, to the same hash", () => {
    const board = letters();
    board.run({ instructions: 20_000 });
    const other = openImage(board.saveImage(), { prepare: attachFirmware });
    if ("kind" in other) throw new Error(other.message);
    for (const each of [board, other]) each.run({ instructions: 20_000 });
    expect(other.console.text).toBe(board.console.text);
    expect(other.console.text).toMatch(/^ABCDE/);
    expect(other.trace.hash()).toBe(board.trace.hash());
  });

  it("goes back to its first instruction and forward again", () => {
    const board = letters();
    board.history.keep();
    board.run({ instructions: 5000 });
    const [retired, hash] = [board.clock.retired, board.trace.hash()];
    expect(board.goTo(0)).toMatchObject({ kind: "moment" });
    expect([board.hart.pc, board.hart.mode]).toEqual([0x8000_0000n, "M"]);
    board.run({ instructions: retired });
    expect([board.clock.retired, board.trace.hash()]).toEqual([retired, hash]);
  });
});

/** The tree that the boot hart gets in a1, decompiled. */
function handedOver(board: Board, deviceTree?: Uint8Array): string {
  const firmware = installFirmware(board, deviceTree === undefined ? {} : { deviceTree });
  if (firmware.kind !== "firmware") throw new Error(firmware.message);
  const header = board.memory.bytes(firmware.deviceTree, 8);
  if (!(header instanceof Uint8Array)) throw new Error("no tree");
  const size = new DataView(header.buffer, header.byteOffset).getUint32(4);
  const folder = mkdtempSync(join(tmpdir(), "dom0-tree-"));
  try {
    const path = join(folder, "tree.dtb");
    writeFileSync(path, board.memory.bytes(firmware.deviceTree, size) as Uint8Array);
    return execFileSync(partPath("dtc"), ["-q", "-I", "dtb", "-O", "dts", path], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const RESERVED =
  /reserved-memory \{\s+#address-cells = <0x02>;\s+#size-cells = <0x02>;\s+ranges;\s+(?:[^{}]*\{[^}]*\};\s+)?firmware@80000000 \{\s+reg = <0x00 0x80000000 0x00 0x10000>;\s+no-map;/;

describeWith(["dtc"], "the device tree that the payload gets", () => {
  it("is the board's, with the firmware's memory reserved", () => {
    const text = handedOver(buildBoard({ harts: 2 }));
    expect(text).toMatch(RESERVED);
    expect(text).toContain("cpu@1");
  });

  it("keeps what was reserved before", () => {
    const cells = { "#address-cells": [2], "#size-cells": [2] };
    const range = node("other@80400000", { reg: [0, 0x8040_0000, 0, 0x1000] });
    const root = node("", cells, [node("reserved-memory", { ...cells, ranges: true }, [range])]);
    const text = handedOver(buildBoard(), flattenTree(root));
    expect(text).toMatch(RESERVED);
    expect(text).toContain("other@80400000");
    expect(text.match(/reserved-memory/g)).toHaveLength(1);
  });
});
