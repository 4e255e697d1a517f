/** What every kind of translation is made of: its outcomes, reading entries under PMP, and the stores of hardware itself. */
import type { Bus } from "../bus/bus.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { RememberedLeaf, Space } from "../hart/remembered-translations.ts";
import type { HartState } from "../hart/state.ts";
import type { Paddr } from "../isa/address.ts";
import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import type { Leaf, ReadPte, WalkFault, WalkFaultReason, WalkRequest, WalkStep } from "./page-walk.ts";
import { checkPmp, type PmpEntry } from "./pmp.ts";

/** Where an access may go. */
export interface Translation {
  readonly kind: "translation";
  readonly paddr: Paddr;
  /** The leaf that maps it (a guest's own, in a guest); `undefined` where addresses are not translated. */
  readonly leaf: Leaf | undefined;
  /** Entries with A and D as hardware wants them, by the address at which they are. */
  readonly updates: readonly PteUpdate[];
}

/** An entry in which hardware sets bits. */
export interface PteUpdate {
  readonly paddr: Paddr;
  readonly bits: bigint;
  readonly level: number;
}

/** PMP refused the access itself. */
export interface PmpFault {
  readonly kind: "pmp-fault";
  readonly paddr: Paddr;
  readonly entry: PmpEntry | undefined;
}

/** The second stage refused a guest-physical address. */
export interface GuestPageFault {
  readonly kind: "guest-page-fault";
  readonly reason: WalkFaultReason;
  readonly level: number;
  readonly gpa: Paddr;
  /** What the guest's own translation wanted to do there; `undefined`: it is the address of the access itself. */
  readonly implicit: "read" | "write" | undefined;
}

/** Why an access may go nowhere. */
export type TranslationFault = (WalkFault | PmpFault | GuestPageFault) & {
  /** A of the second stage's leaves through which the guest's tables were read before it was refused: those reads happened. */
  readonly updates?: readonly PteUpdate[];
};

/** A walk of the second stage. */
export interface GuestWalk {
  readonly purpose: "pte-read" | "pte-write" | "access";
  readonly gpa: Paddr;
  /** The leaf that stands in for the walk, where the hart remembers one; then `steps` is empty. */
  readonly remembered: RememberedUse | undefined;
  /** Empty where `hgatp.MODE` is Bare. */
  readonly steps: readonly WalkStep[];
  readonly paddr: Paddr | undefined;
}

/** A leaf that a hart remembers, about to be used. */
export interface RememberedUse {
  readonly space: Space;
  readonly address: bigint;
  readonly access: AccessKind;
  readonly leaf: RememberedLeaf;
  /** What the walk would have been. */
  readonly request: WalkRequest;
  /** What the leaf says. */
  readonly judged: Leaf | WalkFault;
}

/** Who wants to know how a translation went. */
export interface WalkObserver {
  /** Hears where in physical memory each entry was read. */
  readonly entry?: (address: Paddr) => void;
  /** Hears of each entry of the only stage, or of the guest's own. */
  readonly step?: (step: WalkStep) => void;
  /** Hears of each walk of the second stage, before the step that needed it. */
  readonly guestWalk?: (walk: GuestWalk) => void;
  /** Hears of each leaf that is remembered, whether or not this board answers from it. */
  readonly remembered?: (use: RememberedUse) => void;
  /** Hears when such a leaf stands in for a walk. */
  readonly answered?: (use: RememberedUse) => void;
}

const { S } = MODE_NUMBER;
const PTE_BYTES = 8;

/** Reads page-table entries under PMP, with supervisor mode's rights. @spec norm:pmp_check_pagetable_access */
export function pteReader(state: HartState, bus: Bus, observer: WalkObserver = {}): ReadPte {
  return (address) => {
    if (!checkPmp(state, S, "load", address, PTE_BYTES).allowed) return "pte-access-denied";
    const pte = readRam(bus, address);
    if (pte === undefined) return "pte-unreachable";
    observer.entry?.(address);
    return pte;
  };
}

/** Tables live in RAM; a walk never touches a device. */
function readRam({ ram }: Bus, address: Paddr): bigint | undefined {
  const offset = Number(address) - ram.base;
  return offset >= 0 && offset + PTE_BYTES <= ram.sizeBytes ? ram.load(offset, PTE_BYTES) : undefined;
}

/** PMP's word on the access, and on what hardware must store first. @spec norm:H_pmp */
export function checked(
  state: HartState,
  mode: ModeNumber,
  kind: AccessKind,
  address: Paddr,
  lengthBytes: number,
  leaf: Leaf | undefined,
  updates: readonly PteUpdate[],
): Translation | PmpFault | WalkFault {
  const { allowed, entry } = checkPmp(state, mode, kind, address, lengthBytes);
  if (!allowed) return { kind: "pmp-fault", paddr: address, entry };
  return refusedUpdate(state, updates) ?? { kind: "translation", paddr: address, leaf, updates };
}

/** The fault of an entry in which hardware may not set what it wants, by PMP's word. */
export function refusedUpdate(state: HartState, updates: readonly PteUpdate[]): WalkFault | undefined {
  const refused = updates.find(({ paddr }) => !checkPmp(state, S, "store", paddr, PTE_BYTES).allowed);
  return refused && { kind: "walk-fault", reason: "pte-access-denied", level: refused.level };
}

/** Nothing to set. */
export const NO_UPDATES: readonly PteUpdate[] = [];

/** What hardware sets in a leaf. @spec norm:menvcfg_adue_op */
export const updateOf = ({ pte, wantedPte, level }: Leaf, address: Paddr): readonly PteUpdate[] =>
  pte === wantedPte ? NO_UPDATES : [{ paddr: address, bits: wantedPte & ~pte, level }];

/** Hardware's own stores. */
export function commit({ ram }: Bus, { updates = NO_UPDATES }: Translation | TranslationFault): void {
  for (const { paddr, bits } of updates) {
    const offset = Number(paddr) - ram.base;
    ram.store(offset, PTE_BYTES, ram.load(offset, PTE_BYTES) | bits);
  }
}
