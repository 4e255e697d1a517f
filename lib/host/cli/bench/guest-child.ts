/** Runs one benchmark guest, in a process of its own. Argument: a {@link GuestOrder}; answer: a {@link GuestAnswer}; both JSON. */
import process from "node:process";
import type { EngineName } from "../../../board/engine-choice.ts";
import { buildBoard } from "../../../board/virt.ts";
import { type BenchGuestName, RESULT_SYMBOL } from "../../../systems/bench-guests.ts";
import { answerOrder } from "./child-answer.ts";
import { withRounds } from "./guest-image.ts";

/** What to run. */
export interface GuestOrder {
  readonly guest: BenchGuestName;
  readonly rounds: number;
  readonly engine: EngineName;
  /** Instructions of the first part, after which the processor time is taken. None when left out. */
  readonly firstInsns?: number;
}

/** How it went. */
export interface GuestAnswer {
  /** The word that the guest left, 16 hexadecimal digits. */
  readonly result: string;
  readonly retired: number;
  /** From the board's construction to power-off. */
  readonly guestMs: { readonly wall: number; readonly processor: number };
  /** What was left after the first part. */
  readonly second?: { readonly retired: number; readonly processorMs: number };
}

/** More than any benchmark retires. */
const BUDGET = 1e13;

const processorMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** Runs the guest to its power-off. Throws when it ends otherwise: that is our bug. */
function runGuest({ guest, rounds, engine, firstInsns }: GuestOrder): GuestAnswer {
  const file = withRounds(guest, rounds);
  const [wallBegan, processorBegan] = [performance.now(), processorMs()];
  const board = buildBoard({ engine });
  const image = board.loadElf(file);
  if (image.kind === "load-error") throw new Error(image.message);
  let [halfway, halfwayMs] = [0, 0];
  if (firstInsns !== undefined) {
    halfway = board.run({ instructions: firstInsns }).retired;
    halfwayMs = processorMs();
  }
  const stop = board.run({ instructions: BUDGET });
  const [wallEnded, processorEnded] = [performance.now(), processorMs()];
  if (stop.reason !== "poweroff") throw new Error(`${guest} ended with ${stop.reason}`);
  const address = board.symbols.addressOf(RESULT_SYMBOL) ?? 0n;
  const result = BigInt(board.memory.load(address, 8) as bigint)
    .toString(16)
    .padStart(16, "0");
  const second =
    firstInsns === undefined
      ? {}
      : { second: { retired: stop.retired - halfway, processorMs: processorEnded - halfwayMs } };
  return {
    result,
    retired: stop.retired,
    guestMs: { wall: wallEnded - wallBegan, processor: processorEnded - processorBegan },
    ...second,
  };
}

answerOrder(runGuest);
