/** A boot of real firmware with a person at the keyboard, recorded and repeated: here, and in a browser. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { replay } from "../../lib/board/open-replay.ts";
import { packRecording, unpackRecording } from "../../lib/board/recording.ts";
import { buildBoard } from "../../lib/board/virt.ts";
import { describeWith, partPath } from "../support/optional.ts";
import { openSourcePages } from "../support/source-pages.ts";

const NEXT_STAGE = 0x8020_0000n;
const PIECE = 1_000_003;
const PIECES = 80;

const file = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

/** A person who waits for a text and types the answer. */
function answer(board: Board, shown: RegExp, typed: string): void {
  for (let piece = 0; piece < PIECES; piece++) {
    if (shown.test(board.console.text)) {
      board.type(typed);
      return;
    }
    board.run({ instructions: PIECE });
  }
  throw new Error(`the console never showed ${shown}: ${board.console.text.slice(-400)}`);
}

describeWith(["opensbi", "uboot", "chromium"], "a recorded boot", () => {
  it("replays with its typed input to the same trace hash in Node and in Chromium", async () => {
    const board = buildBoard({ ramBytes: 64 << 20 });
    expect(board.loadElf(file(partPath("opensbi"))).kind).toBe("elf");
    expect(board.memory.write(NEXT_STAGE, file(partPath("uboot")))).toBeUndefined();
    const recorder = board.record();
    answer(board, /Hit any key to stop autoboot/, " ");
    answer(board, /=> $/, "setexpr sum 40 + 2\nprintenv sum\n");
    answer(board, /sum=42\s+=> $/, "poweroff\n");
    expect(board.run({ instructions: PIECE * PIECES })).toMatchObject({ reason: "poweroff" });
    const recording = recorder.stop();
    if ("kind" in recording) return expect.unreachable(recording.message);
    expect(recording.checkpoints.length).toBeGreaterThan(10);
    const bytes = packRecording(recording);
    const hash = board.trace.hash();

    const reread = unpackRecording(bytes);
    if ("kind" in reread) return expect.unreachable(reread.message);
    const here = replay(reread);
    expect(here).toMatchObject({ kind: "same", hash });

    const pages = await openSourcePages(new Map([["/boot.recording", bytes]]));
    try {
      const page = await pages.newPage();
      const there = await page.evaluate(`(async () => {
        const { unpackRecording } = await import("/lib/board/recording.ts");
        const { replay } = await import("/lib/board/open-replay.ts");
        const bytes = new Uint8Array(await (await fetch("/boot.recording")).arrayBuffer());
        return replay(unpackRecording(bytes));
      })()`);
      expect(there).toEqual(here);
    } finally {
      await pages.close();
    }
  }, 120_000);
});
