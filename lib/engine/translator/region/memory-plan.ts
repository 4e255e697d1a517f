/**
 * Which accesses of a block share one look into the bank of translations: those by the same base register, of the same kind,
 * while nobody writes the base.
 */
import type { Block } from "./graph.ts";
import type { RegionInsn } from "./instruction.ts";

/** Accesses with one look. */
export interface AccessGroup {
  readonly kind: "load" | "store";
  /** Number of the base register. */
  readonly base: number;
  /** Whether a loop comes here again, so that a guess of the page may be right. */
  readonly isInLoop: boolean;
  /** Offsets from the base of the first byte and of the last one. */
  first: number;
  last: number;
  /** Width of the widest access, and its offset. */
  widthBytes: 1 | 2 | 4 | 8;
  widestAt: number;
  accesses: number;
}

/** Accesses further apart than this have their own looks: they are too often in two pages. */
const REACH_BYTES = 512;

/** The group of each instruction of a block; undefined for those that reach no memory, or look by themselves. */
export function planAccesses(
  { insns }: Block,
  isInLoop: boolean,
  coalesces: boolean,
): (AccessGroup | undefined)[] {
  const open: Record<"load" | "store", (AccessGroup | undefined)[]> = { load: [], store: [] };
  return insns.map((insn) => {
    const { access, decoded, writesX } = insn;
    let group: AccessGroup | undefined;
    if (access !== undefined) {
      const known = open[access.kind][decoded.rs1];
      group = known !== undefined && coalesces && joins(known, insn) ? known : newGroup(insn, isInLoop);
      open[access.kind][decoded.rs1] = group;
    }
    if (writesX !== 0) {
      open.load[decoded.rd] = undefined;
      open.store[decoded.rd] = undefined;
    }
    return group;
  });
}

function newGroup({ access, offset, decoded }: RegionInsn, isInLoop: boolean): AccessGroup | undefined {
  if (access === undefined) return undefined;
  const { kind, widthBytes } = access;
  const last = offset + widthBytes - 1;
  const base = decoded.rs1;
  return { kind, base, isInLoop, first: offset, last, widthBytes, widestAt: offset, accesses: 1 };
}

/** Adds an access to a group if that stays small. */
function joins(group: AccessGroup, { access, offset }: RegionInsn): boolean {
  if (access === undefined) return false;
  const { widthBytes } = access;
  const first = Math.min(group.first, offset);
  const last = Math.max(group.last, offset + widthBytes - 1);
  if (last - first > REACH_BYTES) return false;
  group.first = first;
  group.last = last;
  if (widthBytes > group.widthBytes) {
    group.widthBytes = widthBytes;
    group.widestAt = offset;
  }
  group.accesses += 1;
  return true;
}
