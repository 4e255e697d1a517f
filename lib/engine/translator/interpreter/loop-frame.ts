/** What all parts of the dispatch loop share while it is written: its locals, and the steps that each of them takes. */
import { FETCH_ENTRIES, FETCH_ENTRY_BYTES, WORD } from "../layout.ts";
import { Code, type Label, type Local } from "../wasm/code.ts";
import type { ControlLabels, ControlLocals } from "./control-flow.ts";
import type { Ending } from "./ending.ts";
import { SLOT_SHIFT } from "./slot.ts";
import { Temps } from "./slot-emission.ts";

/** What differs between the modules of boards. */
export interface InterpreterOptions {
  /** Page flags that keep stores from the fast path. */
  readonly flagMask: number;
  /** `hot` is called whenever a heat word has counted so many arrivals: a power of two. */
  readonly heatThreshold: number;
}

/** Where control goes on in the loop, or out of it. */
export interface LoopLabels extends ControlLabels {
  /** Out of the loop, with the slot's address as the pc. */
  readonly leaveHere: Label;
  /** The slow path: for this slot; for the one that is 2 or 4 bytes behind it. */
  readonly bail: Label;
  readonly bailAfter: Readonly<Record<2 | 4, Label>>;
}

/** Offsets in an entry of the fetch bank. */
export const FETCH_TAG = 0;
export const FETCH_CODE_PAGE = 8;
export const FETCH_PAGE_OFFSET = 12;

/** Parameters of the loop's function: `h`, `budget`, `depth`, `entry`. */
const PARAMETERS = 4;
const PAGE_SHIFT = 12;

/** One loop that is being written. */
export class LoopFrame {
  readonly options: InterpreterOptions;
  readonly code = new Code(PARAMETERS);
  readonly temps = new Temps(this.code);
  readonly locals: ControlLocals;

  constructor(options: InterpreterOptions) {
    this.options = options;
    const { code } = this;
    this.locals = {
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

  /** Pushes the address of the entry of the fetch bank for an address of the guest. */
  pushFetchEntry(address: Local): void {
    const { code } = this;
    code.get(address);
    code.op("i32.wrap_i64");
    code.i32(PAGE_SHIFT);
    code.op("i32.shr_u");
    code.i32(FETCH_ENTRIES - 1);
    code.op("i32.and");
    code.i32(FETCH_ENTRY_BYTES);
    code.op("i32.mul");
    code.get(this.locals.hart);
    code.load("i32.load", WORD.fetchBank);
    code.op("i32.add");
  }

  /** Pushes the address of the guest that the slot is for. */
  pushSlotPc(): void {
    const { code } = this;
    code.get(this.locals.slot);
    code.i32(SLOT_SHIFT);
    code.ops("i32.shr_u", "i64.extend_i32_u");
    code.get(this.locals.bias);
    code.op("i64.add");
  }

  /** Adds to an i32. */
  add(local: Local, amount: number): void {
    const { code } = this;
    code.get(local);
    code.i32(amount);
    code.op("i32.add");
    code.set(local);
  }

  /** Says why the loop ends. */
  end(ending: Ending): void {
    this.code.i32(ending);
    this.code.set(this.locals.ending);
  }

  /** Pops an i32, and leaves if it is not zero. */
  endIf(ending: Ending, label: Label): void {
    this.code.if();
    this.end(ending);
    this.code.br(label);
    this.code.end();
  }
}
