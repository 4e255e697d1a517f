/** MRET and SRET in code: see `trap-code.ts`, and `hart/trap-entry.ts` for what it says once more. */
import { fieldMask } from "../../../bits/field.ts";
import { EventKind } from "../../../bus/event-sink.ts";
import type { StoredCsr } from "../../../hart/layout.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import type { Label, Local } from "../wasm/code.ts";
import { pushMode, VIRTUAL } from "./context-code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";
import { type Before, before, enter, report } from "./trap-code.ts";

const { S, M, VS } = MODE_NUMBER;
const { SIE, MIE, SPIE, MPIE, SPP, MPP, MPRV, TSR, MPV } = CSRS.mstatus.fields;
const HSTATUS = CSRS.hstatus.fields;

/** MPRV ends where the mode is less than M. @spec norm:mstatus_mprv_clr_mret_sret_less_priv */
function dropMprv({ state, mstatus }: Before, mode: Local): void {
  const { code } = state;
  state.withFields(mstatus, [[MPRV, 0n]]);
  code.get(mstatus);
  code.get(mode);
  code.i32(M);
  code.ops("i32.ne", "select");
  code.set(mstatus);
}

/** Goes to the mode and the address, and ends the function. */
function leave(parts: Parts, at: Before, mode: Local, epc: StoredCsr, more: () => void): void {
  const { state, pc } = at;
  const { code } = state;
  dropMprv(at, mode);
  enter(parts, at, mode, "local");
  const target = state.keep64(() => state.csr(epc));
  more();
  state.setCsr("mstatus", () => code.get(at.mstatus));
  state.setCsr("vsstatus", () => code.get(at.vsstatus));
  report(parts, at, EventKind.TRAP_RETURN, [pc, target], () => code.get(mode));
  state.setField("mode", () => code.get(mode));
  state.setField("reservation", () => code.i64(0n));
  state.setField("pc", () => code.get(target));
  state.returnStepped();
}

/** The body of `mret(h, budget)`. @spec norm:mstatus_xret_op @spec norm:mret_h */
export function mretBody(parts: Parts, state: StateCode, slow: Label): void {
  const { code } = state;
  const at = before(state, slow);
  code.get(at.from);
  code.i32(M);
  code.op("i32.ne");
  code.brIf(slow);
  const privilege = state.keep32(() => {
    state.fieldOf(at.mstatus, MPP);
    code.op("i32.wrap_i64");
  });
  const mode = state.keep32(() => pushMode(state, privilege, () => state.hasAny(at.mstatus, fieldMask(MPV))));
  state.withFields(at.mstatus, [
    [MIE, () => state.fieldOf(at.mstatus, MPIE)],
    [MPIE, 1n],
    [MPP, 0n],
    [MPV, 0n],
  ]);
  code.set(at.mstatus);
  leave(parts, at, mode, "mepc", () => {});
}

/** The body of `sret(h, budget)`. @spec norm:sret_v0 @spec norm:sret_v1 */
export function sretBody(parts: Parts, state: StateCode, slow: Label): void {
  const { code } = state;
  const at = before(state, slow);
  bailIfReturnIsRefused(at);
  const hstatus = state.keep64(() => state.csr("hstatus"));
  code.get(at.from);
  code.i32(VS);
  code.op("i32.eq");
  code.if();
  const guestMode = pushReturnMode(at, at.vsstatus, () => code.i32(1));
  popSupervisorStatus(at, at.vsstatus);
  leave(parts, at, guestMode, "vsepc", () => {});
  code.end();
  const mode = pushReturnMode(at, at.mstatus, () => state.hasAny(hstatus, fieldMask(HSTATUS.SPV)));
  popSupervisorStatus(at, at.mstatus);
  leave(parts, at, mode, "sepc", () =>
    state.setCsr("hstatus", () => state.withFields(hstatus, [[HSTATUS.SPV, 0n]])),
  );
}

/** The mode that SPP and V say. */
function pushReturnMode({ state }: Before, status: Local, isVirtual: () => void): Local {
  const privilege = state.keep32(() => state.hasAny(status, fieldMask(SPP)));
  return state.keep32(() => pushMode(state, privilege, isVirtual));
}

/** @spec norm:sstatus_spie @spec norm:sstatus_spp */
function popSupervisorStatus({ state }: Before, status: Local): void {
  state.withFields(status, [
    [SIE, () => state.fieldOf(status, SPIE)],
    [SPIE, 1n],
    [SPP, 0n],
  ]);
  state.code.set(status);
}

/** User modes may not, nor a supervisor whose SRETs somebody wants to catch. @spec norm:mstatus_tsr_op @spec norm:hstatus_vtsr_op */
function bailIfReturnIsRefused({ state, slow, from, mstatus }: Before): void {
  const { code } = state;
  code.get(from);
  code.i32(VIRTUAL - 1);
  code.ops("i32.and", "i32.eqz");
  code.brIf(slow);
  state.hasAny(mstatus, fieldMask(TSR));
  code.get(from);
  code.i32(S);
  code.ops("i32.eq", "i32.and");
  code.brIf(slow);
  state.csr("hstatus");
  code.i64(fieldMask(HSTATUS.VTSR));
  code.ops("i64.and", "i64.eqz", "i32.eqz");
  code.get(from);
  code.i32(VS);
  code.ops("i32.eq", "i32.and");
  code.brIf(slow);
}
