/**
 * A hart's registers as GDB numbers them, and the target description that says so.
 *
 * @spec GDB "RISC-V Features"
 */
import { writeCsr } from "../../hart/csr-write.ts";
import type { Hart } from "../../hart/hart.ts";
import { isReadOnlyCsr } from "../../isa/csr.ts";
import { CSR_NAMES, CSRS, type CsrName, csrAt } from "../../isa/csr-map.ts";
import { FLOAT_REGISTER_NAMES } from "../../isa/float-register.ts";
import { MODE_NUMBER, MODES, privilegeOf } from "../../isa/mode.ts";
import { REGISTER_NAMES } from "../../isa/register.ts";
import { hexOf } from "./packets.ts";

const X_REGISTERS = REGISTER_NAMES.length;
const PC = X_REGISTERS;
const FIRST_FLOAT = PC + 1;
const FIRST_CSR = FIRST_FLOAT + FLOAT_REGISTER_NAMES.length;
const CSR_COUNT = 4096;
const PRIVILEGE = FIRST_CSR + CSR_COUNT;
const WORD_BYTES = 8;

/** Registers that `g` and `G` move: x0 to x31, and pc. */
const GENERAL_COUNT = X_REGISTERS + 1;

/** Those that GDB expects beside the floating-point registers. */
const FLOAT_CONTROL: readonly CsrName[] = ["fflags", "frm", "fcsr"];

/** A register, unsigned 64-bit; undefined when no register has this number. */
export function readRegister(hart: Hart, number: number): bigint | undefined {
  if (!(number >= 0)) return undefined;
  if (number < X_REGISTERS) return BigInt.asUintN(64, hart.state.x[number] ?? 0n);
  if (number === PC) return hart.pc;
  if (number < FIRST_CSR) return hart.state.f[number - FIRST_FLOAT];
  if (number === PRIVILEGE) return BigInt(privilegeOf(MODE_NUMBER[hart.mode]));
  const name = csrAt(number - FIRST_CSR);
  return name === undefined ? undefined : hart.csr(name);
}

/** Sets a register. False: there is none with this number, or it cannot be written. x0 takes anything and stays zero. */
export function writeRegister(hart: Hart, number: number, value: bigint): boolean {
  if (number === 0) return true;
  if (number > 0 && number < X_REGISTERS) hart.state.x[number] = BigInt.asIntN(64, value);
  else if (number === PC) hart.pc = value;
  else if (number >= FIRST_FLOAT && number < FIRST_CSR) hart.state.f[number - FIRST_FLOAT] = value;
  else if (!writeCsrByNumber(hart, number - FIRST_CSR, value)) return false;
  hart.stateReplaced();
  return true;
}

function writeCsrByNumber(hart: Hart, address: number, value: bigint): boolean {
  const name = csrAt(address);
  if (name === undefined || isReadOnlyCsr(address)) return false;
  writeCsr(hart, name, value);
  return true;
}

/** All that `g` returns. */
export function generalRegisters(hart: Hart): string {
  return Array.from({ length: GENERAL_COUNT }, (_, number) => hexWord(readRegister(hart, number) ?? 0n)).join(
    "",
  );
}

/** Takes what `G` gives. False: it is too short. */
export function setGeneralRegisters(hart: Hart, bytes: Uint8Array): boolean {
  if (bytes.length < GENERAL_COUNT * WORD_BYTES) return false;
  for (let number = 0; number < GENERAL_COUNT; number++)
    writeRegister(hart, number, wordAt(bytes, number * WORD_BYTES));
  return true;
}

/** A 64-bit word as GDB sends it: eight bytes, low byte first. */
export function hexWord(value: bigint): string {
  const bytes = new Uint8Array(WORD_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return hexOf(bytes);
}

/** The word at an offset; missing bytes are zero. */
export function wordAt(bytes: Uint8Array, offset: number): bigint {
  const word = new Uint8Array(WORD_BYTES);
  word.set(bytes.subarray(offset, offset + WORD_BYTES));
  return new DataView(word.buffer).getBigUint64(0, true);
}

const registerTag = (name: string, number: number, type: string, group: string): string =>
  `<reg name="${name}" bitsize="64" regnum="${number}" type="${type}" group="${group}"/>`;

const feature = (name: string, registers: readonly string[]): string =>
  `<feature name="org.gnu.gdb.riscv.${name}">${registers.join("")}</feature>`;

/** The description of a hart, in XML. */
export const TARGET_XML: string = [
  '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">',
  '<target version="1.0"><architecture>riscv:rv64</architecture><osabi>none</osabi>',
  feature("cpu", [
    ...REGISTER_NAMES.map((name, number) => registerTag(name, number, typeOf(name), "general")),
    registerTag("pc", PC, "code_ptr", "general"),
  ]),
  feature("fpu", [
    ...FLOAT_REGISTER_NAMES.map((name, index) =>
      registerTag(name, FIRST_FLOAT + index, "ieee_double", "float"),
    ),
    ...FLOAT_CONTROL.map((name) => registerTag(name, FIRST_CSR + CSRS[name].address, "int", "float")),
  ]),
  feature(
    "csr",
    CSR_NAMES.filter((name) => !FLOAT_CONTROL.includes(name)).map((name) =>
      registerTag(name, FIRST_CSR + CSRS[name].address, "int", "csr"),
    ),
  ),
  feature("virtual", [registerTag("priv", PRIVILEGE, "int", "general")]),
  "</target>",
].join("");

function typeOf(name: string): string {
  if (name === "sp" || name === "gp" || name === "tp") return "data_ptr";
  return name === "ra" ? "code_ptr" : "int";
}

/** All modes in one line, for `monitor help`. */
export const MODE_LIST: string = MODES.join(", ");
