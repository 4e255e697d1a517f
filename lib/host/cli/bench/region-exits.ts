/** Regions in a profile: the time spent in each, how often it was left, where and why. */

import {
  EXIT_REASONS,
  type ExitCount,
  type ExitReason,
} from "../../../engine/translator/region/exit-profile.ts";
import { alignedLines } from "./report.ts";

/** One way out of a region. */
export interface RegionExit {
  readonly reason: ExitReason;
  /** The guest's name of the place. */
  readonly place: string;
  /** Of the instruction that gave up; empty for other reasons. */
  readonly mnemonic: string;
  readonly count: number;
}

/** A region and its ways out, the most frequent first. */
export interface LeftRegion {
  /** Address of its first instruction, as profilers show it. */
  readonly address: string;
  readonly name: string;
  readonly exits: readonly RegionExit[];
}

/** So many ways out are kept of each region, so many regions are shown for their time, and so many more for their exits. */
const KEPT_EXITS = 6;
const SHOWN_BY_TIME = 12;
const SHOWN_BY_EXITS = 8;

const total = (exits: readonly RegionExit[]): number => exits.reduce((sum, { count }) => sum + count, 0);

/** What was counted, by region; regions that were never left are not among them. */
export function leftRegions(
  counts: readonly Readonly<ExitCount>[],
  nameOf: (address: bigint) => string,
): LeftRegion[] {
  const byRegion = new Map<bigint, RegionExit[]>();
  for (const { region, reason, pc, mnemonic, count } of counts) {
    if (count === 0) continue;
    const exits = byRegion.get(region) ?? [];
    exits.push({ reason, place: nameOf(pc), mnemonic, count });
    byRegion.set(region, exits);
  }
  return [...byRegion]
    .map(([region, exits]) => ({
      address: region.toString(16),
      name: nameOf(region),
      exits: exits.sort((left, right) => right.count - left.count),
    }))
    .sort((left, right) => total(right.exits) - total(left.exits));
}

/** How often regions were left, by reason, and by what gave up. */
export function exitsByReason(regions: readonly LeftRegion[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { exits } of regions)
    for (const { reason, mnemonic, count } of exits) {
      const text = mnemonic === "" ? EXIT_REASONS[reason] : `${EXIT_REASONS[reason]}: ${mnemonic}`;
      sums[text] = (sums[text] ?? 0) + count;
    }
  return sums;
}

const exitText = ({ reason, place, mnemonic }: RegionExit): string =>
  mnemonic === "" ? `${EXIT_REASONS[reason]}, at ${place}` : `${mnemonic} at ${place} gave up`;

/**
 * The regions with the most time and those that were left most often, with their ways out.
 *
 * @param milliseconds  Time in each region, by its address.
 */
export function regionLines(
  regions: readonly LeftRegion[],
  milliseconds: ReadonlyMap<string, number>,
): string[] {
  const timeOf = ({ address }: LeftRegion): number => milliseconds.get(address) ?? 0;
  const byTime = [...regions].sort((left, right) => timeOf(right) - timeOf(left)).slice(0, SHOWN_BY_TIME);
  const others = regions.filter((region) => !byTime.includes(region)).slice(0, SHOWN_BY_EXITS);
  return [...byTime, ...others].flatMap((region) => [
    `${region.name} (${region.address}): ${Math.round(timeOf(region))} ms, left ${total(region.exits).toLocaleString("en")} times`,
    ...alignedLines(
      region.exits
        .slice(0, KEPT_EXITS)
        .map((exit) => [`  ${exitText(exit)}`, exit.count.toLocaleString("en"), ""]),
    ),
  ]);
}
