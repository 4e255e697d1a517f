/**
 * Which registers are dirty (in a local, newer than in the state block), and which are live, where each block begins.
 *
 * Wherever the region may be left, its dirty registers are stored; so a place to leave reads them. A register that is dirty on
 * one path and untouched on another is therefore live on both, and has its value in its local.
 */
import { type Block, edgesOf, type Graph, OUTSIDE } from "./graph.ts";
import { Flow, handsOver } from "./instruction.ts";

/** Sets of registers (bit n is register n) at the beginning of each block. */
export interface Liveness {
  readonly dirtyX: Int32Array;
  readonly dirtyF: Int32Array;
  readonly liveX: Int32Array;
  readonly liveF: Int32Array;
}

/** Analyzes a region. */
export function livenessOf(graph: Graph): Liveness {
  const count = graph.blocks.length;
  const liveness = {
    dirtyX: new Int32Array(count),
    dirtyF: new Int32Array(count),
    liveX: new Int32Array(count),
    liveF: new Int32Array(count),
  };
  const writes = graph.blocks.map(writesOf);
  while (spreadDirty(graph, writes, liveness)) {}
  const reads = graph.blocks.map((block, number) => readsOf(graph, block, number, liveness));
  while (spreadLive(graph, writes, reads, liveness)) {}
  return liveness;
}

interface RegisterSets {
  x: number;
  f: number;
}

function writesOf({ insns }: Block): RegisterSets {
  const sets = { x: 0, f: 0 };
  for (const { writesX, writesF } of insns) {
    sets.x |= writesX;
    sets.f |= writesF;
  }
  return sets;
}

function spreadDirty(
  { blocks }: Graph,
  writes: readonly RegisterSets[],
  { dirtyX, dirtyF }: Liveness,
): boolean {
  let isChanged = false;
  for (let source = 0; source < blocks.length; source++) {
    const block = blocks[source] as Block;
    if (handsOver(block.flow)) continue;
    const { x, f } = writes[source] as RegisterSets;
    const outX = (dirtyX[source] as number) | x;
    const outF = (dirtyF[source] as number) | f;
    for (const target of edgesOf(block)) {
      const missing = (outX & ~(dirtyX[target] as number)) | (outF & ~(dirtyF[target] as number));
      if (missing === 0) continue;
      dirtyX[target] = (dirtyX[target] as number) | outX;
      dirtyF[target] = (dirtyF[target] as number) | outF;
      isChanged = true;
    }
  }
  return isChanged;
}

/** Registers that a block reads before it writes them; places to leave read what is dirty there. */
function readsOf({ isHeader }: Graph, block: Block, number: number, liveness: Liveness): RegisterSets {
  const dirtyX = liveness.dirtyX[number] as number;
  const dirtyF = liveness.dirtyF[number] as number;
  const reads = isHeader[number] === 1 ? { x: dirtyX, f: dirtyF } : { x: 0, f: 0 };
  let writtenX = 0;
  let writtenF = 0;
  for (const { readsX, readsF, writesX, writesF, mayBail } of block.insns) {
    reads.x |= (mayBail ? readsX | dirtyX : readsX) & ~writtenX;
    reads.f |= (mayBail ? readsF | dirtyF : readsF) & ~writtenF;
    writtenX |= writesX;
    writtenF |= writesF;
  }
  if (mayLeaveAtEnd(block)) {
    reads.x |= dirtyX & ~writtenX;
    reads.f |= dirtyF & ~writtenF;
  }
  return reads;
}

const mayLeaveAtEnd = ({ flow, taken, next }: Block): boolean =>
  flow === Flow.NEXT
    ? next === OUTSIDE
    : flow === Flow.JUMP
      ? taken === OUTSIDE
      : flow !== Flow.BRANCH || taken === OUTSIDE || next === OUTSIDE;

function spreadLive(
  { blocks }: Graph,
  writes: readonly RegisterSets[],
  reads: readonly RegisterSets[],
  { liveX, liveF }: Liveness,
): boolean {
  let isChanged = false;
  for (let number = blocks.length - 1; number >= 0; number--) {
    const block = blocks[number] as Block;
    let x = 0;
    let f = 0;
    if (!handsOver(block.flow)) {
      for (const target of edgesOf(block)) {
        x |= liveX[target] as number;
        f |= liveF[target] as number;
      }
    }
    const written = writes[number] as RegisterSets;
    const read = reads[number] as RegisterSets;
    x = (x & ~written.x) | read.x;
    f = (f & ~written.f) | read.f;
    if (x === liveX[number] && f === liveF[number]) continue;
    liveX[number] = x;
    liveF[number] = f;
    isChanged = true;
  }
  return isChanged;
}
