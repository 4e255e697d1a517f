/** Where the jump cache keeps an address: cold tier and regions both look there. */
import { JUMP_CACHE, JUMP_CACHE_ENTRIES, JUMP_CACHE_ENTRY_BYTES } from "./layout.ts";
import type { Code, Local } from "./wasm/code.ts";

/** Folds the bits above an entry's number into it, so that code that lies a power of two apart does not share entries. */
const FOLD_SHIFT = 15;
/** Instructions are at even addresses, so bit 0 of one says nothing. */
const ENTRY_SHIFT = Math.log2(JUMP_CACHE_ENTRY_BYTES);

/** Offsets within an entry: the address (i64), and the slot of the table (i32) where its code is. */
export const CACHED_PC = JUMP_CACHE;
export const CACHED_SLOT = JUMP_CACHE + 8;

/** Pushes the offset, i32, of the entry for the address in `pc`, an i64: load with `CACHED_PC` and `CACHED_SLOT`. */
export function pushJumpCacheEntry(code: Code, pc: Local): void {
  code.get(pc);
  code.op("i32.wrap_i64");
  code.i32(1);
  code.op("i32.shr_u");
  code.get(pc);
  code.op("i32.wrap_i64");
  code.i32(FOLD_SHIFT);
  code.ops("i32.shr_u", "i32.xor");
  code.i32(JUMP_CACHE_ENTRIES - 1);
  code.op("i32.and");
  code.i32(ENTRY_SHIFT);
  code.op("i32.shl");
}

/** The same in JavaScript: bytes from `JUMP_CACHE`, for the low half of an address. */
export const jumpCacheEntryOf = (pcLow: number): number =>
  (((pcLow >>> 1) ^ (pcLow >>> FOLD_SHIFT)) & (JUMP_CACHE_ENTRIES - 1)) << ENTRY_SHIFT;
