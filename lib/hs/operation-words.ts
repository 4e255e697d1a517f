/**
 * The instructions that a handler's operations are: each operation of an `HsContext` is one of these, executed by its own
 * record of `lib/isa`. Addresses go through `t5` and values through `t6`, which the trap vector has saved before; the saved
 * registers themselves are reached by `sp`.
 */
import type { Width } from "../bus/device.ts";
import { isMistake, mistake } from "../isa/assembler/mistake.ts";
import { encodeInsn, type OperandValue } from "../isa/assembler/operand.ts";
import { CSRS, type CsrName } from "../isa/csr-map.ts";
import { type DecodedInsn, decode } from "../isa/decode.ts";
import type { Mnemonic } from "../isa/instructions.ts";
import { REGISTER_NAMES, registerIndex } from "../isa/register.ts";

/** Number of the register that addresses go through. */
export const ADDRESS_REGISTER = registerIndex("t5");
/** Number of the register that values go through. */
export const VALUE_REGISTER = registerIndex("t6");

const ADDRESS = "t5";
const VALUE = "t6";

function insn(mnemonic: Mnemonic, ...operands: OperandValue[]): DecodedInsn {
  const place = { address: 0n, resolve: () => mistake("an operation jumps nowhere") };
  const word = encodeInsn(mnemonic, operands, place);
  const decoded = isMistake(word) ? undefined : decode(word);
  if (decoded === undefined) throw new RangeError(`no instruction ${mnemonic} ${operands.join(", ")}`);
  return decoded;
}

type ByWidth = Readonly<Record<Width, DecodedInsn>>;

/** Loads, zero-extended. */
export const LOAD: ByWidth = {
  1: insn("lbu", VALUE, 0, ADDRESS),
  2: insn("lhu", VALUE, 0, ADDRESS),
  4: insn("lwu", VALUE, 0, ADDRESS),
  8: insn("ld", VALUE, 0, ADDRESS),
};

export const STORE: ByWidth = {
  1: insn("sb", VALUE, 0, ADDRESS),
  2: insn("sh", VALUE, 0, ADDRESS),
  4: insn("sw", VALUE, 0, ADDRESS),
  8: insn("sd", VALUE, 0, ADDRESS),
};

/** Loads of the registers that the vector saved at `sp`, by number; the first is that of x0 and used by nobody. */
export const LOAD_SAVED: readonly DecodedInsn[] = REGISTER_NAMES.map((_, index) =>
  insn("ld", VALUE, 8 * index, "sp"),
);
/** The same, changed. */
export const STORE_SAVED: readonly DecodedInsn[] = REGISTER_NAMES.map((_, index) =>
  insn("sd", VALUE, 8 * index, "sp"),
);

/** Loads as the guest would. */
export const GUEST_LOAD: ByWidth = {
  1: insn("hlv.bu", VALUE, ADDRESS),
  2: insn("hlv.hu", VALUE, ADDRESS),
  4: insn("hlv.wu", VALUE, ADDRESS),
  8: insn("hlv.d", VALUE, ADDRESS),
};

/** Loads of what the guest may execute. */
export const GUEST_FETCH: Readonly<Record<2 | 4, DecodedInsn>> = {
  2: insn("hlvx.hu", VALUE, ADDRESS),
  4: insn("hlvx.wu", VALUE, ADDRESS),
};

export const GUEST_STORE: ByWidth = {
  1: insn("hsv.b", VALUE, ADDRESS),
  2: insn("hsv.h", VALUE, ADDRESS),
  4: insn("hsv.w", VALUE, ADDRESS),
  8: insn("hsv.d", VALUE, ADDRESS),
};

/** Atomic changes of a 64-bit word of RAM. */
export const ATOMIC = {
  swap: insn("amoswap.d.aqrl", VALUE, VALUE, ADDRESS),
  add: insn("amoadd.d.aqrl", VALUE, VALUE, ADDRESS),
  and: insn("amoand.d.aqrl", VALUE, VALUE, ADDRESS),
  or: insn("amoor.d.aqrl", VALUE, VALUE, ADDRESS),
} as const satisfies Record<string, DecodedInsn>;

/** Fences of translations, by whether an address and an address-space number are given. */
const fences = (mnemonic: "sfence.vma" | "hfence.vvma" | "hfence.gvma") => ({
  all: insn(mnemonic, "zero", "zero"),
  address: insn(mnemonic, ADDRESS, "zero"),
  id: insn(mnemonic, "zero", VALUE),
  both: insn(mnemonic, ADDRESS, VALUE),
});

export const FENCES = {
  own: fences("sfence.vma"),
  vs: fences("hfence.vvma"),
  g: fences("hfence.gvma"),
} as const;

export const FENCE_I: DecodedInsn = insn("fence.i");
export const WFI: DecodedInsn = insn("wfi");

/** What an operation on a CSR does. */
export type CsrOperation = "read" | "write" | "set" | "clear";

const CSR_WORDS: Readonly<Record<CsrOperation, readonly [Mnemonic, rd: string, rs1: string]>> = {
  read: ["csrrs", VALUE, "zero"],
  write: ["csrrw", "zero", VALUE],
  set: ["csrrs", "zero", VALUE],
  clear: ["csrrc", "zero", VALUE],
};

const CSR_INSNS = new Map(
  (Object.keys(CSRS) as CsrName[]).map((name) => [name as string, new Map<CsrOperation, DecodedInsn>()]),
);

/** The instruction for an operation on a CSR; `undefined` when no CSR has this name. Made when first asked for. */
export function csrInsn(operation: CsrOperation, name: string): DecodedInsn | undefined {
  const known = CSR_INSNS.get(name);
  if (known === undefined) return undefined;
  const made = known.get(operation);
  if (made !== undefined) return made;
  const [mnemonic, rd, rs1] = CSR_WORDS[operation];
  const fresh = insn(mnemonic, rd, name, rs1);
  known.set(operation, fresh);
  return fresh;
}
