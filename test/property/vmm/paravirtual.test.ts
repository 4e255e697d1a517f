/** Random calls of a paravirtualized guest against a model that counts nothing, with the referee beside; and mistakes that this must find. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { vmmAfresh } from "../../support/vmm-afresh.ts";
import type { PuppetOptions } from "../../unit/vmm/paravirtual-scene.ts";
import { MISTAKES, planted } from "./paravirtual-mistakes.ts";
import { Duet, type Order, orders, play } from "./paravirtual-orders.ts";

const IS_FULL = process.env["DOM0_TEST_FULL"] === "1";
/** Lists of orders within which a mistake must show. */
const MOST_LISTS = 100;

describe.each(["coherent", "sticky"] as const)("a guest where translations are %s", (translations) => {
  it("has what the model says, and nobody finds a rule broken", () => {
    fc.assert(
      fc.property(orders, (list) => play(list, { config: { translations } })),
      { seed: 1, numRuns: IS_FULL ? 300 : 30 },
    );
  }, 300_000);
});

const byName = (mistakes: typeof MISTAKES) => mistakes.map((mistake) => [mistake.about, mistake] as const);

describe("a hypervisor that", () => {
  it.each(byName(MISTAKES))("%s is found", async (_, mistake) => {
    const module = await vmmAfresh(planted(mistake));
    const { failed } = fc.check(
      fc.property(orders, (list) => play(list, { module, config: { translations: "sticky" } })),
      { seed: 1, numRuns: MOST_LISTS, endOnFailure: true },
    );
    expect(failed).toBe(true);
  });
});

/** Whether the referee finds something, whatever the model says. */
function isJudged(list: readonly Order[], options: PuppetOptions): boolean {
  const duet = new Duet(options);
  const { judge, scene } = duet.puppet;
  for (const each of list) {
    try {
      duet.do(each);
    } catch (error) {
      if (!(error instanceof Error && error.name === "AssertionError")) return false;
    }
    if (judge.violations.length > 0 || scene.board.hart.mode !== "VS") return judge.violations.length > 0;
  }
  return false;
}

describe("the referee alone names a hypervisor that", () => {
  const names = MISTAKES.filter(({ isOwnHarm = false }) => !isOwnHarm);
  it.each(byName(IS_FULL ? names : names.slice(4, 8)))("%s", async (_, mistake) => {
    const module = await vmmAfresh(planted(mistake));
    const { failed } = fc.check(
      fc.property(orders, (list) => !isJudged(list, { module, config: { translations: "sticky" } })),
      { seed: 1, numRuns: MOST_LISTS, endOnFailure: true },
    );
    expect(failed).toBe(true);
  });
});
