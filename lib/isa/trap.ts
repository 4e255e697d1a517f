/**
 * Traps as values: exceptions and interrupts with everything that trap entry writes to CSRs.
 *
 * A guest's mistake is one of these values, never a JavaScript exception.
 */

/** Exception codes of `mcause`/`scause` with the interrupt bit clear. @spec norm:mcause_exccode_enc_img @spec norm:H_cause */
export const EXCEPTION = {
  instructionAddressMisaligned: 0,
  instructionAccessFault: 1,
  illegalInstruction: 2,
  breakpoint: 3,
  loadAddressMisaligned: 4,
  loadAccessFault: 5,
  storeAddressMisaligned: 6,
  storeAccessFault: 7,
  ecallFromU: 8,
  ecallFromS: 9,
  ecallFromVs: 10,
  ecallFromM: 11,
  instructionPageFault: 12,
  loadPageFault: 13,
  storePageFault: 15,
  instructionGuestPageFault: 20,
  loadGuestPageFault: 21,
  virtualInstruction: 22,
  storeGuestPageFault: 23,
} as const;
/** Name of an exception. */
export type ExceptionName = keyof typeof EXCEPTION;

/** Interrupt codes: the bit in `mip`/`mie` and the code in `mcause`. @spec norm:mip_std_enc_img @spec norm:H_cause */
export const INTERRUPT = {
  supervisorSoftware: 1,
  virtualSupervisorSoftware: 2,
  machineSoftware: 3,
  supervisorTimer: 5,
  virtualSupervisorTimer: 6,
  machineTimer: 7,
  supervisorExternal: 9,
  virtualSupervisorExternal: 10,
  machineExternal: 11,
  supervisorGuestExternal: 12,
} as const;
/** Name of an interrupt. */
export type InterruptName = keyof typeof INTERRUPT;

/** The manual's words for each exception. */
export const EXCEPTION_WORDS = {
  instructionAddressMisaligned: "instruction address misaligned",
  instructionAccessFault: "instruction access fault",
  illegalInstruction: "illegal instruction",
  breakpoint: "breakpoint",
  loadAddressMisaligned: "load address misaligned",
  loadAccessFault: "load access fault",
  storeAddressMisaligned: "store/AMO address misaligned",
  storeAccessFault: "store/AMO access fault",
  ecallFromU: "environment call from U-mode",
  ecallFromS: "environment call from S-mode",
  ecallFromVs: "environment call from VS-mode",
  ecallFromM: "environment call from M-mode",
  instructionPageFault: "instruction page fault",
  loadPageFault: "load page fault",
  storePageFault: "store/AMO page fault",
  instructionGuestPageFault: "instruction guest-page fault",
  loadGuestPageFault: "load guest-page fault",
  virtualInstruction: "virtual instruction",
  storeGuestPageFault: "store/AMO guest-page fault",
} as const satisfies Record<ExceptionName, string>;

/** The manual's words for each interrupt. */
export const INTERRUPT_WORDS = {
  supervisorSoftware: "supervisor software interrupt",
  virtualSupervisorSoftware: "virtual supervisor software interrupt",
  machineSoftware: "machine software interrupt",
  supervisorTimer: "supervisor timer interrupt",
  virtualSupervisorTimer: "virtual supervisor timer interrupt",
  machineTimer: "machine timer interrupt",
  supervisorExternal: "supervisor external interrupt",
  virtualSupervisorExternal: "virtual supervisor external interrupt",
  machineExternal: "machine external interrupt",
  supervisorGuestExternal: "supervisor guest external interrupt",
} as const satisfies Record<InterruptName, string>;

/** An exception or interrupt on its way to trap entry. */
export interface Trap {
  readonly isInterrupt: boolean;
  /** Code without the interrupt bit. */
  readonly cause: number;
  /** For `mtval`/`stval`: a faulting virtual address, an instruction word or 0. 64 bits, unsigned. */
  readonly tval: bigint;
  /** For `mtval2`/`htval`: a guest-physical address shifted right by 2, of a guest-page fault; else 0. */
  readonly tval2: bigint;
  /** For `mtinst`/`htinst`: what the access was, so that a hypervisor need not fetch the instruction. 0: not told. */
  readonly tinst: bigint;
  /** Whether `tval` is a guest virtual address. @spec norm:hstatus_gva_op */
  readonly gva: boolean;
}

/** Makes an exception. */
export const exception = (name: ExceptionName, tval = 0n): Trap => ({
  isInterrupt: false,
  cause: EXCEPTION[name],
  tval: BigInt.asUintN(64, tval),
  tval2: 0n,
  tinst: 0n, // norm:H_trap_xtinst_val
  gva: false,
});

/** The same exception, about an address of a guest or not. */
export const inGuest = (trap: Trap, gva: boolean): Trap => (gva ? { ...trap, gva } : trap);

/** Makes an interrupt from its bit number in `mip`. */
export const interrupt = (code: number): Trap => ({
  isInterrupt: true,
  cause: code,
  tval: 0n,
  tval2: 0n,
  tinst: 0n, // norm:H_trap_xtinst_interrupt
  gva: false,
});

const nameIn = <N extends string>(codes: Record<N, number>, code: number): N | undefined =>
  (Object.keys(codes) as N[]).find((name) => codes[name] === code);

/** The cause's name in the tables above, or `undefined` for a reserved or custom code. */
export function causeName(
  trap: Pick<Trap, "isInterrupt" | "cause">,
): ExceptionName | InterruptName | undefined {
  return trap.isInterrupt ? nameIn(INTERRUPT, trap.cause) : nameIn(EXCEPTION, trap.cause);
}

/** The cause in the manual's words. */
export function causeWords(trap: Pick<Trap, "isInterrupt" | "cause">): string {
  const known = trap.isInterrupt
    ? ((name) => name && INTERRUPT_WORDS[name])(nameIn(INTERRUPT, trap.cause))
    : ((name) => name && EXCEPTION_WORDS[name])(nameIn(EXCEPTION, trap.cause));
  return known ?? `${trap.isInterrupt ? "interrupt" : "exception"} ${trap.cause}`;
}
