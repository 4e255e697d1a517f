/** Pairs: two instructions by one handler, and by two where the budget or a translation ends between them. */
import { describe, expect, it } from "vitest";
import { PAIRS } from "../../../../../lib/engine/translator/interpreter/pair.ts";
import { seededNumbers } from "../../../../support/random.ts";
import { RAM_BASE } from "./identity-machine.ts";
import { bytesOf, wordsByOp } from "./random-code.ts";
import { Twin } from "./twin.ts";

const ROUNDS = process.env["DOM0_TEST_FULL"] === "1" ? 200 : 6;
/** Offset of the code: there is room in its page for branches backward. */
const PLACE = 0x800;

describe("Every pair, with random operands", () => {
  const words = wordsByOp(PLACE, seededNumbers(7));
  const twin = new Twin();

  it.each(PAIRS)("$first.name, $second.name", ({ number, first, second }) => {
    const random = seededNumbers(number);
    for (let round = 0; round < ROUNDS; round++) {
      const pair = [first, second].map(({ name }) => {
        const known = words.get(name) ?? [];
        expect(known.length, name).toBeGreaterThan(0);
        return known[random(known.length)];
      });
      const code = bytesOf(pair.filter((insn) => insn !== undefined));
      const seed = 1000 * number + round;
      const run = (title: string, ...budgets: number[]): void => {
        if (title === "first") twin.start(code, seed, PLACE);
        else twin.restart(seed, PLACE);
        if (title === "with data unknown") twin.cold.forgetData();
        for (const budget of budgets) twin.run(budget, `round ${round} ${title}, ${budgets}`);
      };
      run("first", 2, 3);
      run("again", 2);
      run("one by one", 1, 1);
      run("with data unknown", 2);
      run("with data unknown", 1, 1);
      run("and more", 3);
      if (round === 0)
        expect(twin.cold.view.getUint16(twin.cold.slotOf(RAM_BASE + PLACE), true)).toBe(number);
    }
  });
});
