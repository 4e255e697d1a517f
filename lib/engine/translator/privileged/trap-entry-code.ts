/** ECALL in code: see `trap-code.ts`, and `hart/trap-entry.ts` for what it says once more. */
import { EventKind } from "../../../bus/event-sink.ts";
import type { StoredCsr } from "../../../hart/layout.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import { EXCEPTION } from "../../../isa/trap.ts";
import { WORD } from "../layout.ts";
import type { Label, Local } from "../wasm/code.ts";
import { VIRTUAL } from "./context-code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";
import { type Before, before, enter, report } from "./trap-code.ts";

const { U, S, M, VU, VS } = MODE_NUMBER;
const { SIE, MIE, SPIE, MPIE, SPP, MPP, GVA, MPV } = CSRS.mstatus.fields;
const HSTATUS = CSRS.hstatus.fields;

/** The cause of ECALL by mode, four bits each. @spec norm:ecall_op2 @spec norm:H_cause_ecall */
const ECALL_CAUSES =
  (EXCEPTION.ecallFromU << (4 * U)) |
  (EXCEPTION.ecallFromS << (4 * S)) |
  (EXCEPTION.ecallFromM << (4 * M)) |
  (EXCEPTION.ecallFromU << (4 * VU)) |
  (EXCEPTION.ecallFromVs << (4 * VS));

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
