/**
 * Types of frames. A frame of a paravirtualized domain is memory, or a page table of one level; and while it is used as the one it cannot
 * become the other. `typeCount` says how often it is so used: as memory, by each entry that maps it writable; as a table, by each entry
 * that leads to it, each virtual CPU whose root it is, and its pin. So a guest never has a page table that it can write, and what the
 * hypervisor has checked once stays what it was.
 *
 * A frame gets a type when it is first used so, and keeps it when the last use has gone, with all that its entries refer to: to use it
 * again as the same costs nothing. To use it as something else undoes the table first. A table is therefore never more than one level
 * deep in work: 512 entries, whatever hangs below.
 */
import { beyond, type HPA } from "../../hs/address.ts";
import { Fault } from "../errors.ts";
import { refer, unrefer } from "../frames.ts";
import type { Host } from "../host.ts";
import { FrameType, type FrameView, TABLE_ENTRIES } from "../layout.ts";
import { meaningIn } from "./entries.ts";

/** Types of tables, by level. */
const TABLES: readonly number[] = [FrameType.PAGE_TABLE_0, FrameType.PAGE_TABLE_1, FrameType.PAGE_TABLE_2];
/** Level of a root. */
export const ROOT = 2;
/** The type of a table of a level. */
export const tableOf = (level: number): number => TABLES[level] ?? FrameType.FREE;
/** The level of a table, -1: it is none. */
export const levelOf = (type: number): number => TABLES.indexOf(type);

/** How many tables a call may still check or undo: 512 entries each. Work that was done stays done, so that the next call gets further. */
export interface Allowance {
  tables: number;
}
/** What every call gets. */
const TABLES_AT_ONCE = 8;
/** A new one. */
export const allowance = (): Allowance => ({ tables: TABLES_AT_ONCE });

const spend = (left: Allowance): boolean => --left.tables >= 0;

/** A frame of the domain's own that is memory or a table; `undefined`: others' frames, those of its disk, and what is no RAM. */
export function ownFrame({ map, state }: Host, domain: number, address: HPA): FrameView | undefined {
  if (address < map.ram.base || address >= map.ram.base + map.ram.sizeBytes) return undefined;
  const frame = state.frame(state.frameNumber(address));
  if (frame.owner !== domain) return undefined;
  const { type } = frame;
  return type === FrameType.RAM || levelOf(type) >= 0 ? frame : undefined;
}

/** A machine address, if it is memory of the domain's own that may be stored to: not a table. */
export const ownMemory = (host: Host, domain: number, address: HPA): HPA | undefined =>
  ownFrame(host, domain, address)?.type === FrameType.RAM ? address : undefined;

/**
 * One more use of a frame as something.
 *
 * @returns 0, or why it cannot be that: it is not the domain's, it is used as something else, or its entries are not what they may be.
 */
export function getTyped(host: Host, domain: number, address: HPA, type: number, left: Allowance): bigint {
  const frame = ownFrame(host, domain, address);
  if (frame === undefined) return Fault.NOT_PERMITTED;
  const refused = frame.type === type ? 0n : retype(host, domain, address, type, left);
  if (refused === 0n) refer(host, address, true);
  return refused;
}

/** One use fewer, and no change of its type. */
export const putTyped = (host: Host, address: HPA): void => unrefer(host, address, true);

/** One more entry that maps a frame to be read: whatever it is. */
function getReadable(host: Host, domain: number, address: HPA): bigint {
  if (ownFrame(host, domain, address) === undefined) return Fault.NOT_PERMITTED;
  refer(host, address, false);
  return 0n;
}

function retype(host: Host, domain: number, address: HPA, type: number, left: Allowance): bigint {
  const frame = host.state.frame(host.state.frameNumber(address));
  if (frame.typeCount > 0) return Fault.BUSY;
  const before = levelOf(frame.type);
  if (before >= 0) {
    if (!spend(left)) return Fault.TOO_MUCH;
    putEntries(host, address, before, TABLE_ENTRIES);
    frame.type = FrameType.RAM;
  }
  return type === FrameType.RAM ? 0n : check(host, domain, address, levelOf(type), left);
}

/**
 * Makes a table of memory that nobody can write: each entry must be one that the domain may have, and what it leads to gets its use. While
 * that lasts it counts as used, so that no entry can make anything else of it: a table that leads to itself is none.
 */
function check(host: Host, domain: number, address: HPA, level: number, left: Allowance): bigint {
  if (!spend(left)) return Fault.TOO_MUCH;
  const frame = host.state.frame(host.state.frameNumber(address));
  frame.type = tableOf(level);
  frame.typeCount = 1;
  let refused = 0n;
  for (let index = 0; index < TABLE_ENTRIES && refused === 0n; index++) {
    refused = getEntry(host, domain, host.context.load(beyond(address, 8 * index), 8), level, left);
    if (refused === 0n) continue;
    putEntries(host, address, level, index);
    frame.type = FrameType.RAM;
  }
  frame.typeCount = 0;
  return refused;
}

/** What an entry of a table of a level leads to gets one more use. */
export function getEntry(host: Host, domain: number, entry: bigint, level: number, left: Allowance): bigint {
  const meaning = meaningIn(host, entry, level);
  if (meaning === undefined) return Fault.INVALID;
  if (meaning.kind === "nothing") return 0n;
  if (meaning.kind === "table") return getTyped(host, domain, meaning.to, tableOf(level - 1), left);
  return meaning.isWritable
    ? getTyped(host, domain, meaning.to, FrameType.RAM, left)
    : getReadable(host, domain, meaning.to);
}

/** And one fewer. */
export function putEntry(host: Host, entry: bigint, level: number): void {
  const meaning = meaningIn(host, entry, level);
  if (meaning === undefined || meaning.kind === "nothing") return;
  unrefer(host, meaning.to, meaning.kind === "table" || meaning.isWritable);
}

/** The first so many entries of a table. */
function putEntries(host: Host, address: HPA, level: number, count: number): void {
  for (let index = 0; index < count; index++)
    putEntry(host, host.context.load(beyond(address, 8 * index), 8), level);
}
