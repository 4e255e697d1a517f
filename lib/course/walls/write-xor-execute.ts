/** Exercise 02.2, change: one page of an island may be written and executed. One entry repairs it, and nothing else may break. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { explainTranslation } from "../../mmu/explain-translation.ts";
import { PTE } from "../../mmu/pte.ts";
import { seedOf, wholeNumber } from "../exercises/countdown.ts";
import type { FigureBundle } from "../figure.ts";
import { buildIsland, type Island } from "../island.ts";
import { type IslandPage, USER_DATA } from "../island-image.ts";
import { pageList } from "../page-list.ts";
import { isWritableCode, pageMap } from "./page-map.ts";

/** An island with a page that is both, and its pages as a table. */
export interface Draft {
  readonly island: Island;
  readonly pages: readonly IslandPage[];
  readonly list: FigureBundle;
}

/** The island of a seed: its code can be written, or some of its data executed. */
export function draftIsland(seed: number): Draft {
  const word = seededWords(seed ^ 0x0202);
  const island = buildIsland({ seed });
  const candidates = [0, 1, 3 + (word() % 5)];
  const culprit = candidates[word() % candidates.length] ?? 0;
  const pages = island.pages.map((page, index) => {
    if (index !== culprit) return page;
    const missing = page.flags.includes("X") ? "W" : "X";
    island.poke(page.pteAddress, island.peek(page.pteAddress) | PTE[missing]);
    return {
      ...page,
      flags: [..."UXWR"].filter((bit) => page.flags.includes(bit) || bit === missing).join(""),
    };
  });
  return { island, pages, list: pageList(pages.slice(0, 8), "An island that nobody has looked over") };
}

/** The repaired island, or what is wrong with the repair. */
function repaired(answer: Answer): Draft | Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const at = wholeNumber(answer, "at");
  const entry = wholeNumber(answer, "entry");
  if (at === undefined || entry === undefined || entry < 0n || entry >> 64n !== 0n)
    return fails("at and entry must be whole numbers, entry of 64 bits.");
  const draft = draftIsland(seed);
  if (!draft.pages.some(({ pteAddress }) => pteAddress === at))
    return fails("at must be the address of one of the entries in the list.");
  if (draft.island.peek(at) === entry) return fails("That entry says so already: nothing has changed.");
  draft.island.poke(at, entry);
  return draft;
}

function judgeRights(answer: Answer): Finding {
  const draft = repaired(answer);
  if (!("island" in draft)) return draft;
  draft.island.land([asm.ecall()]);
  const both = pageMap(draft.island.board).pages.some(({ flags }) => isWritableCode(flags));
  return both
    ? fails("There is still a page with both W and X. Look for both letters in one row of the list.")
    : HOLDS;
}

function judgeUse(answer: Answer): Finding {
  const draft = repaired(answer);
  if (!("island" in draft)) return draft;
  const { island, pages } = draft;
  const landing = island.land([
    asm.li("a1", USER_DATA),
    asm.sd("a1", 0, "a1"),
    asm.ld("a0", 0, "a1"),
    asm.ecall(),
  ]);
  if (landing.cause === 12)
    return fails(
      "The program cannot be fetched any more: its code needs X, U and R. Take the other right away.",
    );
  if (landing.cause !== 8)
    return fails(
      "The program cannot use its data any more: that page needs W, R and U. Take the other right away.",
    );
  const { hart } = island.board;
  for (const page of pages) {
    if (!page.name.startsWith("vault")) continue;
    const uses = (["load", "store"] as const).map((kind) => explainTranslation(hart, page.vaddr, kind, "S"));
    if (uses.some(({ ok, paddr }) => !ok || paddr !== page.paddr))
      return fails("The kernel cannot read and write a page of its vault any more.");
    if (explainTranslation(hart, page.vaddr, "load", "U").ok)
      return fails("Now user mode can read a page of the vault: U must stay 0 there.");
  }
  return HOLDS;
}

/** Check of exercise 02.2. */
export const writeXorExecuteCheck: Check = defineCheck({
  id: "02.2",
  title: "Writable or executable",
  points: 2,
  properties: [
    { id: "rights", says: "no page is both writable and executable", weight: 1, run: judgeRights },
    { id: "use", says: "program and kernel can do what they need to do", weight: 1, run: judgeUse },
  ],
});
