/**
 * The function that turns a hart to another mode or other rights: `(h, mode, mstatus, vsstatus) → 1`, or 0 and no effect where
 * the runtime does not know yet which translations hold there.
 *
 * It says in code what `dataContext` of `mmu/access-context.ts` and the words of `layout.ts` say.
 */
import { fieldMask } from "../../../bits/field.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import { FETCH_BANK_AREA, FETCH_BANK_BYTES, WORD } from "../layout.ts";
import { Code, type Local } from "../wasm/code.ts";
import type { ModuleWriter } from "../wasm/module.ts";
import { StateCode } from "./state-code.ts";

const { MPRV, MPP, MPV, SUM, MXR, FS } = CSRS.mstatus.fields;
const { NX, frm } = CSRS.fcsr.fields;
/** What V=1 adds to a mode's number. */
export const VIRTUAL = 4;

/** Writes the function; its number. */
export function writeSelectContext(module: ModuleWriter): number {
  const type = module.type({ parameters: ["i32", "i32", "i64", "i64"], results: ["i32"] });
  const index = module.declare(type);
  const code = new Code(4);
  const state = new StateCode(code);
  const [mode, mstatus, vsstatus] = [1 as Local, 2 as Local, 3 as Local];
  const dataBank = state.keep32(() => {
    pushDataContext(state, pushEffectiveMode(state, mode, mstatus), mstatus, vsstatus);
    pushBank(state, WORD.dataBankOf);
  });
  const fetchBank = state.keep32(() => {
    code.get(mode);
    pushBank(state, WORD.fetchBankOf);
  });
  for (const bank of [dataBank, fetchBank]) {
    code.get(bank);
    code.op("i32.eqz");
    code.if();
    code.i32(0);
    code.op("return");
    code.end();
  }
  state.setWord(WORD.dataBank, () => code.get(dataBank));
  state.setWord(WORD.fetchBank, () => code.get(fetchBank));
  setCodeBits(state, fetchBank, mode, mstatus, vsstatus);
  code.i32(1);
  module.define(index, code.finish());
  module.name(index, "selectContext");
  return index;
}

/** The number on the stack becomes the address of its bank. */
function pushBank({ code, h }: StateCode, banks: number): void {
  code.i32(2);
  code.op("i32.shl");
  code.get(h);
  code.op("i32.add");
  code.load("i32.load", banks);
}

/** Pushes the number of the mode with a privilege (i32 in a local) whose V is what `isVirtual` pushes; M-mode is never virtual. */
export function pushMode({ code }: StateCode, privilege: Local, isVirtual: () => void): void {
  code.get(privilege);
  isVirtual();
  code.get(privilege);
  code.i32(MODE_NUMBER.M);
  code.ops("i32.ne", "i32.and");
  code.i32(Math.log2(VIRTUAL));
  code.ops("i32.shl", "i32.or");
}

/** Whose rights loads and stores have. */
function pushEffectiveMode(state: StateCode, mode: Local, mstatus: Local): Local {
  const { code } = state;
  const privilege = state.keep32(() => {
    state.fieldOf(mstatus, MPP);
    code.op("i32.wrap_i64");
  });
  return state.keep32(() => {
    pushMode(state, privilege, () => state.hasAny(mstatus, fieldMask(MPV)));
    code.get(mode);
    state.hasAny(mstatus, fieldMask(MPRV));
    code.op("select");
  });
}

/** Pushes the number of the rights: see `dataContext`. */
function pushDataContext(state: StateCode, effective: Local, mstatus: Local, vsstatus: Local): void {
  const { code } = state;
  const isVirtual = state.keep32(() => {
    code.get(effective);
    code.i32(VIRTUAL);
    code.op("i32.ge_u");
  });
  const status = state.keep64(() => {
    code.get(vsstatus);
    code.get(mstatus);
    code.get(isVirtual);
    code.op("select");
  });
  const privilege = state.keep32(() => {
    code.get(effective);
    code.i32(VIRTUAL - 1);
    code.op("i32.and");
  });
  /** One more bit: where the register has the flag, and the number in the local compares so. */
  const bit = (
    register: Local,
    mask: bigint,
    local: Local,
    compare: "i32.eq" | "i32.ne",
    number: number,
    shift: number,
  ) => {
    state.hasAny(register, mask);
    code.get(local);
    code.i32(number);
    code.ops(compare, "i32.and");
    code.i32(shift);
    code.ops("i32.shl", "i32.or");
  };
  code.get(privilege);
  bit(status, fieldMask(SUM), privilege, "i32.eq", MODE_NUMBER.S, 2);
  bit(status, fieldMask(MXR), privilege, "i32.ne", MODE_NUMBER.M, 3);
  bit(mstatus, fieldMask(MXR), isVirtual, "i32.ne", 0, 1);
  code.get(isVirtual);
  code.i32(4);
  code.ops("i32.shl", "i32.or");
}

/** `codeBit` is the bank's number as a bit; the other two are that or 0. */
function setCodeBits(state: StateCode, fetchBank: Local, mode: Local, mstatus: Local, vsstatus: Local): void {
  const { code } = state;
  const bit = state.keep32(() => {
    code.i32(1);
    code.get(fetchBank);
    code.i32(FETCH_BANK_AREA);
    code.op("i32.sub");
    code.i32(Math.log2(FETCH_BANK_BYTES));
    code.ops("i32.shr_u", "i32.shl");
  });
  const isOn = state.keep32(() => {
    state.hasAll(mstatus, fieldMask(FS));
    state.hasAll(vsstatus, fieldMask(FS));
    code.get(mode);
    code.i32(VIRTUAL);
    code.ops("i32.lt_u", "i32.or", "i32.and");
  });
  const fcsr = state.keep64(() => state.csr("fcsr"));
  state.setWord(WORD.codeBit, () => code.get(bit));
  state.setWord(WORD.codeBitFloatOn, () => {
    code.get(bit);
    code.get(isOn);
    code.op("i32.mul");
  });
  state.setWord(WORD.codeBitFloatFast, () => {
    code.get(bit);
    code.get(isOn);
    code.get(fcsr);
    code.i64(fieldMask(NX) | fieldMask(frm));
    code.op("i64.and");
    code.i64(fieldMask(NX)); // rounding to nearest, even, is 0
    code.ops("i64.eq", "i32.and", "i32.mul");
  });
}
