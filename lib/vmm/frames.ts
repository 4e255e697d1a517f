/**
 * Frames: who has which page of machine RAM, for what, and how many would miss it. One rule keeps guests apart: an entry of a domain's
 * second stage is made with a reference to the frame, and a frame is given away only when its last reference has gone.
 */
import { type HPA, hpa } from "../hs/address.ts";
import type { Host } from "./host.ts";
import { FrameFlag, FrameType, PAGE_BYTES } from "./layout.ts";

type FrameTypeNumber = (typeof FrameType)[keyof typeof FrameType];

/** Takes a free frame for a domain: clean, with one reference, its owner's. `undefined`: there is none, or the domain has all it may. */
export function takeFrame(host: Host, owner: number, type: FrameTypeNumber): HPA | undefined {
  const { state } = host;
  const { pool } = state;
  const domain = state.domain(owner);
  const free = pool.free;
  if (free === 0 || domain.frames >= domain.maxFrames) return undefined;
  const number = nextFree(host);
  pool.free = free - 1;
  const address = state.frameAddress(number);
  const frame = state.frame(number);
  if ((frame.flags & FrameFlag.UNCLEAN) !== 0) clear(host, address);
  frame.flags = 0;
  give(host, number, owner, type);
  return address;
}

/**
 * Takes so many frames in a row for a guest's RAM, the first of them at a multiple of as many: a large page. They come from behind the
 * list, where everything still lies in a row; those that are passed over go on the list, where they are as good as any.
 */
export function takeRun({ state }: Host, owner: number, count: number): HPA | undefined {
  const { pool } = state;
  const domain = state.domain(owner);
  const { untouched, end } = pool;
  const first = Math.ceil(untouched / count) * count;
  if (first + count > end || domain.frames + count > domain.maxFrames) return undefined;
  for (let number = untouched; number < first; number++) list({ state }, number);
  pool.untouched = first + count;
  pool.free -= count;
  for (let number = first; number < first + count; number++) give({ state }, number, owner, FrameType.RAM);
  return state.frameAddress(first);
}

/** Makes a frame that is not the pool's a domain's: a page of what the loader has left. */
export const adoptFrame = ({ state }: Host, address: HPA, owner: number): void =>
  give({ state }, state.frameNumber(address), owner, FrameType.RAM);

function give({ state }: Pick<Host, "state">, number: number, owner: number, type: FrameTypeNumber): void {
  const frame = state.frame(number);
  frame.owner = owner;
  frame.type = type;
  frame.typeCount = 0;
  frame.refCount = 1;
  frame.next = 0;
  state.domain(owner).frames += 1;
}

/** The last freed first: its number comes off the list. Behind the list come the frames that nobody has had yet. */
function nextFree({ state }: Host): number {
  const { pool } = state;
  const { head } = pool;
  if (head !== 0) {
    pool.head = state.frame(head).next;
    return head;
  }
  const { untouched } = pool;
  pool.untouched = untouched + 1;
  return untouched;
}

/** One more who would miss the frame; `counts`: in the way that its type is about. */
export function refer({ state }: Host, address: HPA, counts: boolean): void {
  const frame = state.frame(state.frameNumber(address));
  frame.refCount += 1;
  if (counts) frame.typeCount += 1;
}

/** One fewer. With the last reference the frame is free. */
export function unrefer(host: Host, address: HPA, counts: boolean): void {
  const { state } = host;
  const number = state.frameNumber(address);
  const frame = state.frame(number);
  if (counts) frame.typeCount -= 1;
  const left = frame.refCount - 1;
  frame.refCount = left;
  if (left === 0) free(host, number);
}

/**
 * A frame that nobody can write, and that its owner lets go of, becomes one that equal pages share: the hypervisor's, for as long as an
 * entry maps it. Only entries count: nobody else would miss it.
 */
export function shareFrame({ state }: Host, address: HPA): void {
  const frame = state.frame(state.frameNumber(address));
  state.domain(frame.owner).frames -= 1;
  frame.owner = 0;
  frame.type = FrameType.SHARED;
  frame.refCount -= 1;
  state.domain(0).frames += 1;
}

/** A frame that one entry alone still shares becomes a domain's own. False: the domain has all it may. */
export function claimFrame({ state }: Host, address: HPA, owner: number): boolean {
  const domain = state.domain(owner);
  if (domain.frames >= domain.maxFrames) return false;
  const frame = state.frame(state.frameNumber(address));
  state.domain(0).frames -= 1;
  frame.owner = owner;
  frame.type = FrameType.RAM;
  frame.refCount += 1;
  domain.frames += 1;
  return true;
}

/** Whether equal pages share a frame: it is read-only to all. */
export const isSharedFrame = ({ state }: Pick<Host, "state">, address: HPA): boolean =>
  state.frame(state.frameNumber(address)).type === FrameType.SHARED;

/** The owner lets go of a frame. It is free as soon as nothing maps it. */
export const disown = (host: Host, address: HPA): void => unrefer(host, address, false);

function free({ state }: Host, number: number): void {
  const { pool } = state;
  const frame = state.frame(number);
  state.domain(frame.owner).frames -= 1;
  frame.owner = 0;
  frame.type = FrameType.FREE;
  frame.flags = FrameFlag.UNCLEAN;
  list({ state }, number);
  pool.free += 1;
}

/** Puts a frame on the list of free ones. */
function list({ state }: Pick<Host, "state">, number: number): void {
  const { pool } = state;
  state.frame(number).next = pool.head;
  pool.head = number;
}

function clear({ context }: Host, address: HPA): void {
  for (let offset = 0n; offset < PAGE_BYTES; offset += 8n) context.store(hpa(address + offset), 8, 0n);
}
