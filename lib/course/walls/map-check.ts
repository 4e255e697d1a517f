/** Exercise 02.4, build: map pages, take tables from a list of frames, leak none, and never W with X. */
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { type Broken, fails, forAllAtOnce } from "../../checks/property.ts";
import {
  type MapHistory,
  type MapPlan,
  type MapStep,
  mapPlans,
  mapWords,
  pagesIn,
  playMaps,
  sameEntries,
  tablesIn,
} from "./map-history.ts";

type Question = (step: MapStep) => { readonly hint: string; readonly fact: string } | undefined;

const leadsRight: Question = ({ ok, shouldBe, after, pages }) => {
  if (shouldBe === "done" && !ok)
    return {
      hint: "A request that can be done was refused.",
      fact: "the last request was refused, though its pages are free and there are frames enough",
    };
  if (shouldBe === "refused: mapped already" && ok)
    return {
      hint: "A page that was mapped already was mapped again: look at the leaf before you write it.",
      fact: "the last request maps a page twice",
    };
  if (!ok || shouldBe !== "done") return undefined;
  const found = new Map(pagesIn(after).map((page) => [BigInt.asUintN(64, page.address), page]));
  for (const [address, { pa, flags }] of pages) {
    const page = found.get(address);
    const entry = page === undefined ? undefined : after.memory.get(page.at);
    if (page === undefined || page.bytes !== 4096n)
      return {
        hint: "A page is missing. Each page needs an index of its own at every level, also when the range crosses into the next table.",
        fact: `nothing is mapped at ${groupedHex(address, 8)}`,
      };
    if (page.to !== pa)
      return {
        hint: "A page leads to the wrong place: page number i of the range goes to pa + i × 4096.",
        fact: `${groupedHex(address, 8)} leads to ${groupedHex(page.to, 8)}, not to ${groupedHex(pa, 8)}`,
      };
    if (entry === undefined || (entry & 0xffn) !== flags)
      return {
        hint: "A leaf carries other flags than asked for: flags and V, no more.",
        fact: `the leaf of ${groupedHex(address, 8)} is ${groupedHex(entry ?? 0n)}`,
      };
  }
  const extra = [...found.keys()].find((address) => !pages.has(address));
  return extra === undefined
    ? undefined
    : { hint: "A page is mapped that nobody asked for.", fact: `${groupedHex(extra, 8)} is mapped` };
};

const neverBoth: Question = ({ ok, shouldBe, after }) => {
  const both = pagesIn(after).find(({ rights }) => (rights & 0xcn) === 0xcn);
  if (both !== undefined || (shouldBe === "refused: W and X" && ok))
    return {
      hint: "A page is both writable and executable. Refuse flags with W and X before anything is stored.",
      fact:
        both === undefined
          ? "a request with W and X was granted"
          : `${groupedHex(both.address, 8)} has W and X`,
    };
  return undefined;
};

const allOrNothing: Question = ({ ok, before, after, shouldBe }) => {
  if (shouldBe === "done") return undefined;
  if (ok)
    return shouldBe === "refused: out of frames"
      ? {
          hint: "There were not frames enough for the tables, and yet the answer was yes.",
          fact: "the last request needs more tables than there are frames",
        }
      : undefined;
  if (!sameEntries(before.memory, after.memory))
    return {
      hint: "A refused request left entries behind. Refuse before the first store, or return the map as it was.",
      fact: "the last request was refused, but entries have changed",
    };
  if (before.free.length !== after.free.length)
    return {
      hint: "A refused request kept frames: they belong to nobody now.",
      fact: `the last request was refused, but ${before.free.length - after.free.length} frames are gone from the list`,
    };
  return undefined;
};

const noLeak: Question = ({ before, after, ok }) => {
  const reached = tablesIn(after);
  const taken = before.free.filter((frame) => !after.free.includes(frame));
  const leaked = taken.find((frame) => !reached.has(frame));
  if (ok && leaked !== undefined)
    return {
      hint: "A frame leaked: it is gone from the list, but no table leads to it. Make a table only where the entry above is empty.",
      fact: `frame ${groupedHex(leaked, 8)} is gone from the list, but no table leads to it`,
    };
  const twice = after.free.find((frame) => reached.has(frame));
  if (twice !== undefined)
    return {
      hint: "A frame is a table and still on the list: the next request would take it again.",
      fact: `frame ${groupedHex(twice, 8)} is in use and on the list`,
    };
  const stolen = [...reached].find((table) => !before.free.includes(table) && !tablesIn(before).has(table));
  if (stolen !== undefined)
    return {
      hint: "A table stands in memory that was not on the list.",
      fact: `a table is at ${groupedHex(stolen, 8)}`,
    };
  return undefined;
};

/** The first step that a question objects to, in words; a history that broke off objects to itself. */
function objection({ steps, broken }: MapHistory, question: Question): Broken | undefined {
  for (const [index, step] of steps.entries()) {
    const found = question(step);
    if (found !== undefined)
      return { hint: found.hint, detail: `after ${mapWords(steps.slice(0, index + 1))}: ${found.fact}` };
  }
  return broken === undefined || broken === "" ? undefined : { hint: broken, detail: mapWords(steps) };
}

/** Whether a run of the answer shows that it does anything: a builder that refuses everything keeps every promise. */
function doesNothing(histories: readonly MapHistory[]): boolean {
  return !histories.some(({ steps }) => steps.some(({ ok, shouldBe }) => ok && shouldBe === "done"));
}

function judge(answer: Answer, run: CheckRun, question: Question): Finding {
  if (!answer.isFunction) return fails("The answer must be a function.");
  const sample: MapPlan = {
    frames: 2,
    requests: [{ va: 0x4000_0000n, pa: 0x8200_0000n, pages: 1, flags: 0xd7n }],
  };
  const first = playMaps(answer, [sample]);
  if (doesNothing(first)) {
    const broken = first[0]?.broken;
    return fails(
      broken === undefined || broken === ""
        ? "Not even one page is mapped: a builder that refuses everything keeps no promise."
        : broken,
      "mapRange(1 page at 0x4000_0000, RWU), two frames free",
    );
  }
  return forAllAtOnce<MapPlan>(mapPlans, run, 41, (plans) =>
    playMaps(answer, plans).map((history) => objection(history, question)),
  );
}

const property = (id: string, says: string, question: Question): Property => ({
  id,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, question),
});

/** Check of exercise 02.4. */
export const mapCheck: Check = defineCheck({
  id: "02.4",
  title: "Map a range",
  points: 4,
  properties: [
    property("pages", "every page leads where it should, and no other page appears", leadsRight),
    property("rights", "no page is both writable and executable", neverBoth),
    property("whole", "a request is done whole or not at all", allOrNothing),
    property("frames", "no frame is leaked, and none is used twice", noLeak),
  ],
});
