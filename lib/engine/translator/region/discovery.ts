/**
 * Finds the code of a region: from a hot address over instructions that the cold tier has decoded, along branches and
 * jumps, past calls, not into them. It decodes ahead of what it executes, so some of them may never have run.
 */
import { HEAT_IN_PAGE, SLOT_BYTES } from "../layout.ts";
import { Flow, fallsThrough, type RegionInsn, regionInsn } from "./instruction.ts";

/** Where a page of code is. */
export interface CodePage {
  /** Address in the memory of its slots: see `layout.ts`. */
  readonly slots: number;
  /** Address in the memory of its bytes. */
  readonly bytes: number;
  /** Its number: see `runtime/code-pages.ts`. */
  readonly number: number;
}

/** The hart's view of code: what is known of a virtual page (its first address, 64 bits unsigned), without looking further. */
export type CodeView = (virtualPage: bigint) => CodePage | undefined;

/** A page of a region: `index` pages behind that of its start. */
export interface RegionPage extends CodePage {
  readonly index: number;
}

/** A region reaches this many pages back and forth from its start. */
const REACH_PAGES = 15;
const PAGE_SHIFT = 12;
const PAGE_MASK = 4095;
const PLACES = 2 * REACH_PAGES * 2048;
/** Cases of a jump are not further from it, in bytes, and come back within so many instructions. */
const CASE_REACH = 1000;
const CASE_INSNS = 64;
/** Marks of places. */
const LEADER = 1;

/** The code of a region. Addresses are offsets in bytes from the page of its start. */
export class RegionCode {
  /** First address of the page in which the region starts, 64 bits unsigned. */
  readonly base: bigint;
  readonly start: number;
  readonly pages: RegionPage[] = [];
  readonly insns: RegionInsn[] = [];
  /** Offset of each instruction. */
  readonly offsets: number[] = [];
  /** Offsets at which blocks begin, that of the start first. */
  readonly leaders: number[] = [];
  /** Where jumps through registers were seen to go, by their offsets. */
  readonly cases: { readonly from: number; readonly to: number }[] = [];

  readonly #reach: Reach;

  constructor(base: bigint, start: number, reach: Reach) {
    this.base = base;
    this.start = start;
    this.#reach = reach;
  }

  /** Number of the instruction at an offset; −1 if it is not in the region. Good until the next discovery. */
  numberAt(offset: number): number {
    return isInReach(offset) ? (this.#reach.numberOf[placeOf(offset)] as number) - 1 : -1;
  }

  isLeader(offset: number): boolean {
    return isInReach(offset) && this.#reach.marks[placeOf(offset)] === LEADER;
  }
}

/** What is known of each halfword in reach of the present discovery's start: there is one at a time. */
interface Reach {
  /** Number of the instruction, plus one; 0 for none. */
  readonly numberOf: Int16Array;
  readonly marks: Uint8Array;
}

const isInReach = (offset: number): boolean =>
  offset >= -(REACH_PAGES << PAGE_SHIFT) && offset < REACH_PAGES << PAGE_SHIFT;
const placeOf = (offset: number): number => (offset >> 1) + REACH_PAGES * 2048;

/** Discovers regions in one memory. */
export class Discovery {
  readonly #u16: Uint16Array;
  readonly #i32: Int32Array;
  readonly #maxInsns: number;
  readonly #reach: Reach = { numberOf: new Int16Array(PLACES), marks: new Uint8Array(PLACES) };
  #used: RegionCode | undefined;
  #view: CodeView = () => undefined;

  /** @param maxInsns  Most instructions of a region, below 512. */
  constructor(memory: WebAssembly.Memory, maxInsns: number) {
    this.#maxInsns = maxInsns;
    this.#u16 = new Uint16Array(memory.buffer);
    this.#i32 = new Int32Array(memory.buffer);
  }

  /**
   * The region at an address.
   *
   * @param start  64 bits, unsigned, even.
   * @returns      Undefined if not even the first instruction can be translated.
   */
  discover(start: bigint, view: CodeView): RegionCode | undefined {
    this.#forgetUsed();
    const code = new RegionCode(start & ~0xfffn, Number(start & 0xfffn), this.#reach);
    this.#used = code;
    this.#view = view;
    this.#lead(code, code.start);
    let next = 0;
    const walkAll = (): void => {
      for (; next < code.leaders.length; next++) this.#walk(code, code.leaders[next] as number);
    };
    walkAll();
    if (this.#addCases(code)) walkAll();
    return code.insns.length === 0 ? undefined : code;
  }

  #forgetUsed(): void {
    const { numberOf, marks } = this.#reach;
    for (const offset of this.#used?.offsets ?? []) numberOf[placeOf(offset)] = 0;
    for (const offset of this.#used?.leaders ?? []) marks[placeOf(offset)] = 0;
  }

  #lead(code: RegionCode, offset: number): void {
    if (!isInReach(offset) || this.#reach.marks[placeOf(offset)] !== 0) return;
    this.#reach.marks[placeOf(offset)] = LEADER;
    code.leaders.push(offset);
  }

  #walk(code: RegionCode, leader: number): void {
    let offset = leader;
    while (code.insns.length < this.#maxInsns && isInReach(offset)) {
      if (this.#reach.numberOf[placeOf(offset)] !== 0) {
        this.#lead(code, offset);
        return;
      }
      const insn = this.#decoded(code, offset);
      if (insn === undefined || insn.flow === Flow.LEAVE) return;
      code.insns.push(insn);
      code.offsets.push(offset);
      this.#reach.numberOf[placeOf(offset)] = code.insns.length;
      const following = offset + insn.sizeBytes;
      if (insn.flow !== Flow.NEXT) {
        this.#follow(code, insn, offset, following);
        return;
      }
      offset = following;
    }
  }

  #follow(code: RegionCode, insn: RegionInsn, offset: number, following: number): void {
    switch (insn.flow) {
      case Flow.BRANCH:
        this.#lead(code, following);
        this.#lead(code, offset + insn.offset);
        return;
      case Flow.JUMP:
        this.#lead(code, offset + insn.offset);
        return;
      case Flow.CALL:
      case Flow.CALL_REGISTER:
      case Flow.PRIVILEGED:
        this.#lead(code, following);
        return;
      default:
        return;
    }
  }

  /**
   * Takes code that was arrived at, and from where control comes into the region, for cases of the jump through a register
   * before it: nothing else leads there.
   */
  #addCases(code: RegionCode): boolean {
    const jumps = code.offsets
      .filter((_, number) => code.insns[number]?.flow === Flow.JUMP_REGISTER)
      .sort((a, b) => a - b);
    if (jumps.length === 0) return false;
    for (const { index, slots } of [...code.pages]) {
      const heat = (slots + HEAT_IN_PAGE) >>> 2;
      for (let half = 0; half < 2048; half++) {
        if (this.#i32[heat + half] === 0) continue;
        const to = (index << PAGE_SHIFT) + 2 * half;
        const from = jumps.findLast((jump) => jump < to) ?? (jumps[0] as number);
        if (Math.abs(to - from) < CASE_REACH && this.#comesBack(code, to)) code.cases.push({ from, to });
      }
    }
    for (const { to } of code.cases) this.#lead(code, to);
    return code.cases.length > 0;
  }

  /** Whether control comes from an offset outside into the region within a few instructions. */
  #comesBack(code: RegionCode, start: number): boolean {
    let offset = start;
    for (let made = 0; made < CASE_INSNS && isInReach(offset); made++) {
      if (this.#reach.numberOf[placeOf(offset)] !== 0) return made > 0;
      const insn = this.#decoded(code, offset);
      if (insn === undefined) return false;
      if (insn.flow === Flow.JUMP) offset += insn.offset;
      else if (fallsThrough(insn.flow)) offset += insn.sizeBytes;
      else return false;
    }
    return false;
  }

  /** The instruction at an offset if the cold tier has decoded it and it lies in one page. */
  #decoded(code: RegionCode, offset: number): RegionInsn | undefined {
    const page = this.#pageOf(code, offset >> PAGE_SHIFT);
    if (page === undefined) return undefined;
    const inPage = offset & PAGE_MASK;
    if (this.#u16[(page.slots + (inPage >>> 1) * SLOT_BYTES) >>> 1] === 0) return undefined;
    const at = (page.bytes + inPage) >>> 1;
    const parcel = this.#u16[at] as number;
    if ((parcel & 3) !== 3) return regionInsn(parcel);
    if (inPage === PAGE_MASK - 1) return undefined;
    return regionInsn((((this.#u16[at + 1] as number) << 16) | parcel) >>> 0);
  }

  #pageOf(code: RegionCode, index: number): CodePage | undefined {
    for (const page of code.pages) if (page.index === index) return page;
    const found = this.#view(BigInt.asUintN(64, code.base + BigInt(index << PAGE_SHIFT)));
    if (found === undefined) return undefined;
    const page = { ...found, index };
    code.pages.push(page);
    return page;
  }
}
