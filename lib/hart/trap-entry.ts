/** Trap entry and return: every CSR that they write is written here. */

import { asU64 } from "../bits/int64.ts";
import { EventKind } from "../bus/event-sink.ts";
import {
  isVirtual,
  MODE_NUMBER,
  type ModeNumber,
  modeName,
  modeOf,
  type PrivilegeNumber,
  privilegeOf,
} from "../isa/mode.ts";
import type { Trap } from "../isa/trap.ts";
import { Attention } from "./attention.ts";
import { effectiveMode, guestMode } from "./effective-mode.ts";
import type { Hart } from "./hart.ts";
import { hypervisorBit, setHypervisorStatus } from "./hypervisor-status.ts";
import { VS_INTERRUPTS } from "./interrupts.ts";
import type { HartState } from "./state.ts";
import { statusBit, statusField, withStatus } from "./status.ts";
import type { Delegation } from "./trap-event.ts";

const { S, M, VS } = MODE_NUMBER;
const INTERRUPT_BIT = 1n << 63n;

const isBitSet = (word: bigint, bit: number): boolean => ((word >> BigInt(bit)) & 1n) === 1n;

/**
 * The bits that decide whether supervisor mode handles a trap, and whether a guest handles its own. Machine mode's traps
 * stay with it, whatever the bits.
 * @spec norm:medeleg_mideleg_op2
 * @spec norm:H_trap_deleg
 */
function delegationOf(state: HartState, { isInterrupt, cause }: Trap): Delegation {
  const register = isInterrupt ? "mideleg" : "medeleg";
  const further = isInterrupt ? ("hideleg" as const) : ("hedeleg" as const);
  const isSet = isBitSet(state.stored(register), cause);
  // norm:hedeleg_op norm:hideleg_op
  const toGuest =
    isSet && isVirtual(state.modeNumber)
      ? { register: further, isSet: isBitSet(state.stored(further), cause) }
      : undefined;
  return { register, bit: cause, isSet, wasAsked: state.modeNumber !== M, toGuest }; // norm:trap_never_trans_lower
}

/**
 * A guest sees its interrupts under the numbers that they have in supervisor mode: one less.
 * @spec norm:hideleg_trans
 */
function asGuestSees(trap: Trap): Trap {
  const isTranslated = trap.isInterrupt && isBitSet(VS_INTERRUPTS, trap.cause);
  return isTranslated ? { ...trap, cause: trap.cause - 1 } : trap;
}

/** Where the handler begins. Interrupts have an entry each in vectored mode. @spec norm:mtvec_mode_vectored_op @spec norm:mtvec_mode_direct_op */
function handlerAddress(tvec: bigint, { isInterrupt, cause }: Trap): bigint {
  const base = tvec & ~3n;
  const isVectored = (tvec & 1n) === 1n;
  return isVectored && isInterrupt ? asU64(base + 4n * BigInt(cause)) : base;
}

/** `mcause` or `scause`. @spec norm:mcause_intr_op */
const causeWord = ({ isInterrupt, cause }: Trap): bigint =>
  (isInterrupt ? INTERRUPT_BIT : 0n) | BigInt(cause);

/** A guest's entry: its own CSRs and nothing else. @spec norm:H_trap_vs_csrwrites */
function enterGuest(state: HartState, untranslated: Trap, from: ModeNumber): void {
  const trap = asGuestSees(untranslated);
  const vsstatus = state.stored("vsstatus");
  state.setStored("vscause", causeWord(trap));
  state.setStored("vsepc", state.pc);
  state.setStored("vstval", trap.tval);
  state.setStored(
    "vsstatus",
    withStatus(vsstatus, { SPP: BigInt(privilegeOf(from)), SPIE: statusField(vsstatus, "SIE"), SIE: 0n }),
  );
  state.modeNumber = VS;
  state.pc = handlerAddress(state.stored("vstvec"), trap);
}

/**
 * What HS-mode learns more: whether a guest was interrupted, with which privilege, and about which of its addresses.
 * @spec norm:H_trap_hs_csrwrites
 * @spec norm:hstatus_spv_op
 * @spec norm:hstatus_spvp_op
 */
function tellHypervisor(state: HartState, trap: Trap, from: ModeNumber): void {
  const virtual = isVirtual(from);
  setHypervisorStatus(state, {
    SPV: virtual ? 1n : 0n,
    GVA: trap.gva ? 1n : 0n, // norm:hstatus_gva_op
    ...(virtual ? { SPVP: BigInt(privilegeOf(from)) } : {}),
  });
  state.setStored("htval", trap.tval2);
  state.setStored("htinst", trap.tinst);
}

/** Supervisor mode's half of the entry. @spec norm:trap_del_S_mode_op */
function enterSupervisor(state: HartState, trap: Trap, from: ModeNumber): void {
  const mstatus = state.stored("mstatus");
  state.setStored("scause", causeWord(trap)); // norm:scause
  state.setStored("sepc", state.pc); // norm:sepc_op_trap_write
  state.setStored("stval", trap.tval);
  state.setStored(
    "mstatus",
    withStatus(mstatus, { SPP: BigInt(privilegeOf(from)), SPIE: statusField(mstatus, "SIE"), SIE: 0n }),
  );
  tellHypervisor(state, trap, from);
  state.modeNumber = S;
  state.pc = handlerAddress(state.stored("stvec"), trap);
}

/** Machine mode's half. @spec norm:mstatus_xpie_xie_xpp_trap_op @spec norm:H_trap_m_csrwrites */
function enterMachine(state: HartState, trap: Trap, from: ModeNumber): void {
  const mstatus = state.stored("mstatus");
  state.setStored("mcause", causeWord(trap)); // norm:mcause_op norm:mcause_exccode_op
  state.setStored("mepc", state.pc); // norm:mepc_op norm:ecall_ebreak_epc_value
  state.setStored("mtval", trap.tval); // norm:mtval_op
  state.setStored("mtval2", trap.tval2);
  state.setStored("mtinst", trap.tinst);
  state.setStored(
    "mstatus",
    withStatus(mstatus, {
      MPP: BigInt(privilegeOf(from)),
      MPV: isVirtual(from) ? 1n : 0n, // norm:mstatus_mpv_op
      GVA: trap.gva ? 1n : 0n, // norm:mstatus_gva_op
      MPIE: statusField(mstatus, "MIE"),
      MIE: 0n,
    }),
  );
  state.modeNumber = M;
  state.pc = handlerAddress(state.stored("mtvec"), trap);
}

/** Whose rights the access that trapped had: the guest's, if HLV or HSV made it. */
function accessMode(state: HartState, trap: Trap): ModeNumber {
  const effective = effectiveMode(state, "load");
  return trap.gva && !isVirtual(effective) ? guestMode(state) : effective;
}

/** Takes a trap: `pc` is still that of the instruction that trapped, or of the one that an interrupt came before. */
export function enterTrap(hart: Hart, trap: Trap): void {
  const { state } = hart;
  const from = state.modeNumber;
  const epc = state.pc;
  const delegation = delegationOf(state, trap);
  const effective = hart.hasTrapObservers ? accessMode(state, trap) : from;
  // norm:trap_def_M_mode norm:trap_del_S_mode_no_M_mode
  if (!(delegation.wasAsked && delegation.isSet)) enterMachine(state, trap, from);
  else if (delegation.toGuest?.isSet) enterGuest(state, trap, from);
  else enterSupervisor(state, trap, from);
  state.waiting = false;
  state.reservation = 0n;
  hart.attention |= Attention.INTERRUPTS | Attention.ACCESS_CONTEXT;
  report(hart, trap, from, epc);
  if (!hart.hasTrapObservers) return;
  hart.announceTrap({
    trap,
    hart: hart.id,
    retired: hart.clock.retired,
    from: modeName(from),
    to: state.mode,
    epc,
    target: state.pc,
    delegation,
    effectiveMode: modeName(effective),
  });
}

function report(hart: Hart, trap: Trap, from: ModeNumber, epc: bigint): void {
  const kind = trap.isInterrupt ? EventKind.INTERRUPT : EventKind.EXCEPTION;
  const detail = (from << 4) | hart.state.modeNumber;
  hart.events.record(kind, hart.id, detail, hart.clock.retired, BigInt(trap.cause), epc, trap.tval);
}

/**
 * MRET or SRET: back to the mode and address that were saved at entry. In a guest, SRET uses the guest's own CSRs.
 *
 * A reservation does not outlive it, so that one program's LR never pairs with another's SC.
 *
 * @returns Address of the next instruction.
 * @spec norm:mstatus_xret_op
 * @spec norm:mstatus_mprv_clr_mret_sret_less_priv
 */
export function returnFromTrap(hart: Hart, handler: "M" | "S"): bigint {
  const { state } = hart;
  const from = state.modeNumber;
  state.reservation = 0n;
  const target =
    handler === "M" ? leaveMachine(state) : isVirtual(from) ? leaveGuest(state) : leaveSupervisor(state);
  if (state.modeNumber !== M && statusBit(state.stored("mstatus"), "MPRV")) {
    state.setStored("mstatus", withStatus(state.stored("mstatus"), { MPRV: 0n }));
  }
  hart.attention |= Attention.INTERRUPTS | Attention.ACCESS_CONTEXT; // norm:sret_h
  const detail = (from << 4) | state.modeNumber;
  hart.events.record(EventKind.TRAP_RETURN, hart.id, detail, hart.clock.retired, state.pc, target, 0n);
  return target;
}

/** @spec norm:mret_h */
function leaveMachine(state: HartState): bigint {
  const mstatus = state.stored("mstatus");
  const privilege = Number(statusField(mstatus, "MPP")) as PrivilegeNumber;
  state.modeNumber = modeOf(privilege, statusBit(mstatus, "MPV"));
  state.setStored(
    "mstatus",
    withStatus(mstatus, { MIE: statusField(mstatus, "MPIE"), MPIE: 1n, MPP: 0n, MPV: 0n }),
  );
  return state.stored("mepc");
}

/** @spec norm:sret_v0 @spec norm:sstatus_spie @spec norm:sstatus_spp */
function leaveSupervisor(state: HartState): bigint {
  const mstatus = state.stored("mstatus");
  // norm:hstatus_spv_sret
  state.modeNumber = modeOf(statusBit(mstatus, "SPP") ? S : 0, hypervisorBit(state, "SPV"));
  state.setStored("mstatus", withStatus(mstatus, { SIE: statusField(mstatus, "SPIE"), SPIE: 1n, SPP: 0n }));
  setHypervisorStatus(state, { SPV: 0n });
  return state.stored("sepc");
}

/** V stays 1. @spec norm:sret_v1 */
function leaveGuest(state: HartState): bigint {
  const vsstatus = state.stored("vsstatus");
  state.modeNumber = modeOf(statusBit(vsstatus, "SPP") ? S : 0, true);
  state.setStored(
    "vsstatus",
    withStatus(vsstatus, { SIE: statusField(vsstatus, "SPIE"), SPIE: 1n, SPP: 0n }),
  );
  return state.stored("vsepc");
}
