/** The same kernel under our firmware, with two harts. */
import { expect, it } from "vitest";
import type { HartCount } from "../../lib/board/virt.ts";
import { ask, bootToShell, LINUX_TIMEOUT_MS, newLinux, switchOff } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";

const full = process.env["DOM0_TEST_FULL"] === "1";

/** The same session again, and the hash that it ends with. */
function hashOfRun(firmware: "typescript" | "opensbi", harts: HartCount): string {
  const board = newLinux({ firmware, harts });
  bootToShell(board);
  ask(board, "cat /proc/cpuinfo");
  ask(board, "mount");
  switchOff(board);
  return board.trace.hash();
}

describeWith(["debianLinux"], "Linux", () => {
  it.each([
    ["our SBI firmware with two harts", "typescript", 2],
    ...(full
      ? ([
          ["our SBI firmware with one hart", "typescript", 1],
          ["OpenSBI with two harts", "opensbi", 2],
          ["our SBI firmware with four harts", "typescript", 4],
        ] as const)
      : []),
  ] as const)(
    "reaches its shell on %s, sees its harts, and switches off",
    { timeout: LINUX_TIMEOUT_MS },
    (_, firmware, harts) => {
      const board = newLinux({ firmware, harts });
      bootToShell(board);
      expect(ask(board, "cat /proc/cpuinfo").match(/processor\s*:/g)).toHaveLength(harts);
      expect(ask(board, "mount")).toMatch(/\/dev\/vda on \/ type minix/);
      for (const hart of board.harts) expect(hart.retired).toBeGreaterThan(1_000_000);
      expect(switchOff(board)).toBe("poweroff");
      if (full) expect(hashOfRun(firmware, harts)).toBe(board.trace.hash());
    },
  );
});
