/** A hypervisor whose module counts calls at its top level: what nobody should do, and amnesia mode must find. */
import { answerHypercall, type HypervisorModule } from "../../../lib/hs/hypervisor.ts";
import { Domain, miniHypervisor } from "./mini-hypervisor.ts";

let calls = 0n;

/** @param answersFrom  Which of the two counts it answers with; both are kept. */
export const countingModule = (answersFrom: "ram" | "module"): HypervisorModule => ({
  ...miniHypervisor(),
  hypercalls: {
    count(context, map) {
      calls += 1n;
      const domain = Domain.at(context, map.addressOf("domain"));
      const count = domain.calls + 1n;
      domain.calls = count;
      answerHypercall(context, answersFrom === "ram" ? count : calls);
    },
  },
});
