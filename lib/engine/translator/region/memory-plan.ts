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
  /** Offset from the base of the first byte that is looked at: aligned whenever the widest access is. */
  lowest: number;
  /** Offset of the last access. */
  highest: number;
  /** Width of the widest access, and its offset. */
  widthBytes: 1 | 2 | 4 | 8;
  anchor: number;
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
  const base = decoded.rs1;
  return { kind, base, isInLoop, lowest: offset, highest: offset, widthBytes, anchor: offset, accesses: 1 };
}

/** Adds an access to a group if its alignment follows from that of the widest, and the group stays small. */
function joins(group: AccessGroup, { access, offset }: RegionInsn): boolean {
  if (access === undefined) return false;
  const { widthBytes } = access;
  const narrow = Math.min(widthBytes, group.widthBytes);
  if ((offset - group.anchor) % narrow !== 0) return false;
  const widest = widthBytes > group.widthBytes ? widthBytes : group.widthBytes;
  const anchor = widthBytes > group.widthBytes ? offset : group.anchor;
  const below = anchor - Math.min(group.lowest, offset);
  const lowest = anchor - Math.ceil(below / widest) * widest;
  const highest = Math.max(group.highest, offset);
  if (highest - lowest > REACH_BYTES) return false;
  group.lowest = lowest;
  group.highest = highest;
  group.widthBytes = widest;
  group.anchor = anchor;
  group.accesses += 1;
  return true;
}
