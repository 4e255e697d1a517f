/** A board with a privileged program in assembly and its handlers in TypeScript. */
import type { Board } from "../../../lib/board/board.ts";
import type { BoardConfig } from "../../../lib/board/virt.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { type HandlerOptions, installHandlers } from "../../../lib/hs/install.ts";
import { boardWith } from "../../support/assembled.ts";

/** A board that executes `hx 1` first, then sleeps; `trap` is where machine mode's traps go. */
export function boardThatCalls(
  handle: (context: HsContext) => unknown,
  {
    before = "",
    config = {},
    options = {},
  }: { readonly before?: string; readonly config?: BoardConfig; readonly options?: HandlerOptions } = {},
): Board {
  const board = boardWith(
    `la t0, trap\n csrw mtvec, t0\n la sp, area\n ${before}\n call: hx 1\n done: wfi\n j done
     trap: wfi\n j trap\n .balign 8\n area: .zero 1024`,
    config,
  );
  installHandlers(
    board,
    () => ({ 1: { name: "test", handle: handle as (context: HsContext) => void } }),
    options,
  );
  return board;
}

/** Runs `hx` for the first time; where the hart stands before it is `call`. */
export function runToCall(board: Board): void {
  const call = board.symbols.addressOf("call") ?? 0n;
  board.run({ instructions: 100, until: { pc: call } });
}

/** The step that calls the handler. */
export function callOnce(board: Board) {
  runToCall(board);
  return board.step();
}

/** Address of a label. */
export const placeIn = (board: Board, label: string): bigint => board.symbols.addressOf(label) ?? 0n;
