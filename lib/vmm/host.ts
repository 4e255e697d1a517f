/** What the hypervisor's functions work with: a hart, where things lie, and what is kept there. */
import type { HsContext } from "../hs/context.ts";
import type { HypervisorMap } from "../hs/hypervisor.ts";
import { type DomainView, type VcpuView, type VmmState, vmmState } from "./layout.ts";

/** The hypervisor on one hart, for the time of one trap. */
export interface Host {
  readonly context: HsContext;
  readonly map: HypervisorMap;
  readonly state: VmmState;
}

/** The hypervisor, and the guest that came to it. */
export interface Visit extends Host {
  readonly vcpu: VcpuView;
  readonly domain: DomainView;
}

/** Views of everything, through the hart that a handler has. */
export const hostOf = (context: HsContext, map: HypervisorMap): Host => ({
  context,
  map,
  state: vmmState(context, map),
});
