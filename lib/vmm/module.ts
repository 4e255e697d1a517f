/** The hypervisor as one module: what it keeps, its handlers, and what it does first. Everything that runs in HS-mode is imported from here. */
import type { HypervisorModule } from "../hs/hypervisor.ts";
import { INTERRUPT } from "../isa/trap.ts";
import { buildDomains, buildPool } from "./domain.ts";
import { hostOf } from "./host.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "./hypercalls.ts";
import { vmmLayout } from "./layout.ts";
import { buildParavirtual } from "./paravirtual/builder.ts";
import { schedule } from "./scheduler.ts";
import { openTerminal } from "./terminal.ts";
import { handleIdle, handleTrap } from "./trap.ts";

const ENABLED = (1n << BigInt(INTERRUPT.supervisorTimer)) | (1n << BigInt(INTERRUPT.supervisorExternal));

/** The hypervisor as a module, for a machine with so much RAM. Hart 0 runs guests; others idle. */
export const vmmModule = (ramBytes: number): HypervisorModule => ({
  name: "vmm",
  layout: vmmLayout(ramBytes),
  hypercalls: HYPERCALLS,
  firstHypercall: FIRST_HYPERCALL,
  trap: handleTrap,
  idle: handleIdle,
  init(context, map) {
    if (context.hart !== 0) return;
    const host = hostOf(context, map);
    buildPool(host);
    buildDomains(host);
    buildParavirtual(host);
    openTerminal(host);
    context.csr.write("sie", ENABLED);
    schedule(host);
  },
});
