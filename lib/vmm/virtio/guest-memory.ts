/** A guest's RAM as a device of its reaches it: by guest-physical address, through the second stage, with the hypervisor's own loads and stores. */
import { ACCESS_FAULT, type AccessFault } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import { beyond, type GPA, gpa, type HPA, pageOf } from "../../hs/address.ts";
import type { HsContext } from "../../hs/context.ts";
import { isGuestRam, populate, ramAddress } from "../domain.ts";
import type { Host, Visit } from "../host.ts";
import { PAGE_BYTES } from "../layout.ts";
import { lookUp } from "../second-stage.ts";

/** The hypervisor, and the domain that a device belongs to. */
export type Owner = Pick<Visit, keyof Host | "domain">;

const WORD = 8;

/** Bytes of one page, and where they lie in the machine. */
interface Piece {
  readonly at: HPA;
  readonly from: number;
  readonly to: number;
}

/**
 * What the device has of the domain's RAM, for the time of one trap. A descriptor, a header, a ring's index: each is loaded once, and what
 * was loaded is what is checked and used; a guest that changes it meanwhile changes nothing.
 */
export class GuestMemory implements DmaPort {
  readonly #owner: Owner;
  /** Bytes moved, and pages looked up, in units of a load: what the visit has cost. */
  cost = 0;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  read(address: bigint, lengthBytes: number): Uint8Array | AccessFault {
    const pieces = this.#pieces(address, lengthBytes, false);
    if (pieces === undefined) return ACCESS_FAULT;
    const bytes = new Uint8Array(lengthBytes);
    for (const { at, from, to } of pieces) loadBytes(this.#owner.context, at, bytes.subarray(from, to));
    return bytes;
  }

  write(address: bigint, bytes: Uint8Array): AccessFault | undefined {
    const pieces = this.#pieces(address, bytes.length, true);
    if (pieces === undefined) return ACCESS_FAULT;
    for (const { at, from, to } of pieces) storeBytes(this.#owner.context, at, bytes.subarray(from, to));
    return undefined;
  }

  /** A range, page by page, before any of its bytes is touched; `undefined`: not all of it is the domain's RAM. */
  #pieces(address: bigint, lengthBytes: number, isStore: boolean): Piece[] | undefined {
    const { domain } = this.#owner;
    const last = address + BigInt(lengthBytes) - 1n;
    if (!isGuestRam(domain, address) || !isGuestRam(domain, last)) return undefined;
    const pieces: Piece[] = [];
    for (let from = 0; from < lengthBytes; ) {
      const place = address + BigInt(from);
      const to = Math.min(lengthBytes, from + PAGE_BYTES - Number(place % BigInt(PAGE_BYTES)));
      const at = isStore ? ramAddress(this.#owner, domain, gpa(place)) : readable(this.#owner, gpa(place));
      if (at === undefined) return undefined;
      pieces.push({ at, from, to });
      this.cost += PAGE_COST + (to - from) / WORD;
      from = to;
    }
    return pieces;
  }
}

/** Loads and stores that one page costs beside its bytes, about. */
const PAGE_COST = 8;

/** Where a byte of RAM lies that is only read: what it holds does not count as changed. */
function readable(owner: Owner, address: GPA): HPA | undefined {
  const page = pageOf(address);
  const frame = lookUp(owner, owner.domain.id, page)?.at ?? populate(owner, owner.domain, page);
  return frame === undefined ? undefined : beyond(frame, address - page);
}

/** Fills bytes with those of machine RAM from an address on, by words wherever a whole one lies. */
export function loadBytes(context: HsContext, at: HPA, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  eachUnit(at, bytes.length, (offset, isWord) => {
    const value = context.load(beyond(at, offset), isWord ? WORD : 1);
    if (isWord) view.setBigUint64(offset, value, true);
    else view.setUint8(offset, Number(value));
  });
}

/** Stores bytes to machine RAM from an address on. */
export function storeBytes(context: HsContext, at: HPA, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  eachUnit(at, bytes.length, (offset, isWord) => {
    if (isWord) context.store(beyond(at, offset), WORD, view.getBigUint64(offset, true));
    else context.store(beyond(at, offset), 1, BigInt(view.getUint8(offset)));
  });
}

/** Aligned words, and the single bytes before and behind them. */
function eachUnit(at: HPA, lengthBytes: number, act: (offset: number, isWord: boolean) => void): void {
  const skew = Number(at % BigInt(WORD));
  for (let offset = 0; offset < lengthBytes; ) {
    const isWord = (skew + offset) % WORD === 0 && offset + WORD <= lengthBytes;
    act(offset, isWord);
    offset += isWord ? WORD : 1;
  }
}
