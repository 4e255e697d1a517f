/** Trap entry and return: every CSR that they write is written here. */

import { asU64 } from "../bits/int64.ts";
import { EventKind } from "../bus/event-sink.ts";
import { MODE_NUMBER, type ModeNumber, modeName } from "../isa/mode.ts";
import type { Trap } from "../isa/trap.ts";
import { Attention } from "./attention.ts";
import { effectiveMode } from "./effective-mode.ts";
import type { Hart } from "./hart.ts";
import type { HartState } from "./state.ts";
import { statusBit, statusField, withStatus } from "./status.ts";
import type { Delegation } from "./trap-event.ts";

const { U, S, M } = MODE_NUMBER;
const INTERRUPT_BIT = 1n << 63n;

/**
 * The bit that decides whether supervisor mode handles a trap. Machine mode's own traps stay with it, whatever the bit.
 * @spec norm:medeleg_mideleg_op2
 * @spec norm:trap_never_trans_lower
 */
function delegationOf(state: HartState, { isInterrupt, cause }: Trap): Delegation {
  const register = isInterrupt ? "mideleg" : "medeleg";
  const isSet = ((state.stored(register) >> BigInt(cause)) & 1n) === 1n;
  return { register, bit: cause, isSet, wasAsked: state.modeNumber !== M };
}

/** Where the handler begins. Interrupts have an entry each in vectored mode. @spec norm:mtvec_mode_vectored_op */
function handlerAddress(tvec: bigint, { isInterrupt, cause }: Trap): bigint {
  const base = tvec & ~3n;
  const isVectored = (tvec & 1n) === 1n;
  return isVectored && isInterrupt ? asU64(base + 4n * BigInt(cause)) : base;
}

/** `mcause` or `scause`. @spec norm:mcause_intr_op */
const causeWord = ({ isInterrupt, cause }: Trap): bigint =>
  (isInterrupt ? INTERRUPT_BIT : 0n) | BigInt(cause);

/** Supervisor mode's half of the entry. @spec norm:trap_del_S_mode_op */
function enterSupervisor(state: HartState, trap: Trap, from: ModeNumber): void {
  const mstatus = state.stored("mstatus");
  state.setStored("scause", causeWord(trap));
  state.setStored("sepc", state.pc);
  state.setStored("stval", trap.tval);
  state.setStored(
    "mstatus",
    withStatus(mstatus, { SPP: from === U ? 0n : 1n, SPIE: statusField(mstatus, "SIE"), SIE: 0n }),
  );
  state.modeNumber = S;
  state.pc = handlerAddress(state.stored("stvec"), trap);
}

/** Machine mode's half. @spec norm:mstatus_xpie_xie_xpp_trap_op */
function enterMachine(state: HartState, trap: Trap, from: ModeNumber): void {
  const mstatus = state.stored("mstatus");
  state.setStored("mcause", causeWord(trap));
  state.setStored("mepc", state.pc);
  state.setStored("mtval", trap.tval);
  state.setStored(
    "mstatus",
    withStatus(mstatus, { MPP: BigInt(from), MPIE: statusField(mstatus, "MIE"), MIE: 0n }),
  );
  state.modeNumber = M;
  state.pc = handlerAddress(state.stored("mtvec"), trap);
}

/** Takes a trap: `pc` is still that of the instruction that trapped, or of the one that an interrupt came before. */
export function enterTrap(hart: Hart, trap: Trap): void {
  const { state } = hart;
  const from = state.modeNumber;
  const epc = state.pc;
  const delegation = delegationOf(state, trap);
  const effective = hart.hasTrapObservers ? effectiveMode(state, "load") : from;
  if (delegation.wasAsked && delegation.isSet) enterSupervisor(state, trap, from);
  else enterMachine(state, trap, from);
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
 * MRET or SRET: back to the mode and address that were saved at entry.
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
  const target = handler === "M" ? leaveMachine(state) : leaveSupervisor(state);
  if (state.modeNumber !== M && statusBit(state.stored("mstatus"), "MPRV")) {
    state.setStored("mstatus", withStatus(state.stored("mstatus"), { MPRV: 0n }));
  }
  hart.attention |= Attention.INTERRUPTS | Attention.ACCESS_CONTEXT;
  const detail = (from << 4) | state.modeNumber;
  hart.events.record(EventKind.TRAP_RETURN, hart.id, detail, hart.clock.retired, state.pc, target, 0n);
  return target;
}

function leaveMachine(state: HartState): bigint {
  const mstatus = state.stored("mstatus");
  state.modeNumber = Number(statusField(mstatus, "MPP")) as ModeNumber;
  state.setStored("mstatus", withStatus(mstatus, { MIE: statusField(mstatus, "MPIE"), MPIE: 1n, MPP: 0n }));
  return state.stored("mepc");
}

function leaveSupervisor(state: HartState): bigint {
  const mstatus = state.stored("mstatus");
  state.modeNumber = statusBit(mstatus, "SPP") ? S : U;
  state.setStored("mstatus", withStatus(mstatus, { SIE: statusField(mstatus, "SPIE"), SPIE: 1n, SPP: 0n }));
  return state.stored("sepc");
}
