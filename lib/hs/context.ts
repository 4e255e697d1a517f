/**
 * What privileged software in TypeScript may do: everything that the mode it runs in could do in machine code, and nothing
 * more. There is no way from here to the board, to a device or to another hart but through the instructions below.
 */
import type { Width } from "../bus/device.ts";
import type { Gpaddr, Paddr, Vaddr } from "../isa/address.ts";
import type { CsrName } from "../isa/csr-map.ts";
import type { AbiName } from "../isa/register.ts";
import type { Trap } from "../isa/trap.ts";

/** Registers of the program that was interrupted, in the save area of the trap vector: 64 bits, unsigned. */
export type SavedRegisters = { [R in Exclude<AbiName, "zero">]: bigint };

/** CSRs, as the instructions CSRRW, CSRRS and CSRRC reach them. Values have 64 bits, unsigned. */
export interface CsrAccess {
  read(name: CsrName): bigint;
  write(name: CsrName, value: bigint): void;
  /** Sets the bits that are ones in `bits`. */
  set(name: CsrName, bits: bigint): void;
  /** Clears the bits that are ones in `bits`. */
  clear(name: CsrName, bits: bigint): void;
}

/** How an atomic operation changes a word. */
export type AtomicChange = "swap" | "add" | "and" | "or";

/** An exception in place of a value: what `attempt` returns where an operation trapped. */
export interface Refused {
  readonly kind: "refused";
  readonly trap: Trap;
}

/**
 * The hart as a handler sees it while `hx` calls it.
 *
 * Each operation is one instruction: it has the rights of the present mode, appears in the trace as that instruction
 * would, and retires, so time passes. One that traps ends the handler: the hart takes the exception where `hx` stands, and the
 * rest of the handler does not run. Between two operations nothing happens on this hart, and interrupts wait until the handler
 * returns or, being a generator, yields. A context is good for nothing outside its calls.
 *
 * Addresses of `load` and `store` are physical in M-mode. In HS-mode they go through `satp`, and a hypervisor that maps
 * itself one to one may call them physical all the same.
 */
export interface HsContext {
  /** Number of the hart. */
  readonly hart: number;
  /** Registers of the program that trapped: each access is a load or store of the save area, to which `sp` points. */
  readonly registers: SavedRegisters;
  readonly csr: CsrAccess;
  /** Loads 1, 2, 4 or 8 bytes, zero-extended. */
  load(address: Paddr, width: Width): bigint;
  /** Stores the low bytes of `value`. */
  store(address: Paddr, width: Width, value: bigint): void;
  /** Changes an aligned 64-bit word of RAM at once; the old word, unsigned. */
  atomic(change: AtomicChange, address: Paddr, operand: bigint): bigint;
  /** HLV: loads as the guest would, with `hstatus.SPVP`'s rights, zero-extended. */
  loadAsGuest(address: Vaddr, width: Width): bigint;
  /** HLVX: loads what the guest may execute: an instruction, in one or two pieces. */
  fetchAsGuest(address: Vaddr, width: 2 | 4): bigint;
  /** HSV: stores as the guest would. */
  storeAsGuest(address: Vaddr, width: Width, value: bigint): void;
  /** SFENCE.VMA: of one address or all, of one address space or all. */
  fenceTranslations(address?: Vaddr, asid?: bigint): void;
  /** HFENCE.VVMA: the same for a guest's own tables. */
  fenceGuestTranslations(address?: Vaddr, asid?: bigint): void;
  /** HFENCE.GVMA: for the second stage, of one guest-physical address or all, of one VMID or all. */
  fenceSecondStage(address?: Gpaddr, vmid?: bigint): void;
  /** FENCE.I. */
  fenceInstructions(): void;
  /**
   * WFI. It ends when an enabled interrupt is pending, and may end at once: it does while another hart is awake, because
   * that hart runs only after the handler has returned. To let a hart sleep, return to code that executes WFI.
   */
  waitForInterrupt(): void;
  /**
   * Does something that may trap, and goes on when it does: what firmware achieves by pointing `mtvec` at a way out first. The
   * hart's trap CSRs stay as they are.
   */
  attempt<T>(action: () => T): T | Refused;
}

/** Whether `attempt` met an exception. */
export const isRefused = (result: unknown): result is Refused =>
  typeof result === "object" && result !== null && (result as Partial<Refused>).kind === "refused";
