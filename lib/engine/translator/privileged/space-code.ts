/**
 * The function that turns a hart to another address space, for a write of `satp`: `(h, satp) → 1`, or 0 where the space or its
 * translations for the present rights are not known; then the slow path must write `satp`, and finds all that it needs.
 *
 * What is known of the space that is left is kept, so that coming back to it is fast. Whoever gives a bank to another context
 * must forget the spaces (`forgetSpaces`).
 */
import {
  SPACE_AREA,
  SPACE_BYTES,
  SPACE_DATA_CONTEXTS,
  SPACE_FETCH_CONTEXTS,
  SPACES,
  WORD,
} from "../layout.ts";
import { Code, type Local } from "../wasm/code.ts";
import type { ModuleWriter } from "../wasm/module.ts";
import { StateCode } from "./state-code.ts";
import { PRIVILEGED_WORD } from "./words.ts";

/** Bytes of a hart's table. */
const TABLE_BYTES = SPACES * SPACE_BYTES;
/** Where ASID lies in `satp`: it differs where the root's page number may not. */
const ASID_SHIFT = 44n;

/** What an entry keeps: words of a hart, eight bytes at a time, and where it keeps them. */
const KEPT = [
  ...Array.from({ length: SPACE_DATA_CONTEXTS / 2 }, (_, pair) => WORD.dataBankOf + 8 * pair),
  ...Array.from({ length: SPACE_FETCH_CONTEXTS / 2 }, (_, pair) => WORD.fetchBankOf + 8 * pair),
].map((word, index) => ({ word, offset: 8 + 8 * index }));

/** Writes the function; its number. */
export function writeSwitchSpace(module: ModuleWriter, selectContext: number): number {
  const type = module.type({ parameters: ["i32", "i64"], results: ["i32"] });
  const index = module.declare(type);
  const code = new Code(2);
  const state = new StateCode(code);
  const next = 1 as Local;
  const present = state.keep64(() => state.csr("satp"));
  const left = state.keep32(() => pushEntry(state, present));
  code.get(left);
  code.get(present);
  code.store("i64.store", SPACE_AREA);
  for (const { word, offset } of KEPT) {
    code.get(left);
    code.get(state.h);
    code.load("i64.load", word);
    code.store("i64.store", SPACE_AREA + offset);
  }
  const entered = state.keep32(() => pushEntry(state, next));
  code.get(entered);
  code.load("i64.load", SPACE_AREA);
  code.get(next);
  code.op("i64.ne");
  code.if();
  code.i32(0);
  code.op("return");
  code.end();
  for (const { word, offset } of KEPT) {
    code.get(state.h);
    code.get(entered);
    code.load("i64.load", SPACE_AREA + offset);
    code.store("i64.store", word);
  }
  code.get(state.h);
  state.field("mode");
  state.csr("mstatus");
  state.csr("vsstatus");
  code.returnCall(selectContext);
  module.define(index, code.finish());
  module.name(index, "switchSpace");
  return index;
}

/** Pushes the offset in the area of the entry for a space. */
function pushEntry(state: StateCode, satp: Local): void {
  const { code } = state;
  code.get(satp);
  code.i64(ASID_SHIFT);
  code.op("i64.shr_u");
  code.get(satp);
  code.op("i64.xor");
  code.op("i32.wrap_i64");
  code.i32(SPACES - 1);
  code.op("i32.and");
  code.i32(SPACE_BYTES);
  code.op("i32.mul");
  state.word(PRIVILEGED_WORD.hartId);
  code.i32(TABLE_BYTES);
  code.ops("i32.mul", "i32.add");
}

/** Forgets the address spaces of a hart. */
export function forgetSpaces(i32: Int32Array, hart: number): void {
  const start = (SPACE_AREA + hart * TABLE_BYTES) / 4;
  i32.fill(0, start, start + TABLE_BYTES / 4);
}
