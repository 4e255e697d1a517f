/**
 * The instruction record: how it is encoded, written and executed, in one place.
 *
 * Semantics see the hart through `ExecContext` and nothing else, so that they cannot reach a device or a cache.
 */
import { type Encoding, encoding } from "./encoding.ts";
import type { FloatRegisterFile, FloatRegisterIndex } from "./float-register.ts";
import type { Form } from "./form.ts";
import type { ModeNumber } from "./mode.ts";
import type { RegisterFile, RegisterIndex } from "./register.ts";
import { type ExceptionName, exception, type Trap } from "./trap.ts";

/** What an instruction may see and do. Engines implement it; a five-line fake is enough for a test. */
export interface ExecContext {
  /** x0…x31. Writes to x0 are undone by the engine after each instruction. */
  readonly x: RegisterFile;
  /** f0…f31. Writing goes through `setFloat`, which also marks the unit as dirty. */
  readonly f: Readonly<FloatRegisterFile>;
  /** Address of this instruction: 64 bits, signed or unsigned. */
  readonly pc: bigint;
  /** Address of the instruction behind this one: what a call links to. 64 bits, signed or unsigned. */
  readonly followingPc: bigint;
  /** Privilege mode as its 2-bit number. */
  readonly mode: ModeNumber;

  /** Makes `target` (mod 2⁶⁴), an even address, the next instruction's. */
  jump(target: bigint): undefined;

  /** Loads sign-extend into `rd`; the `U` forms zero-extend. Addresses are taken mod 2⁶⁴. */
  load8(rd: RegisterIndex, address: bigint): Trap | undefined;
  load8U(rd: RegisterIndex, address: bigint): Trap | undefined;
  load16(rd: RegisterIndex, address: bigint): Trap | undefined;
  load16U(rd: RegisterIndex, address: bigint): Trap | undefined;
  load32(rd: RegisterIndex, address: bigint): Trap | undefined;
  load32U(rd: RegisterIndex, address: bigint): Trap | undefined;
  load64(rd: RegisterIndex, address: bigint): Trap | undefined;
  /** Stores write the low bits of register `rs2`. */
  store8(address: bigint, rs2: RegisterIndex): Trap | undefined;
  store16(address: bigint, rs2: RegisterIndex): Trap | undefined;
  store32(address: bigint, rs2: RegisterIndex): Trap | undefined;
  store64(address: bigint, rs2: RegisterIndex): Trap | undefined;

  /** Loads as the guest would, with `hstatus.SPVP`'s rights; `execute` asks for X instead of R. */
  loadAsGuest(rd: RegisterIndex, address: bigint, shape: GuestLoad): Trap | undefined;
  /** Stores as the guest would. */
  storeAsGuest(address: bigint, rs2: RegisterIndex, widthBytes: 1 | 2 | 4 | 8): Trap | undefined;

  /** Loads a word and reserves it: 4 bytes (sign-extended) or 8, naturally aligned. */
  loadReserved(rd: RegisterIndex, address: bigint, widthBytes: 4 | 8): Trap | undefined;
  /** Stores register `rs2` if the reservation still holds; `rd` becomes 0 then, else 1. */
  storeConditional(
    rd: RegisterIndex,
    address: bigint,
    rs2: RegisterIndex,
    widthBytes: 4 | 8,
  ): Trap | undefined;
  /** Replaces a word by `change` of it at once; `rd` gets the old one. Both are signed, as wide as the access. */
  modifyMemory(
    rd: RegisterIndex,
    address: bigint,
    widthBytes: 4 | 8,
    change: (old: bigint) => bigint,
  ): Trap | undefined;

  /** Whether floating-point instructions may run: `mstatus.FS` is not Off. */
  readonly floatIsOn: boolean;
  /** `frm`, 3 bits; 5 to 7 are reserved. */
  readonly dynamicRounding: number;
  /** Writes a floating-point register, 64 bits. */
  setFloat(rd: FloatRegisterIndex, word: bigint): void;
  /** Adds exception flags to `fflags`. */
  accrueFlags(flags: number): void;
  /** Loads into a floating-point register; 4 bytes are boxed. */
  loadFloat(rd: FloatRegisterIndex, address: bigint, widthBytes: 4 | 8): Trap | undefined;
  /** Stores the low bytes of a floating-point register as they are. */
  storeFloat(address: bigint, rs2: FloatRegisterIndex, widthBytes: 4 | 8): Trap | undefined;

  /** The three questions of a CSR access: may it happen, what is read, what does writing do. */
  csrDenied(csr: number, writes: boolean): ExceptionName | undefined;
  readCsr(csr: number): bigint;
  /** What CSRRS and CSRRC set bits in: as `readCsr`, but for `mip` without the level of the external line. */
  readCsrToModify(csr: number): bigint;
  writeCsr(csr: number, value: bigint): void;

  /** Whether the machine has the hypervisor extension. */
  readonly hasHypervisor: boolean;
  /** One bit of `mstatus`, by its name. */
  status(bit: "TVM" | "TW" | "TSR"): boolean;
  /** One bit of `hstatus`, by its name. */
  hypervisorStatus(bit: "VTVM" | "VTW" | "VTSR" | "HU"): boolean;
  /** Leaves a trap handler by MRET or SRET; privilege has been checked. */
  returnFromTrap(from: "M" | "S"): Trap | undefined;
  /** Sleeps until an enabled interrupt is pending; may return at once. */
  waitForInterrupt(): void;
  /** Orders PTE stores before later walks. `undefined`: all addresses, all address spaces. */
  fenceTranslations(vaddr: bigint | undefined, asid: bigint | undefined): void;
  /** The same for a guest's own translation, or for that of its physical addresses; `id` is an ASID or a VMID. */
  fenceGuestTranslations(stage: "vs" | "g", address: bigint | undefined, id: bigint | undefined): void;
  /** Orders stores before later instruction fetches. */
  fenceInstructions(): void;

  /** Whether a TypeScript handler has this number. */
  hasHandler(number: number): boolean;
  /** Calls it; what it returns is the exception that it ended with. */
  callHandler(number: number): Trap | undefined;
}

/** A load on behalf of a guest. */
export interface GuestLoad {
  readonly widthBytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  /** The right that it needs in both stages. */
  readonly right: "read" | "execute";
}

/** The operands of one instruction word, decoded. Fields that the encoding does not have are zero. */
export interface Operands {
  /** The instruction word itself, 32 bits (16 of a compressed one). */
  readonly word: number;
  readonly rd: RegisterIndex;
  readonly rs1: RegisterIndex;
  readonly rs2: RegisterIndex;
  readonly rs3: RegisterIndex;
  /** Immediate or shift amount, 64 bits: sign-extended except for `uimm`, `nzuimm` and `shamt`. */
  readonly imm: bigint;
  /** CSR address, 12 bits. */
  readonly csr: number;
}

/** Executes one instruction; what it returns is the exception that it raised. */
export type Execute = (hart: ExecContext, operands: Operands) => Trap | undefined;
/** Executes an instruction that cannot raise an exception. */
export type Compute = (hart: ExecContext, operands: Operands) => undefined;

/**
 * Operands that an encoding does not have because it always means the same: a number, or "as `rd`". Compressed
 * instructions have them.
 */
export interface ImpliedOperands {
  readonly rd?: RegisterIndex;
  readonly rs1?: RegisterIndex | "rd";
  readonly rs2?: RegisterIndex;
}

/** Where the manual says it: a normative-rule tag, or a section where no tag exists. `dom0` is our own ARCHITECTURE.md. */
export type SpecReference = `norm:${string}` | `${"priv" | "unpriv" | "dom0"} §${string}`;

/** One instruction. */
export interface Insn<F extends Form = Form> extends Encoding {
  /** How its operands are written. */
  readonly form: F;
  readonly spec: SpecReference;
  readonly execute: Execute;
  readonly implied?: ImpliedOperands;
}

/** Makes the maker of instruction records of one form, for instructions that may raise an exception. */
export const trapping =
  <F extends Form>(form: F) =>
  (diagram: string, spec: SpecReference, execute: Execute): Insn<F> => ({
    ...encoding(diagram),
    form,
    spec,
    execute,
  });

/** The same for instructions that cannot: their semantics return nothing. */
export const computing =
  <F extends Form>(form: F) =>
  (diagram: string, spec: SpecReference, execute: Compute): Insn<F> =>
    trapping(form)(diagram, spec, execute);

/** The exception for an instruction that may not run here. `mtval` gets the instruction word, as on QEMU. @spec norm:mtval_ill_instr_exc_in_low_bits @spec norm:mtval_instr_bits_lead-in */
export const illegalInstruction = ({ word }: Pick<Operands, "word">): Trap =>
  exception("illegalInstruction", BigInt(word >>> 0));

/**
 * The exception for an instruction that HS-mode could execute but a guest may not: a hypervisor may emulate it. Its trap
 * value is that of an illegal instruction.
 * @spec norm:H_cause_virtual_instruction
 * @spec norm:H_virtinst_xtval
 */
export const virtualInstruction = ({ word }: Pick<Operands, "word">): Trap =>
  exception("virtualInstruction", BigInt(word >>> 0));
