/**
 * Where a kernel differs from what the cases say, and why. A new difference fails, and so does one that vanished.
 *
 * Kernel-wide and read away by the driver: plain tslab prints the last value to stdout and errors to stderr as text
 * (no `execute_result`, no error record).
 */
import type { Expected } from "./case.ts";

export type KernelName = "headless" | "launcher" | "browser" | "plain tslab";

/** One known difference: for each cell that differs, what this kernel does instead. */
export interface Difference {
  readonly reason: string;
  /** Index of the cell in its case → what is seen there. */
  readonly cells: Readonly<Record<number, Expected>>;
}

type Differences = Readonly<Record<string, Difference>>;

const BROWSER: Differences = {};

const PLAIN_TSLAB: Differences = {};

export const DIFFERENCES: Readonly<Record<KernelName, Differences>> = {
  headless: {},
  launcher: {},
  browser: BROWSER,
  "plain tslab": PLAIN_TSLAB,
};
