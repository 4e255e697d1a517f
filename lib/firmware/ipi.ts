/** IPI: software interrupts for other harts. @spec SBI 2.0 "IPI Extension" */
import { hartsOf, isReachable } from "./hart-mask.ts";
import { knock, SSI } from "./mailbox.ts";
import { type SbiAnswer, type SbiCall, type SbiExtension, success } from "./sbi.ts";

/** Interrupts harts. One that is stopped has nobody to interrupt. */
export function interruptHarts(call: SbiCall, harts: readonly number[]): SbiAnswer {
  const { context } = call;
  for (const hart of harts) {
    if (hart === context.hart) context.csr.set("mip", SSI);
    else if (isReachable(call.area(hart))) {
      call.area(hart).wantsInterrupt = 1n;
      knock(context, hart);
    }
  }
  return success();
}

function sendIpi(call: SbiCall): SbiAnswer {
  const harts = hartsOf(call.map, call.argument(0), call.argument(1));
  return "kind" in harts ? harts : interruptHarts(call, harts);
}

export const ipi: SbiExtension = { id: 0x73_5049n, name: "IPI", functions: [sendIpi] };
