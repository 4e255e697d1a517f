/** The same firmware, boot loader, device tree and keys on QEMU and here: the same console, but for what is listed below. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { differentLines, type Turn, talkToQemu } from "../support/qemu-dialog.ts";

const NEXT_STAGE = 0x8020_0000n;
const MEBIBYTES = 128;

const TURNS: readonly Turn[] = [
  { shown: /Hit any key/, type: " " },
  { shown: /=> $/, type: "setexpr product 1234 \\* 5678\n" },
  { shown: /=> $/, type: "printenv product\n" },
  { shown: /=> $/, type: "fdt addr $fdtcontroladdr; fdt print /cpus\n" },
  { shown: /=> $/, type: "bdinfo\n" },
  { shown: /=> $/, type: "poweroff\n" },
];

/**
 * What differs for a reason: the countdown's moment; the size of the device tree, to which QEMU adds its command line, and
 * so the addresses below it; the letter B in `misa`, which QEMU 7.2 knows only as Zba, Zbb and Zbs; and its sixteen
 * counters of nothing.
 */
const EXPECTED = [
  /^Hit any key to stop autoboot/,
  /^Working FDT set to 87/,
  /^(fdt_blob|new_fdt) +=/,
  /^fdt_size +=/,
  /^ reserved\[2\]/,
  /^Boot HART Base ISA +: rv64imafdcb?h$/,
  /^Boot HART MHPM Count +: (0|16)$/,
];

const file = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

function onOurBoard(): { text: string; tree: Uint8Array } {
  const board = buildBoard({ ramBytes: MEBIBYTES << 20 });
  expect(board.loadElf(file(partPath("opensbi")))).toMatchObject({ kind: "elf" });
  board.memory.write(NEXT_STAGE, file(partPath("uboot")));
  let seen = 0;
  for (const { shown, type } of TURNS) {
    while (!shown.test(board.console.text.slice(seen)))
      expect(board.run({ instructions: 500_000 })).toMatchObject({ reason: "budget" });
    seen = board.console.text.length;
    board.type(type);
  }
  expect(board.run({ instructions: 100_000_000 })).toMatchObject({ reason: "poweroff" });
  return { text: board.console.text, tree: board.deviceTree };
}

const tidy = (text: string): string => text.replaceAll("\r", "");

describeWith(["opensbi", "uboot", "qemu"], "OpenSBI and U-Boot", () => {
  it("print the same here and on QEMU, to the last line", { timeout: 600_000 }, async () => {
    const { text, tree } = onOurBoard();
    const folder = mkdtempSync(join(tmpdir(), "dom0-u-boot-"));
    try {
      const blob = join(folder, "board.dtb");
      writeFileSync(blob, tree);
      const firmware = ["-bios", partPath("opensbi"), "-kernel", partPath("uboot"), "-dtb", blob];
      const cpu = ["-cpu", "rv64,h=true", "-m", `${MEBIBYTES}M`];
      const onQemu = await talkToQemu([...cpu, ...firmware], TURNS);
      const { onlyLeft, onlyRight } = differentLines(tidy(text), tidy(onQemu));
      const unexpected = [...onlyLeft, ...onlyRight].filter(
        (line) => !EXPECTED.some((known) => known.test(line)),
      );
      expect(unexpected).toEqual([]);
      expect(text).toContain("product=6260060");
      expect(tidy(text).split("\n").length).toBeGreaterThan(120);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
