/**
 * Writes a region's function: registers in locals, control flow structured along the dominator tree.
 *
 * A block that several edges lead to is placed behind a WebAssembly block that contains everything between its dominator and it;
 * a loop's header begins a WebAssembly loop; any other block stands where the one edge to it is.
 * @spec Ramsey, Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow (ICFP 2022)
 */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { CACHED_PC, CACHED_SLOT, pushJumpCacheEntry } from "../jump-cache.ts";
import {
  CELLS,
  fOffset,
  MAX_DEPTH,
  NO_ARRIVAL,
  SLOT_INTERPRET,
  SLOT_PRIVILEGED,
  WORD,
  xOffset,
} from "../layout.ts";
import { Code, type Label, type Local } from "../wasm/code.ts";
import type { RegionCode } from "./discovery.ts";
import { type DirtySet, type ExitFrame, Exits, storeRegisters } from "./exits.ts";
import { type Block, edgesOf, type Graph, OUTSIDE } from "./graph.ts";
import { FloatLevel, Flow, handsOver, type RegionInsn } from "./instruction.ts";
import { type Liveness, livenessOf } from "./liveness.ts";
import type { LookTactics } from "./looks.ts";
import { type AccessGroup, planAccesses } from "./memory-plan.ts";
import { type EmissionFrame, RegionEmission } from "./region-emission.ts";
import { NO_WORDS, type WordSets, Words } from "./words.ts";

/** What a region's function is written for. */
export interface RegionPlace {
  /** The region's own slot. */
  readonly slot: number;
  /** Types in the module: `(h, budget, depth) → budget`, which privileged functions have, too. */
  readonly functionType: number;
  /** Page flags that keep stores from the fast path. */
  readonly storeFlags: number;
  readonly tactics: LookTactics;
  /** The slot for code at an offset from the region's base; 0 for code that nobody has executed. */
  slotFor(offset: number): number;
}

/** The body of a region's function. */
export function writeRegion(code: RegionCode, graph: Graph, place: RegionPlace): Uint8Array {
  return new RegionWriter(code, graph, place).write();
}

const CODE_BIT = {
  [FloatLevel.NONE]: WORD.codeBit,
  [FloatLevel.ON]: WORD.codeBitFloatOn,
  [FloatLevel.FAST]: WORD.codeBitFloatFast,
};
const PC = HART_LAYOUT.pc.offset;
const PARAMETERS = 3;
/** Cases of a jump are not further apart, in halfwords. */
const MAX_CASE_SPAN = 1024;

class RegionWriter implements ExitFrame, EmissionFrame {
  readonly code = new Code(PARAMETERS);
  readonly hart = 0 as Local;
  readonly budget = 1 as Local;
  readonly depth = 2 as Local;
  readonly bank: Local;
  readonly functionType: number;
  readonly storeFlags: number;
  readonly slot: number;
  readonly tactics: LookTactics;
  readonly #groups: readonly (readonly (AccessGroup | undefined)[])[];
  readonly #region: RegionCode;
  readonly #graph: Graph;
  readonly #place: RegionPlace;
  readonly #liveness: Liveness;
  readonly #words: Words;
  readonly #longest: Int32Array;
  readonly #exits = new Exits();
  readonly #emission: RegionEmission;
  readonly #floatLevel: FloatLevel;
  readonly #x: (Local | undefined)[] = [];
  readonly #word: (Local | undefined)[] = [];
  readonly #f: (Local | undefined)[] = [];
  readonly #target: Local;
  readonly #case: Local;
  readonly #labels: Label[] = [];
  /** Blocks that a dominator has a WebAssembly block for, by dominator; the last first. */
  readonly #merges: number[][];
  /** Where control leaves for the interpreter, with everything stored; and for whoever the jump cache knows. */
  #refuse = 0 as Label;
  #dispatch = 0 as Label;
  #dispatches = false;
  #giveUp = 0 as Label;
  /** While instructions are emitted: what is kept as i32 or dirty, which offset, what the budget would get back. */
  words: WordSets = NO_WORDS;
  #dirtyX = 0;
  #dirtyF = 0;
  #offset = 0;
  #giveBack = 0;

  constructor(region: RegionCode, graph: Graph, place: RegionPlace) {
    this.#region = region;
    this.#graph = graph;
    this.#place = place;
    this.functionType = place.functionType;
    this.storeFlags = place.storeFlags;
    this.slot = place.slot;
    this.tactics = place.tactics;
    this.bank = this.code.local("i32");
    this.#target = this.code.local("i64");
    this.#case = this.code.local("i64");
    this.#liveness = livenessOf(graph);
    this.#words = new Words(graph);
    this.#longest = longestPaths(graph);
    this.#merges = mergesOf(graph);
    this.#emission = new RegionEmission(this, region.insns[0] as RegionInsn);
    this.#groups = graph.blocks.map((block, number) =>
      planAccesses(block, graph.isInLoop[number] === 1, place.tactics.coalesces),
    );
    for (const groups of this.#groups) for (const group of groups) this.#emission.looks.announce(group);
    this.#floatLevel = region.insns.reduce<FloatLevel>(
      (level, insn) => (insn.floatLevel > level ? insn.floatLevel : level),
      FloatLevel.NONE,
    );
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

  write(): Uint8Array {
    const { code } = this;
    this.#refuse = code.block();
    this.#dispatch = code.block();
    this.#giveUp = code.block("i32");
    this.#prologue();
    this.#tree(0);
    code.op("unreachable");
    code.end();
    this.#exits.write(this, this.#region.base, this.#emission.looks.notes ? this.slot : undefined);
    this.#goInterpret(NO_ARRIVAL);
    code.end();
    if (this.#dispatches) this.#writeDispatch();
    code.end();
    this.#goInterpret(0);
    return code.finish();
  }

  bail = (): void => {
    this.#leave(this.#offset, this.#giveBack);
  };

  bailIf = (): void => {
    this.#leaveIf(this.#offset, this.#giveBack);
  };

  /** Whoever calls is only sure of the address; the rest is looked at here. */
  #prologue(): void {
    const { code, hart } = this;
    this.#refuseUnless(WORD.codeBit);
    if (this.#floatLevel !== FloatLevel.NONE) this.#refuseUnless(CODE_BIT[this.#floatLevel]);
    code.get(hart);
    code.load("i64.load", PC);
    code.i64(this.#pcAt(this.#region.start));
    code.op("i64.ne");
    code.brIf(this.#refuse);
    if (this.#graph.isHeader[0] === 0) this.#checkBudget(0);
    this.#reload(0);
  }

  /** Leaves for the interpreter if the region may not run in the context of this word. */
  #refuseUnless(word: number): void {
    this.#pushMayRun(word);
    this.code.op("i32.eqz");
    this.code.brIf(this.#refuse);
  }

  #pushMayRun(word: number): void {
    const { code, hart } = this;
    code.i32(0);
    code.load("i32.load", CELLS + 4 * this.#place.slot);
    code.get(hart);
    code.load("i32.load", word);
    code.op("i32.and");
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

  #pcAt(offset: number): bigint {
    return BigInt.asUintN(64, this.#region.base + BigInt(offset));
  }

  /** Loads what is live at the beginning of a block. */
  #reload(number: number): void {
    const { code, hart } = this;
    code.get(hart);
    code.load("i32.load", WORD.dataBank);
    code.set(this.bank);
    this.#emission.looks.forget();
    for (let rest = this.#liveness.liveX[number] as number; rest !== 0; rest &= rest - 1) {
      const register = 31 - Math.clz32(rest & -rest);
      code.get(hart);
      code.load("i64.load", xOffset(register));
      code.set(this.localOfX(register));
    }
    for (let rest = this.#liveness.liveF[number] as number; rest !== 0; rest &= rest - 1) {
      const register = 31 - Math.clz32(rest & -rest);
      code.get(hart);
      code.load("f64.load", fOffset(register));
      code.set(this.localOfF(register));
    }
  }

  /** Leaves at the beginning of a block unless the budget lasts until the next check. */
  #checkBudget(number: number): void {
    const { code } = this;
    code.get(this.budget);
    code.i32(this.#longest[number] as number);
    code.op("i32.lt_s");
    this.#leaveIf(this.#blockAt(number).offset, 0);
  }

  #blockAt(number: number): Block {
    return this.#graph.blocks[number] as Block;
  }

  // Places to leave.

  #dirty(): DirtySet {
    const { kept } = this.words;
    return { x: this.#dirtyX & ~kept, words: this.#dirtyX & kept, f: this.#dirtyF };
  }

  /** Pops an i32; gives up at an offset if it is not zero. */
  #leaveIf(offset: number, giveBack: number): void {
    this.code.if();
    this.#leave(offset, giveBack);
    this.code.end();
  }

  #leave(offset: number, giveBack: number): void {
    const { code } = this;
    const site = this.#exits.site(offset, giveBack, this.#dirty());
    if (site !== undefined) {
      code.i32(site);
      code.br(this.#giveUp);
      return;
    }
    storeRegisters(this, this.#dirty());
    this.#storePc(offset);
    code.get(this.budget);
    code.i32(giveBack);
    code.op("i32.add");
    code.set(this.budget);
    this.#goInterpret(NO_ARRIVAL);
  }

  #storePc(offset: number): void {
    const { code } = this;
    code.get(this.hart);
    code.i64(this.#pcAt(offset));
    code.store("i64.store", PC);
  }

  /** Goes on at code that is not in the region. */
  #goOutside(offset: number): void {
    const { code } = this;
    const slot = this.#place.slotFor(offset);
    storeRegisters(this, this.#dirty());
    this.#storePc(offset);
    code.get(this.hart);
    code.get(this.budget);
    code.get(this.depth);
    code.i32(slot === 0 ? SLOT_INTERPRET : slot);
    code.returnCallIndirect(this.functionType);
  }

  /** Goes on where pc says, in the region that the jump cache knows for it. Everything is stored. */
  #writeDispatch(): void {
    const { code, hart, budget, depth } = this;
    code.get(hart);
    code.load("i64.load", PC);
    code.set(this.#target);
    code.get(hart);
    code.get(budget);
    code.get(depth);
    this.#pushCachedSlot();
    code.returnCallIndirect(this.functionType);
  }

  /** Pushes the slot that the jump cache knows for the address in `target`; that of the interpreter if it knows none. */
  #pushCachedSlot(): void {
    const { code } = this;
    const entry = this.#emission.looks.entry;
    pushJumpCacheEntry(code, this.#target);
    code.tee(entry);
    code.load("i32.load", CACHED_SLOT);
    code.i32(SLOT_INTERPRET);
    code.get(entry);
    code.load("i64.load", CACHED_PC);
    code.get(this.#target);
    code.op("i64.eq");
    code.op("select");
  }

  // Structure.

  /** A block and all that it dominates. */
  #tree(number: number): void {
    const isHeader = this.#graph.isHeader[number] === 1;
    if (isHeader) this.#labels[number] = this.code.loop();
    this.#within(number, 0);
    if (isHeader) this.code.end();
  }

  /** A block inside the WebAssembly blocks of the merges that it dominates, from that one on. */
  #within(number: number, position: number): void {
    const merge = this.#merges[number]?.[position];
    if (merge === undefined) {
      this.#block(number);
      return;
    }
    this.#labels[merge] = this.code.block();
    this.#within(number, position + 1);
    this.code.end();
    this.#tree(merge);
  }

  /** Whether an edge is a branch to a label. */
  #isLabelled(source: number, target: number): boolean {
    return target !== OUTSIDE && (target <= source || (this.#graph.forwardEdges[target] as number) > 1);
  }

  #edge(source: number, target: number, offset: number): void {
    if (target === OUTSIDE) this.#goOutside(offset);
    else if (this.#isLabelled(source, target)) this.code.br(this.#labels[target] as Label);
    else this.#tree(target);
  }

  #block(number: number): void {
    const block = this.#blockAt(number);
    this.words = this.#words.at(number);
    this.#dirtyX = this.#liveness.dirtyX[number] as number;
    this.#dirtyF = this.#liveness.dirtyF[number] as number;
    if (this.#graph.isHeader[number] === 1) this.#checkBudget(number);
    this.#spend(block.insns.length);
    const groups = this.#groups[number] ?? [];
    block.insns.forEach((insn, index) => {
      this.#offset = block.offsets[index] as number;
      this.#giveBack = block.insns.length - index;
      this.#emission.begin(insn, this.#pcAt(this.#offset), groups[index]);
      const word = this.#words.formOf(number, index, this.words);
      if (word === undefined) this.#insn(insn);
      else this.#emission.setRdWord(word, this.#words.keeps(number, index));
      this.words = this.#words.behind(number, index, this.words);
      this.#dirtyX |= insn.writesX;
      this.#dirtyF |= insn.writesF;
    });
    if (!handsOver(block.flow)) for (const target of edgesOf(block)) this.#convert(target);
    this.#end(number, block);
  }

  /** Puts registers into the locals in which a block that follows expects them; they stay in their own, too. */
  #convert(target: number): void {
    const { code } = this;
    const { kept } = this.words;
    const expected = this.#words.at(target).kept;
    for (
      let rest = (kept ^ expected) & (this.#liveness.liveX[target] as number);
      rest !== 0;
      rest &= rest - 1
    ) {
      const register = 31 - Math.clz32(rest & -rest);
      if ((kept >>> register) & 1) {
        code.get(this.localOfWord(register));
        code.op("i64.extend_i32_s");
        code.set(this.localOfX(register));
      } else {
        code.get(this.localOfX(register));
        code.op("i32.wrap_i64");
        code.set(this.localOfWord(register));
      }
    }
  }

  #spend(insns: number): void {
    const { code } = this;
    code.get(this.budget);
    code.i32(insns);
    code.op("i32.sub");
    code.set(this.budget);
  }

  /** All of an instruction but where control goes. */
  #insn({ emitter, decoded }: RegionInsn): void {
    const emission = this.#emission;
    switch (emitter?.kind) {
      case "compute":
        emission.setRd(() => emitter.value(emission));
        return;
      case "load": {
        const offset = emission.locate("load", emitter.widthBytes);
        if (decoded.rd === 0) {
          this.code.op("drop");
          return;
        }
        this.code.load(emitter.op, offset);
        this.code.set(this.localOfX(decoded.rd));
        return;
      }
      case "store": {
        const offset = emission.locate("store", emitter.widthBytes);
        emission.rs2();
        this.code.store(emitter.op, offset);
        return;
      }
      case "effect":
      case "float":
        emitter.emit(emission);
        return;
      case "jump":
        this.#checkDepth(decoded.rd);
        emission.setRd(() => emission.followingPc());
        return;
      case "jumpRegister":
        this.#checkDepth(decoded.rd);
        this.#pushTarget();
        this.code.set(this.#target);
        emission.setRd(() => emission.followingPc());
        return;
      default:
        return;
    }
  }

  #pushTarget(): void {
    const { code } = this;
    this.#emission.rs1();
    this.#emission.imm();
    code.op("i64.add");
    code.i64(-2n);
    code.op("i64.and");
  }

  /** A call that would nest too deep is the interpreter's: it counts it. */
  #checkDepth(rd: number): void {
    if (rd !== 1 && rd !== 5) return;
    const { code } = this;
    code.get(this.depth);
    code.i32(MAX_DEPTH);
    code.op("i32.ge_s");
    this.bailIf();
  }

  /** Where control goes behind a block. */
  #end(number: number, block: Block): void {
    switch (block.flow) {
      case Flow.BRANCH:
        this.#branch(number, block);
        return;
      case Flow.JUMP:
        this.#edge(number, block.taken, block.takenOffset);
        return;
      case Flow.CALL:
        this.#call(() => this.#storePc(block.takenOffset), this.#place.slotFor(block.takenOffset));
        this.#continue(number, block);
        return;
      case Flow.CALL_REGISTER:
        this.#call(() => this.#storeTarget(), undefined);
        this.#continue(number, block);
        return;
      case Flow.PRIVILEGED:
        this.#privileged(block);
        this.#continue(number, block);
        return;
      case Flow.RETURN:
        storeRegisters(this, this.#dirty());
        this.#storeTarget();
        this.code.get(this.budget);
        this.code.op("return");
        return;
      case Flow.JUMP_REGISTER:
        this.#chooseCase(number, block);
        return;
      default:
        this.#edge(number, block.next, block.nextOffset);
    }
  }

  #branch(number: number, { insns, taken, next, takenOffset, nextOffset }: Block): void {
    const { code } = this;
    this.#condition(insns.at(-1) as RegionInsn);
    if (this.#isLabelled(number, taken)) {
      code.brIf(this.#labels[taken] as Label);
      this.#edge(number, next, nextOffset);
      return;
    }
    if (this.#isLabelled(number, next)) {
      code.op("i32.eqz");
      code.brIf(this.#labels[next] as Label);
      this.#edge(number, taken, takenOffset);
      return;
    }
    const restore = this.#remember();
    code.if();
    this.#edge(number, taken, takenOffset);
    code.end();
    restore();
    this.#edge(number, next, nextOffset);
  }

  #condition(insn: RegionInsn): void {
    const { emitter, readsX } = insn;
    if (emitter?.kind !== "branch") return;
    // One that is kept is never compared with what is no word.
    const ofWords = (readsX & this.words.kept) !== 0;
    (ofWords ? emitter.wordCondition : emitter.condition)?.(this.#emission);
  }

  /** What is known of registers where control goes several ways; the result restores it for the next one. */
  #remember(): () => void {
    const { words } = this;
    const [dirtyX, dirtyF] = [this.#dirtyX, this.#dirtyF];
    return () => {
      this.words = words;
      this.#dirtyX = dirtyX;
      this.#dirtyF = dirtyF;
    };
  }

  /** A jump through a register: to one of the cases, or to whoever the jump cache knows. */
  #chooseCase(number: number, { cases }: Block): void {
    if (cases.length === 0) {
      this.#jumpOutside();
      return;
    }
    const { code } = this;
    const sorted = cases.toSorted((a, b) => this.#blockAt(a).offset - this.#blockAt(b).offset);
    const lowest = this.#blockAt(sorted[0] as number).offset;
    const highest = this.#blockAt(sorted.at(-1) as number).offset;
    const restore = this.#remember();
    const otherwise = code.block();
    const unlabelled = sorted.filter((target) => !this.#isLabelled(number, target));
    for (const target of [...unlabelled].reverse()) this.#labels[target] = code.block();
    const labels = Array.from({ length: (highest - lowest) / 2 + 1 }, () => otherwise);
    for (const target of sorted)
      labels[(this.#blockAt(target).offset - lowest) / 2] = this.#labels[target] as Label;
    this.#pushCase(lowest);
    code.brTable(labels, otherwise);
    for (const target of unlabelled) {
      code.end();
      this.#tree(target);
    }
    code.end();
    restore();
    this.#jumpOutside();
  }

  /** Pushes how many halfwords behind the lowest case the target is; a large number for targets that are none. */
  #pushCase(lowest: number): void {
    const { code } = this;
    code.get(this.#target);
    code.i64(this.#pcAt(lowest));
    code.op("i64.sub");
    code.i64(1n);
    code.op("i64.rotr");
    code.set(this.#case);
    code.get(this.#case);
    code.op("i32.wrap_i64");
    code.i32(-1);
    code.get(this.#case);
    code.i64(BigInt(MAX_CASE_SPAN));
    code.op("i64.lt_u");
    code.op("select");
  }

  #jumpOutside(): void {
    storeRegisters(this, this.#dirty());
    this.#storeTarget();
    this.#dispatches = true;
    this.code.br(this.#dispatch);
  }

  #storeTarget(): void {
    const { code } = this;
    code.get(this.hart);
    code.get(this.#target);
    code.store("i64.store", PC);
  }

  /** @param slot  Where the callee is; undefined if the jump cache must be asked. */
  #call(storePc: () => void, slot: number | undefined): void {
    const { code } = this;
    storeRegisters(this, this.#dirty());
    storePc();
    code.get(this.hart);
    code.get(this.budget);
    code.get(this.depth);
    code.i32(1);
    code.op("i32.add");
    if (slot === undefined) this.#pushCachedSlot();
    else code.i32(slot);
    code.callIndirect(this.functionType);
    code.set(this.budget);
  }

  #privileged({ insns, offsets }: Block): void {
    const { code } = this;
    storeRegisters(this, this.#dirty());
    this.#storePc(offsets.at(-1) as number);
    code.get(this.hart);
    code.get(this.budget);
    code.i32(1);
    code.op("i32.add");
    code.i32(insns.at(-1)?.word ?? 0);
    code.i32(SLOT_PRIVILEGED);
    code.callIndirect(this.functionType);
    code.set(this.budget);
  }

  /** Goes on behind a call if it came back to where it was called from, and the region still holds. */
  #continue(number: number, { flow, next, nextOffset }: Block): void {
    const { code, hart } = this;
    code.get(hart);
    code.load("i64.load", PC);
    code.i64(this.#pcAt(nextOffset));
    code.op("i64.ne");
    this.#pushMayRun(CODE_BIT[this.#floatLevel]);
    code.ops("i32.eqz", "i32.or");
    if (flow === Flow.PRIVILEGED) {
      this.#dispatches = true;
      code.brIf(this.#dispatch);
    } else {
      code.if();
      code.get(this.budget);
      code.op("return");
      code.end();
    }
    this.#dirtyX = 0;
    this.#dirtyF = 0;
    if (next === OUTSIDE) {
      this.#goOutside(nextOffset);
      return;
    }
    if (this.#graph.isHeader[next] === 0) this.#checkBudget(next);
    this.#reload(next);
    this.#edge(number, next, nextOffset);
  }
}

/** How many instructions may be executed from the beginning of a block until the budget is looked at again. */
function longestPaths({ blocks, isHeader }: Graph): Int32Array {
  const longest = new Int32Array(blocks.length);
  for (let number = blocks.length - 1; number >= 0; number--) {
    const block = blocks[number] as Block;
    let behind = 0;
    if (!handsOver(block.flow)) {
      for (const target of edgesOf(block))
        if (target > number && isHeader[target] === 0) behind = Math.max(behind, longest[target] as number);
    }
    longest[number] = block.insns.length + behind;
  }
  return longest;
}

/** For each block the blocks that it dominates at once and that several edges lead to, the last one first. */
function mergesOf({ blocks, dominators, forwardEdges }: Graph): number[][] {
  const merges: number[][] = blocks.map(() => []);
  for (let number = blocks.length - 1; number > 0; number--) {
    if ((forwardEdges[number] as number) > 1) merges[dominators[number] as number]?.push(number);
  }
  return merges;
}
