/** A stock Debian kernel under stock OpenSBI, from the first instruction to power-off, twice. */
import { beforeAll, expect, it } from "vitest";
import type { Board } from "../../lib/board/board.ts";
import { ask, bootToShell, LINUX_TIMEOUT_MS, newLinux, switchOff } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";

describeWith(["debianLinux"], "Linux on OpenSBI", () => {
  let board: Board;
  let hash = "";

  beforeAll(() => {
    board = newLinux();
    bootToShell(board);
  }, LINUX_TIMEOUT_MS);

  it("takes its root from the virtio disk", { timeout: LINUX_TIMEOUT_MS }, () => {
    expect(ask(board, "mount")).toMatch(/\/dev\/vda on \/ type minix \(rw/);
    expect(ask(board, "echo kept > /root/note; sync; cat /root/note")).toContain("\nkept");
    expect(board.disk?.writtenChunks).toBeGreaterThan(0);
  });

  it("answers cat /proc/cpuinfo with what our harts are", { timeout: LINUX_TIMEOUT_MS }, () => {
    const text = ask(board, "cat /proc/cpuinfo");
    expect(text).toMatch(/processor\s*: 0/);
    expect(text).toMatch(/isa\s*: rv64imafdch_zicntr_\S*_sstc/);
    expect(text).toMatch(/mmu\s*: sv(39|48)/);
  });

  it("stops a program at Ctrl-C and gives the prompt back", { timeout: LINUX_TIMEOUT_MS }, () => {
    board.type("sleep 1000000\n");
    board.run({ instructions: 5_000_000 });
    expect(ask(board, "\u0003echo after $((6 * 7))")).toContain("after 42");
  });

  it("switches the machine off", { timeout: LINUX_TIMEOUT_MS }, () => {
    expect(switchOff(board)).toBe("poweroff");
    hash = board.trace.hash();
  });

  it("does all of it again, to the last event", { timeout: LINUX_TIMEOUT_MS }, () => {
    const again = newLinux();
    bootToShell(again);
    ask(again, "mount");
    ask(again, "echo kept > /root/note; sync; cat /root/note");
    ask(again, "cat /proc/cpuinfo");
    again.type("sleep 1000000\n");
    again.run({ instructions: 5_000_000 });
    ask(again, "\u0003echo after $((6 * 7))");
    expect(switchOff(again)).toBe("poweroff");
    expect(again.clock.retired).toBe(board.clock.retired);
    expect(again.trace.hash()).toBe(hash);
  });
});
