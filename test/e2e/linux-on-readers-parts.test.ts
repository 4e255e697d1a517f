/** Notebook 05's last machine: a stock Linux whose hypervisor has a reader's world switch, scheduler and timer; and what a page shows without it. */
import { afterEach, expect, it } from "vitest";
import { setAssetSource } from "../../lib/assets/asset-source.ts";
import { RECORDED_BOOT } from "../../lib/course/sharing/recorded-boot.ts";
import { bootLinux, type ReadersParts } from "../../lib/course/sharing/stock-linux.ts";
import { nodeAssets } from "../../lib/host/node-assets.ts";
import { LINUX_TIMEOUT_MS } from "../support/linux.ts";
import { describeWith } from "../support/optional.ts";
import { fairAnswer, ringAnswer, switchAnswer } from "../support/sharing-answers.ts";

/** What the notebook has before anybody has written anything. */
const STUBS: ReadersParts = {
  ring: (now, { deadline }) => ({ due: now >= deadline, deadline }),
  worldSwitch: { save: () => ({}), restore: () => [] },
  scheduler: { charge: (used) => used, wake: (used) => used, choose: ([first]) => first?.id ?? 0 },
};
const OWN: ReadersParts = { ring: ringAnswer, worldSwitch: switchAnswer, scheduler: fairAnswer };

afterEach(() => setAssetSource(nodeAssets));

describeWith(["debianLinux"], "a stock Linux", () => {
  it("boots on the reader's own parts, and says so", { timeout: LINUX_TIMEOUT_MS }, async () => {
    setAssetSource(nodeAssets);
    const { facts, isRecorded, own } = await bootLinux(OWN);
    expect(isRecorded).toBe(false);
    expect(own).toEqual(["timer", "world switch", "scheduler"]);
    expect(facts.lines.join("\n")).toMatch(
      /Run \/init[\s\S]*init: hello from a stock Linux[\s\S]*reboot: Power down/,
    );
    expect(Math.abs(facts.share - 75)).toBeLessThan(1);
  });

  it("boots on the reference's as it was recorded: the record is not older than the hypervisor", {
    timeout: LINUX_TIMEOUT_MS,
  }, async () => {
    setAssetSource(nodeAssets);
    const { facts, own } = await bootLinux(STUBS);
    expect(own).toEqual([]);
    const said = (lines: readonly string[]): string => lines.join("\n").replaceAll(/\[ *[\d.]+\] /g, "");
    expect(said(facts.lines)).toBe(said(RECORDED_BOOT.lines));
    expect(Math.abs(facts.ticks / RECORDED_BOOT.ticks - 1)).toBeLessThan(0.02);
    expect(Math.abs(facts.share - RECORDED_BOOT.share)).toBeLessThan(1);
  });
});

it("is shown from a record where there is no kernel; the kit's own runs with the reader's parts", {
  timeout: LINUX_TIMEOUT_MS,
}, async () => {
  setAssetSource({
    read: (name) =>
      name.startsWith("linux/") ? Promise.reject(new Error("no such file")) : nodeAssets.read(name),
  });
  const boots = [await bootLinux(OWN), await bootLinux(OWN)];
  const [first, second] = boots.map(({ view }) => String(view["text/plain"]));
  expect(first).toBe(second);
  expect(boots[0]?.isRecorded).toBe(true);
  expect(first).toMatch(
    /The kernel is not on this machine[\s\S]*the kit's kernel in C has run[\s\S]*printed \d+ lines[\s\S]*What follows was recorded/,
  );
  expect(first).toContain("init: hello from a stock Linux");
});
