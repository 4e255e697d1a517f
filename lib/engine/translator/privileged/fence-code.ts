/** Fences of address translation: where translations never outlive their entries, all that is left of them is who may use them. */
import { fieldMask } from "../../../bits/field.ts";
import { CSRS } from "../../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import type { Label, Local } from "../wasm/code.ts";
import { VIRTUAL } from "./context-code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";
import { PRIVILEGED_WORD } from "./words.ts";

const { U, S, VS } = MODE_NUMBER;
const TVM = fieldMask(CSRS.mstatus.fields.TVM);
const VTVM = fieldMask(CSRS.hstatus.fields.VTVM);

interface Refusal {
  /** Modes in which it traps always. */
  readonly guests: "all" | "user";
  /** Whether machine mode may take it away from supervisor mode. */
  readonly obeysTvm: boolean;
}

/** Who may not. @spec norm:mstatus_tvm_warl_op @spec norm:hfence-vvma_hfence-gvma_exceptions @spec norm:hfence-vvma_tvm */
export const FENCES = {
  "sfence.vma": { guests: "user", obeysTvm: true },
  "hfence.vvma": { guests: "all", obeysTvm: false },
  "hfence.gvma": { guests: "all", obeysTvm: true },
} as const satisfies Record<string, Refusal>;

/** The body of a fence, `(h, budget)`. */
export const fenceBody =
  ({ guests, obeysTvm }: Refusal) =>
  (_parts: Parts, state: StateCode, slow: Label): void => {
    const { code } = state;
    state.word(PRIVILEGED_WORD.fencesAreIdle);
    code.op("i32.eqz");
    code.brIf(slow);
    const mode = state.keep32(() => state.field("mode"));
    if (guests === "all") {
      code.get(mode);
      code.i32(VIRTUAL);
      code.op("i32.ge_u");
    } else {
      code.get(mode);
      code.i32(VIRTUAL - 1);
      code.op("i32.and");
      code.i32(U);
      code.op("i32.eq");
    }
    code.brIf(slow);
    code.get(mode);
    code.op("i32.eqz");
    code.brIf(slow);
    if (obeysTvm) bailIfTrapped(state, slow, mode, S, () => state.csr("mstatus"), TVM);
    if (guests === "user") bailIfTrapped(state, slow, mode, VS, () => state.csr("hstatus"), VTVM);
    state.retire();
  };

function bailIfTrapped(
  { code }: StateCode,
  slow: Label,
  mode: Local,
  inMode: number,
  push: () => void,
  mask: bigint,
): void {
  push();
  code.i64(mask);
  code.ops("i64.and", "i64.eqz", "i32.eqz");
  code.get(mode);
  code.i32(inMode);
  code.ops("i32.eq", "i32.and");
  code.brIf(slow);
}
