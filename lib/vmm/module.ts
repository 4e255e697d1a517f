/** The hypervisor as one module: what it keeps, its handlers, and what it does first. Everything that runs in HS-mode is imported from here. */
import type { HypervisorHandle, HypervisorModule } from "../hs/hypervisor.ts";
import { INTERRUPT } from "../isa/trap.ts";
import { buildDomains, buildPool } from "./domain.ts";
import { hostOf, type PartedHandle } from "./host.ts";
import { FIRST_HYPERCALL, hypercallsWith } from "./hypercalls.ts";
import { vmmLayout } from "./layout.ts";
import { buildParavirtual } from "./paravirtual/builder.ts";
import type { VmmParts } from "./parts.ts";
import { schedule } from "./scheduler.ts";
import { openTerminal } from "./terminal.ts";
import { handleIdle, handleTrap, hypercall } from "./trap.ts";

const ENABLED = (1n << BigInt(INTERRUPT.supervisorTimer)) | (1n << BigInt(INTERRUPT.supervisorExternal));

/**
 * The hypervisor as a module, for a machine with so much RAM. Hart 0 runs guests; others idle.
 *
 * @param parts  What is not the reference's own; see {@link VmmParts}.
 */
export function vmmModule(ramBytes: number, parts: VmmParts = {}): HypervisorModule {
  const withParts =
    (handle: PartedHandle): HypervisorHandle =>
    (context, map) =>
      handle(context, map, parts);
  const hypercalls = Object.entries(hypercallsWith(parts)).map(([name, serve]) => [
    name,
    withParts(hypercall(serve)),
  ]);
  return {
    name: "vmm",
    layout: vmmLayout(ramBytes),
    hypercalls: Object.fromEntries(hypercalls),
    firstHypercall: FIRST_HYPERCALL,
    trap: withParts(handleTrap),
    idle: withParts(handleIdle),
    init: withParts((context, map) => {
      if (context.hart !== 0) return;
      const host = hostOf(context, map, parts);
      buildPool(host);
      buildDomains(host);
      buildParavirtual(host);
      openTerminal(host);
      context.csr.write("sie", ENABLED);
      schedule(host);
    }),
  };
}
