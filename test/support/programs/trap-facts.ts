/** What the manual says of a trap that handlers logged: rows of known differences ask here which side is right. */
import type { TrapRecord } from "./compare.ts";
import { SUPERPAGE, WINDOW, WINDOW_PAGES } from "./layout.ts";
import type { Program } from "./program.ts";

export const HANDLERS = { supervisor: 1n, guest: 2n, machine: 3n } as const;

/** `mstatus.GVA` and `hstatus.GVA`. */
export const MACHINE_GVA = 1n << 38n;
export const HYPERVISOR_GVA = 1n << 6n;
const MPV = 1n << 39n;
const SPV = 1n << 7n;

export const GUEST_FAULTS: readonly bigint[] = [20n, 21n, 23n];
const LOAD_AND_STORE_FAULTS: readonly bigint[] = [4n, 5n, 6n, 7n, 13n, 15n, 21n, 23n];
/** Breakpoints, and faults of fetches: their address is that of the guest's own code. */
const OTHER_ADDRESS_FAULTS: readonly bigint[] = [0n, 1n, 3n, 12n, 20n];

/** Whether a load or a store faulted. */
export const isDataFault = ({ cause }: TrapRecord): boolean => LOAD_AND_STORE_FAULTS.includes(cause);
export const isGuestFault = ({ cause }: TrapRecord): boolean => GUEST_FAULTS.includes(cause);

/** Whether the trap came out of VS or VU. @spec norm:mstatus_mpv_op @spec norm:hstatus_spv_op */
export const isFromGuest = ({ handler, status, hstatus }: TrapRecord): boolean =>
  handler === HANDLERS.guest ||
  (handler === HANDLERS.machine ? (status & MPV) !== 0n : (hstatus & SPV) !== 0n);

/**
 * Whether the trap wrote a guest virtual address to tval: its address is one, and the access was the guest's or that of HLV or
 * HSV. No program borrows a guest's rights by MPRV.
 * @spec norm:hstatus_gva_op
 * @spec norm:mstatus_gva_op
 */
export function wroteGuestAddress(trap: TrapRecord, mnemonic = ""): boolean {
  if (isDataFault(trap)) return isFromGuest(trap) || /^h[ls]v/.test(mnemonic);
  return isFromGuest(trap) && OTHER_ADDRESS_FAULTS.includes(trap.cause);
}

/** The last trap of these handlers before a number. */
export const lastOf = (
  traps: readonly TrapRecord[],
  handlers: readonly bigint[],
  before = traps.length,
): TrapRecord | undefined => traps.slice(0, before).findLast(({ handler }) => handlers.includes(handler));

/** Place of the entry that a virtual address of the window has in each stage's list; undefined elsewhere. */
export function entryPlace(address: bigint): number | undefined {
  const page = Number((address - BigInt(WINDOW)) >> 12n);
  if (page >= 0 && page < WINDOW_PAGES) return page;
  return address >> 21n === BigInt(SUPERPAGE) >> 21n ? WINDOW_PAGES : undefined;
}

/** The guest's entry for an address, as the program has it. */
export function guestEntry(program: Program, address: bigint): bigint | undefined {
  const place = entryPlace(address);
  return place === undefined ? undefined : program.entries.guest[place];
}

/**
 * Whether a trap may have come between the update of an entry and the access that it was for. An access over a page's end has
 * two entries, of which the fault tells the second.
 */
export const mayHaveUpdated = ({ tval }: TrapRecord, place: number): boolean =>
  entryPlace(tval) === place || (entryPlace(tval - 4096n) === place && (tval & 0xfffn) === 0n);
