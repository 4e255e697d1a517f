/** Everything in which two boards can differ, by name. */
import type { StateValue } from "../bus/device.ts";
import { PAGE_BYTES, PAGE_SHIFT } from "../bus/machine-memory.ts";
import { HART_LAYOUT, type LayoutName, STORED_CSRS } from "../hart/layout.ts";
import { FLOAT_REGISTER_NAMES } from "../isa/float-register.ts";
import { REGISTER_NAMES } from "../isa/register.ts";
import type { Board } from "./board.ts";
import type { RamVersion } from "./ram-versions.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Stop } from "./stop.ts";

/** One thing that differs, and how it is on both sides. */
export interface Difference {
  readonly what: string;
  readonly left: string;
  readonly right: string;
}

/** A board at a moment. */
export interface LockstepView {
  readonly board: Board;
  readonly now: Snapshot;
  /** Pages of RAM that have changed since the comparison before. */
  readonly pages: ReadonlySet<number>;
  /** How the run before this moment ended. */
  readonly stop: Stop | undefined;
}

/** A board now. `since` is the moment from which changes of RAM count. */
export function viewOf(board: Board, since: Snapshot | undefined, stop: Stop | undefined): LockstepView {
  return { board, now: board.snapshot(), pages: changedPages(since?.ram), stop };
}

/** Pages that were stored to between a version and what RAM holds now. */
function changedPages(since: RamVersion | undefined): Set<number> {
  const pages = new Set<number>();
  for (let at = since; at?.edge !== undefined; at = at.edge.to)
    for (const page of at.edge.pages.keys()) pages.add(page);
  return pages;
}

/** Everything that differs. RAM is compared where it has changed, or with `whole` everywhere. */
export function differencesBetween(left: LockstepView, right: LockstepView, whole: boolean): Difference[] {
  return [
    ...stopDifferences(left, right),
    ...blockDifferences(left, right),
    ...machineDifferences(left, right),
    ...ramDifferences(left, right, whole),
  ];
}

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

function stopDifferences({ stop: left }: LockstepView, { stop: right }: LockstepView): Difference[] {
  return left?.reason === right?.reason
    ? []
    : [{ what: "why the run ended", left: left?.reason ?? "", right: right?.reason ?? "" }];
}

/** Names of the words of a field. */
const WORD_NAMES: { readonly [Name in LayoutName]?: readonly string[] } = {
  x: REGISTER_NAMES,
  f: FLOAT_REGISTER_NAMES,
  csrs: STORED_CSRS,
};

function blockDifferences(left: LockstepView, right: LockstepView): Difference[] {
  return left.board.harts.flatMap((hart, id) => {
    const [ours, theirs] = [hart.state.bytes, right.board.harts[id]?.state.bytes ?? new Uint8Array()];
    return isSame(ours, theirs) ? [] : wordDifferences(id, viewOver(ours), viewOver(theirs));
  });
}

const viewOver = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function wordDifferences(hart: number, left: DataView, right: DataView): Difference[] {
  return (Object.keys(HART_LAYOUT) as LayoutName[]).flatMap((field) => {
    const { offset, widthBytes, count } = HART_LAYOUT[field];
    const read = (view: DataView, at: number): bigint =>
      widthBytes === 8 ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true));
    return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
      const at = offset + index * widthBytes;
      const [mine, yours] = [read(left, at), read(right, at)];
      const what = `hart ${hart} ${WORD_NAMES[field]?.[index] ?? field}`;
      return mine === yours ? [] : [{ what, left: hex(mine), right: hex(yours) }];
    });
  });
}

/** Parts of a snapshot that are compared as they are. */
const PARTS = [
  "retired",
  "clock",
  "trapLoop",
  "turns",
  "consoleLength",
  "finish",
  "remembered",
  "fences",
  "unfinishedCalls",
] as const;

function machineDifferences(left: LockstepView, right: LockstepView): Difference[] {
  const found: Difference[] = [];
  const compare = (what: string, mine: unknown, yours: unknown): void => {
    if (!isSame(mine, yours)) found.push({ what, left: words(mine), right: words(yours) });
  };
  for (const part of PARTS) compare(part, left.now[part], right.now[part]);
  for (const [name, state] of left.now.devices) {
    const other = right.now.devices.get(name);
    for (const field of Object.keys(state)) compare(`${name} ${field}`, state[field], other?.[field]);
  }
  const [mine, yours] = [left.board, right.board];
  if (mine.trace.count !== yours.trace.count || !isSame(left.now.trace, right.now.trace))
    found.push({
      what: "trace",
      left: `${mine.trace.count} events, hash ${mine.trace.hash()}`,
      right: `${yours.trace.count} events, hash ${yours.trace.hash()}`,
    });
  if (mine.console.text !== yours.console.text)
    found.push({
      what: "console",
      left: JSON.stringify(mine.console.text.slice(-80)),
      right: JSON.stringify(yours.console.text.slice(-80)),
    });
  return found;
}

function ramDifferences(left: LockstepView, right: LockstepView, whole: boolean): Difference[] {
  const [mine, yours] = [left.board.bus.ram, right.board.bus.ram];
  const pages = whole
    ? Array.from({ length: mine.pageCount }, (_, page) => page)
    : new Set([...left.pages, ...right.pages]);
  const found: Difference[] = [];
  for (const page of pages) {
    const first = (page << PAGE_SHIFT) >>> 3;
    const words = PAGE_BYTES >>> 3;
    if (isSame(mine.i64.subarray(first, first + words), yours.i64.subarray(first, first + words))) continue;
    for (let word = first; word < first + words; word++) {
      const [ours, theirs] = [mine.i64[word] ?? 0n, yours.i64[word] ?? 0n];
      if (ours !== theirs)
        found.push({
          what: `RAM at ${hex(BigInt(mine.base + 8 * word))}`,
          left: hex(ours),
          right: hex(theirs),
        });
    }
  }
  return found;
}

type Data = StateValue | string | ArrayBufferView;

/** Whether two plain data are equal. */
function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (ArrayBuffer.isView(left) && ArrayBuffer.isView(right)) return isSameBytes(left, right);
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null)
    return Object.is(left, right);
  if (left instanceof Map && right instanceof Map) return isSame([...left], [...right]);
  if (left instanceof Set && right instanceof Set) return isSame([...left], [...right]);
  const [mine, yours] = [left as Record<string, Data>, right as Record<string, Data>];
  const keys = Object.keys(mine);
  return keys.length === Object.keys(yours).length && keys.every((key) => isSame(mine[key], yours[key]));
}

function isSameBytes(left: ArrayBufferView, right: ArrayBufferView): boolean {
  if (left.byteLength !== right.byteLength) return false;
  const isWhole = ((left.byteOffset | right.byteOffset | left.byteLength) & 3) === 0;
  const [mine, yours] = [left, right].map((view) =>
    isWhole
      ? new Int32Array(view.buffer, view.byteOffset, view.byteLength >>> 2)
      : new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  ) as [Int32Array, Int32Array];
  for (let at = 0; at < mine.length; at++) if (mine[at] !== yours[at]) return false;
  return true;
}

/** Longest text of one side of a difference. */
const MAX_TEXT = 200;

function words(value: unknown): string {
  const text = JSON.stringify(value, (_, each) =>
    typeof each === "bigint" ? hex(each) : ArrayBuffer.isView(each) ? `${each.byteLength} bytes` : each,
  );
  return (text ?? String(value)).slice(0, MAX_TEXT);
}
