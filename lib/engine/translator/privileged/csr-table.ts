/**
 * What the fast path knows of each CSR, as a table that generated code reads: derived from the CSR map, once.
 *
 * A word for each of the 4096 addresses; 0: the slow path knows. Else where the CSR's word lies in the state block, which of
 * the ways to read and to write it has (0: none), whether a guest that names it means its VS twin, and which further question
 * decides whether it may be used.
 */
import { lowestMode } from "../../../isa/csr.ts";
import { CSR_NAMES, CSRS, type CsrName, VIRTUAL_TWIN } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import { CSR_TABLE } from "../layout.ts";
import { type CsrRead, csrRead } from "./csr-reads.ts";
import { type CsrWrite, csrWrite } from "./csr-writes.ts";

/** Where each part of a word of the table lies. */
export const ENTRY = {
  /** Place of the CSR's word in the state block, in words of eight bytes. */
  place: { lsb: 0, width: 10 },
  read: { lsb: 10, width: 6 },
  write: { lsb: 16, width: 6 },
  hasTwin: { lsb: 22, width: 1 },
  guard: { lsb: 23, width: 3 },
} as const;

/** Further questions: see `csr-guards.ts`. */
export const GUARDS = ["none", "float", "counter", "satp", "hgatp"] as const;
/** One of them. */
export type Guard = (typeof GUARDS)[number];

/** From a supervisor CSR to the VS CSR that stands in for it. */
export const TWIN_DISTANCE = CSRS.vsstatus.address - CSRS.sstatus.address;

/** CSRs that may be used where a timer is given: rarely read, and never written without the slow path. */
const TIMERS: readonly CsrName[] = ["stimecmp", "vstimecmp"];

function guardOf(name: CsrName): Guard {
  const { address } = CSRS[name];
  if (name === "satp" || name === "hgatp") return name;
  if (address <= CSRS.fcsr.address) return "float";
  return address >= CSRS.cycle.address && address <= CSRS.hpmcounter31.address ? "counter" : "none";
}

function hasTwin(name: CsrName): boolean {
  if (!Object.hasOwn(VIRTUAL_TWIN, name)) return false;
  const twin = VIRTUAL_TWIN[name as keyof typeof VIRTUAL_TWIN];
  if (CSRS[twin].address - CSRS[name].address !== TWIN_DISTANCE)
    throw new RangeError(`${twin} lies elsewhere`);
  return true;
}

/** The number of a way among the different ways, from 1; 0 for none. */
function numberOf<Way extends { readonly key: string }>(ways: Way[], way: Way | undefined): number {
  if (way === undefined) return 0;
  const known = ways.findIndex(({ key }) => key === way.key);
  return known >= 0 ? known + 1 : ways.push(way);
}

/** Ways to read; number 1 is the first. */
const reads: CsrRead[] = [];
/** Ways to write. */
const writes: CsrWrite[] = [];

function entryOf(name: CsrName): number {
  const [read, write] = [csrRead(name), csrWrite(name)];
  if (TIMERS.includes(name) || read === undefined) return 0;
  if (write !== undefined && write.offset !== read.offset) throw new RangeError(`${name} has two places`);
  // Writes of user mode's CSRs would be no events.
  if (write !== undefined && lowestMode(CSRS[name].address) === MODE_NUMBER.U)
    throw new RangeError(`user mode may write ${name}`);
  const parts = {
    place: read.offset / 8,
    read: numberOf(reads, read),
    write: numberOf(writes, write),
    hasTwin: hasTwin(name) ? 1 : 0,
    guard: GUARDS.indexOf(guardOf(name)),
  };
  return (Object.keys(parts) as (keyof typeof parts)[]).reduce((word, part) => {
    const { lsb, width } = ENTRY[part];
    if (parts[part] >= 1 << width) throw new RangeError(`${part} of ${name} is too large`);
    return word | (parts[part] << lsb);
  }, 0);
}

const ENTRIES: ReadonlyMap<number, number> = new Map(
  CSR_NAMES.map((name) => [CSRS[name].address, entryOf(name)]),
);

/** The different ways to read, and to write, in the order of their numbers. */
export const CSR_READS: readonly CsrRead[] = reads;
export const CSR_WRITES: readonly CsrWrite[] = writes;

/** Puts the table into a machine's memory. Must come before the machine's first run. */
export function fillCsrTable(buffer: ArrayBuffer): void {
  const table = new Uint32Array(buffer, CSR_TABLE, 4096);
  for (const [address, entry] of ENTRIES) table[address] = entry;
}
