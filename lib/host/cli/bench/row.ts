/** What one measurement says; the same object is a row of the table and a line of the JSON. */
export interface BenchRow {
  readonly bench: string;
  /** Which engine ran, when one did. */
  readonly engine?: "reference" | "translator";
  /** Millions of guest instructions per second. */
  readonly mips?: number;
  readonly seconds?: number;
  /** Who was measured beside us in the same run. */
  readonly peer?: string;
  /** Our speed over the peer's: 1 is parity, more is faster. */
  readonly ratio?: number;
  readonly unit?: string;
  readonly value?: number;
}

/** A benchmark verifies its result before it believes its time; a wrong result throws, because it is our bug. */
export interface Bench {
  readonly about: string;
  run(): Promise<readonly BenchRow[]>;
}

const PRECISION = 4;

/** Rounds a figure to what its noise allows. */
export const rounded = (value: number): number => Number(value.toPrecision(PRECISION));

/** Seconds that `work` took, by the monotonic clock, and what it returned. */
export function timed<T>(work: () => T): { readonly seconds: number; readonly result: T } {
  const began = process.hrtime.bigint();
  const result = work();
  return { seconds: Number(process.hrtime.bigint() - began) / 1e9, result };
}

/** Middle of the values; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
}

/** What `work` returned, and the processor time that it took. */
export function processorTimed<T>(work: () => T): { readonly seconds: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, result };
}
