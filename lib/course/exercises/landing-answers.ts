/**
 * Hints and reference answers of notebook 01. A reference answer is source text: the reader sees it, and a test puts
 * it into the notebook in place of the stub, so what is shown is what passes.
 */

import { countdownOf, countdownSum } from "./countdown.ts";
import { delegationWish } from "./delegation.ts";

/** What a reader may ask for when stuck. */
export interface Help {
  /** From a nudge to almost the answer. */
  readonly hints: readonly string[];
  /** TypeScript that replaces the stub. */
  readonly source: (seed: number) => string;
  /** Why the answer is right. */
  readonly because: string;
}

/** Help for each exercise of notebook 01. */
export const LANDING_HELP = {
  "01.1": {
    hints: [
      "Write down a1 at the moment when add runs, turn by turn. The last value is the stride, not 0.",
      "bne compares after a1 shrank. In the last turn it finds 0 and falls through.",
    ],
    source: (seed) => {
      const countdown = countdownOf(seed);
      return `const mine = { seed: SEED, a0: ${countdownSum(countdown)}n, taken: ${countdown.turns - 1} };`;
    },
    because:
      "The loop adds the counter before it shrinks, so the first value counts and zero never does. The branch is taken once less than the loop turns.",
  },
  "01.2": {
    hints: [
      "Bit n of medeleg delegates cause n. Causes have numbers: the trap card names them.",
      "1n << 8n is the bit of cause 8. Join bits with |.",
    ],
    source: (seed) =>
      `const medeleg = ${delegationWish(seed)
        .causes.map((cause) => `(1n << ${cause}n)`)
        .join(" | ")};`,
    because:
      "medeleg has one bit for each exception code. A set bit sends that exception to S-mode when it comes from S or U; a clear one sends it to M-mode.",
  },
  "01.3": {
    hints: [
      "Two returns go down: MRET takes its target from mepc and its mode from mstatus.MPP; SRET uses sepc and sstatus.SPP. You may also go straight from M to U.",
      "Without a PMP rule nothing below M-mode may touch memory. Without bit 8 of medeleg the call lands in M. Without stvec it lands at address 0.",
    ],
    source: () => `const visit = (token: number) =>
  program({ origin: RAM }, [
    asm.li("t0", -1),
    asm.csrw("pmpaddr0", "t0"),
    asm.li("t0", 0x1f),
    asm.csrw("pmpcfg0", "t0"),
    asm.li("t0", 1 << 8),
    asm.csrw("medeleg", "t0"),
    asm.la("t0", "landing"),
    asm.csrw("stvec", "t0"),
    asm.li("t0", 0x1800),
    asm.csrc("mstatus", "t0"),
    asm.la("t0", "user"),
    asm.csrw("mepc", "t0"),
    asm.mret(),
    label("user"),
    asm.li("a0", token),
    asm.ecall(),
    label("landing"),
    asm.wfi(),
  ]);`,
    because:
      "MPP = 0 makes MRET drop to U-mode. The call climbs one rung, because medeleg sends cause 8 to S-mode, and lands where stvec points.",
  },
  "01.4": {
    hints: [
      "Try every page. land starts afresh each time, so a failed attempt costs nothing.",
      "An attempt that survives its load ends with ecall: cause 8. Then a0 holds what it read.",
    ],
    source: () => `function steal(seed: number, loose: boolean): bigint {
  const island = buildIsland({ seed, loose });
  for (const address of island.vault) {
    const attempt = island.land([asm.li("a1", address), asm.ld("a0", 0, "a1"), asm.ecall()]);
    if (attempt.cause === 8) return island.board.hart.read("a0");
  }
  return 0n;
}`,
    because:
      "A probe that faults tells its author one thing: not here. Sixteen probes find one loose brick. No page table was read.",
  },
  "01.5": {
    hints: [
      'Remember the at of the last climb whose why is "environment call from U-mode".',
      'The call is over at the next crossing whose to is "U", whatever happened in between.',
    ],
    source: () => `function roundTrips(crossings: readonly Crossing[]): number[] {
  const costs: number[] = [];
  let called: number | undefined;
  for (const { at, to, why } of crossings) {
    if (why === "environment call from U-mode") called = at;
    if (to !== "U" || called === undefined) continue;
    costs.push(at - called);
    called = undefined;
  }
  return costs;
}`,
    because:
      "The clock of this machine is retired instructions, so the cost of a call is a difference of two counts: exact, and the same on every computer.",
  },
} as const satisfies Readonly<Record<string, Help>>;

/** Exercises of notebook 01. */
export type LandingExercise = keyof typeof LANDING_HELP;
