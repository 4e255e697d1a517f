/** Physical memory protection: sixteen entries, the first that matches decides. */
import type { AccessKind } from "../hart/effective-mode.ts";
import { storedCsrSlot } from "../hart/layout.ts";
import type { HartState } from "../hart/state.ts";
import type { Paddr } from "../isa/address.ts";
import { PMP_ENTRIES } from "../isa/csr-numbered.ts";
import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";

/** Bits of an entry's configuration byte. @spec norm:pmp_cfg_permissions */
export const PMP_BIT = { R: 1, W: 2, X: 4, L: 0x80 } as const;

/** How an entry matches. @spec norm:pmp_a_field_encoding */
export const PMP_MATCHING = ["OFF", "TOR", "NA4", "NAPOT"] as const;
/** How an entry matches, by name. */
export type PmpMatching = (typeof PMP_MATCHING)[number];

/** An entry, decoded. */
export interface PmpEntry {
  readonly index: number;
  readonly matching: PmpMatching;
  /** First byte of the region. */
  readonly first: bigint;
  /** The byte after the region; equal to `first` when it is empty. */
  readonly end: bigint;
  readonly config: number;
}

const RIGHT_FOR = { fetch: PMP_BIT.X, load: PMP_BIT.R, store: PMP_BIT.W } as const satisfies Record<
  AccessKind,
  number
>;

const ADDRESS_SLOTS = Array.from(
  { length: PMP_ENTRIES },
  (_, entry) => storedCsrSlot(`pmpaddr${entry}`) ?? -1,
);

const addressWord = (state: HartState, entry: number): bigint => state.csrs[ADDRESS_SLOTS[entry] ?? -1] ?? 0n;

/** The naturally aligned region that the trailing ones of the address word give. @spec norm:pmp_napot_encoding_low_bits */
function napot(word: bigint): { first: bigint; end: bigint } {
  const trailingOnes = word & ~(word + 1n);
  const bytes = (trailingOnes + 1n) * 8n;
  const first = (word & ~trailingOnes) * 4n;
  return { first, end: first + bytes };
}

/** Region of an entry. A TOR entry begins where the entry before ends, whatever that entry's mode. @spec norm:pmp_a_field_tor */
function regionOf(matching: PmpMatching, word: bigint, wordBefore: bigint): { first: bigint; end: bigint } {
  switch (matching) {
    case "OFF":
      return { first: 0n, end: 0n };
    case "TOR":
      return { first: wordBefore * 4n, end: word * 4n };
    case "NA4":
      return { first: word * 4n, end: word * 4n + 4n }; // norm:pmp_a_field_napot_na4
    case "NAPOT":
      return napot(word);
  }
}

/** An entry as it was last decoded, and the CSR values that it was decoded from. */
interface KnownEntry {
  readonly word: bigint;
  readonly wordBefore: bigint;
  readonly entry: PmpEntry;
}

/** Every walk asks for each entry several times, and their CSRs hardly ever change. */
const knownEntries = new WeakMap<HartState, KnownEntry[]>();

/** One entry as the hart's CSRs have it. */
export function pmpEntry(state: HartState, index: number): PmpEntry {
  const config = state.pmpConfig[index] ?? 0;
  const word = addressWord(state, index);
  const wordBefore = index === 0 ? 0n : addressWord(state, index - 1);
  const known = knownEntries.get(state) ?? [];
  const last = known[index];
  if (last?.entry.config === config && last.word === word && last.wordBefore === wordBefore)
    return last.entry;
  const matching = PMP_MATCHING[(config >> 3) & 3] ?? "OFF";
  const entry = { index, matching, config, ...regionOf(matching, word, wordBefore) };
  known[index] = { word, wordBefore, entry };
  knownEntries.set(state, known);
  return entry;
}

/** The lowest-numbered entry that contains some byte of a range, or `undefined`. */
export function pmpEntryFor(state: HartState, address: Paddr, lengthBytes: number): PmpEntry | undefined {
  const last = address + BigInt(lengthBytes) - 1n;
  for (let index = 0; index < PMP_ENTRIES; index++) {
    if (((state.pmpConfig[index] ?? 0) & 0x18) === 0) continue; // norm:pmp_a_field_off
    const entry = pmpEntry(state, index);
    if (entry.first <= last && address < entry.end) return entry;
  }
  return undefined;
}

/** Whether an entry contains all bytes of a range: one that it splits is refused. @spec norm:pmp_full_match_required */
export const containsAll = ({ first, end }: PmpEntry, address: Paddr, lengthBytes: number): boolean =>
  first <= address && address + BigInt(lengthBytes) <= end;

/** What PMP says to an access, and the entry that said it. */
export interface PmpVerdict {
  readonly allowed: boolean;
  /** The entry that decided; `undefined` when none matched. */
  readonly entry: PmpEntry | undefined;
}

/**
 * Asks PMP. Without a matching entry machine mode may do everything, and the others nothing.
 *
 * @param mode  The effective mode of the access; walks have supervisor mode's.
 * @spec norm:pmp_entry_priority
 * @spec norm:pmp_no_entry_match
 */
export function checkPmp(
  state: HartState,
  mode: ModeNumber,
  kind: AccessKind,
  address: Paddr,
  lengthBytes: number,
): PmpVerdict {
  const entry = pmpEntryFor(state, address, lengthBytes);
  if (entry === undefined) return { allowed: mode === MODE_NUMBER.M, entry };
  if (!containsAll(entry, address, lengthBytes)) return { allowed: false, entry };
  const bindsMachineMode = (entry.config & PMP_BIT.L) !== 0;
  const exempt = mode === MODE_NUMBER.M && !bindsMachineMode; // norm:pmp_l_bit_m_mode_enforcement
  // norm:pmp_rwx_check norm:pmp_check_priv_modes
  return { allowed: exempt || (entry.config & RIGHT_FOR[kind]) !== 0, entry };
}

/** Whether PMP says the same to every access inside a range, so that one answer may be kept for all. */
export function isPmpUniform(state: HartState, address: Paddr, lengthBytes: number): boolean {
  const entry = pmpEntryFor(state, address, lengthBytes);
  return entry === undefined || containsAll(entry, address, lengthBytes);
}
