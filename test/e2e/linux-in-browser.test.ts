/** Stock Linux in a tab of Chromium, on the translating engine: the same machine to the last bit as in Node. */
import { expect, it } from "vitest";
import { bootInChromium, runToShell } from "../../lib/host/linux/chromium-boot.ts";
import { WELCOME } from "../../lib/host/linux/file-systems.ts";
import { LINUX_TIMEOUT_MS, linuxFiles, newLinux } from "../support/linux.ts";
import { describeWith, partPath } from "../support/optional.ts";

describeWith(["chromium", "debianLinux"], "stock Linux in a tab of Chromium", () => {
  it("reaches its shell with the console and the trace hash that it has in Node", {
    timeout: LINUX_TIMEOUT_MS,
  }, async () => {
    const boot = await bootInChromium(partPath("chromium"), linuxFiles(), LINUX_TIMEOUT_MS / 2);
    const { found, seconds, bootSeconds, compileFailures, regionShare } = boot;
    console.log(
      `Linux to its shell in Chromium: ${seconds.toFixed(1)} s, ${bootSeconds.toFixed(1)} s of them from the board's construction on; ${(100 * regionShare).toFixed(1)} % of the steps in regions`,
    );
    expect(found.text).toContain(WELCOME);
    expect(found).toEqual(runToShell(newLinux({ engine: "translator" })));
    expect(compileFailures).toBe(0);
    expect(regionShare).toBeGreaterThan(0.4);
  });
});
