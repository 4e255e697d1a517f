/** Whether memory grows: one board that runs one guest after another for minutes, as in a tab that stays open. */

import type { EngineName } from "../../../board/engine-choice.ts";
import { growthPerMinute, type Sample } from "./arithmetic.ts";
import { timedScript } from "./timed-process.ts";

/** What to do. */
export interface SoakOrder {
  readonly minutes: number;
  readonly engine: EngineName;
}

/** Resident megabytes (10^6 bytes) over time. */
export interface SoakAnswer {
  readonly samples: readonly Sample[];
  readonly runs: number;
}

/** What was seen. */
export interface SoakFigures {
  readonly minutes: number;
  readonly runs: number;
  readonly mbPerMinute: number;
  readonly firstMb: number;
  readonly lastMb: number;
  /** All samples; the line is fitted to those after the first fifth, when everything has run once. */
  readonly samples: readonly Sample[];
}

const WARM_UP = 0.2;
/** Beyond the time asked for: the last guest ends first. */
const MARGIN_MS = 5 * 60_000;

/** Runs it. */
export function soak(order: SoakOrder): SoakFigures {
  const { answer } = timedScript<SoakAnswer>("soak-child", order, order.minutes * 60_000 + MARGIN_MS);
  const { samples, runs } = answer;
  const warm = samples.filter((sample) => sample.seconds >= WARM_UP * order.minutes * 60);
  return {
    minutes: order.minutes,
    runs,
    mbPerMinute: growthPerMinute(warm),
    firstMb: warm[0]?.value ?? Number.NaN,
    lastMb: warm.at(-1)?.value ?? Number.NaN,
    samples,
  };
}
