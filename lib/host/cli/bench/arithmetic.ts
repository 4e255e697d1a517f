/** The arithmetic of the figures, apart from everything that takes time: medians are in `row.ts`. */

/** Processor seconds of whole processes, of one machine and one guest. */
export interface ProcessSeconds {
  /** Runs that do the work once: start-up and preparation. */
  readonly once: readonly number[];
  /** Runs that do it many times. */
  readonly many: readonly number[];
}

/** Middle of the values, or the mean of the two in the middle. NaN of none. */
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

/** Processor seconds of the work alone: medians of whole processes, start-up taken away. NaN when nothing is left. */
export function workSeconds({ once, many }: ProcessSeconds): number {
  const seconds = middle(many) - middle(once);
  return seconds > 0 ? seconds : Number.NaN;
}

/** The `n`th root of the product. NaN of none. */
export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Our speed over that of the fastest peer. NaN without a peer. */
export function ratioToFastest(ours: number, peers: readonly number[]): number {
  const known = peers.filter((peer) => peer > 0);
  return known.length === 0 ? Number.NaN : ours / Math.max(...known);
}

/** Asks how long a run with so many rounds takes, in processor seconds with start-up taken away. */
export type Stopwatch = (rounds: number) => number;

/** Grows by so much at a time, until a run is long enough to be measured. */
const GROWTH = 8;
/** Shorter ones say little: a clock's tick is 0.01 s, and start-up varies. */
const MEASURABLE_SECONDS = 0.2;
/** Past this many nothing is that fast, and something is wrong. */
const MOST_ROUNDS = 2 ** 40;

/** Rounds a processor second, from the first run that is long enough. */
export function roundsPerSecond(stopwatch: Stopwatch, firstRounds = GROWTH): number {
  for (let rounds = firstRounds; rounds <= MOST_ROUNDS; rounds *= GROWTH) {
    const seconds = stopwatch(rounds);
    if (seconds >= MEASURABLE_SECONDS) return (rounds - 1) / seconds;
  }
  throw new Error(`${MOST_ROUNDS} rounds take less than ${MEASURABLE_SECONDS} s: the guest does no work`);
}

/** Rounds that take at least so long; at least two, because one is start-up. A tenth more, for noise. */
export function roundsFor(seconds: number, perSecond: number): number {
  return Math.max(2, Math.ceil(seconds * 1.1 * perSecond) + 1);
}

/** What was seen at a time. */
export interface Sample {
  readonly seconds: number;
  readonly value: number;
}

/** Growth of the value in a minute, by the line that fits best (least squares). NaN when all samples are of one time. */
export function growthPerMinute(samples: readonly Sample[]): number {
  const count = samples.length;
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, each) => sum + of(each), 0) / count;
  const [time, value] = [mean((each) => each.seconds), mean((each) => each.value)];
  let [covariance, variance] = [0, 0];
  for (const sample of samples) {
    covariance += (sample.seconds - time) * (sample.value - value);
    variance += (sample.seconds - time) ** 2;
  }
  return variance === 0 ? Number.NaN : (60 * covariance) / variance;
}
