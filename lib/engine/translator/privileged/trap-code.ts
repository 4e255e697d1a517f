/**
 * ECALL, MRET and SRET without the slow path: what `hart/trap-entry.ts` does for an exception that tells nothing but its cause
 * (tval, tval2, tinst and GVA are 0), said once more in code.
 *
 * Specialized, so that all that remains is moving bits:
 * - nothing is pending and enabled, so no interrupt comes in the new mode;
 * - nobody observes traps (`fastPrivileged`), so there is no more to tell than the event;
 * - an instruction has retired since the last trap, so this is no loop of traps;
 * - the banks of translations of the new mode are known.
 */
import { fieldMask } from "../../../bits/field.ts";
import { EventKind } from "../../../bus/event-sink.ts";
import type { StoredCsr } from "../../../hart/layout.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import { EXCEPTION } from "../../../isa/trap.ts";
import { WORD } from "../layout.ts";
import type { Label, Local } from "../wasm/code.ts";
import { pushMode, VIRTUAL } from "./context-code.ts";
import { pushChangeHead } from "./event-code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";

const { U, S, M, VU, VS } = MODE_NUMBER;
const { SIE, MIE, SPIE, MPIE, SPP, MPP, MPRV, TSR, GVA, MPV } = CSRS.mstatus.fields;
const HSTATUS = CSRS.hstatus.fields;

/** The cause of ECALL by mode, four bits each. @spec norm:ecall_op2 @spec norm:H_cause_ecall */
const ECALL_CAUSES =
  (EXCEPTION.ecallFromU << (4 * U)) |
  (EXCEPTION.ecallFromS << (4 * S)) |
  (EXCEPTION.ecallFromM << (4 * M)) |
  (EXCEPTION.ecallFromU << (4 * VU)) |
  (EXCEPTION.ecallFromVs << (4 * VS));

/** What all three begin with. */
interface Before {
  readonly state: StateCode;
  readonly slow: Label;
  readonly from: Local;
  readonly pc: Local;
  readonly mstatus: Local;
  readonly vsstatus: Local;
}

function before(state: StateCode, slow: Label): Before {
  state.bailUnlessQuiet(slow);
  return {
    state,
    slow,
    from: state.keep32(() => state.field("mode")),
    pc: state.keep64(() => state.field("pc")),
    mstatus: state.keep64(() => state.csr("mstatus")),
    vsstatus: state.keep64(() => state.csr("vsstatus")),
  };
}

/** Turns to the new mode with the new statuses, or branches away. The first effect. */
function enter({ selectContext }: Parts, at: Before, mode: number | Local, isMode: "number" | "local"): void {
  const { code, h } = at.state;
  code.get(h);
  if (isMode === "number") code.i32(mode);
  else code.get(mode as Local);
  code.get(at.mstatus);
  code.get(at.vsstatus);
  code.call(selectContext);
  code.op("i32.eqz");
  code.brIf(at.slow);
}

/** Reports, and goes to where `target` points. */
function report(
  { recordEvent }: Parts,
  { state, from }: Before,
  kind: EventKind,
  [a, b]: readonly [Local, Local],
  to: () => void,
): void {
  const { code, h, budget } = state;
  code.get(h);
  code.get(budget);
  pushChangeHead(state, kind, from, to);
  code.get(a);
  code.get(b);
  code.i64(0n);
  code.call(recordEvent);
}

/** Which mode handles the trap: where each finds and leaves what. */
interface Handler {
  readonly mode: number;
  readonly cause: StoredCsr;
  readonly epc: StoredCsr;
  readonly vector: StoredCsr;
  readonly zeros: readonly StoredCsr[];
  /** The new status, in `mstatus` or `vsstatus`. */
  readonly status: (at: Before) => void;
  /** More that it learns. */
  readonly more?: (at: Before) => void;
}

/** Pushes the privilege that the trap came from, i64. */
const pushPrivilege = ({ state: { code }, from }: Before): void => {
  code.get(from);
  code.i32(VIRTUAL - 1);
  code.ops("i32.and", "i64.extend_i32_u");
};

/** Pushes whether the trap came from a guest, i64. */
const pushVirtual = ({ state: { code }, from }: Before): void => {
  code.get(from);
  code.i32(Math.log2(VIRTUAL));
  code.ops("i32.shr_u", "i64.extend_i32_u");
};

/** A supervisor's status after entry. @spec norm:trap_del_S_mode_op */
function pushSupervisorStatus(at: Before, status: Local): void {
  at.state.withFields(status, [
    [SPP, () => pushPrivilege(at)],
    [SPIE, () => at.state.fieldOf(status, SIE)],
    [SIE, 0n],
  ]);
}

/** @spec norm:mstatus_xpie_xie_xpp_trap_op @spec norm:H_trap_m_csrwrites */
const MACHINE: Handler = {
  mode: M,
  cause: "mcause",
  epc: "mepc",
  vector: "mtvec",
  zeros: ["mtval", "mtval2", "mtinst"],
  status: (at) => {
    const { state, mstatus } = at;
    state.withFields(mstatus, [
      [MPP, () => pushPrivilege(at)],
      [MPV, () => pushVirtual(at)],
      [GVA, 0n],
      [MPIE, () => state.fieldOf(mstatus, MIE)],
      [MIE, 0n],
    ]);
    state.code.set(mstatus);
  },
};

/** @spec norm:trap_del_S_mode_op @spec norm:H_trap_hs_csrwrites */
const SUPERVISOR: Handler = {
  mode: S,
  cause: "scause",
  epc: "sepc",
  vector: "stvec",
  zeros: ["stval", "htval", "htinst"],
  status: (at) => {
    pushSupervisorStatus(at, at.mstatus);
    at.state.code.set(at.mstatus);
  },
  more: tellHypervisor,
};

/** @spec norm:H_trap_vs_csrwrites */
const GUEST: Handler = {
  mode: VS,
  cause: "vscause",
  epc: "vsepc",
  vector: "vstvec",
  zeros: ["vstval"],
  status: (at) => {
    pushSupervisorStatus(at, at.vsstatus);
    at.state.code.set(at.vsstatus);
  },
};

/** @spec norm:hstatus_spv_op @spec norm:hstatus_spvp_op */
function tellHypervisor(at: Before): void {
  const { state, from } = at;
  const { code } = state;
  const hstatus = state.keep64(() => state.csr("hstatus"));
  state.setCsr("hstatus", () => {
    state.withFields(hstatus, [
      [HSTATUS.SPV, () => pushVirtual(at)],
      [HSTATUS.GVA, 0n],
      [
        HSTATUS.SPVP,
        () => {
          pushPrivilege(at);
          state.fieldOf(hstatus, HSTATUS.SPVP);
          code.get(from);
          code.i32(VIRTUAL);
          code.ops("i32.ge_u", "select");
        },
      ],
    ]);
  });
}

/** The body of `ecall(h, budget)`. */
export function ecallBody(parts: Parts, state: StateCode, slow: Label): void {
  const { code } = state;
  bailInTrapLoop(state, slow);
  const at = before(state, slow);
  const cause = state.keep64(() => {
    code.i32(ECALL_CAUSES);
    code.get(at.from);
    code.i32(2);
    code.ops("i32.shl", "i32.shr_u");
    code.i32(15);
    code.ops("i32.and", "i64.extend_i32_u");
  });
  const pushIsDelegated = (register: StoredCsr): void => {
    state.csr(register);
    code.get(cause);
    code.op("i64.shr_u");
    code.i64(1n);
    code.ops("i64.and", "i32.wrap_i64");
  };
  // norm:medeleg_mideleg_op2 norm:trap_never_trans_lower
  pushIsDelegated("medeleg");
  code.get(at.from);
  code.i32(M);
  code.ops("i32.ne", "i32.and");
  code.if();
  // norm:H_trap_deleg
  pushIsDelegated("hedeleg");
  code.get(at.from);
  code.i32(VIRTUAL);
  code.ops("i32.ge_u", "i32.and");
  code.if();
  handle(parts, at, GUEST, cause);
  code.end();
  handle(parts, at, SUPERVISOR, cause);
  code.end();
  handle(parts, at, MACHINE, cause);
}

/** Takes the trap and ends the function. */
function handle(parts: Parts, at: Before, handler: Handler, cause: Local): void {
  const { state, pc } = at;
  const { code } = state;
  handler.status(at);
  enter(parts, at, handler.mode, "number");
  handler.more?.(at);
  state.setCsr("mstatus", () => code.get(at.mstatus));
  state.setCsr("vsstatus", () => code.get(at.vsstatus));
  state.setCsr(handler.cause, () => code.get(cause));
  state.setCsr(handler.epc, () => code.get(pc));
  for (const name of handler.zeros) state.setCsr(name, 0n);
  report(parts, at, EventKind.EXCEPTION, [cause, pc], () => code.i32(handler.mode));
  state.setField("mode", () => code.i32(handler.mode));
  state.setField("waiting", () => code.i32(0));
  state.setField("reservation", () => code.i64(0n));
  state.setField("pc", () => {
    state.csr(handler.vector); // norm:mtvec_mode_direct_op: vectors are for interrupts
    code.i64(-4n);
    code.op("i64.and");
  });
  code.get(state.h);
  state.retired();
  code.store("f64.store", WORD.retiredAtTrap);
  state.uncount("retiredBase");
  state.uncount("instretBase");
  state.returnStepped();
}

/** A trap with no instruction since the last one: the slow path counts those. */
function bailInTrapLoop(state: StateCode, slow: Label): void {
  const { code, h } = state;
  state.retired();
  code.get(h);
  code.load("f64.load", WORD.retiredAtTrap);
  code.op("f64.eq");
  code.brIf(slow);
}

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
