/** Exercise A5.2: a scheduler with weights and caps. It is asked again and again, and a model that knows only water judges. */
import type { Answer } from "../../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding } from "../../../checks/check.ts";
import { member } from "../../../checks/inert.ts";
import { type Broken, fails, HOLDS } from "../../../checks/property.ts";
import { seededWords } from "../../../checks/seed.ts";
import { smallest } from "../../sharing/smallest.ts";

/** A guest that always wants the hart, as the scheduler sees it. */
export interface CappedGuest {
  readonly id: number;
  readonly weight: number;
  /** Hundredths of a period that it may run; 0: all. */
  readonly cap: number;
  /** Ticks that it ran so far: altogether, and in this period. */
  readonly ran: number;
  readonly ranInPeriod: number;
}

/** Time, as the scheduler sees it. */
export interface HartTime {
  /** Ticks that are left of this period, and how long a period is. */
  readonly left: number;
  readonly period: number;
  /** Nobody may have the hart for longer at once. */
  readonly slice: number;
}

const PERIOD = 10_000;
const SLICE = 1_000;
const PERIODS = 24;
/** So many stays a period may be divided into. */
const MOST_STAYS = 80;
const TOLERANCE = 0.02;
const SCENES = 16;

interface Scene {
  readonly guests: readonly Pick<CappedGuest, "id" | "weight" | "cap">[];
}
interface Game extends Scene {
  readonly ran: number[];
  readonly inPeriod: number[];
  /** The most that each ran in one period. */
  readonly most: number[];
  idle: number;
  left: number;
  stays: number;
  periods: number;
  broken: string | undefined;
}

type Words = () => number;

const weightOf = (word: Words): number => 64 + (word() % 448);
const shareless = (word: Words): Scene => ({
  guests: Array.from({ length: 2 + (word() % 3) }, (_, index) => ({
    id: index + 1,
    weight: weightOf(word),
    cap: 0,
  })),
});
const someCapped = (word: Words): Scene => ({
  guests: Array.from({ length: 2 + (word() % 3) }, (_, index) => ({
    id: index + 1,
    weight: weightOf(word),
    cap: index === 0 || word() % 2 === 0 ? 7 + (word() % 38) : 0,
  })),
});
const allCapped = (word: Words): Scene => ({
  guests: Array.from({ length: 1 + (word() % 3) }, (_, index) => ({
    id: index + 1,
    weight: weightOf(word),
    cap: 5 + (word() % 24),
  })),
});

/** What each should have of the hart: it is poured out by weight, and what is over runs to those who have room. */
function fairShares({ guests }: Scene): readonly number[] {
  const shares = guests.map(() => 0);
  let water = 1;
  let open = guests.map((_, index) => index);
  while (open.length > 0 && water > 1e-12) {
    const weights = open.reduce((sum, index) => sum + (guests[index]?.weight ?? 0), 0);
    const full: number[] = [];
    let poured = 0;
    for (const index of open) {
      const { weight = 0, cap = 0 } = guests[index] ?? {};
      const room = (cap === 0 ? 1 : cap / 100) - (shares[index] ?? 0);
      const gets = Math.min(room, (water * weight) / weights);
      shares[index] = (shares[index] ?? 0) + gets;
      poured += gets;
      if (gets === room) full.push(index);
    }
    water -= poured;
    if (full.length === 0) break;
    open = open.filter((index) => !full.includes(index));
  }
  return shares;
}

function begin(scene: Scene): Game {
  const zeros = (): number[] => scene.guests.map(() => 0);
  return {
    ...scene,
    ran: zeros(),
    inPeriod: zeros(),
    most: zeros(),
    idle: 0,
    left: PERIOD,
    stays: 0,
    periods: 0,
    broken: undefined,
  };
}

const SHAPE =
  "next must return { id, ticks }: somebody's id, or 0 for nobody, and for how long, a whole number from 1 on.";

/** Lets an answer share harts, all scenes side by side. */
function play(answer: Answer, scenes: readonly Scene[]): readonly Game[] {
  const games = scenes.map(begin);
  for (;;) {
    const going = games.filter(({ broken, periods }) => broken === undefined && periods < PERIODS);
    if (going.length === 0) return games;
    const outcomes = answer.callEach(
      going.map(({ guests, ran, inPeriod, left }) => [
        guests.map((guest, index) => ({ ...guest, ran: ran[index] ?? 0, ranInPeriod: inPeriod[index] ?? 0 })),
        { left, period: PERIOD, slice: SLICE },
      ]),
    );
    for (const [index, game] of going.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok !== true) game.broken = `next ${outcome?.category ?? "does not answer"}.`;
      else give(game, member(outcome.value, "id"), member(outcome.value, "ticks"));
    }
  }
}

function give(game: Game, id: unknown, ticks: unknown): void {
  const index = game.guests.findIndex((guest) => guest.id === id);
  if (typeof ticks !== "number" || !Number.isInteger(ticks) || ticks < 1 || (index < 0 && id !== 0)) {
    game.broken = SHAPE;
    return;
  }
  if (index >= 0 && ticks > SLICE) {
    game.broken = "Nobody may have the hart for longer than a slice at once.";
    return;
  }
  const taken = Math.min(ticks, game.left);
  game.left -= taken;
  game.stays += 1;
  if (index < 0) game.idle += taken;
  else {
    game.ran[index] = (game.ran[index] ?? 0) + taken;
    game.inPeriod[index] = (game.inPeriod[index] ?? 0) + taken;
    game.most[index] = Math.max(game.most[index] ?? 0, game.inPeriod[index] ?? 0);
  }
  if (game.left === 0) {
    game.left = PERIOD;
    game.periods += 1;
    game.stays = 0;
    game.inPeriod.fill(0);
  } else if (game.stays > MOST_STAYS)
    game.broken = "A period is divided into more than 80 stays: a hart that only switches does no work.";
}

type Objection = (game: Game) => Broken | undefined;

const words = ({ guests }: Scene): string =>
  guests.map(({ weight, cap }) => `weight ${weight}${cap === 0 ? "" : ` cap ${cap}`}`).join(", ");
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const byWeight: Objection = (game) => {
  const fair = fairShares(game);
  const all = PERIODS * PERIOD;
  for (const [index, ran] of game.ran.entries()) {
    const [share, wanted] = [ran / all, fair[index] ?? 0];
    if (Math.abs(share - wanted) > TOLERANCE)
      return {
        hint: game.guests.some(({ cap }) => cap > 0)
          ? "The hart is not divided fairly: what a cap leaves belongs to the others, by weight, and a guest that is held back gets its cap."
          : "The hart is not divided by weight: choose who has run least for its weight.",
        detail: `${words(game)}: number ${index + 1} had ${percent(share)}, fair is ${percent(wanted)}`,
      };
  }
  return undefined;
};

const capped: Objection = (game) => {
  for (const [index, { cap }] of game.guests.entries()) {
    const [most, allowed] = [game.most[index] ?? 0, (cap * PERIOD) / 100];
    if (cap > 0 && most > allowed)
      return {
        hint: "A guest has run more than its cap in a period. Let ticks be no more than what is left of the cap: a slice that begins within it may end outside.",
        detail: `${words(game)}: number ${index + 1} ran ${most} of ${allowed} ticks in a period`,
      };
  }
  return undefined;
};

const busy: Objection = (game) => {
  const fair = fairShares(game).reduce((sum, share) => sum + share, 0);
  const idle = game.idle / (PERIODS * PERIOD);
  return idle > 1 - fair + TOLERANCE
    ? {
        hint: "The hart idles while somebody wants it and has room. Nobody is right only when every cap is used up.",
        detail: `${words(game)}: idle ${percent(idle)}`,
      }
    : undefined;
};

/** Machines with a guest less, or with round numbers. */
function simplerScenes({ guests }: Scene): readonly Scene[] {
  const round = (value: number, to: number): number => Math.max(to, to * Math.round(value / to));
  const rounded = guests.map(({ id, weight, cap }) => ({
    id,
    weight: round(weight, 64),
    cap: cap === 0 ? 0 : round(cap, 10),
  }));
  const isRound = guests.every(
    ({ weight, cap }, index) => weight === rounded[index]?.weight && cap === rounded[index]?.cap,
  );
  return [
    ...(guests.length > 1 ? guests : []).map((left) => ({
      guests: guests.filter((guest) => guest !== left).map((guest, index) => ({ ...guest, id: index + 1 })),
    })),
    ...(isRound ? [] : [{ guests: rounded }]),
  ];
}

function judge(
  answer: Answer,
  run: CheckRun,
  salt: number,
  make: (word: Words) => Scene,
  objections: readonly Objection[],
): Finding {
  if (!answer.isFunction) return fails("The answer must be the function next.");
  const broken = (scenes: readonly Scene[]): readonly (Broken | undefined)[] =>
    play(answer, scenes).map((game) =>
      game.broken === undefined
        ? objections.map((object) => object(game)).find((objection) => objection !== undefined)
        : { hint: game.broken, detail: words(game) },
    );
  const word = seededWords(run.seed.value ^ salt);
  const scenes = Array.from({ length: Math.max(4, Math.min(SCENES, run.instances)) }, () => make(word));
  const found = broken(scenes);
  const at = found.findIndex((each) => each !== undefined);
  const [scene, first] = [scenes[at], found[at]];
  if (scene === undefined || first === undefined) return HOLDS;
  const { hint, detail } = smallest(scene, first, { candidates: simplerScenes, broken });
  return fails(hint, detail);
}

/** A cap that a guest never comes near holds by itself: a capped guest must have half of its fair share before caps are asked about. */
const served: Objection = (game) => {
  const fair = fairShares(game);
  for (const [index, ran] of game.ran.entries()) {
    const [share, wanted] = [ran / (PERIODS * PERIOD), fair[index] ?? 0];
    if ((game.guests[index]?.cap ?? 0) > 0 && share < wanted / 2)
      return {
        hint: "A guest with a cap hardly has the hart, and so its cap shows nothing.",
        detail: `${words(game)}: number ${index + 1} had ${percent(share)}, fair is ${percent(wanted)}`,
      };
  }
  return undefined;
};

/** Check of exercise A5.2. */
export const capsCheck: Check = defineCheck({
  id: "A5.2",
  title: "Weights and caps",
  points: 4,
  properties: [
    {
      id: "weights",
      says: "without caps the hart is divided by weight, within 2 %",
      weight: 1,
      run: (answer, run) => judge(answer, run, 0x52, shareless, [byWeight]),
    },
    {
      id: "caps",
      says: "nobody runs a tick more than its cap in any period",
      weight: 1,
      run: (answer, run) => judge(answer, run, 0x53, someCapped, [capped, served]),
    },
    {
      id: "fair",
      says: "what caps leave is divided by weight among the others",
      weight: 1,
      run: (answer, run) => judge(answer, run, 0x54, someCapped, [byWeight]),
    },
    {
      id: "idle",
      says: "the hart idles when all caps are used up, and only then",
      weight: 1,
      run: (answer, run) => judge(answer, run, 0x55, allCapped, [capped, busy, served]),
    },
  ],
});
