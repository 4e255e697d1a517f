/** What the fast engine promises: our speed over that of the fastest QEMU, measured in the same run. Figures, never tests. */
import type { BenchGuestName } from "../../../systems/bench-guests.ts";

/** A promise. */
export interface Target {
  /** At least this ratio. */
  readonly atLeast: number;
  /** What would be fine. */
  readonly stretch?: number;
}

/** By guest; those without are shown beside the others. */
export const GUEST_TARGETS: Readonly<Record<BenchGuestName, Target | undefined>> = {
  mix: { atLeast: 0.9 },
  sha256: { atLeast: 0.9 },
  qsort: { atLeast: 0.9 },
  bytecode: { atLeast: 0.9 },
  chase: { atLeast: 0.9 },
  memcpy: { atLeast: 2 },
  matmul: { atLeast: 2 },
  "matmul-fused": { atLeast: 0.8 },
  bigcode: { atLeast: 0.9, stretch: 1.3 },
  ecall: { atLeast: 1.5 },
  ptswitch: { atLeast: 2 },
  fencei: { atLeast: 3 },
  hvexit: { atLeast: 5 },
  hvhop: { atLeast: 1.5 },
  // Beside `hvhop`, for comparison.
  "hvhop-near": undefined,
};

/** The guests whose geometric mean has a target of its own. */
export const INTEGER_GUESTS: readonly BenchGuestName[] = ["mix", "sha256", "qsort", "bytecode", "chase"];
/** Its target. */
export const INTEGER_TARGET: Target = { atLeast: 1.1, stretch: 1.5 };
/** Processor time of QEMU over ours, from power-on to a command and to power-off. */
export const LINUX_TARGET: Target = { atLeast: 0.5, stretch: 1 };
/** Resident memory after the Linux boot beyond the guest's RAM, in MB. */
export const LINUX_RESIDENT_MB = 300;
/** From a tab's first instruction to the shell of that kernel, in seconds on the wall. */
export const LINUX_IN_CHROMIUM_SECONDS = 15;
/** From a board's construction to power-off of a guest of two million instructions, in ms. */
export const START_UP_MS = 150;
/** Growth of resident memory over mixed guests, in MB a minute. */
export const GROWTH_MB_PER_MINUTE = 1;

/** `met`, `stretch met`, `missed`, or `-` when nothing was measured or promised. */
export function verdictOf(ratio: number, target: Target | undefined): string {
  if (Number.isNaN(ratio) || target === undefined) return "-";
  const { atLeast, stretch } = target;
  if (stretch !== undefined && ratio >= stretch) return "stretch met";
  return ratio >= atLeast ? "met" : "missed";
}
