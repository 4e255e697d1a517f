/** I1, I2, I3 and I9, as far as they are about frames: what the book of uses and the hypervisor's own table say of each other. */
import { hex } from "../bits/hex.ts";
import { PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { Hart } from "../hart/hart.ts";
import { DOMAINS, DomainState, FrameType, type VmmState } from "../vmm/layout.ts";
import { type FrameBook, type FrameEntry, isWritable, type Use } from "./frame-book.ts";
import { borrowingMistake } from "./frame-grants.ts";
import { BIT, type ReadWord, type Step, type Tables, walkTo } from "./page-tables.ts";
import { letsWrite, type ParavirtualBook, tableLevel } from "./paravirtual-book.ts";
import { tableCountsOf, tablesOutsideOf, tableUsesOf } from "./paravirtual-rules.ts";
import type { Finding } from "./violation.ts";

/** Rights that a mapping uses, as bits of an entry. */
const RIGHTS = BIT.R | BIT.W | BIT.X;
const TYPE_NAMES = Object.entries(FrameType).map(([name, value]) => [value, name] as const);

/** Whether a domain may use a frame of somebody else's (or a device's page) with these rights, beside what the hypervisor's grants say. */
export type IsGranted = (domain: number, frameAddress: bigint, rights: bigint) => boolean;

/** What the rules look at. */
export interface FrameView {
  readonly book: FrameBook;
  readonly paravirtual: ParavirtualBook;
  readonly harts: readonly Hart[];
  readonly state: VmmState;
  readonly read: ReadWord;
  readonly isGranted: IsGranted;
  /** Frames that somebody reaches by a grant: judged again whenever grants may have changed. */
  readonly lent: Set<number>;
  /** A domain's second stage. */
  readonly secondStage: (domain: number) => Tables | undefined;
}

const typeName = (type: number): string =>
  TYPE_NAMES.find(([value]) => value === type)?.[1] ?? `type ${type}`;

const nameOf = ({ state }: FrameView, frame: number): string =>
  `frame ${frame} (${hex(state.frameAddress(frame))})`;

const ownerName = (owner: number): string => (owner === 0 ? "the hypervisor" : `domain ${owner}`);

const rightsText = (entry: bigint): string =>
  (["R", "W", "X"] as const).filter((right) => (entry & BIT[right]) !== 0n).join("");

/** The walk that comes by an entry. */
function walkBy(view: FrameView, { domain, address }: Use): readonly Step[] {
  const tables = view.secondStage(domain);
  return tables === undefined ? [] : walkTo(tables, view.read, address).steps;
}

/** The frame's own guest-physical address in a use that may map more than one frame. */
const addressIn = ({ state }: FrameView, use: Use, frame: number): Use => {
  const pages = 1n << BigInt(9 * use.level);
  const part = (state.frameAddress(frame) >> BigInt(PAGE_SHIFT)) & (pages - 1n);
  return use.kind === "table" ? use : { ...use, address: use.address + (part << BigInt(PAGE_SHIFT)) };
};

/** I1 and I2: whether everybody who reaches a frame may. */
export function* isolationOf(view: FrameView, frame: number): Generator<Finding> {
  const entry = view.book.entryOf(frame);
  for (const each of view.book.usesOf(frame)) {
    const use = addressIn(view, each, frame);
    const found =
      use.kind === "leaf" ? leafMistake(view, frame, entry, use) : tableMistake(view, frame, entry, use);
    if (found !== undefined)
      yield { ...found, object: nameOf(view, frame), walk: walkBy(view, use), entry: use };
  }
  yield* tableUsesOf(view, frame);
}

type Mistake = Pick<Finding, "invariant" | "sentence">;

function leafMistake(
  view: FrameView,
  frame: number,
  { owner, type }: FrameEntry,
  use: Use,
): Mistake | undefined {
  const who = `Domain ${use.domain} reaches ${nameOf(view, frame)} with ${rightsText(use.entry)} at guest-physical ${hex(use.address)}`;
  if (type === FrameType.SHARED)
    return isWritable(use)
      ? { invariant: "I1", sentence: `${who}, and pages share it: nobody may write it.` }
      : undefined;
  const mistake = strangeness(view, frame, { owner, type }, use);
  if (mistake !== undefined) return { invariant: "I1", sentence: `${who}, and ${mistake}.` };
  if (type === FrameType.DISK)
    return { invariant: "I1", sentence: `${who}, and it is a page of a disk: no address leads to it.` };
  const isTable = type !== FrameType.RAM && type !== FrameType.FREE;
  if (isTable && isWritable(use))
    return {
      invariant: "I2",
      sentence: `${who}, and its type is ${typeName(type)}: the guest can write page tables.`,
    };
  return undefined;
}

/** Why a frame is not the domain's to reach; `undefined`: it is its own, or was granted. */
function strangeness(
  view: FrameView,
  frame: number,
  { owner, type }: Pick<FrameEntry, "owner" | "type">,
  { domain, address: page, entry }: Use,
): string | undefined {
  if (owner === domain && type !== FrameType.FREE) return undefined;
  const [frameAddress, rights] = [view.state.frameAddress(frame), entry & RIGHTS];
  if (view.isGranted(domain, frameAddress, rights)) return undefined;
  if (type === FrameType.FREE && owner === 0)
    return "nobody has given it away: it is free, or the hypervisor's own";
  view.lent.add(frame);
  const mistake = borrowingMistake(view, { domain, page, frameAddress, owner, rights });
  return mistake === undefined ? undefined : `it belongs to ${ownerName(owner)}, ${mistake}`;
}

/** 1 if a frame's owner is among those who would miss it. A domain that is destroyed lets go of what it does not map any more. */
function ownersReference({ state, book }: FrameView, frame: number, { type, owner }: FrameEntry): 0 | 1 {
  if (type === FrameType.FREE || type === FrameType.SHARED) return 0;
  const isGone = type === FrameType.RAM && owner !== 0 && state.domain(owner).state === DomainState.DYING;
  return isGone && !book.usesOf(frame).some(({ domain }) => domain === owner) ? 0 : 1;
}

function tableMistake(
  view: FrameView,
  frame: number,
  { owner, type }: FrameEntry,
  use: Use,
): Mistake | undefined {
  if (type === FrameType.G_TABLE && owner === use.domain) return undefined;
  return {
    invariant: "I2",
    sentence: `The second stage of domain ${use.domain} uses ${nameOf(view, frame)} as a table, and the frame table says ${typeName(type)} of ${ownerName(owner)}.`,
  };
}

/** I3: whether a frame's counts are those of a recount. */
export function* countsOf(view: FrameView, frame: number): Generator<Finding> {
  const entry = view.book.entryOf(frame);
  const { type, refCount, typeCount } = entry;
  if (tableLevel(type) >= 0) {
    yield* tableCountsOf(view, frame);
    return;
  }
  const uses = view.book.usesOf(frame);
  // Entries of paravirtualized guests' own tables.
  const own = view.paravirtual.usesOf(frame);
  const entries = uses.length + own.length;
  const owners = ownersReference(view, frame, entry);
  const references = entries + owners;
  const typed =
    type === FrameType.G_TABLE
      ? uses.filter(({ kind }) => kind === "table").length
      : uses.filter(isWritable).length + own.filter(letsWrite).length;
  const object = nameOf(view, frame);
  const [use] = uses;
  const walk = use === undefined ? [] : walkBy(view, addressIn(view, use, frame));
  if (refCount !== references)
    yield {
      invariant: "I3",
      object,
      walk,
      sentence: `${object}, ${typeName(type)}, has refCount ${refCount}, and a recount gives ${references}: ${entries} entries${owners === 0 ? "" : " and its owner"}.`,
    };
  if (typeCount !== typed)
    yield {
      invariant: "I3",
      object: `${object} typeCount`,
      walk,
      sentence: `${object}, ${typeName(type)}, has typeCount ${typeCount}, and a recount gives ${typed}: ${type === FrameType.G_TABLE ? "entries that lead to it" : "entries that map it writable"}.`,
    };
}

/** I1: entries that lead out of RAM. */
export function* outsideOf(view: FrameView): Generator<Finding> {
  for (const use of view.book.outside) {
    const walk = walkBy(view, use);
    const last = walk.at(-1)?.meaning;
    const to = last === undefined || last.kind === "nothing" ? 0n : last.to;
    if (use.kind === "leaf" && view.isGranted(use.domain, to, use.entry & RIGHTS)) continue;
    yield {
      invariant: "I1",
      object: `entry at ${hex(use.at)}`,
      walk,
      sentence: `Domain ${use.domain} reaches ${hex(to)} at guest-physical ${hex(use.address)}, where there is no RAM: a device, or nothing.`,
    };
  }
  yield* tablesOutsideOf(view);
}

/** I9: free frames are on the list, once, and domains have as many frames as they believe. */
export function* conservationOf(view: FrameView): Generator<Finding> {
  const { book, state } = view;
  const { pool } = state;
  const { first, end, untouched, head, free } = pool;
  if (end === 0) return;
  const listed = new Set<number>();
  for (let frame = head; frame !== 0; frame = book.entryOf(frame).next) {
    const object = nameOf(view, frame);
    const isTwice = listed.has(frame);
    if (isTwice || frame >= book.frameCount || book.entryOf(frame).type !== FrameType.FREE) {
      const why = isTwice ? "twice" : "though it is not free";
      yield { invariant: "I9", object, sentence: `${object} is on the list of free frames ${why}.` };
      return;
    }
    listed.add(frame);
  }
  const unused = end - untouched;
  if (free !== listed.size + unused)
    yield {
      invariant: "I9",
      object: "frame pool",
      sentence: `The pool believes in ${free} free frames, and there are ${listed.size} on its list and ${unused} never used.`,
    };
  yield* lostFrames(view, { first, untouched, end }, listed);
  for (let id = 0; id < DOMAINS; id++) {
    const domain = state.domain(id);
    const owned = book.owned[id] ?? 0;
    if (domain.frames !== owned)
      yield {
        invariant: "I9",
        object: `domain ${id}`,
        sentence: `${id === 0 ? "The hypervisor" : `Domain ${id}`} believes in ${domain.frames} frames, and the frame table gives it ${owned}.`,
      };
  }
}

/** Frames that were handed out and are neither owned nor free. */
function* lostFrames(
  view: FrameView,
  { first, untouched, end }: { readonly first: number; readonly untouched: number; readonly end: number },
  listed: ReadonlySet<number>,
): Generator<Finding> {
  const { book } = view;
  let inPool = 0;
  for (const frame of listed) if (frame >= first && frame < untouched) inPool += 1;
  if (book.ownedBetween(first, end) + inPool === untouched - first) return;
  for (let frame = first; frame < untouched; frame++) {
    if (book.entryOf(frame).type !== FrameType.FREE || listed.has(frame)) continue;
    const object = nameOf(view, frame);
    yield {
      invariant: "I9",
      object,
      sentence: `${object} was handed out, and is now neither owned nor on the list of free frames.`,
    };
    return;
  }
  for (let frame = untouched; frame < end; frame++) {
    if (book.entryOf(frame).type === FrameType.FREE) continue;
    const object = nameOf(view, frame);
    yield {
      invariant: "I9",
      object,
      sentence: `${object} is owned, and the pool believes that nobody ever had it.`,
    };
    return;
  }
}
