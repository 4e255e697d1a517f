/**
 * A region's function while it is written: its locals, what is where at the present place, and the ways out.
 *
 * Around everything stand three blocks, one for each way that many places share: to the exit, with a site number; to whoever
 * the jump cache knows, and to the interpreter, both with everything stored.
 */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { CACHED_PC, CACHED_SLOT, pushJumpCacheEntry } from "../jump-cache.ts";
import { CELLS, NO_ARRIVAL, SLOT_INTERPRET } from "../layout.ts";
import { Code, type Label, type Local } from "../wasm/code.ts";
import { LEFT_FUNCTION } from "./batch.ts";
import type { RegionCode } from "./discovery.ts";
import type { ExitProfile, ExitReason } from "./exit-profile.ts";
import { type DirtySet, type ExitFrame, Exits, storeRegisters } from "./exits.ts";
import type { RegionInsn } from "./instruction.ts";
import type { LookTactics } from "./looks.ts";
import { type EmissionFrame, RegionEmission } from "./region-emission.ts";
import { NO_WORDS, type WordSets } from "./words.ts";

/** What a region's function is written for. */
export interface RegionPlace {
  /** The region's own slot. */
  readonly slot: number;
  /** Types in the module: `(h, budget, depth) → budget`, which privileged functions have, too. */
  readonly functionType: number;
  /** Page flags that keep stores from the fast path. */
  readonly storeFlags: number;
  readonly tactics: LookTactics;
  /** Whoever counts ways out, if somebody does. */
  readonly exits?: ExitProfile | undefined;
  /** The slot for code at an offset from the region's base; 0 for code that nobody has executed. */
  slotFor(offset: number): number;
}

/** Offset of the pc in the state block. */
const PC = HART_LAYOUT.pc.offset;
const PARAMETERS = 3;

/** One region's function. */
export class RegionFrame implements ExitFrame, EmissionFrame {
  readonly code = new Code(PARAMETERS);
  readonly hart = 0 as Local;
  readonly budget = 1 as Local;
  readonly depth = 2 as Local;
  readonly bank: Local;
  /** Where a jump through a register goes, and a number for which case that is; both i64. */
  readonly target: Local;
  readonly caseNumber: Local;
  readonly functionType: number;
  readonly storeFlags: number;
  readonly slot: number;
  readonly tactics: LookTactics;
  readonly emission: RegionEmission;
  /** At the present place: which registers are words and where they are, and which are dirty. */
  words: WordSets = NO_WORDS;
  dirtyX = 0;
  dirtyF = 0;
  /** Of the present instruction, and what of the budget is left over if it is given up. */
  offset = 0;
  giveBack = 0;
  readonly #region: RegionCode;
  readonly #place: RegionPlace;
  readonly #exits = new Exits();
  readonly #x: (Local | undefined)[] = [];
  readonly #word: (Local | undefined)[] = [];
  readonly #f: (Local | undefined)[] = [];
  #refuse = 0 as Label;
  #dispatch = 0 as Label;
  #dispatches = false;
  #giveUp = 0 as Label;

  constructor(region: RegionCode, place: RegionPlace) {
    this.#region = region;
    this.#place = place;
    this.functionType = place.functionType;
    this.storeFlags = place.storeFlags;
    this.slot = place.slot;
    this.tactics = place.tactics;
    this.bank = this.code.local("i32");
    this.target = this.code.local("i64");
    this.caseNumber = this.code.local("i64");
    this.emission = new RegionEmission(this, region.insns[0] as RegionInsn);
  }

  localOfX = (register: number): Local => {
    this.#x[register] ??= this.code.local("i64");
    return this.#x[register] as Local;
  };

  localOfWord = (register: number): Local => {
    this.#word[register] ??= this.code.local("i32");
    return this.#word[register] as Local;
  };

  localOfF = (register: number): Local => {
    this.#f[register] ??= this.code.local("f64");
    return this.#f[register] as Local;
  };

  /** The whole function around what `writeInside` writes, from whose end nothing may come out. */
  write(writeInside: () => void): Uint8Array {
    const { code } = this;
    this.#refuse = code.block();
    this.#dispatch = code.block();
    this.#giveUp = code.block("i32");
    writeInside();
    code.op("unreachable");
    code.end();
    this.#exits.write(this, this.#region.base, this.emission.looks.notes ? this.slot : undefined);
    this.#goInterpret(NO_ARRIVAL);
    code.end();
    if (this.#dispatches) this.#writeDispatch();
    code.end();
    this.tell("context", this.#region.start);
    this.#goInterpret(0);
    return code.finish();
  }

  bail = (): void => {
    this.#leave(this.offset, this.giveBack);
  };

  bailIf = (): void => {
    this.leaveIf(this.offset, this.giveBack);
  };

  /** What is known of registers where control goes several ways; the result restores it for the next one. */
  remember(): () => void {
    const { words, dirtyX, dirtyF, offset } = this;
    return () => {
      this.offset = offset;
      this.words = words;
      this.dirtyX = dirtyX;
      this.dirtyF = dirtyF;
    };
  }

  /** The address of an offset, 64 bits unsigned. */
  pcAt(offset: number): bigint {
    return BigInt.asUintN(64, this.#region.base + BigInt(offset));
  }

  /** Leaves for the interpreter if the region may not run in the context of this word. */
  refuseUnless(word: number): void {
    this.pushMayRun(word);
    this.code.op("i32.eqz");
    this.refuseIf();
  }

  /** Pops an i32; leaves for the interpreter if it is not zero. Nothing may be dirty. */
  refuseIf(): void {
    this.code.brIf(this.#refuse);
  }

  /** Pushes an i32 that is not zero if the region may run in the context of this word. */
  pushMayRun(word: number): void {
    const { code, hart } = this;
    code.i32(0);
    code.load("i32.load", CELLS + 4 * this.slot);
    code.get(hart);
    code.load("i32.load", word);
    code.op("i32.and");
  }

  /** What is dirty at present. */
  #dirty(): DirtySet {
    const { kept } = this.words;
    return { x: this.dirtyX & ~kept, words: this.dirtyX & kept, f: this.dirtyF };
  }

  /** Stores what is dirty at present. */
  storeDirty(): void {
    storeRegisters(this, this.#dirty());
  }

  /** Pops an i32; gives up at an offset if it is not zero. */
  leaveIf(offset: number, giveBack: number): void {
    this.code.if();
    this.#leave(offset, giveBack);
    this.code.end();
  }

  #leave(offset: number, giveBack: number): void {
    const { code } = this;
    this.tell(giveBack === 0 ? "budget" : "instruction", offset);
    const site = this.#exits.site(offset, giveBack, this.#dirty());
    if (site !== undefined) {
      code.i32(site);
      code.br(this.#giveUp);
      return;
    }
    this.storeDirty();
    this.storePc(offset);
    code.get(this.budget);
    code.i32(giveBack);
    code.op("i32.add");
    code.set(this.budget);
    this.#goInterpret(NO_ARRIVAL);
  }

  /** In a profile, tells that the region is left here, and why. Nothing else of the code differs. */
  tell(reason: ExitReason, offset: number): void {
    const { exits } = this.#place;
    if (exits === undefined) return;
    const region = this.pcAt(this.#region.start);
    const mnemonic = reason === "instruction" ? this.emission.mnemonic : "";
    this.code.i32(exits.numberOf({ region, reason, pc: this.pcAt(offset), mnemonic }));
    this.code.call(LEFT_FUNCTION);
  }

  #goInterpret(flag: 0 | typeof NO_ARRIVAL): void {
    const { code, hart, budget, depth } = this;
    code.get(hart);
    code.get(budget);
    code.get(depth);
    if (flag !== 0) {
      code.i32(flag);
      code.op("i32.or");
    }
    code.i32(SLOT_INTERPRET);
    code.returnCallIndirect(this.functionType);
  }

  /** Stores the address of an offset as that at which the guest is. */
  storePc(offset: number): void {
    const { code } = this;
    code.get(this.hart);
    code.i64(this.pcAt(offset));
    code.store("i64.store", PC);
  }

  /** The same for the address in `target`. */
  storeTarget(): void {
    const { code } = this;
    code.get(this.hart);
    code.get(this.target);
    code.store("i64.store", PC);
  }

  /** Goes on at code that is not in the region. */
  goOutside(offset: number): void {
    const { code } = this;
    const slot = this.#place.slotFor(offset);
    this.tell("outside", this.offset);
    this.storeDirty();
    this.storePc(offset);
    code.get(this.hart);
    code.get(this.budget);
    code.get(this.depth);
    code.i32(slot === 0 ? SLOT_INTERPRET : slot);
    code.returnCallIndirect(this.functionType);
  }

  /** Goes on at the address in `target`, which is not in the region or not known to be. */
  jumpOutside(): void {
    this.tell("register", this.offset);
    this.storeDirty();
    this.storeTarget();
    this.dispatch();
  }

  /** Goes on where pc says. Everything must be stored. */
  dispatch(): void {
    this.#dispatches = true;
    this.code.br(this.#dispatch);
  }

  /** The same if the i32 that it pops is not zero: a privileged instruction has gone elsewhere. */
  dispatchIf(): void {
    this.#dispatches = true;
    if (this.#place.exits === undefined) {
      this.code.brIf(this.#dispatch);
      return;
    }
    this.code.if();
    this.tell("privileged", this.offset);
    this.code.br(this.#dispatch);
    this.code.end();
  }

  /** Goes on where pc says, in the region that the jump cache knows for it. Everything is stored. */
  #writeDispatch(): void {
    const { code, hart, budget, depth } = this;
    code.get(hart);
    code.load("i64.load", PC);
    code.set(this.target);
    code.get(hart);
    code.get(budget);
    code.get(depth);
    this.pushCachedSlot();
    code.returnCallIndirect(this.functionType);
  }

  /** Pushes the slot that the jump cache knows for the address in `target`; that of the interpreter if it knows none. */
  pushCachedSlot(): void {
    const { code } = this;
    const entry = this.emission.looks.entry;
    pushJumpCacheEntry(code, this.target);
    code.tee(entry);
    code.load("i32.load", CACHED_SLOT);
    code.i32(SLOT_INTERPRET);
    code.get(entry);
    code.load("i64.load", CACHED_PC);
    code.get(this.target);
    code.op("i64.eq");
    code.op("select");
  }
}
