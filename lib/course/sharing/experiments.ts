/** Machines that notebooks measure: two guests share a hart, and the hypervisor's RAM says what each ran. */
import { INSNS_PER_TICK } from "../../bus/clock.ts";
import type { VmmParts } from "../../vmm/parts.ts";
import { buildHost, type VmHost } from "../vm-host.ts";
import { BUSY, thief } from "./guests.ts";
import { sharesOf } from "./watch.ts";

/** How two guests share, for an experiment. */
export interface SharingOptions {
  readonly scheduler?: "ROUND_ROBIN" | "CREDIT" | "TICK_SAMPLING";
  /** Ticks of a slice, which is also the time between two ticks of a scheduler that samples. */
  readonly slice?: number;
  /** Slices that the machine runs. */
  readonly slices?: number;
  readonly weights?: readonly number[];
  /** The reader's own parts. */
  readonly parts?: VmmParts;
}

/** What each of them has. */
export const SHARER_RAM = 1 << 18;
/** The tick of the notebook's thief. */
const THEFT_TICK = 20_000;

/** A machine that has run with guests that share a hart by these rules. */
export function shareHart(images: readonly string[], options: SharingOptions = {}): VmHost {
  const { scheduler = "CREDIT", slice = 2_000, slices = 150, weights = [], parts } = options;
  const host = buildHost({
    guests: images.map((image, index) => ({
      image,
      ramBytes: SHARER_RAM,
      hasTerminal: false,
      weight: weights[index] ?? 256,
    })),
    scheduler,
    slice,
    period: 3 * slice,
    engine: "translator",
    judge: false,
    ...(parts === undefined ? {} : { parts }),
  });
  host.run(slices * slice * INSNS_PER_TICK);
  return host;
}

/** The first guest's part of the hart, in hundredths, beside one that works without end. */
export const shareOf = (image: string, options: SharingOptions = {}): number =>
  100 * (sharesOf(shareHart([image, BUSY], options))[0] ?? 0);

/** What a guest has, in hundredths of the hart, that goes to sleep so many ticks before each tick of 20,000. */
export const theftAt = (margin: number, scheduler: "CREDIT" | "TICK_SAMPLING"): number =>
  shareOf(thief(THEFT_TICK, margin), { scheduler, slice: THEFT_TICK, slices: 30 });

const STEP = 20;
const MOST_STEPS = 20_000;

/** Runs a machine to the moment behind its next world switch, when a guest is about to go on. */
export function runToSwitch(host: VmHost): void {
  const { switches } = host.state.pcpu(0);
  for (let step = 0; step < MOST_STEPS; step++) {
    host.run(STEP);
    if (host.state.pcpu(0).switches !== switches && host.board.hart.mode === "VS") return;
  }
}
