/**
 * The dispatch loop: executes slots until something is to be done that takes a call. It calls nothing itself, so that all it
 * works with stays in the host's registers; `interpret` does what it asks for, and comes back.
 *
 * `(h, budget, depth, entry) → (budget, frames and reason)`. `entry` is twice the count of frames, and 1 more if the pc is an
 * arrival; what comes back is the count above the bits of an `Ending`.
 */
import { emitLoad, emitStore } from "../emit/memory-access.ts";
import {
  FETCH_ENTRIES,
  FETCH_ENTRY_BYTES,
  HEAT_IN_PAGE,
  HEAT_IS_SLOT,
  MISFIT_CELLS,
  RAM_OFFSET,
  TABLE_SLOTS,
  WORD,
  xOffset,
} from "../layout.ts";
import { Code, type Label, type Local } from "../wasm/code.ts";
import {
  type ControlLabels,
  type ControlLocals,
  type ControlPlace,
  emitControl,
  emitPrivileged,
  goOn,
} from "./control-flow.ts";
import { DATUM, ENDING_BITS, Ending, PC } from "./ending.ts";
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
import { ACROSS_DISTANCE, SLOT_IMM, SLOT_OP, SLOT_SHIFT, SLOTS_END } from "./slot.ts";
import { SlotEmission, Temps } from "./slot-emission.ts";

/** What differs between the modules of boards. */
export interface InterpreterOptions {
  /** Page flags that keep stores from the fast path. */
  readonly flagMask: number;
  /** `hot` is called whenever a heat word has counted so many arrivals: a power of two. */
  readonly heatThreshold: number;
}

interface Labels extends ControlLabels {
  /** Out of the loop, with the slot's address as the pc. */
  readonly leaveHere: Label;
  /** The slow path: for this slot; for the one that is 2 or 4 bytes behind it. */
  readonly bail: Label;
  readonly bailAfter: Readonly<Record<2 | 4, Label>>;
}

const PAGE_MASK = -4096n;
const PAGE_SHIFT = 12;
const TAG = 0;
const CODE_PAGE = 8;
const PAGE_OFFSET = 12;

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
  readonly #options: InterpreterOptions;
  readonly #choice: OpSelection;
  readonly #code = new Code(4);
  readonly #temps = new Temps(this.#code);
  readonly #entry = 3 as Local;
  readonly #locals: ControlLocals;

  constructor(options: InterpreterOptions, choice: OpSelection) {
    this.#options = options;
    this.#choice = choice;
    const code = this.#code;
    this.#locals = {
      hart: 0 as Local,
      budget: 1 as Local,
      depth: 2 as Local,
      slot: code.local("i32"),
      page: code.local("i32"),
      bias: code.local("i64"),
      target: code.local("i64"),
      frames: code.local("i32"),
      arriving: code.local("i32"),
      ending: code.local("i32"),
    };
  }

  write(): Uint8Array {
    const code = this.#code;
    const { target, slot } = this.#locals;
    this.#begin();
    const leave = code.block();
    const leaveHere = code.block();
    const bail = code.block();
    const after2 = code.block();
    const after4 = code.block();
    this.#writeLoops({ leave, leaveHere, bail, bailAfter: { 2: after2, 4: after4 } });
    code.end();
    this.#add(slot, 2 << SLOT_SHIFT);
    code.end();
    this.#add(slot, 2 << SLOT_SHIFT);
    this.#add(this.#locals.budget, -1);
    code.end();
    this.#end(Ending.SLOW);
    code.end();
    this.#pushSlotPc();
    code.set(target);
    code.end();
    this.#finish();
    return code.finish();
  }

  #begin(): void {
    const code = this.#code;
    const { hart, frames, arriving, target } = this.#locals;
    code.get(this.#entry);
    code.i32(1);
    code.op("i32.shr_u");
    code.set(frames);
    code.get(this.#entry);
    code.i32(1);
    code.op("i32.and");
    code.set(arriving);
    code.get(hart);
    code.load("i64.load", PC);
    code.set(target);
  }

  #finish(): void {
    const code = this.#code;
    const { hart, target, budget, frames, ending } = this.#locals;
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

  #writeLoops(out: Pick<Labels, "leave" | "leaveHere" | "bail" | "bailAfter">): void {
    const code = this.#code;
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
  #lookUp({ leave }: Pick<Labels, "leave">): void {
    const code = this.#code;
    const { target, page, bias, slot } = this.#locals;
    const entry = this.#temps.at("i32", 0);
    this.#pushFetchEntry(target);
    code.tee(entry);
    code.load("i64.load", TAG);
    code.get(target);
    code.i64(PAGE_MASK | 1n);
    code.ops("i64.and", "i64.ne");
    this.#endIf(Ending.FETCH_MISS, leave);
    code.get(entry);
    code.load("i32.load", CODE_PAGE);
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

  #pushFetchEntry(address: Local): void {
    const code = this.#code;
    code.get(address);
    code.op("i32.wrap_i64");
    code.i32(PAGE_SHIFT);
    code.op("i32.shr_u");
    code.i32(FETCH_ENTRIES - 1);
    code.op("i32.and");
    code.i32(FETCH_ENTRY_BYTES);
    code.op("i32.mul");
    code.get(this.#locals.hart);
    code.load("i32.load", WORD.fetchBank);
    code.op("i32.add");
  }

  /** Counts heat, or leaves for the region that begins at the slot. */
  #arrive({ leaveHere }: Pick<Labels, "leaveHere">): void {
    const code = this.#code;
    const { arriving, slot, page, hart } = this.#locals;
    const heatAt = this.#temps.at("i32", 0);
    const heat = this.#temps.at("i32", 1);
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
    code.i32(this.#options.heatThreshold - 1);
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
    const code = this.#code;
    code.get(this.#locals.hart);
    code.get(heatAt);
    code.i32(HEAT_IN_PAGE);
    code.op("i32.add");
    code.store("i32.store", DATUM);
    this.#end(ending);
    code.br(label);
  }

  /** One block for each op; what the table of branches leads to stands behind the block's end. Pairs are innermost. */
  #dispatch(labels: Labels): void {
    const code = this.#code;
    const handlers: (() => void)[] = [];
    const blocks: (Label | undefined)[] = [];
    const open = (number: number, handler: () => void): void => {
      blocks[number] = code.block();
      handlers.push(handler);
    };
    open(OP_UNDECODED, () => this.#undecoded(labels));
    open(OP_SLOW, () => code.br(labels.bail));
    open(OP_NOTHING_2, () => this.#goOn(labels, 2));
    open(OP_NOTHING_4, () => this.#goOn(labels, 4));
    open(OP_ACROSS, () => this.#across(labels));
    for (const op of this.#choice.ops) open(op.number, () => this.#single(labels, op));
    for (const pair of this.#choice.pairs) open(pair.number, () => this.#pair(labels, pair));
    this.#branch(labels, blocks);
    for (const handler of handlers.reverse()) {
      code.end();
      handler();
    }
  }

  /** Branches to the op of the slot. With budget for one instruction only, a pair is its first op. */
  #branch({ leaveHere }: Labels, blocks: readonly (Label | undefined)[]): void {
    const code = this.#code;
    const { slot, budget } = this.#locals;
    const op = this.#temps.at("i32", 0);
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
    this.#endIf(Ending.BUDGET, leaveHere);
    code.get(op);
    code.brTable(single, undecoded);
    code.end();
    code.get(op);
    code.brTable(all, undecoded);
  }

  /**
   * An instruction that goes on in the next page: if that page is known, and holds the second half with which the instruction
   * was decoded, its slot behind the page's is executed, with a bias that makes up for the distance.
   */
  #across({ bail, leaveHere, next }: Labels): void {
    const code = this.#code;
    const { slot, bias, hart } = this.#locals;
    const [entry, second] = [this.#temps.at("i32", 0), this.#temps.at("i32", 1)];
    const address = this.#temps.at("i64", 0);
    this.#pushSlotPc();
    code.i64(2n);
    code.op("i64.add");
    code.set(address);
    this.#pushFetchEntry(address);
    code.tee(entry);
    code.load("i64.load", TAG);
    code.get(address);
    code.op("i64.ne");
    code.brIf(bail);
    code.get(entry);
    code.load("i32.load", PAGE_OFFSET);
    code.load("i32.load16_u", RAM_OFFSET);
    code.tee(second);
    code.get(slot);
    code.load("i32.load", SLOT_IMM);
    code.op("i32.ne");
    code.if();
    code.get(slot);
    code.get(second);
    code.store("i32.store", SLOT_IMM);
    code.get(hart);
    code.get(slot);
    code.store("i32.store", DATUM);
    this.#end(Ending.DECODE);
    code.br(leaveHere);
    code.end();
    this.#add(slot, ACROSS_DISTANCE);
    code.get(bias);
    code.i64(BigInt(-ACROSS_DISTANCE >> SLOT_SHIFT));
    code.op("i64.add");
    code.set(bias);
    code.br(next);
  }

  /** The slots behind the last one of a page are never decoded: then the next page is looked up. */
  #undecoded({ look, leaveHere }: Labels): void {
    const code = this.#code;
    const { slot, page, target, arriving, hart } = this.#locals;
    code.get(slot);
    code.get(page);
    code.op("i32.sub");
    code.i32(SLOTS_END);
    code.op("i32.ge_u");
    code.if();
    this.#pushSlotPc();
    code.set(target);
    code.i32(0);
    code.set(arriving);
    code.br(look);
    code.end();
    code.get(hart);
    code.get(slot);
    code.store("i32.store", DATUM);
    this.#end(Ending.DECODE);
    code.br(leaveHere);
  }

  #single(labels: Labels, op: InterpreterOp): void {
    const place = this.#place(labels, op, 0, labels.bail, 1);
    if (this.#emit(place, labels, op)) goOn(place, op.sizeBytes);
  }

  #pair(labels: Labels, { first, second }: Pair): void {
    this.#emit(this.#place(labels, first, 0, labels.bail, 1), labels, first);
    const offset = first.sizeBytes << SLOT_SHIFT;
    const place = this.#place(labels, second, offset, labels.bailAfter[first.sizeBytes], 2);
    if (this.#emit(place, labels, second)) goOn(place, second.sizeBytes);
  }

  #place(
    labels: Labels,
    op: InterpreterOp,
    offset: number,
    bail: Label,
    count: 1 | 2,
  ): ControlPlace & { e: SlotEmission } {
    const code = this.#code;
    const context = { locals: this.#locals, temps: this.#temps, flagMask: this.#options.flagMask };
    const e = new SlotEmission(code, context, op, offset, bail);
    return { e, code, locals: this.#locals, labels, offset, count };
  }

  /** Emits an instruction; whether control comes out at its end. */
  #emit(
    place: ControlPlace & { e: SlotEmission },
    labels: Labels,
    { emitter, ...op }: InterpreterOp,
  ): boolean {
    const { e } = place;
    switch (emitter.kind) {
      case "compute":
        e.setRd(() => emitter.value(e));
        return true;
      case "load":
        emitLoad(e, emitter);
        return true;
      case "store":
        emitStore(e, emitter);
        return true;
      case "float":
        this.#bailWithoutFloat(e);
        this.#effect(e, emitter.emit);
        if (emitter.needs === "fast" && !e.hasAskedForNx) throw new RangeError(`${op.name} may set NX`);
        return true;
      case "effect":
        this.#effect(e, emitter.emit);
        return true;
      case "privileged":
        emitPrivileged(place, labels.leaveHere);
        return false;
      case "nothing":
        return true;
      default:
        emitControl(place, { ...op, emitter }, emitter);
        return false;
    }
  }

  #bailWithoutFloat(e: SlotEmission): void {
    this.#code.get(this.#locals.hart);
    this.#code.load("i32.load", WORD.codeBitFloatOn);
    this.#code.op("i32.eqz");
    e.bailIf();
  }

  /** What is done whatever the destination may have written x0. */
  #effect(e: SlotEmission, emit: (e: SlotEmission) => void): void {
    emit(e);
    if (!e.hasWrittenRd) return;
    this.#code.get(this.#locals.hart);
    this.#code.i64(0n);
    this.#code.store("i64.store", xOffset(0));
  }

  #goOn(labels: Labels, sizeBytes: 2 | 4): void {
    const { code } = { code: this.#code };
    this.#add(this.#locals.budget, -1);
    this.#add(this.#locals.slot, sizeBytes << SLOT_SHIFT);
    code.br(labels.next);
  }

  #pushSlotPc(): void {
    const code = this.#code;
    code.get(this.#locals.slot);
    code.i32(SLOT_SHIFT);
    code.ops("i32.shr_u", "i64.extend_i32_u");
    code.get(this.#locals.bias);
    code.op("i64.add");
  }

  #add(local: Local, amount: number): void {
    const code = this.#code;
    code.get(local);
    code.i32(amount);
    code.op("i32.add");
    code.set(local);
  }

  #end(ending: Ending): void {
    this.#code.i32(ending);
    this.#code.set(this.#locals.ending);
  }

  /** Pops an i32, and leaves if it is not zero. */
  #endIf(ending: Ending, label: Label): void {
    this.#code.if();
    this.#end(ending);
    this.#code.br(label);
    this.#code.end();
  }
}
