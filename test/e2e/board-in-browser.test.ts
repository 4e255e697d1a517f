import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { assetFile } from "../../lib/host/node-assets.ts";
import { describeWith } from "../support/optional.ts";
import { openSourcePages, type SourcePages } from "../support/source-pages.ts";

const KERNEL = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));

describeWith(["chromium"], "the board in Chromium", () => {
  let pages: SourcePages;

  beforeAll(async () => {
    pages = await openSourcePages(new Map([["/kernel.elf", KERNEL]]));
  });
  afterAll(() => pages?.close());

  it("runs the C kernel to the same console and the same trace hash as in Node", async () => {
    const page = await pages.newPage();
    const inPage = await page.evaluate(`(async () => {
      const { buildBoard } = await import("/lib/board/virt.ts");
      const elf = new Uint8Array(await (await fetch("/kernel.elf")).arrayBuffer());
      const board = buildBoard();
      board.loadElf(elf);
      const { reason, retired } = board.run({ instructions: 20_000_000 });
      return { reason, retired, text: board.console.text, hash: board.trace.hash() };
    })()`);
    const board = buildBoard();
    board.loadElf(KERNEL);
    const { reason, retired } = board.run({ instructions: 20_000_000 });
    expect(inPage).toEqual({ reason, retired, text: board.console.text, hash: board.trace.hash() });
    expect(reason).toBe("poweroff");
  });
});
