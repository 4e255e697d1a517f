/** Further questions of whether a CSR may be used: `hart/csr-access.ts` in code. Who may not takes the slow path, and traps there. */
import { fieldMask } from "../../../bits/field.ts";
import type { StoredCsr } from "../../../hart/layout.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import { WORD } from "../layout.ts";
import { VIRTUAL } from "./context-code.ts";
import type { Access } from "./csr-access-code.ts";
import type { Guard } from "./csr-table.ts";

const { U, S, M, VU, VS } = MODE_NUMBER;

/** Branches away in one mode if a bit of a CSR is set. */
function bailIfTrapped({ state, mode, slow }: Access, inMode: number, name: StoredCsr, mask: bigint): void {
  const { code } = state;
  state.csr(name);
  code.i64(mask);
  code.ops("i64.and", "i64.eqz", "i32.eqz");
  code.get(mode);
  code.i32(inMode);
  code.ops("i32.eq", "i32.and");
  code.brIf(slow);
}

/** In modes where `push` pushes an i32 that is not zero, a counter must be open in a register. */
function bailUnlessOpen({ state, csr, slow }: Access, name: StoredCsr, push: () => void): void {
  const { code } = state;
  state.csr(name);
  code.get(csr);
  code.i32(CSRS.cycle.address);
  code.ops("i32.sub", "i64.extend_i32_u", "i64.shr_u");
  code.i64(1n);
  code.ops("i64.and", "i64.eqz");
  push();
  code.op("i32.and");
  code.brIf(slow);
}

/** @spec norm:mcounteren_op @spec norm:hcounteren_op @spec norm:scounteren_op */
function guardCounter(access: Access): void {
  const { state, mode } = access;
  const { code } = state;
  const compare = (op: "i32.ne" | "i32.ge_u" | "i32.eq", number: number): void => {
    code.get(mode);
    code.i32(number);
    code.op(op);
  };
  bailUnlessOpen(access, "mcounteren", () => compare("i32.ne", M));
  bailUnlessOpen(access, "hcounteren", () => compare("i32.ge_u", VIRTUAL));
  bailUnlessOpen(access, "scounteren", () => {
    compare("i32.eq", U);
    compare("i32.eq", VU);
    code.op("i32.or");
  });
}

const TVM = fieldMask(CSRS.mstatus.fields.TVM);

/** The questions by name. */
export const GUARD_CODE: Readonly<Record<Exclude<Guard, "none">, (access: Access) => void>> = {
  float: ({ state, slow }) => {
    state.word(WORD.codeBitFloatOn);
    state.code.op("i32.eqz");
    state.code.brIf(slow);
  },
  counter: guardCounter,
  // norm:mstatus_tvm_warl_op norm:hstatus_vtvm_op
  satp: (access) => {
    bailIfTrapped(access, S, "mstatus", TVM);
    bailIfTrapped(access, VS, "hstatus", fieldMask(CSRS.hstatus.fields.VTVM));
  },
  hgatp: (access) => bailIfTrapped(access, S, "mstatus", TVM),
};
