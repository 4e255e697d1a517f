/** Lockstep runs of tests: they say what differs, and add up how much of the work was done by generated code. */
import { appendFileSync } from "node:fs";
import type { Board } from "../../lib/board/board.ts";
import { type LockstepOptions, lockstep } from "../../lib/board/lockstep.ts";
import type { BoardConfig } from "../../lib/board/virt.ts";

const isFull = process.env["DOM0_TEST_FULL"] === "1";

/**
 * Instructions that each part runs at least: 20 million together, or 1,000 million at the long size. The boot of Linux comes
 * on top where its kernel is there.
 */
export const PLANNED = isFull
  ? { looping: 600e6, images: 250e6, guests: 250e6 }
  : { looping: 11e6, images: 5e6, guests: 4.5e6 };
/** The sum that all parts promise. */
export const PLANNED_IN_ALL: number = isFull ? 1000e6 : 20e6;

/** What lockstep runs have done so far. */
export class Tally {
  instructions = 0;
  steps = 0;
  slowSteps = 0;
  /** In regions, and privileged ones in WebAssembly: all that neither the slow path nor the cold tier made. */
  regionSteps = 0;
  regions = 0;

  /** Adds a run. */
  add(board: Board, instructions: number): void {
    const { counters } = board;
    if (counters === undefined) throw new Error("this board has no translating engine");
    this.instructions += instructions;
    this.steps += counters.steps;
    this.slowSteps += counters.slowSteps;
    this.regionSteps += counters.regionSteps;
    this.regions += counters.regions;
  }

  /** The part of all steps that generated code made. */
  get share(): number {
    return 1 - this.slowSteps / Math.max(1, this.steps);
  }

  /** The part of all steps that regions made. */
  get regionShare(): number {
    return this.regionSteps / Math.max(1, this.steps);
  }

  /** What says that a slower part stood in for a faster one; empty when none did. */
  fallbacks({ share, regionShare }: { readonly share: number; readonly regionShare: number }): string[] {
    const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
    return [
      ...(this.share < share
        ? [`${percent(this.share)} of the steps in generated code, not ${percent(share)}`]
        : []),
      ...(this.regionShare < regionShare
        ? [`${percent(this.regionShare)} of the steps in regions, not ${percent(regionShare)}`]
        : []),
      ...(this.regions === 0 ? ["no regions"] : []),
    ];
  }

  /** Says for the report of the whole run how much this part has compared. */
  report(part: keyof typeof PLANNED | "Linux"): void {
    const file = process.env["DOM0_LOCKSTEP_REPORT"];
    if (file === undefined) return;
    appendFileSync(file, `${JSON.stringify({ part, instructions: this.instructions })}\n`);
  }

  /** One line for the terminal. */
  words(title: string): string {
    const millions = (this.instructions / 1e6).toFixed(1);
    const [percent, inRegions] = [this.share, this.regionShare].map((share) => (100 * share).toFixed(1));
    return `lockstep, ${title}: ${millions} million instructions, ${percent} % of the steps in generated code, ${inRegions} % in its ${this.regions} regions`;
  }
}

type EngineConfig = Pick<BoardConfig, "engine" | "translating">;

/** How to run what `load` makes of a board; the engine is nobody's choice but the run's. */
export interface LockstepRun extends Pick<LockstepOptions, "instructions" | "every" | "before"> {
  readonly title: string;
  readonly build: (engine: EngineConfig) => Board;
  /** Translates at the fourth arrival, and small regions too: more is translated, in more shapes. */
  readonly isEager?: boolean;
  readonly tally: Tally;
}

/** Runs on both engines; throws what differs, with the title. */
export function expectSame({ title, build, tally, isEager = false, ...options }: LockstepRun): Board {
  const eager = { translating: { heatThreshold: 4, batch: 2, urgentTimes: 1, maxInsns: 60 } };
  const translator: EngineConfig = { engine: "translator", ...(isEager ? eager : {}) };
  const report = lockstep({
    build: () => [build({ engine: "reference" }), build(translator)],
    ...options,
  });
  if (report.kind === "different") throw new Error(`${title}\n${report.message}`);
  tally.add(report.boards[1], report.retired);
  return report.boards[1];
}
