/** Exercise 05.1, read: how often each guest had the hart, and who waited longest, off the picture of a machine of the reader's own. */
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { member } from "../../checks/inert.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import type { FigureBundle } from "../figure.ts";
import { buildHost } from "../vm-host.ts";
import { barsOf, gantt } from "./gantt.ts";
import { BUSY, sleeper } from "./guests.ts";
import { type Watched, watch } from "./watch.ts";

/** A machine, as it was seen. */
export interface GanttToRead {
  readonly picture: FigureBundle;
  readonly watched: Watched;
}

const WINDOW = 16_000;
const DOMAINS = [1, 2, 3];
const MOST_TRIES = 20;

const longestWait = ({ waits }: Watched, domain: number): number =>
  Math.max(0, ...waits.filter((wait) => wait.domain === domain).map(({ from, to }) => to - from));

/** Whether a reader can see who waited longest. */
function isClear(watched: Watched): boolean {
  const waits = DOMAINS.map((domain) => longestWait(watched, domain)).sort((a, b) => b - a);
  return (waits[0] ?? 0) > 1.25 * (waits[1] ?? 0);
}

/** Three guests: two work without end, with different weights, and one sleeps. Who is who is drawn by the seed. */
export function ganttToRead(seed: number): GanttToRead {
  const word = seededWords(seed ^ 0x0501);
  for (let attempt = 0; ; attempt++) {
    const guests = [
      { image: BUSY, weight: 256 },
      { image: BUSY, weight: 512 + (word() % 4) * 64 },
      { image: sleeper(400 + (word() % 5) * 100, 1_500 + (word() % 10) * 150), weight: 256 },
    ];
    const turned = guests.map((_, index) => guests[(index + (seed % 3)) % 3] ?? guests[0]);
    const host = buildHost({
      guests: turned.flatMap((guest) => (guest === undefined ? [] : [{ ...guest, ramBytes: 1 << 18 }])),
      scheduler: "CREDIT",
      slice: 1_500,
      period: 4_500,
      judge: false,
    });
    host.run(120_000 + (word() % 8) * 10_000);
    const watched = watch(host, WINDOW);
    if (!isClear(watched) && attempt < MOST_TRIES) continue;
    return { watched, picture: gantt(watched, { title: "Three guests, one hart", lists: true }) };
  }
}

/** The answer to the instance of a seed. */
export function ganttFacts(seed: number): { readonly turns: readonly number[]; readonly waited: number } {
  const { watched } = ganttToRead(seed);
  const bars = barsOf(watched);
  const turns = DOMAINS.map((id) => bars.filter(({ domain }) => domain === id).length);
  const waited = DOMAINS.reduce((best, id) =>
    longestWait(watched, id) > longestWait(watched, best) ? id : best,
  );
  return { turns, waited };
}

function seedOf(answer: Answer): number | undefined {
  const seed = member(answer.value, "seed");
  return typeof seed === "number" && Number.isInteger(seed) ? seed >>> 0 : undefined;
}

function judgeTurns(answer: Answer): Finding {
  const seed = seedOf(answer);
  const turns = member(answer.value, "turns");
  if (seed === undefined || !Array.isArray(turns))
    return fails("Hand in { seed: SEED, turns: [1, 2, 3 domains], waited }.");
  const wanted = ganttFacts(seed).turns;
  const right = wanted.filter((count, index) => turns[index] === count).length;
  if (right === wanted.length) return HOLDS;
  const wrong = DOMAINS.find((id) => wanted[id - 1] !== turns[id - 1]);
  const isReversed = wanted.every((count, index) => turns[wanted.length - 1 - index] === count);
  const message = isReversed
    ? "Right counts in the wrong order: domain 1 first."
    : `Count the thick bars of each row: domain ${wrong} had the hart more often, or less. A thin line is waiting; a bar that the edge cuts off counts, too.`;
  return { ...fails(message), share: right / wanted.length / 2 };
}

function judgeWaited(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (seed === undefined) return fails("Hand in { seed: SEED, turns, waited }.");
  return member(answer.value, "waited") === ganttFacts(seed).waited
    ? HOLDS
    : fails(
        "Look for the longest thin line. Who sleeps does not wait: a row with nothing in it wants nothing.",
      );
}

/** Check of exercise 05.1. */
export const ganttCheck: Check = defineCheck({
  id: "05.1",
  title: "Read who had the hart",
  points: 3,
  properties: [
    { id: "turns", says: "each guest had the hart so often", weight: 2, run: judgeTurns },
    { id: "waited", says: "this one waited longest", weight: 1, run: judgeWaited },
  ],
});
