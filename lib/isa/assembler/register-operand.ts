/** Operands that are names: registers of both kinds, the implied stack pointer, and rounding modes. */
import type { FieldName } from "../encoding.ts";
import { findFloatRegister } from "../float-register.ts";
import type { RoundingName } from "../form.ts";
import { COMPRESSED_REGISTER_BASE, findRegister } from "../register.ts";
import { type Mistake, mistake } from "./mistake.ts";

const SP = 2;

/** Whether a field has three bits for one of eight registers. */
export const isCompressedRegister = (field: FieldName): boolean => field.endsWith("'");

/** Field bits of a register number, or what is wrong with it. */
function numberBits(index: number, field: FieldName, written: string, eight: string): number | Mistake {
  if (!isCompressedRegister(field)) return index;
  const bits = index - COMPRESSED_REGISTER_BASE;
  return bits >= 0 && bits < 8
    ? bits
    : mistake(`"${written}" is not among the eight registers of a compressed instruction: ${eight}`);
}

/** Says of a name that is no register what it probably should have been. */
export function registerBits(written: unknown, field: FieldName): number | Mistake {
  const index = typeof written === "string" ? findRegister(written) : undefined;
  if (index === undefined)
    return mistake(`"${written}" is not a register: use zero ra sp gp tp t0–t6 s0–s11 a0–a7, or x0–x31`);
  return numberBits(index, field, String(written), "s0 s1 a0–a5");
}

/** The same for floating-point registers. */
export function floatRegisterBits(written: unknown, field: FieldName): number | Mistake {
  const index = typeof written === "string" ? findFloatRegister(written) : undefined;
  if (index === undefined)
    return mistake(`"${written}" is not a floating-point register: use ft0–ft11 fs0–fs11 fa0–fa7, or f0–f31`);
  return numberBits(index, field, String(written), "fs0 fs1 fa0–fa5");
}

/** The stack pointer where an encoding implies it. */
export const stackPointerMistake = (mnemonic: string, written: unknown): Mistake | undefined =>
  typeof written === "string" && findRegister(written) === SP
    ? undefined
    : mistake(`${mnemonic} works on sp alone, not "${written}"`);

/** Rounding modes by number; 5 and 6 are reserved. */
const ROUNDING_NAMES: readonly (RoundingName | undefined)[] = [
  ...(["rne", "rtz", "rdn", "rup", "rmm"] as const),
  undefined,
  undefined,
  "dyn",
];

/** Bits of `rm`. A number stands for itself, so that reserved modes can be written too. */
export function roundingBits(written: unknown): number | Mistake {
  const bits =
    typeof written === "string" ? ROUNDING_NAMES.indexOf(written as RoundingName) : Number(written);
  return bits >= 0 && bits < ROUNDING_NAMES.length
    ? bits
    : mistake(`"${written}" is not a rounding mode: use rne rtz rdn rup rmm, or dyn`);
}

/** The text of a rounding mode; its number when it is reserved. */
export const roundingText = (bits: number): string => ROUNDING_NAMES[bits] ?? String(bits);
