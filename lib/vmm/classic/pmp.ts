/** The guest's own PMP. A shadow page has no more rights than PMP leaves to all of the page. @spec priv §"Physical Memory Protection" */

import { legalize, writableMask } from "../../isa/csr.ts";
import { CSRS, type CsrName } from "../../isa/csr-map.ts";
import type { VirtualCsr } from "./csrs.ts";
import { Mode, type Monitor } from "./host.ts";
import { type ClassicView, PAGE_BYTES } from "./layout.ts";
import { forgetShadows } from "./shadow.ts";

const ENTRIES = 16;
const LOCK = 0x80;
const MATCHING = { OFF: 0, TOR: 1, NA4: 2, NAPOT: 3 } as const;

const configOf = ({ csrs: { pmpcfg } }: ClassicView, entry: number): number =>
  Number((pmpcfg.get(entry >> 3) >> BigInt(8 * (entry & 7))) & 0xffn);
const matchingOf = (config: number): number => (config >> 3) & 3;

/** First byte of an entry's region and the one behind it. @spec norm:pmp_a_field_encoding */
function regionOf(state: ClassicView, entry: number, config: number): { first: bigint; end: bigint } {
  const { pmpaddr } = state.csrs;
  const word = pmpaddr.get(entry);
  if (matchingOf(config) === MATCHING.TOR)
    return { first: entry === 0 ? 0n : 4n * pmpaddr.get(entry - 1), end: 4n * word };
  if (matchingOf(config) === MATCHING.NA4) return { first: 4n * word, end: 4n * word + 4n };
  const ones = word & ~(word + 1n);
  const first = 4n * (word & ~ones);
  return { first, end: first + 8n * (ones + 1n) };
}

/**
 * The rights (R 1, W 2, X 4) that PMP leaves to a page, by whose rights the access is made. A page that an entry splits has none below
 * machine mode: rules finer than a page are stricter here than on the hart.
 */
export function pmpRights({ state }: Monitor, page: bigint, mode: bigint): number {
  const end = page + BigInt(PAGE_BYTES);
  for (let entry = 0; entry < ENTRIES; entry++) {
    const config = configOf(state, entry);
    if (matchingOf(config) === MATCHING.OFF) continue;
    const region = regionOf(state, entry, config);
    if (region.first >= end || region.end <= page) continue;
    if (mode === Mode.M && (config & LOCK) === 0) return 7;
    return region.first <= page && region.end >= end ? config & 7 : 0;
  }
  return mode === Mode.M ? 7 : 0; // norm:pmp_no_entry_match
}

const isLocked = (config: number): boolean => (config & LOCK) !== 0;

/** Eight entries' bytes. A locked one stays. Translations that were made under other rules are forgotten. */
export const pmpConfigCsr = (name: "pmpcfg0" | "pmpcfg2", word: number): VirtualCsr => ({
  read: ({ state }) => state.csrs.pmpcfg.get(word),
  write: (monitor, value) => {
    const { pmpcfg } = monitor.state.csrs;
    const old = pmpcfg.get(word);
    let next = value & 0x9f9f_9f9f_9f9f_9f9fn;
    for (let byte = 0n; byte < 8n; byte++) {
      const mask = 0xffn << (8n * byte);
      if (isLocked(Number((old & mask) >> (8n * byte)))) next = (next & ~mask) | (old & mask);
    }
    pmpcfg.set(word, legalize(CSRS[name], old, next, writableMask(CSRS[name])));
    forgetShadows(monitor);
  },
});

/** An entry's address. It is locked with its entry, and as the bottom of a locked TOR entry. */
export const pmpAddressCsr = (entry: number): VirtualCsr => ({
  read: ({ state }) => state.csrs.pmpaddr.get(entry),
  write: (monitor, value) => {
    const { state } = monitor;
    const name = `pmpaddr${entry}` as CsrName;
    const next = entry + 1 < ENTRIES ? configOf(state, entry + 1) : 0;
    const isBottom = isLocked(next) && matchingOf(next) === MATCHING.TOR;
    if (isLocked(configOf(state, entry)) || isBottom) return;
    const { pmpaddr } = state.csrs;
    pmpaddr.set(entry, legalize(CSRS[name], pmpaddr.get(entry), value, writableMask(CSRS[name])));
    forgetShadows(monitor);
  },
});
