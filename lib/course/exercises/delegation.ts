/** Exercise 01.2, change: which traps a kernel gets. Judged by raising each trap on the machine and looking who takes it. */

import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import type { Item } from "../../isa/assembler/item.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { causeWords } from "../../isa/trap.ts";
import { buildIsland } from "../island.ts";
import { PLACE, USER_CODE, USER_DATA } from "../island-image.ts";
import { seedOf, wholeNumber } from "./countdown.ts";

/** How a program in U-mode brings about each exception. */
const WAYS: ReadonlyMap<number, readonly Item[]> = new Map([
  [2, [asm.word(0)]],
  [3, [asm.ebreak()]],
  [8, [asm.ecall()]],
  [12, [asm.li("a1", USER_DATA), asm.jr("a1")]],
  [13, [asm.li("a1", PLACE.vault), asm.ld("a0", 0, "a1")]],
  [15, [asm.li("a1", USER_CODE), asm.sd("a0", 0, "a1")]],
]);

const CAUSES = [...WAYS.keys()];

/** What one kernel wants to handle itself. */
export interface DelegationWish {
  /** Exception codes, ascending. */
  readonly causes: readonly number[];
  /** The same in the manual's words, one line each. */
  readonly list: string;
}

/** The wish of a seed: two to four causes, ECALL from U-mode always among them. */
export function delegationWish(seed: number): DelegationWish {
  const word = seededWords(seed ^ 0x0102);
  const others = CAUSES.filter((cause) => cause !== 8);
  const start = word() % others.length;
  const chosen = Array.from(
    { length: 1 + (word() % 3) },
    (_, index) => others[(start + index * 2) % others.length] ?? 13,
  );
  const causes = [...new Set([8, ...chosen])].sort((a, b) => a - b);
  const lines = causes.map(
    (cause) => `${String(cause).padStart(4)}  ${causeWords({ isInterrupt: false, cause })}`,
  );
  return { causes, list: ["This kernel wants", ...lines].join("\n") };
}

/** Where each cause lands under a value of `medeleg`: tried out, one landing for each. */
function takers(seed: number, medeleg: bigint): ReadonlyMap<number, string | undefined> {
  const island = buildIsland({ seed, medeleg });
  return new Map([...WAYS].map(([cause, way]) => [cause, island.land(way).takenBy]));
}

function judge(answer: Answer, wanted: boolean): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const medeleg = wholeNumber(answer, "medeleg");
  if (medeleg === undefined || medeleg < 0n || medeleg >> 64n !== 0n)
    return fails("medeleg must be a whole number of at most 64 bits.");
  // Doing nothing leaves every other trap where it was, and earns nothing for it.
  if (medeleg === 0n)
    return fails("A medeleg of 0 delegates nothing. The trap with cause 8 has bit 1n << 8n.");
  const wish = new Set(delegationWish(seed).causes);
  const wrong = [...takers(seed, medeleg)].filter(
    ([cause, to]) => wish.has(cause) === wanted && (to === "S") !== wanted,
  );
  const [first] = wrong;
  if (first === undefined) return HOLDS;
  const name = `cause ${first[0]} (${causeWords({ isInterrupt: false, cause: first[0] })})`;
  return wanted
    ? fails(
        `The kernel wants ${name}, but ${first[1] === undefined ? "it never came" : `it landed in ${first[1]}-mode`}. Its bit is 1n << ${first[0]}n.`,
      )
    : fails(`Nobody asked for ${name}, but it landed in S-mode. One bit too many.`);
}

/** Check of exercise 01.2. */
export const delegationCheck: Check = defineCheck({
  id: "01.2",
  title: "Delegate traps",
  points: 2,
  properties: [
    {
      id: "wanted",
      says: "every trap that the kernel asked for lands in S-mode",
      weight: 1,
      run: (answer) => judge(answer, true),
    },
    {
      id: "others",
      says: "every other trap still lands in M-mode",
      weight: 1,
      run: (answer) => judge(answer, false),
    },
  ],
});
