/** What two machines left of the same programs, word by word and by name. */
import {
  FINAL_CSRS,
  FINAL_HYPERVISOR_CSRS,
  LOG_LIMIT,
  LOG_NAMES,
  LOG_WORDS,
  PAGE_WORDS,
  PAGES,
  PAGES_BYTES,
  RAM_START,
  RESULT,
  RESULT_WORDS,
  RESULTS,
} from "./layout.ts";
import type { Ram } from "./machines.ts";

/** A word that differs. Traps count from 0; `at` is a trap's number for words of the log. */
export interface Difference {
  readonly name: string;
  readonly trap?: number;
  readonly ours: bigint;
  readonly theirs: bigint;
}

/** One trap as a handler saw it. */
export type TrapRecord = Readonly<Record<(typeof LOG_NAMES)[number], bigint>>;

const CSR_NAMES: readonly string[] = [...FINAL_CSRS, ...FINAL_HYPERVISOR_CSRS];
const STAGES = ["own", "guest", "second"];

/** Name of each word of a result before its log; undefined for words that nobody writes. */
const NAMES: readonly (string | undefined)[] = Array.from({ length: RESULT.log }, (_, at) => {
  if (at < RESULT.floats) return `x${at}`;
  if (at < RESULT.fcsr) return `f${at - RESULT.floats}`;
  if (at === RESULT.fcsr) return "fcsr";
  if (at < RESULT.pages) return CSR_NAMES[at - RESULT.csrs];
  if (at === RESULT.logCount) return "log end";
  const place = at - RESULT.pages;
  return `${STAGES[Math.floor(place / PAGE_WORDS)]} entry ${place % PAGE_WORDS}`;
});

const viewOf = (ram: Ram): DataView => new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
const resultOffset = (index: number): number => RESULTS - RAM_START + index * RESULT_WORDS * 8;
const pagesOffset = (index: number): number => PAGES - RAM_START + index * PAGES_BYTES;

/** The traps that a program took, in order. */
export function trapsOf(ram: Ram, index: number): TrapRecord[] {
  const view = viewOf(ram);
  const start = resultOffset(index) + 8 * RESULT.log;
  const records: TrapRecord[] = [];
  for (let trap = 0; trap < LOG_LIMIT; trap++) {
    const words = LOG_NAMES.map(
      (name, at) => [name, view.getBigUint64(start + 8 * (trap * LOG_WORDS + at), true)] as const,
    );
    if (words[0]?.[1] === 0n) break;
    records.push(Object.fromEntries(words) as TrapRecord);
  }
  return records;
}

const sameBytes = (ours: Ram, theirs: Ram, start: number, length: number): boolean =>
  Buffer.compare(ours.subarray(start, start + length), theirs.subarray(start, start + length)) === 0;

/** Everything in which a program's two results differ, the traps first: what comes of a difference comes after it. */
export function differencesOf(ours: Ram, theirs: Ram, index: number): Difference[] {
  const result = resultOffset(index);
  const pages = pagesOffset(index);
  if (sameBytes(ours, theirs, result, RESULT_WORDS * 8) && sameBytes(ours, theirs, pages, PAGES_BYTES))
    return [];
  const [mine, yours] = [viewOf(ours), viewOf(theirs)];
  const found: Difference[] = [];
  const compare = (offset: number, name: string, trap?: number): void => {
    const [own, other] = [mine.getBigUint64(offset, true), yours.getBigUint64(offset, true)];
    if (own !== other)
      found.push({ name, ours: own, theirs: other, ...(trap === undefined ? {} : { trap }) });
  };
  for (let at = 0; at < LOG_LIMIT * LOG_WORDS; at++) {
    const trap = Math.floor(at / LOG_WORDS);
    compare(result + 8 * (RESULT.log + at), LOG_NAMES[at % LOG_WORDS] ?? "", trap);
  }
  for (const [at, name] of NAMES.entries()) if (name !== undefined) compare(result + 8 * at, name);
  for (let at = 0; at < PAGES_BYTES; at += 8) compare(pages + at, `memory +0x${at.toString(16)}`);
  return found;
}

/** The differences in words. */
export function inWords(differences: readonly Difference[], peer: string): string {
  const lines = differences.slice(0, 12).map(({ name, trap, ours, theirs }) => {
    const where = trap === undefined ? name : `trap ${trap}, ${name}`;
    return `  ${where}: 0x${ours.toString(16)} here, 0x${theirs.toString(16)} on ${peer}`;
  });
  const more = differences.length - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join("\n");
}
