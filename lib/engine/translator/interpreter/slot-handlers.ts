/** What the dispatch loop does for each kind of slot. */
import { emitLoad, emitStore } from "../emit/memory-access.ts";
import { RAM_OFFSET, WORD, xOffset } from "../layout.ts";
import type { Label } from "../wasm/code.ts";
import { type ControlPlace, emitControl, emitPrivileged, goOn } from "./control-flow.ts";
import { DATUM, Ending } from "./ending.ts";
import { FETCH_PAGE_OFFSET, FETCH_TAG, type LoopFrame, type LoopLabels } from "./loop-frame.ts";
import type { InterpreterOp } from "./op.ts";
import type { Pair } from "./pair.ts";
import { ACROSS_DISTANCE, SLOT_IMM, SLOT_SHIFT, SLOTS_END } from "./slot.ts";
import { SlotEmission } from "./slot-emission.ts";

/** Writes handlers. Each ends with a branch: control comes out of none. */
export class SlotHandlers {
  readonly #frame: LoopFrame;

  constructor(frame: LoopFrame) {
    this.#frame = frame;
  }

  /** The slots behind the last one of a page are never decoded: then the next page is looked up. */
  undecoded({ look, leaveHere }: LoopLabels): void {
    const { code } = this.#frame;
    const { slot, page, target, arriving, hart } = this.#frame.locals;
    code.get(slot);
    code.get(page);
    code.op("i32.sub");
    code.i32(SLOTS_END);
    code.op("i32.ge_u");
    code.if();
    this.#frame.pushSlotPc();
    code.set(target);
    code.i32(0);
    code.set(arriving);
    code.br(look);
    code.end();
    code.get(hart);
    code.get(slot);
    code.store("i32.store", DATUM);
    this.#frame.end(Ending.DECODE);
    code.br(leaveHere);
  }

  /**
   * An instruction that goes on in the next page: if that page is known, and holds the second half with which the instruction
   * was decoded, its slot behind the page's is executed, with a bias that makes up for the distance.
   */
  across({ bail, leaveHere, next }: LoopLabels): void {
    const { code } = this.#frame;
    const { slot, bias, hart } = this.#frame.locals;
    const [entry, second] = [this.#frame.temps.at("i32", 0), this.#frame.temps.at("i32", 1)];
    const address = this.#frame.temps.at("i64", 0);
    this.#frame.pushSlotPc();
    code.i64(2n);
    code.op("i64.add");
    code.set(address);
    this.#frame.pushFetchEntry(address);
    code.tee(entry);
    code.load("i64.load", FETCH_TAG);
    code.get(address);
    code.op("i64.ne");
    code.brIf(bail);
    code.get(entry);
    code.load("i32.load", FETCH_PAGE_OFFSET);
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
    this.#frame.end(Ending.DECODE);
    code.br(leaveHere);
    code.end();
    this.#frame.add(slot, ACROSS_DISTANCE);
    code.get(bias);
    code.i64(BigInt(-ACROSS_DISTANCE >> SLOT_SHIFT));
    code.op("i64.add");
    code.set(bias);
    code.br(next);
  }

  /** One instruction. */
  single(labels: LoopLabels, op: InterpreterOp): void {
    const place = this.#place(labels, op, 0, labels.bail, 1);
    if (this.#emit(place, labels, op)) goOn(place, op.sizeBytes);
  }

  /** Two instructions, of which the second follows the first. */
  pair(labels: LoopLabels, { first, second }: Pair): void {
    this.#emit(this.#place(labels, first, 0, labels.bail, 1), labels, first);
    const offset = first.sizeBytes << SLOT_SHIFT;
    const place = this.#place(labels, second, offset, labels.bailAfter[first.sizeBytes], 2);
    if (this.#emit(place, labels, second)) goOn(place, second.sizeBytes);
  }

  /** An instruction of that size that does nothing. */
  nothing(labels: LoopLabels, sizeBytes: 2 | 4): void {
    const { code } = this.#frame;
    this.#frame.add(this.#frame.locals.budget, -1);
    this.#frame.add(this.#frame.locals.slot, sizeBytes << SLOT_SHIFT);
    code.br(labels.next);
  }

  #place(
    labels: LoopLabels,
    op: InterpreterOp,
    offset: number,
    bail: Label,
    count: 1 | 2,
  ): ControlPlace & { e: SlotEmission } {
    const { code } = this.#frame;
    const context = {
      locals: this.#frame.locals,
      temps: this.#frame.temps,
      flagMask: this.#frame.options.flagMask,
    };
    const e = new SlotEmission(code, context, op, offset, bail);
    return { e, code, locals: this.#frame.locals, labels, offset, count };
  }

  /** Emits an instruction; whether control comes out at its end. */
  #emit(
    place: ControlPlace & { e: SlotEmission },
    labels: LoopLabels,
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
    this.#frame.code.get(this.#frame.locals.hart);
    this.#frame.code.load("i32.load", WORD.codeBitFloatOn);
    this.#frame.code.op("i32.eqz");
    e.bailIf();
  }

  /** What is done whatever the destination may have written x0. */
  #effect(e: SlotEmission, emit: (e: SlotEmission) => void): void {
    emit(e);
    if (!e.hasWrittenRd) return;
    this.#frame.code.get(this.#frame.locals.hart);
    this.#frame.code.i64(0n);
    this.#frame.code.store("i64.store", xOffset(0));
  }
}
