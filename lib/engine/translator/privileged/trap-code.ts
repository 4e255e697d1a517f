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
import type { EventKind } from "../../../bus/event-sink.ts";
import type { Label, Local } from "../wasm/code.ts";
import { pushChangeHead } from "./event-code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";

/** What all three begin with. */
export interface Before {
  readonly state: StateCode;
  readonly slow: Label;
  readonly from: Local;
  readonly pc: Local;
  readonly mstatus: Local;
  readonly vsstatus: Local;
}

export function before(state: StateCode, slow: Label): Before {
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
export function enter(
  { selectContext }: Parts,
  at: Before,
  mode: number | Local,
  isMode: "number" | "local",
): void {
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
export function report(
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
