/**
 * The island as a machine: land some instructions on the user's page, watch the hart go down to them, and see what
 * brings it back up. Each landing starts from the same moment, so a failed attempt leaves no trace.
 */
import type { Board } from "../board/board.ts";
import type { Snapshot } from "../board/snapshot.ts";
import type { StepRecord } from "../board/step-record.ts";
import { buildBoard } from "../board/virt.ts";
import type { TrapEvent } from "../hart/trap-event.ts";
import type { Item } from "../isa/assembler/item.ts";
import { program } from "../isa/assembler/program.ts";
import type { Mode } from "../isa/mode.ts";
import { explainTrap, type TrapExplanation } from "../mmu/explain-trap.ts";
import { show } from "../notebook/display.ts";
import {
  type IslandOptions,
  type IslandPage,
  islandImage,
  islandPages,
  PLACE,
  USER_CODE,
} from "./island-image.ts";

/** How a landing went. */
export interface Landing {
  /** Every step from power-on to the first trap, or to the end of the budget. */
  readonly steps: readonly StepRecord[];
  /** The trap that ended it; `undefined` when the budget did. */
  readonly event: TrapEvent | undefined;
  /** The same, explained with the page tables as they were then. */
  readonly explanation: TrapExplanation | undefined;
  /** Its exception code, e.g. 8 for ECALL from U-mode. */
  readonly cause: number | undefined;
  /** The mode that took it. */
  readonly takenBy: Mode | undefined;
}

/** Instructions that a landing may take, boot included. */
const LANDING_BUDGET = 400;
const RAM_BYTES = 1 << 20;

/** One island. */
export class Island {
  readonly board: Board;
  /** Every page that the kernel mapped. */
  readonly pages: readonly IslandPage[];
  /** Virtual addresses of the sixteen vault pages; each begins with its secret. */
  readonly vault: readonly bigint[];
  #start: Snapshot;

  constructor(options: IslandOptions) {
    this.board = buildBoard({ ramBytes: RAM_BYTES });
    this.board.load({ origin: PLACE.boot, bytes: islandImage(options) });
    this.pages = islandPages(options);
    this.vault = this.pages.filter((page) => page.name.startsWith("vault")).map((page) => page.vaddr);
    this.#start = this.board.snapshot();
  }

  /**
   * Puts instructions on the user's page and runs from power-on to the first trap.
   *
   * A mistake in the instructions is shown in place of a run: then the landing has no steps and no trap.
   */
  land(items: readonly Item[]): Landing {
    const made = program({ origin: USER_CODE }, items);
    if (made.kind === "assembly-error") {
      show({ "text/plain": made.message });
      return { steps: [], event: undefined, explanation: undefined, cause: undefined, takenBy: undefined };
    }
    const { board } = this;
    board.revert(this.#start);
    board.memory.write(PLACE.userCode, made.bytes);
    let event: TrapEvent | undefined;
    let explanation: TrapExplanation | undefined;
    const stopListening = board.onTrap((taken) => {
      event ??= taken;
      explanation ??= explainTrap(board.hart, taken);
    });
    const { steps = [] } = board.run({ instructions: LANDING_BUDGET, until: { trap: true }, log: true });
    stopListening();
    return { steps, event, explanation, cause: event?.trap.cause, takenBy: event?.to };
  }

  /** The 64-bit word at a physical address of RAM, as the next landing will find it. */
  peek(paddr: bigint): bigint {
    this.board.revert(this.#start);
    const found = this.board.memory.load(paddr, 8);
    return typeof found === "bigint" ? found : 0n;
  }

  /** Changes a 64-bit word for all landings from now on. */
  poke(paddr: bigint, value: bigint): void {
    this.board.revert(this.#start);
    this.board.memory.store(paddr, 8, value);
    this.#start = this.board.snapshot();
  }
}

/** Builds an island; see {@link IslandOptions}. */
export const buildIsland = (options: IslandOptions): Island => new Island(options);
