/**
 * A hart and those who want it, as numbers: many scenes at once, so that a scheduler on the other side of a wall is asked in batches. It
 * knows what a scheduler may not: how long each will work and sleep.
 */
import type { Answer, Outcome } from "../../checks/answer.ts";
import type { Inert } from "../../checks/inert.ts";

/** How one behaves: it works for so long, then sleeps, again and again; it first wakes at `begins`. Times are ticks. */
export interface Habit {
  readonly weight: number;
  /** `Infinity`: it never stops. */
  readonly work: number;
  readonly sleep: number;
  readonly begins: number;
}

/** Who shares one hart. */
export interface Scene {
  readonly habits: readonly Habit[];
  /** How often somebody is chosen. */
  readonly decisions: number;
}

/** What became of one. */
export interface Outturn {
  /** Ticks that it ran, altogether and since `from`. */
  readonly ran: number;
  readonly ranSince: (from: number) => number;
  /** The longest time that it was ready without running. */
  readonly longestWait: number;
}

/** What became of a scene, or what the scheduler did wrong. */
export type Played =
  | { readonly outturns: readonly Outturn[]; readonly ended: number }
  | { readonly broken: string };

/** A slice, in ticks. */
export const SLICE = 1_000;

interface Guest extends Habit {
  readonly id: number;
  used: number;
  isReady: boolean;
  /** When it wakes. */
  until: number;
  left: number;
  since: number;
  longestWait: number;
  readonly stays: { readonly from: number; readonly to: number }[];
}

interface Play {
  now: number;
  readonly guests: readonly Guest[];
  chosen: Guest | undefined;
  ran: number;
  broken: string | undefined;
}

type Asked = { readonly play: Play; readonly guest: Guest; readonly args: readonly Inert[] };

/** Plays scenes to their ends with the answer's `charge`, `wake` and `choose`. */
export function playScenes(answer: Answer, scenes: readonly Scene[]): readonly Played[] {
  const plays = scenes.map(begin);
  const decisions = Math.max(0, ...scenes.map((scene) => scene.decisions));
  for (let decision = 0; decision < decisions; decision++) {
    const going = plays.filter(
      (play, index) => play.broken === undefined && decision < (scenes[index]?.decisions ?? 0),
    );
    wakeAll(answer, going);
    chooseAll(answer, going);
    for (const play of going) run(play);
    chargeAll(answer, going);
  }
  return plays.map((play) => (play.broken === undefined ? outturnOf(play) : { broken: play.broken }));
}

function begin({ habits }: Scene): Play {
  const guests = habits.map((habit, index) => ({
    ...habit,
    id: index + 1,
    used: 0,
    isReady: habit.begins === 0,
    until: habit.begins,
    left: habit.work,
    since: 0,
    longestWait: 0,
    stays: [],
  }));
  return { now: 0, guests, chosen: undefined, ran: 0, broken: undefined };
}

/** Asks a function about all guests at once; a number that is none breaks the scene. */
function askNumbers(
  answer: Answer,
  name: string,
  asked: readonly Asked[],
  take: (guest: Guest, value: number) => void,
) {
  const outcomes = answer.at(name).callEach(asked.map(({ args }) => args));
  for (const [index, { play, guest }] of asked.entries()) {
    const value = numberIn(outcomes[index], name);
    if (typeof value === "string") play.broken ??= value;
    else take(guest, value);
  }
}

function numberIn(outcome: Outcome | undefined, name: string): number | string {
  if (outcome?.ok !== true) return `${name} ${outcome?.category ?? "does not answer"}.`;
  const { value } = outcome;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return `${name} must return a number${value === Infinity || value === -Infinity ? "; the smallest of nobody is Infinity" : ""}.`;
}

function wakeAll(answer: Answer, plays: readonly Play[]): void {
  for (const play of plays) {
    if (play.guests.some(({ isReady }) => isReady)) continue;
    play.now = Math.max(play.now, Math.min(...play.guests.map(({ until }) => until)));
  }
  // One after the other, so that each finds those who woke before it among the ready.
  const most = Math.max(0, ...plays.map(({ guests }) => guests.length));
  for (let place = 0; place < most; place++) {
    const asked = plays.flatMap((play): Asked[] => {
      const guest = play.guests[place];
      if (guest === undefined || guest.isReady || guest.until > play.now) return [];
      const others = play.guests.filter(({ isReady }) => isReady).map(({ used }) => used);
      return [{ play, guest, args: [guest.used, others] }];
    });
    askNumbers(answer, "wake", asked, (guest, used) => {
      guest.used = used;
      guest.isReady = true;
      guest.since = guest.until;
    });
  }
}

function chooseAll(answer: Answer, plays: readonly Play[]): void {
  const asked = plays.filter(({ broken }) => broken === undefined);
  const lists = asked.map(({ guests }) => guests.filter(({ isReady }) => isReady));
  const outcomes = answer
    .at("choose")
    .callEach(lists.map((ready) => [ready.map(({ id, used }) => ({ id, used }))]));
  for (const [index, play] of asked.entries()) {
    const id = numberIn(outcomes[index], "choose");
    play.chosen = lists[index]?.find((guest) => guest.id === id);
    if (play.chosen === undefined)
      play.broken = typeof id === "string" ? id : "choose must return the id of somebody who is ready.";
  }
}

/** The one who was chosen runs: to the end of its slice or its work, or until somebody wakes. */
function run(play: Play): void {
  const { chosen, guests, now } = play;
  if (chosen === undefined || play.broken !== undefined) return;
  const wakes = guests
    .filter(({ isReady, until }) => !isReady && until > now)
    .map(({ until }) => until - now);
  play.ran = Math.max(1, Math.min(SLICE, chosen.left, ...wakes));
  play.now += play.ran;
  chosen.stays.push({ from: now, to: play.now });
  chosen.longestWait = Math.max(chosen.longestWait, now - chosen.since);
  chosen.since = play.now;
  chosen.left -= play.ran;
}

function chargeAll(answer: Answer, plays: readonly Play[]): void {
  const asked = plays.flatMap((play): Asked[] =>
    play.chosen === undefined || play.broken !== undefined
      ? []
      : [{ play, guest: play.chosen, args: [play.chosen.used, play.ran, play.chosen.weight] }],
  );
  askNumbers(answer, "charge", asked, (guest, used) => {
    guest.used = used;
  });
  for (const { play, guest } of asked) {
    if (guest.left > 0) continue;
    guest.left = guest.work;
    if (guest.sleep === 0) continue;
    guest.isReady = false;
    guest.until = play.now + guest.sleep;
  }
}

function outturnOf({ guests, now }: Play): Played {
  const outturns = guests.map(({ stays, longestWait, isReady, since }) => {
    const ranSince = (from: number): number =>
      stays.reduce((sum, stay) => sum + Math.max(0, stay.to - Math.max(from, stay.from)), 0);
    return { ran: ranSince(0), ranSince, longestWait: Math.max(longestWait, isReady ? now - since : 0) };
  });
  return { outturns, ended: now };
}
