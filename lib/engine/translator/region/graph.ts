/**
 * A region's blocks in reverse postorder, who dominates whom, and where loops begin.
 *
 * An edge back to a block that does not dominate its source cannot be structured: it leaves the region instead, as an edge
 * to code outside does.
 * @spec Cooper, Harvey, Kennedy, A Simple, Fast Dominance Algorithm (2001)
 */
import type { RegionCode } from "./discovery.ts";
import { Flow, fallsThrough, handsOver, isTaken, type RegionInsn } from "./instruction.ts";

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
  /** Where a jump through a register is known to go within the region; it may go elsewhere, too. */
  cases: number[];
}

/** Blocks to which control may go from a block, each as often as there are edges. */
export function edgesOf({ taken, next, cases }: Block): number[] {
  return [taken, next, ...cases].filter((target) => target !== OUTSIDE);
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
  /** 1 for blocks of loops that call nothing. */
  readonly isInLoop: Uint8Array;
}

/**
 * Builds the graph of a region. One that starts at a loop's header is the loop alone: what is behind it belongs to the region
 * of the function, which begins elsewhere.
 */
export function graphOf(code: RegionCode): Graph {
  const all = inReversePostorder(blocksOf(code));
  cutIrreducible(all, dominatorsOf(all));
  const blocks = onlyLoop(all);
  const dominators = dominatorsOf(blocks);
  const isHeader = new Uint8Array(blocks.length);
  const forwardEdges = new Int32Array(blocks.length);
  blocks.forEach((block, source) => {
    for (const target of edgesOf(block)) {
      if (target <= source) isHeader[target] = 1;
      else forwardEdges[target] = (forwardEdges[target] as number) + 1;
    }
  });
  return { blocks, dominators, isHeader, forwardEdges, isInLoop: quietLoops(blocks, isHeader) };
}

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
    if (block.flow === Flow.JUMP_REGISTER) block.cases = casesOf(code, block, numbers);
  }
  return blocks;
}

function casesOf(code: RegionCode, { offsets }: Block, numbers: ReadonlyMap<number, number>): number[] {
  const jump = offsets.at(-1);
  return code.cases.flatMap(({ from, to }) => (from === jump ? (numbers.get(to) ?? []) : []));
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
    cases: [],
  };
}

function inReversePostorder(blocks: readonly Block[]): Block[] {
  const order: number[] = [];
  const isSeen = new Uint8Array(blocks.length);
  const visit = (number: number): void => {
    if (isSeen[number] === 1) return;
    isSeen[number] = 1;
    for (const target of edgesOf(blocks[number] as Block)) visit(target);
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
    block.cases = block.cases.map((target) => rank[target] as number);
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
  blocks.forEach((block, source) => {
    for (const target of edgesOf(block)) {
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
    block.cases = block.cases.filter((target) => mayLead(dominators, source, target));
  });
}

const mayLead = (dominators: Int32Array, source: number, target: number): boolean =>
  target === OUTSIDE || target > source || dominates(dominators, target, source);

function dominates(dominators: Int32Array, above: number, below: number): boolean {
  let at = below;
  while (at > above) at = dominators[at] as number;
  return at === above;
}

/** If the entry begins a loop, the loop's blocks; else all. */
function onlyLoop(blocks: Block[]): Block[] {
  const sources = sourcesOf(blocks);
  if (sources[0]?.length === 0) return blocks;
  const loop = new Set(loopOf(0, sources));
  if (loop.size === blocks.length) return blocks;
  for (const block of blocks) {
    if (!loop.has(block.taken)) block.taken = OUTSIDE;
    if (!loop.has(block.next)) block.next = OUTSIDE;
    block.cases = block.cases.filter((target) => loop.has(target));
  }
  return inReversePostorder(blocks);
}

function sourcesOf(blocks: readonly Block[]): number[][] {
  const sources: number[][] = blocks.map(() => []);
  blocks.forEach((block, source) => {
    for (const target of edgesOf(block)) sources[target]?.push(source);
  });
  return sources;
}

/** Blocks of loops in which nobody is called: there translations stay as they are. */
function quietLoops(blocks: readonly Block[], isHeader: Uint8Array): Uint8Array {
  const isInLoop = new Uint8Array(blocks.length);
  const sources = sourcesOf(blocks);
  for (let header = blocks.length - 1; header >= 0; header--) {
    if (isHeader[header] === 0) continue;
    const loop = loopOf(header, sources);
    if (loop.some((number) => handsOver((blocks[number] as Block).flow))) continue;
    for (const number of loop) isInLoop[number] = 1;
  }
  return isInLoop;
}

/** The blocks of a loop: all from which an edge back to its header is reached without passing it. */
function loopOf(header: number, sources: readonly (readonly number[])[]): number[] {
  const loop = [header];
  const isSeen = new Set(loop);
  const add = (number: number): void => {
    if (isSeen.has(number)) return;
    isSeen.add(number);
    loop.push(number);
  };
  for (const source of sources[header] ?? []) if (source >= header) add(source);
  for (let at = 1; at < loop.length; at++)
    for (const source of sources[loop[at] as number] ?? []) add(source);
  return loop;
}

/** How many instructions may be executed from the beginning of a block until the budget is looked at again. */
export function longestPaths({ blocks, isHeader }: Graph): Int32Array {
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
export function mergesOf({ blocks, dominators, forwardEdges }: Graph): number[][] {
  const merges: number[][] = blocks.map(() => []);
  for (let number = blocks.length - 1; number > 0; number--) {
    if ((forwardEdges[number] as number) > 1) merges[dominators[number] as number]?.push(number);
  }
  return merges;
}
