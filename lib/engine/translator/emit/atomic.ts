/**
 * A: harts take turns between whole instructions, so that an instruction which reads and writes at once needs no lock, and
 * orderings say nothing: each operation has one emitter for all four.
 */
import { PageFlag } from "../../../bus/ram.ts";
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { reservationWord } from "../../../hart/reservations.ts";
import type { a } from "../../../isa/a.ts";
import { FLAGS_BIAS, RAM_OFFSET } from "../layout.ts";
import type { Local } from "../wasm/code.ts";
import type { PlainName } from "../wasm/opcode.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";

/** Physical address of the first byte of RAM, on every board that translates: reservations are told by physical address. */
export const TRANSLATED_RAM_BASE = 0x8000_0000;

type Width = 4 | 8;

const LOAD = { 4: "i64.load32_s", 8: "i64.load" } as const;
const STORE = { 4: "i64.store32", 8: "i64.store" } as const;
const RESERVATION = HART_LAYOUT.reservation.offset;
const PAGE_SHIFT = 12;

const effect = (emit: (e: Emission) => void): Emitter => ({ kind: "effect", emit });

/** Where the word is, in a local: the address that registers give, and nothing added to it. */
function place(e: Emission, kind: "load" | "store", widthBytes: Width): Local {
  const at = e.temp32(0);
  const offset = e.locate(kind, widthBytes);
  if (offset !== 0) {
    e.code.i32(offset);
    e.code.op("i32.add");
  }
  e.code.set(at);
  return at;
}

/** Pushes the word of the state block for a reservation of what is at this place of the memory. */
function pushReservationOf({ code }: Emission, at: Local, widthBytes: Width): void {
  code.get(at);
  code.op("i64.extend_i32_u");
  code.i64(reservationWord(TRANSLATED_RAM_BASE, widthBytes) - BigInt(RAM_OFFSET));
  code.op("i64.add");
}

/** Reserves, and flags the page, so that stores of others are heard. @spec norm:lr_w_op */
const loadReserved = (widthBytes: Width): Emitter =>
  effect((e) => {
    const { code } = e;
    const at = place(e, "load", widthBytes);
    e.hart();
    pushReservationOf(e, at, widthBytes);
    code.store("i64.store", RESERVATION);
    const page = e.temp32(1);
    code.get(at);
    code.i32(PAGE_SHIFT);
    code.op("i32.shr_u");
    code.tee(page);
    code.get(page);
    code.load("i32.load8_u", FLAGS_BIAS);
    code.i32(PageFlag.HOLDS_RESERVATION);
    code.op("i32.or");
    code.store("i32.store8", FLAGS_BIAS);
    e.setRd(() => {
      code.get(at);
      code.load(LOAD[widthBytes], 0);
    });
  });

/** Stores if the reservation holds; afterwards there is none. @spec norm:sc_w_success @spec norm:sc_w_failure */
const storeConditional = (widthBytes: Width): Emitter =>
  effect((e) => {
    const { code } = e;
    const at = place(e, "store", widthBytes);
    const value = e.temp64(0);
    const fails = e.temp32(1);
    e.rs2();
    code.set(value);
    e.hart();
    code.load("i64.load", RESERVATION);
    pushReservationOf(e, at, widthBytes);
    code.op("i64.ne");
    code.set(fails);
    e.hart();
    code.i64(0n);
    code.store("i64.store", RESERVATION);
    code.get(fails);
    code.op("i32.eqz");
    code.if();
    code.get(at);
    code.get(value);
    code.store(STORE[widthBytes], 0);
    code.end();
    e.setRd(() => {
      code.get(fails);
      code.op("i64.extend_i32_u");
    });
  });

/** What an operation leaves in memory: pushes it, given what was there and, if it asks, the operand's local. */
type Change = (e: Emission, old: Local, widthBytes: Width) => void;

/** Reads, changes and writes. @spec norm:amo_operand_size */
const modify =
  (change: Change) =>
  (widthBytes: Width): Emitter =>
    effect((e) => {
      const { code } = e;
      const at = place(e, "store", widthBytes);
      const old = e.temp64(0);
      code.get(at);
      code.get(at);
      code.load(LOAD[widthBytes], 0);
      code.set(old);
      change(e, old, widthBytes);
      code.store(STORE[widthBytes], 0);
      e.setRd(() => code.get(old));
    });

const swap: Change = (e) => e.rs2();

/** Only the low bits are stored: words need no care. */
const combine =
  (op: PlainName): Change =>
  (e, old) => {
    e.code.get(old);
    e.rs2();
    e.code.op(op);
  };

/** Words are compared sign-extended: that keeps their unsigned order, too. */
const choose =
  (comparison: PlainName): Change =>
  (e, old, widthBytes) => {
    const { code } = e;
    const operand = e.temp64(1);
    code.get(old);
    e.rs2();
    if (widthBytes === 4) code.op("i64.extend32_s");
    code.tee(operand);
    code.get(old);
    code.get(operand);
    code.ops(comparison, "select");
  };

type Plain<Name> = Name extends `${string}.${"aq" | "rl" | "aqrl"}` ? never : Name;

/** The operations without an ordering. */
export type AtomicMnemonic = Plain<keyof typeof a>;

const OPERATIONS = {
  lr: loadReserved,
  sc: storeConditional,
  amoswap: modify(swap),
  amoadd: modify(combine("i64.add")),
  amoxor: modify(combine("i64.xor")),
  amoand: modify(combine("i64.and")),
  amoor: modify(combine("i64.or")),
  amomin: modify(choose("i64.lt_s")),
  amomax: modify(choose("i64.gt_s")),
  amominu: modify(choose("i64.lt_u")),
  amomaxu: modify(choose("i64.gt_u")),
} as const satisfies {
  readonly [M in AtomicMnemonic as M extends `${infer Name}.${string}` ? Name : never]: unknown;
};

type Emitters = { readonly [M in AtomicMnemonic]: Emitter };
type Aliases = { readonly [M in Exclude<keyof typeof a, AtomicMnemonic>]: AtomicMnemonic };

/** Atomic instructions; each ordering stands for the plain operation. */
export const ATOMIC_EMITTERS: Emitters & Aliases = Object.fromEntries(
  Object.entries(OPERATIONS).flatMap(([name, emitterFor]) =>
    (["w", "d"] as const).flatMap((width) => {
      const plain = `${name}.${width}`;
      const orderings = ["aq", "rl", "aqrl"].map((ordering) => [`${plain}.${ordering}`, plain] as const);
      return [[plain, emitterFor(width === "w" ? 4 : 8)] as const, ...orderings];
    }),
  ),
) as unknown as Emitters & Aliases;
