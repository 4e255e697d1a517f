/**
 * The operator, outside of the machine: gives orders by storing them into the hypervisor's RAM, and reads what came of them. Such stores are
 * not among a board's recorded inputs: a run that is replayed from its start needs the same operator.
 */
import type { Board } from "../board/board.ts";
import { Fault } from "./errors.ts";
import { FrameType, OrderKind, PAGE_BYTES, type VmmState } from "./layout.ts";
import { NEVER } from "./time.ts";

/** A machine with the hypervisor. Installed as `operated`, it looks for orders also when no guest wants its timer. */
export interface OperatedMachine {
  readonly board: Board;
  readonly vmm: { readonly state: VmmState };
}

/** An order: what, about which domain, and its words as `orders.ts` lists them. */
export interface OrderText {
  readonly kind: Exclude<keyof typeof OrderKind, "NONE">;
  readonly domain?: number;
  readonly words?: readonly bigint[];
  readonly bytes?: Uint8Array;
}

const PIECE_INSNS = 2_000;

/**
 * Whether a machine sleeps until something comes from outside: all guests do, and nobody has a timer. (One that is installed as `operated` looks
 * up now and then.) It would not look for an order, and none is given to it.
 */
export const isAsleep = ({ vmm: { state } }: OperatedMachine): boolean => state.pcpu(0).alarm === NEVER;

/** Lays an order down. It is carried out when the machine runs on. */
export function giveOrder(
  { board, vmm }: OperatedMachine,
  { kind, domain = 0, words = [], bytes }: OrderText,
): void {
  const { order } = vmm.state;
  order.domain = domain;
  for (let index = 0; index < order.words.length; index++) order.words.set(index, words[index] ?? 0n);
  if (bytes !== undefined) board.memory.write(order.bytes.addressOf(0), bytes);
  order.kind = OrderKind[kind];
}

/**
 * Gives an order and runs the machine until it is carried out.
 *
 * @param pieces  So many pieces of 2,000 instructions at most.
 * @returns       What came of it, negative for an error as of hypercalls (`Fault.ASLEEP`: the machine is); `undefined`: it was not carried out.
 */
export function carryOut(machine: OperatedMachine, order: OrderText, pieces = 500): number | undefined {
  if (isAsleep(machine)) return Number(Fault.ASLEEP);
  giveOrder(machine, order);
  const { board, vmm } = machine;
  for (let piece = 0; piece < pieces; piece++) {
    board.run({ instructions: PIECE_INSNS, untilInsns: board.clock.now + PIECE_INSNS });
    if (vmm.state.order.kind === OrderKind.NONE) return Number(BigInt.asIntN(64, vmm.state.order.result));
  }
  return undefined;
}

/** A guest that the operator makes. */
export interface NewGuest {
  /** Bytes that are put at the beginning of its RAM, and where it begins. */
  readonly image: Uint8Array;
  readonly ramBytes: number;
  readonly vcpus?: number;
  /** Bits of `DomainFlag`. */
  readonly flags?: number;
}

const GUEST_RAM = 0x8000_0000n;

/** Makes a domain out of an image and lets it begin. Its number, or an error as of hypercalls. */
export function createGuest(
  machine: OperatedMachine,
  { image, ramBytes, vcpus = 1, flags = 0 }: NewGuest,
): number | undefined {
  const words = [ramBytes, vcpus, flags].map(BigInt);
  const domain = carryOut(machine, { kind: "CREATE", words });
  if (domain === undefined || domain < 0) return domain;
  for (let at = 0; at < image.length; at += PAGE_BYTES) {
    const bytes = image.subarray(at, at + PAGE_BYTES);
    const place = [GUEST_RAM + BigInt(at), BigInt(bytes.length)];
    const written = carryOut(machine, { kind: "WRITE", domain, words: place, bytes });
    if (written !== bytes.length) return written;
  }
  const started = carryOut(machine, { kind: "START", domain, words: [GUEST_RAM, 0n] });
  return started === 0 ? domain : started;
}

/** What sharing equal pages brings. */
export interface SharingReport {
  /** Frames that several pages lie in, and how many pages these are. */
  readonly frames: number;
  readonly pages: number;
  /** Frames that nobody needs any more. */
  readonly saved: number;
  readonly scanned: number;
  readonly merged: number;
  readonly broken: number;
  readonly collisions: number;
}

/** The figures of page sharing, by the frame table. */
export function sharingReport({ board, vmm: { state } }: OperatedMachine): SharingReport {
  let [frames, pages] = [0, 0];
  for (let number = 0; number < board.bus.ram.sizeBytes / PAGE_BYTES; number++) {
    const { type, refCount } = state.frame(number);
    if (type !== FrameType.SHARED) continue;
    frames += 1;
    pages += refCount;
  }
  const { scanned, merged, broken, collisions } = state.pageSharing;
  return {
    frames,
    pages,
    saved: pages - frames,
    scanned: Number(scanned),
    merged: Number(merged),
    broken: Number(broken),
    collisions: Number(collisions),
  };
}
