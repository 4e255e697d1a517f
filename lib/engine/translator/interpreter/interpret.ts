/**
 * `interpret`: makes the calls that the dispatch loop asks for. It is what every unused slot of the table holds, so it has a
 * region's signature, `(h, budget, depth) → budget`, and a region's promises: it finds the pc in the state block and leaves it
 * there.
 */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { CACHED_PC, CACHED_SLOT, pushJumpCacheEntry } from "../jump-cache.ts";
import {
  CELLS,
  HEAT_IS_SLOT,
  MAX_DEPTH,
  MISFIT_CELLS,
  NO_ARRIVAL,
  REGION_PCS,
  TABLE_SLOTS,
  WORD,
} from "../layout.ts";
import { Code, type Label, type Local } from "../wasm/code.ts";
import { DATUM, ENDING_BITS, ENTERED, Ending, INTERPRETED, PC } from "./ending.ts";

/** Numbers of the functions that are called. */
export interface InterpretCalls {
  readonly dispatch: number;
  readonly slow: number;
  readonly fetchMiss: number;
  readonly decode: number;
  readonly hot: number;
  readonly resolve: number;
  readonly privileged: number;
  /** Type of regions. */
  readonly regionType: number;
}

const hart = 0 as Local;
const budget = 1 as Local;
const depth = 2 as Local;

/** Writes the words from which JavaScript, and CSR reads, take what has retired: base minus budget. */
export function writeRetired(code: Code): void {
  code.get(hart);
  code.get(hart);
  code.load("f64.load", WORD.retiredBase);
  code.get(budget);
  code.ops("f64.convert_i32_s", "f64.sub");
  code.store("f64.store", WORD.retired);
  code.get(hart);
  code.get(hart);
  code.load("i64.load", WORD.instretBase);
  code.get(budget);
  code.ops("i64.extend_i32_s", "i64.sub");
  code.store("i64.store", HART_LAYOUT.instret.offset);
}

/** Writes the body. */
export function writeInterpret(calls: InterpretCalls): Uint8Array {
  return new Interpret(calls).write();
}

class Interpret {
  readonly #calls: InterpretCalls;
  readonly #code = new Code(3);
  /** Frames of guest functions that began in this call of `interpret`. */
  readonly #frames = this.#code.local("i32");
  readonly #arriving = this.#code.local("i32");
  readonly #ending = this.#code.local("i32");
  /** The heat word, and the slot of the table that it names. */
  readonly #heatAt = this.#code.local("i32");
  readonly #slot = this.#code.local("i32");
  readonly #isElsewhere = this.#code.local("i32");
  readonly #pc = this.#code.local("i64");
  readonly #key = this.#code.local("i64");
  readonly #entry = this.#code.local("i32");

  constructor(calls: InterpretCalls) {
    this.#calls = calls;
  }

  write(): Uint8Array {
    const code = this.#code;
    this.#takeArrival();
    const done = code.block();
    const again = code.loop();
    this.#run();
    code.get(budget);
    code.i32(0);
    code.op("i32.le_s");
    code.brIf(done);
    this.#set(this.#arriving, 0);
    this.#branch(done, again);
    code.end();
    code.end();
    code.get(budget);
    return code.finish();
  }

  /** The pc is an arrival unless the depth says otherwise. */
  #takeArrival(): void {
    const code = this.#code;
    code.get(depth);
    code.i32(NO_ARRIVAL);
    code.op("i32.lt_u");
    code.set(this.#arriving);
    code.get(depth);
    code.i32(NO_ARRIVAL - 1);
    code.op("i32.and");
    code.set(depth);
  }

  #run(): void {
    const code = this.#code;
    code.get(hart);
    code.get(budget);
    code.get(depth);
    code.get(this.#frames);
    code.i32(1);
    code.op("i32.shl");
    code.get(this.#arriving);
    code.op("i32.or");
    this.#countInterpreted("i64.add");
    code.call(this.#calls.dispatch);
    code.set(this.#ending);
    code.set(budget);
    this.#countInterpreted("i64.sub");
    code.get(this.#ending);
    code.i32(ENDING_BITS);
    code.op("i32.shr_u");
    code.set(this.#frames);
  }

  /** What the dispatch loop was given, less what it gave back. */
  #countInterpreted(op: "i64.add" | "i64.sub"): void {
    const code = this.#code;
    code.get(hart);
    code.get(hart);
    code.load("i64.load", INTERPRETED);
    code.get(budget);
    code.ops("i64.extend_i32_s", op);
    code.store("i64.store", INTERPRETED);
  }

  /** Does what the ending asks for. */
  #branch(done: Label, again: Label): void {
    const code = this.#code;
    const labels: Label[] = [];
    const handlers: (() => void)[] = [];
    const open = (ending: Ending, handler: () => void): void => {
      labels[ending] = code.block();
      handlers.push(handler);
    };
    open(Ending.REGION, () => this.#region(done, again));
    open(Ending.HOT, () => this.#hot(again));
    open(Ending.PRIVILEGED, () => this.#privileged(again));
    open(Ending.SLOW, () => this.#stepSlowly(this.#calls.slow, again));
    open(Ending.FETCH_MISS, () => this.#stepSlowly(this.#calls.fetchMiss, again));
    open(Ending.DECODE, () => this.#decode(again));
    labels[Ending.BUDGET] = done;
    labels[Ending.RETURN] = done;
    code.get(this.#ending);
    code.i32((1 << ENDING_BITS) - 1);
    code.op("i32.and");
    code.brTable(labels, done);
    for (const [index, handler] of [...handlers.entries()].reverse()) {
      code.end();
      handler();
      // The handler of heat goes on into that of regions, which is behind it.
      if (index === 0) code.br(again);
    }
  }

  #decode(again: Label): void {
    const code = this.#code;
    code.get(hart);
    this.#datum();
    code.call(this.#calls.decode);
    code.br(again);
  }

  /** Where it leads is an arrival, unless it is the following instruction. */
  #stepSlowly(functionIndex: number, again: Label): void {
    const code = this.#code;
    code.get(hart);
    code.load("i64.load", PC);
    code.set(this.#pc);
    writeRetired(code);
    code.get(hart);
    code.get(budget);
    code.call(functionIndex);
    code.set(budget);
    this.#noteArrival();
    code.br(again);
  }

  #privileged(again: Label): void {
    const code = this.#code;
    code.get(hart);
    code.load("i64.load", PC);
    code.set(this.#pc);
    writeRetired(code);
    code.get(hart);
    code.get(budget);
    this.#datum();
    code.call(this.#calls.privileged);
    code.set(budget);
    this.#noteArrival();
    code.br(again);
  }

  /** `arriving` = the pc is neither where it was nor within the next 4 bytes. */
  #noteArrival(): void {
    const code = this.#code;
    code.get(hart);
    code.load("i64.load", PC);
    code.get(this.#pc);
    code.op("i64.sub");
    code.i64(4n);
    code.op("i64.gt_u");
    code.set(this.#arriving);
  }

  /** Says that a heat word has reached the threshold; if a region begins there now, goes on with it. */
  #hot(again: Label): void {
    const code = this.#code;
    code.get(hart);
    this.#datum();
    code.call(this.#calls.hot);
    code.get(hart);
    code.load("i32.load", DATUM);
    code.load("i32.load", 0);
    code.i32(HEAT_IS_SLOT);
    code.op("i32.lt_s");
    code.brIf(again);
  }

  #region(done: Label, again: Label): void {
    const code = this.#code;
    this.#datum();
    code.set(this.#heatAt);
    this.#readSlot();
    this.#refuseMisfit(again);
    this.#refuseIdle(again);
    this.#remember();
    code.get(this.#frames);
    code.op("i32.eqz");
    code.get(depth);
    code.i32(MAX_DEPTH);
    code.ops("i32.ge_s", "i32.or");
    code.if();
    this.#arguments(0);
    code.returnCallIndirect(this.#calls.regionType);
    code.end();
    this.#arguments(1);
    code.callIndirect(this.#calls.regionType);
    code.set(budget);
    // The region has returned from the guest function that was entered last.
    code.get(this.#frames);
    code.i32(1);
    code.op("i32.sub");
    code.set(this.#frames);
    code.get(budget);
    code.i32(0);
    code.op("i32.le_s");
    code.brIf(done);
  }

  #arguments(deeper: 0 | 1): void {
    const code = this.#code;
    code.get(hart);
    code.get(budget);
    code.get(depth);
    if (deeper === 1) {
      code.i32(1);
      code.op("i32.add");
    }
    code.get(this.#slot);
  }

  #readSlot(): void {
    const code = this.#code;
    code.get(this.#heatAt);
    code.load("i32.load", 0);
    code.i32(TABLE_SLOTS - 1);
    code.op("i32.and");
    code.set(this.#slot);
  }

  /** Asks JavaScript for another region if this one begins elsewhere; or whether it holds in this context, if nobody has asked yet. */
  #refuseMisfit(again: Label): void {
    const code = this.#code;
    this.#pushBeginsElsewhere();
    code.tee(this.#isElsewhere);
    this.#pushCell(CELLS);
    code.ops("i32.eqz", "i32.or");
    code.if();
    code.get(this.#isElsewhere);
    code.op("i32.eqz");
    code.if();
    this.#pushCell(MISFIT_CELLS);
    code.brIf(again);
    code.end();
    code.get(hart);
    code.get(this.#slot);
    code.call(this.#calls.resolve);
    code.op("i32.eqz");
    code.brIf(again);
    this.#readSlot(); // it may be another region now
    code.end();
  }

  #pushBeginsElsewhere(): void {
    const code = this.#code;
    code.get(this.#slot);
    code.i32(3);
    code.op("i32.shl");
    code.load("i64.load", REGION_PCS);
    code.get(hart);
    code.load("i64.load", PC);
    code.op("i64.ne");
  }

  #pushCell(cells: number): void {
    const code = this.#code;
    code.get(this.#slot);
    code.i32(2);
    code.op("i32.shl");
    code.load("i32.load", cells);
    code.get(hart);
    code.load("i32.load", WORD.codeBit);
    code.op("i32.and");
  }

  #refuseIdle(again: Label): void {
    const code = this.#code;
    code.get(this.#slot);
    code.op("i64.extend_i32_u");
    code.i64(32n);
    code.op("i64.shl");
    code.get(budget);
    code.ops("i64.extend_i32_u", "i64.or");
    code.tee(this.#key);
    code.get(hart);
    code.load("i64.load", ENTERED);
    code.op("i64.eq");
    code.brIf(again);
    code.get(hart);
    code.get(this.#key);
    code.store("i64.store", ENTERED);
  }

  /** Writes the jump cache. */
  #remember(): void {
    const code = this.#code;
    code.get(hart);
    code.load("i64.load", PC);
    code.set(this.#pc);
    pushJumpCacheEntry(code, this.#pc);
    code.tee(this.#entry);
    code.get(this.#pc);
    code.store("i64.store", CACHED_PC);
    code.get(this.#entry);
    code.get(this.#slot);
    code.store("i32.store", CACHED_SLOT);
  }

  #datum(): void {
    this.#code.get(hart);
    this.#code.load("i32.load", DATUM);
  }

  #set(local: Local, value: number): void {
    this.#code.i32(value);
    this.#code.set(local);
  }
}
