/** Up to 500 programs as one memory image. */

import { areaWords, harness } from "./harness.ts";
import {
  CODE,
  CODE_BYTES,
  DESCRIPTOR_WORDS,
  DESCRIPTORS,
  GUEST_SUPERPAGE,
  HARNESS,
  MAX_PROGRAMS,
  PAGE_WORDS,
  PAGES,
  PAGES_BYTES,
  RAM_END,
  RAM_START,
  SUPERPAGE,
  TABLES,
  USER_ALIAS,
  WINDOW_PAGES,
  WORD,
} from "./layout.ts";
import { type Pointer, type Program, placed } from "./program.ts";

const V = 1n;
/** All rights, already accessed and dirty. */
const ALL = 0xcfn;
const USER = 0x10n;

const pointer = (table: number): bigint => ((BigInt(table) >> 12n) << 10n) | V;
const gigapage = (at: number, rights: bigint): bigint => ((BigInt(at) >> 12n) << 10n) | rights;

/** The entries that do not depend on programs: RAM onto itself, its alias for U-mode, the window's middle table. */
const FIXED_ENTRIES: readonly (readonly [address: number, entry: bigint])[] = [
  ...[TABLES.own, TABLES.guest].flatMap(
    ({ root, middle }) =>
      [
        [root + 32, gigapage(RAM_START, ALL | USER)],
        [root + 16, gigapage(RAM_START, ALL)],
        [root + 24, pointer(middle)],
      ] as const,
  ),
  [TABLES.second.root + 16, gigapage(RAM_START, ALL | USER)],
  [TABLES.second.root + 40, pointer(TABLES.second.middle)],
];

const harnesses = new Map<string, Uint8Array>();

/** Words for everybody's pages, drawn once: what is in memory matters little, that it differs matters. */
function fill(bytes: Uint8Array, words: () => bigint): void {
  const view = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  const pattern = Array.from({ length: 509 }, words);
  for (let at = 0; at < view.length; at++) view[at] = pattern[at % 509] ?? 0n;
}

/** The RAM image of some programs. `words` draws what their pages hold; all programs run one after the other, `rounds` times. */
export function imageOf(
  programs: readonly Program[],
  withH: boolean,
  words: () => bigint,
  rounds = 1,
): Uint8Array {
  if (programs.length > MAX_PROGRAMS) throw new RangeError(`${programs.length} programs in one image`);
  const sums = rounds > 1;
  const code = harnesses.get(`${withH} ${sums}`) ?? harness(withH, sums);
  harnesses.set(`${withH} ${sums}`, code);
  const ram = new Uint8Array(RAM_END - RAM_START);
  const view = new DataView(ram.buffer);
  const put = (address: number, value: bigint): void =>
    view.setBigUint64(address - RAM_START, BigInt.asUintN(64, value), true);
  ram.set(code, HARNESS - RAM_START);
  for (const [address, value] of [...areaWords(programs.length, rounds), ...FIXED_ENTRIES])
    put(address, value);
  fill(ram.subarray(PAGES - RAM_START, PAGES - RAM_START + programs.length * PAGES_BYTES), words);
  for (const [index, program] of programs.entries()) {
    const codeStart = CODE + index * CODE_BYTES;
    const instructions = placed(program.items);
    for (const { offset, word } of instructions) {
      view.setUint16(codeStart - RAM_START + offset, word & 0xffff, true);
      if ((word & 3) === 3) view.setUint16(codeStart - RAM_START + offset + 2, word >>> 16, true);
    }
    const end = codeStart + (instructions.at(-1)?.offset ?? 0);
    putDescriptor(program, index, end, (word, value) =>
      put(DESCRIPTORS + 8 * (index * DESCRIPTOR_WORDS + word), value),
    );
  }
  return ram;
}

/** Writes a descriptor. What leads to the program's pages depends on its place, so that a program can be run in any. */
function putDescriptor(
  program: Program,
  index: number,
  end: number,
  put: (word: number, value: bigint) => void,
): void {
  put(WORD.entry, BigInt(CODE + index * CODE_BYTES + program.codeShift));
  put(WORD.end, BigInt(end));
  for (const [name, value] of Object.entries(program.control)) {
    const word = (WORD as Readonly<Record<string, number>>)[name];
    if (word === undefined) throw new Error(`no descriptor word ${name}`);
    put(word, value);
  }
  for (const [at, value] of program.integers.entries()) put(WORD.integers + at, value);
  for (const [register, pointer] of Object.entries(program.pointers))
    put(WORD.integers + Number(register), addressOf(pointer, index));
  for (const [at, value] of program.floats.entries()) put(WORD.floats + at, value);
  const stages = [program.entries.own, program.entries.guest, program.entries.second];
  for (const [stage, entries] of stages.entries())
    for (const [at, entry] of entries.entries())
      put(WORD.ownPages + stage * PAGE_WORDS + at, entryFor(entry, at === WINDOW_PAGES, index));
}

const SUPERPAGE_BYTES = 0x20_0000;
/** Where the pages of a place begin, counted from the superpage that they are in, and where that begins. */
const placeOf = (index: number): { within: number; superpage: number } => {
  const offset = index * PAGES_BYTES;
  return { within: offset % SUPERPAGE_BYTES, superpage: offset - (offset % SUPERPAGE_BYTES) };
};

function addressOf({ space, offset }: Pointer, index: number): bigint {
  const { within, superpage } = placeOf(index);
  const start = {
    plain: PAGES + within + superpage,
    alias: PAGES - RAM_START + USER_ALIAS + within + superpage,
    superpage: SUPERPAGE + within,
    guestSuperpage: GUEST_SUPERPAGE + within,
    fixed: 0,
  }[space];
  return BigInt(start + offset);
}

/** An entry that leads to the first place's pages leads to this place's instead. */
function entryFor(entry: bigint, isSuperpage: boolean, index: number): bigint {
  const target = ((entry >> 10n) & 0xfff_ffff_ffffn) << 12n;
  if (target < BigInt(PAGES) || target >= BigInt(PAGES + PAGES_BYTES)) return entry;
  const { within, superpage } = placeOf(index);
  return entry + ((BigInt(superpage + (isSuperpage ? 0 : within)) >> 12n) << 10n);
}
