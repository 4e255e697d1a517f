/**
 * Writes a region's function: registers in locals, control flow structured along the dominator tree.
 *
 * A block that several edges lead to is placed behind a WebAssembly block that contains everything between its dominator and it;
 * a loop's header begins a WebAssembly loop; any other block stands where the one edge to it is.
 * @spec Ramsey, Beyond Relooper: Recursive Translation of Unstructured Control Flow to Structured Control Flow (ICFP 2022)
 */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { WORD } from "../layout.ts";
import type { Code, Label } from "../wasm/code.ts";
import type { RegionCode } from "./discovery.ts";
import { type Block, edgesOf, type Graph, longestPaths, mergesOf, OUTSIDE } from "./graph.ts";
import { bailIfTooDeep, writeCall, writePrivileged, writeReload, writeReturnCheck } from "./hand-over.ts";
import { FloatLevel, Flow, handsOver, isLink, type RegionInsn } from "./instruction.ts";
import { type Liveness, livenessOf } from "./liveness.ts";
import { type AccessGroup, planAccesses } from "./memory-plan.ts";
import type { RegionEmission } from "./region-emission.ts";
import { RegionFrame, type RegionPlace } from "./region-frame.ts";
import { eachRegister } from "./register-set.ts";
import { Words } from "./words.ts";

/** The body of a region's function. */
export function writeRegion(code: RegionCode, graph: Graph, place: RegionPlace): Uint8Array {
  return new RegionWriter(code, graph, place).write();
}

const CODE_BIT = {
  [FloatLevel.NONE]: WORD.codeBit,
  [FloatLevel.ON]: WORD.codeBitFloatOn,
  [FloatLevel.FAST]: WORD.codeBitFloatFast,
};
/** Cases of a jump are not further apart, in halfwords. */
const MAX_CASE_SPAN = 1024;

class RegionWriter {
  readonly #frame: RegionFrame;
  readonly #code: Code;
  readonly #emission: RegionEmission;
  readonly #groups: readonly (readonly (AccessGroup | undefined)[])[];
  readonly #start: number;
  readonly #graph: Graph;
  readonly #place: RegionPlace;
  readonly #liveness: Liveness;
  readonly #words: Words;
  readonly #longest: Int32Array;
  readonly #floatLevel: FloatLevel;
  readonly #labels: Label[] = [];
  /** Blocks that a dominator has a WebAssembly block for, by dominator; the last first. */
  readonly #merges: number[][];

  constructor(region: RegionCode, graph: Graph, place: RegionPlace) {
    this.#frame = new RegionFrame(region, place);
    this.#code = this.#frame.code;
    this.#emission = this.#frame.emission;
    this.#start = region.start;
    this.#graph = graph;
    this.#place = place;
    this.#liveness = livenessOf(graph);
    this.#words = new Words(graph);
    this.#longest = longestPaths(graph);
    this.#merges = mergesOf(graph);
    this.#groups = graph.blocks.map((block, number) =>
      planAccesses(block, graph.isInLoop[number] === 1, place.tactics.coalesces),
    );
    for (const groups of this.#groups) for (const group of groups) this.#emission.looks.announce(group);
    this.#floatLevel = region.insns.reduce<FloatLevel>(
      (level, insn) => (insn.floatLevel > level ? insn.floatLevel : level),
      FloatLevel.NONE,
    );
  }

  write(): Uint8Array {
    return this.#frame.write(() => {
      this.#prologue();
      this.#tree(0);
    });
  }

  /** Whoever calls is only sure of the address; the rest is looked at here. */
  #prologue(): void {
    const { code, hart } = this.#frame;
    this.#frame.refuseUnless(WORD.codeBit);
    if (this.#floatLevel !== FloatLevel.NONE) this.#frame.refuseUnless(CODE_BIT[this.#floatLevel]);
    code.get(hart);
    code.load("i64.load", HART_LAYOUT.pc.offset);
    code.i64(this.#frame.pcAt(this.#start));
    code.op("i64.ne");
    this.#frame.refuseIf();
    if (this.#graph.isHeader[0] === 0) this.#checkBudget(0);
    writeReload(this.#frame, this.#liveness, 0);
  }

  /** Leaves at the beginning of a block unless the budget lasts until the next check. */
  #checkBudget(number: number): void {
    const { code, budget } = this.#frame;
    code.get(budget);
    code.i32(this.#longest[number] as number);
    code.op("i32.lt_s");
    this.#frame.leaveIf(this.#blockAt(number).offset, 0);
  }

  #blockAt(number: number): Block {
    return this.#graph.blocks[number] as Block;
  }

  /** A block and all that it dominates. */
  #tree(number: number): void {
    const isHeader = this.#graph.isHeader[number] === 1;
    if (isHeader) this.#labels[number] = this.#code.loop();
    this.#within(number, 0);
    if (isHeader) this.#code.end();
  }

  /** A block inside the WebAssembly blocks of the merges that it dominates, from that one on. */
  #within(number: number, position: number): void {
    const merge = this.#merges[number]?.[position];
    if (merge === undefined) {
      this.#block(number);
      return;
    }
    this.#labels[merge] = this.#code.block();
    this.#within(number, position + 1);
    this.#code.end();
    this.#tree(merge);
  }

  /** Whether an edge is a branch to a label. */
  #isLabelled(source: number, target: number): boolean {
    return target !== OUTSIDE && (target <= source || (this.#graph.forwardEdges[target] as number) > 1);
  }

  #edge(source: number, target: number, offset: number): void {
    if (target === OUTSIDE) this.#frame.goOutside(offset);
    else if (this.#isLabelled(source, target)) this.#code.br(this.#labels[target] as Label);
    else this.#tree(target);
  }

  #block(number: number): void {
    const frame = this.#frame;
    const block = this.#blockAt(number);
    frame.words = this.#words.at(number);
    frame.dirtyX = this.#liveness.dirtyX[number] as number;
    frame.dirtyF = this.#liveness.dirtyF[number] as number;
    if (this.#graph.isHeader[number] === 1) this.#checkBudget(number);
    this.#spend(block.insns.length);
    const groups = this.#groups[number] ?? [];
    block.insns.forEach((insn, index) => {
      frame.offset = block.offsets[index] as number;
      frame.giveBack = block.insns.length - index;
      this.#emission.begin(insn, frame.pcAt(frame.offset), groups[index]);
      const word = this.#words.formOf(number, index, frame.words);
      if (word === undefined) this.#insn(insn);
      else this.#emission.setRdWord(word, this.#words.keeps(number, index));
      frame.words = this.#words.behind(number, index, frame.words);
      frame.dirtyX |= insn.writesX;
      frame.dirtyF |= insn.writesF;
    });
    if (!handsOver(block.flow)) for (const target of edgesOf(block)) this.#convert(target);
    this.#end(number, block);
  }

  /** Puts registers into the locals in which a block that follows expects them; they stay in their own, too. */
  #convert(target: number): void {
    const frame = this.#frame;
    const { code } = frame;
    const { kept } = frame.words;
    const expected = this.#words.at(target).kept;
    eachRegister((kept ^ expected) & (this.#liveness.liveX[target] as number), (register) => {
      if ((kept >>> register) & 1) {
        code.get(frame.localOfWord(register));
        code.op("i64.extend_i32_s");
        code.set(frame.localOfX(register));
      } else {
        code.get(frame.localOfX(register));
        code.op("i32.wrap_i64");
        code.set(frame.localOfWord(register));
      }
    });
  }

  #spend(insns: number): void {
    const { code, budget } = this.#frame;
    code.get(budget);
    code.i32(insns);
    code.op("i32.sub");
    code.set(budget);
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
          this.#code.op("drop");
          return;
        }
        this.#code.load(emitter.op, offset);
        this.#code.set(this.#frame.localOfX(decoded.rd));
        return;
      }
      case "store": {
        const offset = emission.locate("store", emitter.widthBytes);
        emission.rs2();
        this.#code.store(emitter.op, offset);
        return;
      }
      case "effect":
      case "float":
        emitter.emit(emission);
        return;
      case "jump":
        if (isLink(decoded.rd)) bailIfTooDeep(this.#frame);
        emission.setRd(() => emission.followingPc());
        return;
      case "jumpRegister":
        if (isLink(decoded.rd)) bailIfTooDeep(this.#frame);
        this.#pushTarget();
        this.#code.set(this.#frame.target);
        emission.setRd(() => emission.followingPc());
        return;
      default:
        return;
    }
  }

  #pushTarget(): void {
    const { code } = this.#frame;
    this.#emission.rs1();
    this.#emission.imm();
    code.op("i64.add");
    code.i64(-2n);
    code.op("i64.and");
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
        writeCall(
          this.#frame,
          () => this.#frame.storePc(block.takenOffset),
          this.#place.slotFor(block.takenOffset),
        );
        this.#continue(number, block);
        return;
      case Flow.CALL_REGISTER:
        writeCall(this.#frame, () => this.#frame.storeTarget(), undefined);
        this.#continue(number, block);
        return;
      case Flow.PRIVILEGED:
        writePrivileged(this.#frame, block);
        this.#continue(number, block);
        return;
      case Flow.RETURN:
        this.#frame.storeDirty();
        this.#frame.storeTarget();
        this.#code.get(this.#frame.budget);
        this.#code.op("return");
        return;
      case Flow.JUMP_REGISTER:
        this.#chooseCase(number, block);
        return;
      default:
        this.#edge(number, block.next, block.nextOffset);
    }
  }

  #branch(number: number, { insns, taken, next, takenOffset, nextOffset }: Block): void {
    const { code } = this.#frame;
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
    const restore = this.#frame.remember();
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
    const ofWords = (readsX & this.#frame.words.kept) !== 0;
    (ofWords ? emitter.wordCondition : emitter.condition)?.(this.#emission);
  }

  /** A jump through a register: to one of the cases, or to whoever the jump cache knows. */
  #chooseCase(number: number, { cases }: Block): void {
    if (cases.length === 0) {
      this.#frame.jumpOutside();
      return;
    }
    const { code } = this.#frame;
    const sorted = cases.toSorted((a, b) => this.#blockAt(a).offset - this.#blockAt(b).offset);
    const lowest = this.#blockAt(sorted[0] as number).offset;
    const highest = this.#blockAt(sorted.at(-1) as number).offset;
    const restore = this.#frame.remember();
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
    this.#frame.jumpOutside();
  }

  /** Pushes how many halfwords behind the lowest case the target is; a large number for targets that are none. */
  #pushCase(lowest: number): void {
    const { code } = this.#frame;
    code.get(this.#frame.target);
    code.i64(this.#frame.pcAt(lowest));
    code.op("i64.sub");
    code.i64(1n);
    code.op("i64.rotr");
    code.set(this.#frame.caseNumber);
    code.get(this.#frame.caseNumber);
    code.op("i32.wrap_i64");
    code.i32(-1);
    code.get(this.#frame.caseNumber);
    code.i64(BigInt(MAX_CASE_SPAN));
    code.op("i64.lt_u");
    code.op("select");
  }

  /** Goes on behind a call. */
  #continue(number: number, block: Block): void {
    const { next, nextOffset } = block;
    writeReturnCheck(this.#frame, block, CODE_BIT[this.#floatLevel]);
    if (next === OUTSIDE) {
      this.#frame.goOutside(nextOffset);
      return;
    }
    if (this.#graph.isHeader[next] === 0) this.#checkBudget(next);
    writeReload(this.#frame, this.#liveness, next);
    this.#edge(number, next, nextOffset);
  }
}
