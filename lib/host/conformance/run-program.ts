/**
 * Runs one RISC-V program that says by itself whether it passed.
 *
 * Two conventions are known. riscv-tests: the program writes to `tohost`, 1 for a pass, else twice the number of the failed
 * case plus one. riscv-arch-test: after that the bytes between `begin_signature` and `end_signature` are what counts.
 */

import type { Board } from "../../board/board.ts";
import { defaultEngine, type EngineName } from "../../board/engine-choice.ts";
import type { Stop } from "../../board/stop.ts";
import { buildBoard } from "../../board/virt.ts";
import type { ReferenceOptions } from "../../engine/reference/create.ts";
import { signatureDifference } from "./signature.ts";

/**
 * What became of a program. `timed-out`: it used up its instructions without a verdict; `not-runnable`: the file cannot be
 * loaded, or follows no convention.
 */
export type Outcome = "passed" | "failed" | "timed-out" | "not-runnable";

/** What became of one program, and why. */
export interface Conformance {
  readonly name: string;
  readonly outcome: Outcome;
  /** One line. */
  readonly detail: string;
  /** Instructions retired. */
  readonly instructions: number;
}

/** How to run programs. */
export interface ConformanceOptions {
  /** Instructions after which a program has timed out. 50 million when left out, about two seconds. */
  readonly budget?: number;
  readonly accelerations?: ReferenceOptions;
  readonly engine?: EngineName;
  /** `sticky`: a translation lives until a fence covers it, so that programs show whether they fence. */
  readonly translations?: "coherent" | "sticky";
  /** Bytes of RAM; 16 MiB when left out. */
  readonly ramBytes?: number;
}

/** Instructions that a program may use when nobody says otherwise. */
export const DEFAULT_BUDGET = 50_000_000;
const DEFAULT_RAM_BYTES = 16 << 20;
/** `tohost` is looked at after each piece. */
const PIECE_INSTRUCTIONS = 5_000;
const PASSED = 1n;

/** What ended a program: a word in `tohost`, or how the run stopped without one. */
type End = { readonly written: bigint } | { readonly stop: Stop };

function runToVerdict(board: Board, toHost: bigint, budget: number): End {
  for (;;) {
    const left = budget - board.clock.retired;
    const stop = board.run({ instructions: Math.min(PIECE_INSTRUCTIONS, left) });
    const written = board.memory.load(toHost, 8);
    if (typeof written === "bigint" && written !== 0n) return { written };
    if (stop.reason !== "budget" || board.clock.retired >= budget) return { stop };
  }
}

const WITHOUT_VERDICT: Readonly<Record<Stop["reason"], string>> = {
  budget: "no verdict within its instructions",
  time: "ran out of time",
  reset: "asked for a reset",
  wfi: "sleeps for good",
  "trap-loop": "traps again and again without end",
  poweroff: "switched the machine off",
  "handler-error": "called a handler",
  breakpoint: "stopped",
};

/**
 * Runs one program.
 *
 * @param expectedSignature  Text of the signature file beside it, when there is one: then that decides.
 */
export function runProgram(
  name: string,
  file: Uint8Array,
  expectedSignature?: string,
  {
    budget = DEFAULT_BUDGET,
    accelerations = {},
    engine = defaultEngine(),
    translations = "coherent",
    ramBytes = DEFAULT_RAM_BYTES,
  }: ConformanceOptions = {},
): Conformance {
  const board = buildBoard({ ramBytes, accelerations, engine, translations });
  const image = board.loadElf(file);
  const result = (outcome: Outcome, detail: string): Conformance => ({
    name,
    outcome,
    detail,
    instructions: board.clock.retired,
  });
  if (image.kind === "load-error") return result("not-runnable", image.message);
  const toHost = board.symbols.addressOf("tohost");
  if (toHost === undefined) return result("not-runnable", "the program has no symbol tohost");
  const end = runToVerdict(board, toHost, budget);
  if ("stop" in end) {
    const { reason } = end.stop;
    const detail = `never wrote to tohost: ${WITHOUT_VERDICT[reason]}`;
    return result(reason === "budget" ? "timed-out" : "failed", detail);
  }
  const { written } = end;
  if (expectedSignature !== undefined) {
    const difference = signatureDifference(board, expectedSignature);
    return difference === undefined ? result("passed", "signature equal") : result("failed", difference);
  }
  if (written === PASSED) return result("passed", "");
  if ((written & 1n) === 0n)
    return result(
      "failed",
      `asked its host for a service (tohost = 0x${written.toString(16)}); there is none`,
    );
  return result("failed", `case ${written >> 1n} failed`);
}
