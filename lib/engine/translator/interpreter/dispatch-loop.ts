/**
 * The dispatch loop: executes slots until something is to be done that takes a call. It calls nothing itself, so that all it
 * works with stays in the host's registers; `interpret` does what it asks for, and comes back.
 *
 * `(h, budget, depth, entry) → (budget, frames and reason)`. `entry` is twice the count of frames, and 1 more if the pc is an
 * arrival; what comes back is the count above the bits of an `Ending`.
 */
import { HEAT_IN_PAGE, HEAT_IS_SLOT, MISFIT_CELLS, TABLE_SLOTS, WORD } from "../layout.ts";
import type { Label, Local } from "../wasm/code.ts";
import { DATUM, ENDING_BITS, Ending, PC } from "./ending.ts";
import {
  FETCH_CODE_PAGE,
  FETCH_TAG,
  type InterpreterOptions,
  LoopFrame,
  type LoopLabels,
} from "./loop-frame.ts";
import {
  INTERPRETER_OPS,
  type InterpreterOp,
  OP_ACROSS,
  OP_NOTHING_2,
  OP_NOTHING_4,
  OP_SLOW,
  OP_UNDECODED,
} from "./op.ts";
import { PAIRS, type Pair } from "./pair.ts";
import { SLOT_OP, SLOT_SHIFT } from "./slot.ts";
import { SlotHandlers } from "./slot-handlers.ts";

const PAGE_MASK = -4096n;
const ENTRY = 3 as Local;

/** Which ops a loop knows. */
export interface OpSelection {
  readonly ops: readonly InterpreterOp[];
  readonly pairs: readonly Pair[];
}

/** Writes the body of the loop, for all ops; or for some, to show what it is like. */
export function writeDispatchLoop(
  options: InterpreterOptions,
  choice: OpSelection = { ops: INTERPRETER_OPS, pairs: PAIRS },
): Uint8Array {
  return new DispatchLoop(options, choice).write();
}

class DispatchLoop {
  readonly #choice: OpSelection;
  readonly #frame: LoopFrame;
  readonly #handlers: SlotHandlers;

  constructor(options: InterpreterOptions, choice: OpSelection) {
    this.#choice = choice;
    this.#frame = new LoopFrame(options);
    this.#handlers = new SlotHandlers(this.#frame);
  }

  write(): Uint8Array {
    const { code } = this.#frame;
    const { target, slot } = this.#frame.locals;
    this.#begin();
    const leave = code.block();
    const leaveHere = code.block();
    const bail = code.block();
    const after2 = code.block();
    const after4 = code.block();
    this.#writeLoops({ leave, leaveHere, bail, bailAfter: { 2: after2, 4: after4 } });
    code.end();
    this.#frame.add(slot, 2 << SLOT_SHIFT);
    code.end();
    this.#frame.add(slot, 2 << SLOT_SHIFT);
    this.#frame.add(this.#frame.locals.budget, -1);
    code.end();
    this.#frame.end(Ending.SLOW);
    code.end();
    this.#frame.pushSlotPc();
    code.set(target);
    code.end();
    this.#finish();
    return code.finish();
  }

  #begin(): void {
    const { code } = this.#frame;
    const { hart, frames, arriving, target } = this.#frame.locals;
    code.get(ENTRY);
    code.i32(1);
    code.op("i32.shr_u");
    code.set(frames);
    code.get(ENTRY);
    code.i32(1);
    code.op("i32.and");
    code.set(arriving);
    code.get(hart);
    code.load("i64.load", PC);
    code.set(target);
  }

  #finish(): void {
    const { code } = this.#frame;
    const { hart, target, budget, frames, ending } = this.#frame.locals;
    code.get(hart);
    code.get(target);
    code.store("i64.store", PC);
    code.get(budget);
    code.get(frames);
    code.i32(ENDING_BITS);
    code.op("i32.shl");
    code.get(ending);
    code.op("i32.or");
  }

  #writeLoops(out: Pick<LoopLabels, "leave" | "leaveHere" | "bail" | "bailAfter">): void {
    const { code } = this.#frame;
    const look = code.loop();
    this.#lookUp(out);
    const arrive = code.loop();
    this.#arrive(out);
    const next = code.loop();
    this.#dispatch({ ...out, look, arrive, next });
    code.end();
    code.end();
    code.end();
    code.op("unreachable");
  }

  /** From `target` to its slot, by the fetch bank. */
  #lookUp({ leave }: Pick<LoopLabels, "leave">): void {
    const { code } = this.#frame;
    const { target, page, bias, slot } = this.#frame.locals;
    const entry = this.#frame.temps.at("i32", 0);
    this.#frame.pushFetchEntry(target);
    code.tee(entry);
    code.load("i64.load", FETCH_TAG);
    code.get(target);
    code.i64(PAGE_MASK | 1n);
    code.ops("i64.and", "i64.ne");
    this.#frame.endIf(Ending.FETCH_MISS, leave);
    code.get(entry);
    code.load("i32.load", FETCH_CODE_PAGE);
    code.set(page);
    code.get(target);
    code.i64(PAGE_MASK);
    code.op("i64.and");
    code.get(page);
    code.i32(SLOT_SHIFT);
    code.ops("i32.shr_u", "i64.extend_i32_u", "i64.sub");
    code.set(bias);
    code.get(page);
    code.get(target);
    code.op("i32.wrap_i64");
    code.i32(0xffe);
    code.op("i32.and");
    code.i32(SLOT_SHIFT);
    code.ops("i32.shl", "i32.add");
    code.set(slot);
  }

  /** Counts heat, or leaves for the region that begins at the slot. */
  #arrive({ leaveHere }: Pick<LoopLabels, "leaveHere">): void {
    const { code } = this.#frame;
    const { arriving, slot, page, hart } = this.#frame.locals;
    const heatAt = this.#frame.temps.at("i32", 0);
    const heat = this.#frame.temps.at("i32", 1);
    code.get(arriving);
    code.if();
    code.get(slot);
    code.get(page);
    code.op("i32.add");
    code.i32(1);
    code.op("i32.shr_u");
    code.tee(heatAt);
    code.load("i32.load", HEAT_IN_PAGE);
    code.tee(heat);
    code.i32(HEAT_IS_SLOT);
    code.op("i32.lt_s");
    code.if();
    code.get(heatAt);
    code.get(heat);
    code.i32(1);
    code.op("i32.add");
    code.tee(heat);
    code.store("i32.store", HEAT_IN_PAGE);
    code.get(heat);
    code.i32(this.#frame.options.heatThreshold - 1);
    code.ops("i32.and", "i32.eqz");
    code.if();
    this.#leaveWithHeat(Ending.HOT, heatAt, leaveHere);
    code.end();
    code.else();
    code.get(heat);
    code.i32(TABLE_SLOTS - 1);
    code.op("i32.and");
    code.i32(2);
    code.op("i32.shl");
    code.load("i32.load", MISFIT_CELLS);
    code.get(hart);
    code.load("i32.load", WORD.codeBit);
    code.ops("i32.and", "i32.eqz");
    code.if();
    this.#leaveWithHeat(Ending.REGION, heatAt, leaveHere);
    code.end();
    code.end();
    code.end();
    code.i32(1);
    code.set(arriving);
  }

  #leaveWithHeat(ending: Ending, heatAt: Local, label: Label): void {
    const { code } = this.#frame;
    code.get(this.#frame.locals.hart);
    code.get(heatAt);
    code.i32(HEAT_IN_PAGE);
    code.op("i32.add");
    code.store("i32.store", DATUM);
    this.#frame.end(ending);
    code.br(label);
  }

  /** One block for each op; what the table of branches leads to stands behind the block's end. Pairs are innermost. */
  #dispatch(labels: LoopLabels): void {
    const { code } = this.#frame;
    const handlers: (() => void)[] = [];
    const blocks: (Label | undefined)[] = [];
    const open = (number: number, handler: () => void): void => {
      blocks[number] = code.block();
      handlers.push(handler);
    };
    open(OP_UNDECODED, () => this.#handlers.undecoded(labels));
    open(OP_SLOW, () => code.br(labels.bail));
    open(OP_NOTHING_2, () => this.#handlers.nothing(labels, 2));
    open(OP_NOTHING_4, () => this.#handlers.nothing(labels, 4));
    open(OP_ACROSS, () => this.#handlers.across(labels));
    for (const op of this.#choice.ops) open(op.number, () => this.#handlers.single(labels, op));
    for (const pair of this.#choice.pairs) open(pair.number, () => this.#handlers.pair(labels, pair));
    this.#branch(labels, blocks);
    for (const handler of handlers.reverse()) {
      code.end();
      handler();
    }
  }

  /** Branches to the op of the slot. With budget for one instruction only, a pair is its first op. */
  #branch({ leaveHere }: LoopLabels, blocks: readonly (Label | undefined)[]): void {
    const { code } = this.#frame;
    const { slot, budget } = this.#frame.locals;
    const op = this.#frame.temps.at("i32", 0);
    const [undecoded] = blocks;
    if (undecoded === undefined) throw new RangeError("no ops");
    const all = Array.from(blocks, (block) => block ?? undecoded);
    const single = [...all];
    for (const { number, first } of this.#choice.pairs) single[number] = blocks[first.number] ?? undecoded;
    code.get(slot);
    code.load("i32.load16_u", SLOT_OP);
    code.set(op);
    code.get(budget);
    code.i32(2);
    code.op("i32.lt_s");
    code.if();
    code.get(budget);
    code.i32(0);
    code.op("i32.le_s");
    this.#frame.endIf(Ending.BUDGET, leaveHere);
    code.get(op);
    code.brTable(single, undecoded);
    code.end();
    code.get(op);
    code.brTable(all, undecoded);
  }
}
