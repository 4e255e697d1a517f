/**
 * Floating-point registers, which the monitor does not save: they stay the guest's while it works. What it has loaded for the guest, and
 * what it is to store, pass through a word of its state, and machine code with one place for each register moves that word: behind the
 * handler for a load, before a second handler for a store. A handler goes there by way of `resume`.
 */
import { type HPA, hpa } from "../../hs/address.ts";
import { SaveArea } from "../../hs/vector.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { encodeCsr } from "../../isa/csr-map.ts";
import { FLOAT_REGISTER_NAMES } from "../../isa/float-register.ts";
import type { Monitor } from "./host.ts";
import { Classic, CODE } from "./layout.ts";

/** Behind the vector, in the same page. */
export const FLOAT_CODE_OFFSET = 0x800;
const WORD = Classic.offsetOf("float");
const RESUME = Classic.offsetOf("saved") + SaveArea.offsetOf("resume");
const FS = encodeCsr("mstatus", { FS: 3 });
/** Two instructions for each register. */
const PLACE_BYTES = 8;
const TABLE_BYTES = PLACE_BYTES * FLOAT_REGISTER_NAMES.length;

/** Tables of places, one behind the other. FLW boxes what it loads, and both set FS to Dirty. @spec norm:fp_nan-boxing */
const TABLES = { single: 0, double: 1, stored: 2 } as const;
const placeOf = (table: keyof typeof TABLES, register: number): HPA =>
  hpa(CODE + BigInt(FLOAT_CODE_OFFSET + TABLES[table] * TABLE_BYTES + register * PLACE_BYTES));

/**
 * The code, to be put at `FLOAT_CODE_OFFSET`. `sp` points to the state, as everywhere behind the vector. A narrow store takes the low bits
 * of the register, boxed or not. @spec norm:fsw_flw_bits_maintained
 *
 * @param stored  Number of the handler that finishes a store.
 */
export const floatCode = (stored: number): Item[] => [
  label("floats"),
  ...FLOAT_REGISTER_NAMES.flatMap((name) => [asm.flw(name, WORD, "sp"), asm.j("restore")]),
  ...FLOAT_REGISTER_NAMES.flatMap((name) => [asm.fld(name, WORD, "sp"), asm.j("restore")]),
  ...FLOAT_REGISTER_NAMES.flatMap((name) => [asm.fsd(name, WORD, "sp"), asm.j("float_stored")]),
  label("float_stored"),
  asm.la("t0", "restore"),
  asm.sd("t0", RESUME, "sp"),
  asm.hx(stored),
  asm.j("leave"),
];

/** Whether the guest has the registers: with FS Off it has not, and the code above would trap. */
export const hasFloats = ({ context }: Monitor): boolean => (context.csr.read("mstatus") & FS) !== 0n;

/** A register of the guest gets what was loaded, on the way back to the guest. */
export function setGuestFloat({ state }: Monitor, register: number, width: number, value: bigint): void {
  state.float = value;
  state.saved.resume = placeOf(width === 4 ? "single" : "double", register);
}

/** Another handler will find the register in `state.float`: this one ends here, and the guest stands where it stood. */
export function askForGuestFloat(monitor: Monitor, register: number): void {
  monitor.state.saved.resume = placeOf("stored", register);
  monitor.isUnfinished = true;
}
