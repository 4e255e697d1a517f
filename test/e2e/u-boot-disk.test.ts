/** A driver that others wrote: Debian's U-Boot finds our disk, reads it and writes it. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { describeWith, partPath } from "../support/optional.ts";

const NEXT_STAGE = 0x8020_0000n;
const PIECE = 2_000_000;
const PIECES = 60;

describeWith(["opensbi", "uboot"], "U-Boot", () => {
  it("finds disk and network card, reads sectors and writes them, and they stay written", () => {
    const disk = new Uint8Array(1 << 20).map((_, at) => (at >> 9) & 0xff);
    const board = buildBoard({ ramBytes: 128 << 20, disk, network: {}, entropySeed: 1 });
    board.loadElf(new Uint8Array(readFileSync(partPath("opensbi"))));
    board.memory.write(NEXT_STAGE, new Uint8Array(readFileSync(partPath("uboot"))));
    const runUntil = (shown: RegExp): void => {
      for (let piece = 0; piece < PIECES && !shown.test(board.console.text); piece++)
        board.run({ instructions: PIECE });
      expect(board.console.text).toMatch(shown);
    };
    const command = (line: string, shown: RegExp): void => {
      board.type(`${line}\n`);
      runUntil(new RegExp(`${shown.source}[^]*=> $`));
    };
    runUntil(/Hit any key/);
    board.type(" ");
    runUntil(/=> $/);
    command("virtio info", /Capacity: 1\.0 MB = 0\.0 GB \(2048 x 512\)/);
    command("net list", /virtio-net\S* 52:54:00:12:34:56/);
    command("virtio read 84000000 3 2", /2 blocks read: OK/);
    command("md.b 840001fc 8", /840001fc: 03 03 03 03 04 04 04 04/);
    command("mw.b 85000000 5a 200", /mw\.b/);
    command("virtio write 85000000 9 1", /1 blocks written: OK/);
    expect(board.disk?.read(9 * 512, 512)).toEqual(new Uint8Array(512).fill(0x5a));
    expect(board.disk?.read(10 * 512, 1)).toEqual(Uint8Array.of(10));
    command("virtio read 84000000 7f0 20", /blocks read: ERROR/);
  });
});
