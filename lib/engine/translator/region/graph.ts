/**
 * A region's blocks in reverse postorder, who dominates whom, and where loops begin.
 *
 * An edge back to a block that does not dominate its source cannot be structured: it leaves the region instead, as an edge
 * to code outside does.
 * @spec Cooper, Harvey, Kennedy, A Simple, Fast Dominance Algorithm (2001)
 */
import type { RegionCode } from "./discovery.ts";
import { Flow, type RegionInsn } from "./instruction.ts";

/** An edge that leaves the region. */
export const OUTSIDE = -1;

/** A run of instructions with one beginning and one end. */
export interface Block {
  /** Offset of the first instruction. */
  readonly offset: number;
  readonly insns: readonly RegionInsn[];
  /** Offset of each. */
  readonly offsets: readonly number[];
  /** How the last one goes on. */
  readonly flow: Flow;
  /** Offset of the code behind the block, and of the target of its branch or jump. */
  readonly nextOffset: number;
  readonly takenOffset: number;
  /** Blocks there, or `OUTSIDE`. */
  next: number;
  taken: number;
}

/** The graph. Blocks are numbered in reverse postorder, the entry is 0. */
export interface Graph {
  readonly blocks: readonly Block[];
  /** Immediate dominator of each block; the entry's own is itself. */
  readonly dominators: Int32Array;
  /** 1 where an edge leads back. */
  readonly isHeader: Uint8Array;
  /** How many edges lead forward to each block. */
  readonly forwardEdges: Int32Array;
}

/** Builds the graph of a region. */
export function graphOf(code: RegionCode): Graph {
  const blocks = inReversePostorder(blocksOf(code));
  const dominators = dominatorsOf(blocks);
  cutIrreducible(blocks, dominators);
  const isHeader = new Uint8Array(blocks.length);
  const forwardEdges = new Int32Array(blocks.length);
  blocks.forEach((block, source) => {
    for (const target of [block.taken, block.next]) {
      if (target === OUTSIDE) continue;
      if (target <= source) isHeader[target] = 1;
      else forwardEdges[target] = (forwardEdges[target] as number) + 1;
    }
  });
  return { blocks, dominators, isHeader, forwardEdges };
}

/** Whether control reaches the code behind a block with this flow at its end. */
export const fallsThrough = (flow: Flow): boolean =>
  flow !== Flow.JUMP && flow !== Flow.JUMP_REGISTER && flow !== Flow.RETURN;
/** Whether a block with this flow at its end goes to `takenOffset` within a region. */
export const isTaken = (flow: Flow): boolean => flow === Flow.JUMP || flow === Flow.BRANCH;

/** Blocks in order of discovery; `next` and `taken` are numbers in that order. */
function blocksOf(code: RegionCode): Block[] {
  const blocks: Block[] = [];
  const numbers = new Map<number, number>();
  for (const leader of code.leaders) {
    const block = blockAt(code, leader);
    if (block === undefined) continue;
    numbers.set(leader, blocks.length);
    blocks.push(block);
  }
  for (const block of blocks) {
    if (fallsThrough(block.flow)) block.next = numbers.get(block.nextOffset) ?? OUTSIDE;
    if (isTaken(block.flow)) block.taken = numbers.get(block.takenOffset) ?? OUTSIDE;
  }
  return blocks;
}

function blockAt(code: RegionCode, leader: number): Block | undefined {
  const insns: RegionInsn[] = [];
  const offsets: number[] = [];
  let offset = leader;
  let takenOffset = 0;
  let flow: Flow = Flow.NEXT;
  for (let number = code.numberAt(leader); number >= 0; number = code.numberAt(offset)) {
    if (offset !== leader && code.isLeader(offset)) break;
    const insn = code.insns[number] as RegionInsn;
    insns.push(insn);
    offsets.push(offset);
    takenOffset = offset + insn.offset;
    offset += insn.sizeBytes;
    flow = insn.flow;
    if (flow !== Flow.NEXT) break;
  }
  if (insns.length === 0) return undefined;
  return {
    offset: leader,
    insns,
    offsets,
    flow,
    nextOffset: offset,
    takenOffset,
    next: OUTSIDE,
    taken: OUTSIDE,
  };
}

function inReversePostorder(blocks: readonly Block[]): Block[] {
  const order: number[] = [];
  const isSeen = new Uint8Array(blocks.length);
  const visit = (number: number): void => {
    if (number === OUTSIDE || isSeen[number] === 1) return;
    isSeen[number] = 1;
    const { taken, next } = blocks[number] as Block;
    visit(taken);
    visit(next);
    order.push(number);
  };
  visit(0);
  order.reverse();
  const rank = new Int32Array(blocks.length);
  order.forEach((number, position) => {
    rank[number] = position;
  });
  const sorted = order.map((number) => blocks[number] as Block);
  for (const block of sorted) {
    if (block.next !== OUTSIDE) block.next = rank[block.next] as number;
    if (block.taken !== OUTSIDE) block.taken = rank[block.taken] as number;
  }
  return sorted;
}

const UNKNOWN = -1;

/**
 * Dominators by forward edges alone. An edge back to a dominator changes none: whoever goes along it has been at its target.
 * Those that lead elsewhere are cut.
 */
function dominatorsOf(blocks: readonly Block[]): Int32Array {
  const dominators = new Int32Array(blocks.length).fill(UNKNOWN);
  dominators[0] = 0;
  blocks.forEach(({ taken, next }, source) => {
    for (const target of [taken, next]) {
      if (target <= source) continue;
      const before = dominators[target] as number;
      dominators[target] = before === UNKNOWN ? source : commonDominator(dominators, before, source);
    }
  });
  return dominators;
}

function commonDominator(dominators: Int32Array, one: number, other: number): number {
  let a = one;
  let b = other;
  while (a !== b) {
    while (a > b) a = dominators[a] as number;
    while (b > a) b = dominators[b] as number;
  }
  return a;
}

/** Cuts edges back to blocks that do not dominate their sources. */
function cutIrreducible(blocks: readonly Block[], dominators: Int32Array): void {
  blocks.forEach((block, source) => {
    if (!mayLead(dominators, source, block.taken)) block.taken = OUTSIDE;
    if (!mayLead(dominators, source, block.next)) block.next = OUTSIDE;
  });
}

const mayLead = (dominators: Int32Array, source: number, target: number): boolean =>
  target === OUTSIDE || target > source || dominates(dominators, target, source);

function dominates(dominators: Int32Array, above: number, below: number): boolean {
  let at = below;
  while (at > above) at = dominators[at] as number;
  return at === above;
}
