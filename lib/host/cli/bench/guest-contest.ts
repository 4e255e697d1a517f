/**
 * One benchmark guest on our engine and on each QEMU, in turns, so that a neighbor's noise meets all of them alike.
 *
 * Every run's result is compared before its time counts. Times are processor seconds of whole processes (compile threads
 * included) less those of a run that does the work once.
 */

import type { EngineName } from "../../../board/engine-choice.ts";
import type { BenchGuestName } from "../../../systems/bench-guests.ts";
import { middle, ratioToFastest, roundsFor, roundsPerSecond, workSeconds } from "./arithmetic.ts";
import { type GuestRun, type OurRun, ourName, type Peer, runOnOurs, runOnPeer } from "./contestants.ts";

/** How long and how often. */
export interface ContestSize {
  /** Processor seconds that the fastest QEMU shall use. */
  readonly peerSeconds: number;
  /** The same of the short run; none when left out. */
  readonly shortSeconds?: number;
  /** How often each is measured, in turns. */
  readonly turns: number;
}

/** Speed of one machine. */
export interface Speed {
  readonly name: string;
  /** Millions of guest instructions a processor second. */
  readonly mips: number;
}

/** What a contest showed. */
export interface GuestFigures {
  readonly guest: BenchGuestName;
  readonly rounds: number;
  /** Instructions of the measured work. */
  readonly insns: number;
  /** Processor seconds of each run of the measured work, start-up included, by machine. */
  readonly seconds: Readonly<Record<string, readonly number[]>>;
  readonly ours: Speed;
  readonly peers: readonly Speed[];
  /** Our speed over that of the fastest peer; NaN without one. */
  readonly ratio: number;
  /** Our speed in the second half of the run, and its ratio: translated code, once it is there. */
  readonly steady: { readonly mips: number; readonly ratio: number };
  /** The ratio in a run in which the fastest QEMU uses half a second, start-up taken away. */
  readonly shortRatio: number;
}

/** Rounds when there is nobody to be measured by, or to warm up with. */
const ROUNDS_WITHOUT_PEER = 8;

/** Names the machines whose result is not the first one's. Throws: a wrong result is our bug, or a peer's. */
export function checkResults(guest: string, runs: ReadonlyMap<string, GuestRun>): void {
  const [[, first] = ["", undefined]] = runs;
  const said = [...runs].map(([name, run]) => `${name}: ${run.result}`).join(", ");
  const differs = [...runs.values()].some((run) => run.result !== first?.result);
  if (differs || !/^[0-9a-f]{16}$/.test(first?.result ?? "")) throw new Error(`${guest} differs: ${said}`);
}

/** Processor seconds and instructions of many runs of one number of rounds. */
interface Series {
  readonly seconds: Map<string, number[]>;
  readonly ours: OurRun[];
}

const newSeries = (): Series => ({ seconds: new Map(), ours: [] });

/** The guest on all machines once, results compared, times added to the series. */
function oneTurn(
  series: Series,
  peers: readonly Peer[],
  order: { guest: BenchGuestName; rounds: number; engine: EngineName; firstInsns?: number },
): void {
  const ours = runOnOurs(order);
  const runs = new Map<string, GuestRun>([[ourName(order.engine), ours]]);
  for (const peer of peers) runs.set(peer.name, runOnPeer(peer, order.guest, order.rounds));
  checkResults(order.guest, runs);
  series.ours.push(ours);
  for (const [name, { seconds }] of runs)
    series.seconds.set(name, [...(series.seconds.get(name) ?? []), seconds]);
}

/** Millions of instructions a second by machine: ours first. */
function speeds(series: Series, once: Series): Speed[] {
  const insns = (series.ours[0]?.retired ?? 0) - (once.ours[0]?.retired ?? 0);
  return [...series.seconds].map(([name, many]) => ({
    name,
    mips: insns / workSeconds({ once: once.seconds.get(name) ?? [], many }) / 1e6,
  }));
}

const ratioOf = ([ours, ...peers]: readonly Speed[]): number =>
  ratioToFastest(
    ours?.mips ?? Number.NaN,
    peers.map((peer) => peer.mips),
  );

/** Rounds a processor second of the fastest QEMU, start-up taken away; undefined without one. */
function fastestRoundsPerSecond(
  guest: BenchGuestName,
  peers: readonly Peer[],
  once: Series,
): number | undefined {
  let fastest: number | undefined;
  for (const peer of peers) {
    const startUp = middle(once.seconds.get(peer.name) ?? []);
    const perSecond = roundsPerSecond((rounds) => runOnPeer(peer, guest, rounds).seconds - startUp);
    fastest = Math.max(fastest ?? 0, perSecond);
  }
  return fastest;
}

/** Measures one guest. `tell` hears what is being done. */
export function guestContest(
  guest: BenchGuestName,
  engine: EngineName,
  peers: readonly Peer[],
  size: ContestSize,
  tell: (line: string) => void,
): GuestFigures {
  const [once, short, long] = [newSeries(), newSeries(), newSeries()];
  const turn = (series: Series, rounds: number, firstInsns?: number): void =>
    oneTurn(series, peers, { guest, rounds, engine, ...(firstInsns === undefined ? {} : { firstInsns }) });
  turn(once, 1);
  const perSecond = fastestRoundsPerSecond(guest, peers, once);
  const roundsOf = (seconds: number): number =>
    perSecond === undefined ? ROUNDS_WITHOUT_PEER : roundsFor(seconds, perSecond);
  const rounds = roundsOf(size.peerSeconds);
  const probe = runOnOurs({ guest, rounds: 2, engine });
  const insnsOfRound = probe.retired - (once.ours[0]?.retired ?? 0);
  const half = Math.floor((insnsOfRound * rounds) / 2);
  tell(`${guest}: ${rounds} rounds of ${insnsOfRound} instructions`);
  for (let at = 0; at < size.turns; at++) {
    if (at > 0) turn(once, 1);
    if (size.shortSeconds !== undefined) turn(short, roundsOf(size.shortSeconds));
    turn(long, rounds, half);
  }
  return figuresOf(guest, rounds, { once, short, long });
}

function figuresOf(
  guest: BenchGuestName,
  rounds: number,
  { once, short, long }: { readonly once: Series; readonly short: Series; readonly long: Series },
): GuestFigures {
  const all = speeds(long, once);
  const [ours = { name: "", mips: Number.NaN }, ...peers] = all;
  const steadyMips = middle(
    long.ours.map(({ second }) =>
      second === undefined ? Number.NaN : second.retired / second.processorMs / 1e3,
    ),
  );
  return {
    guest,
    rounds,
    insns: (long.ours[0]?.retired ?? 0) - (once.ours[0]?.retired ?? 0),
    seconds: Object.fromEntries(long.seconds),
    ours,
    peers,
    ratio: ratioOf(all),
    steady: { mips: steadyMips, ratio: ratioOf([{ ...ours, mips: steadyMips }, ...peers]) },
    shortRatio: ratioOf(speeds(short, once)),
  };
}
