/** What the hypervisor's functions work with: a hart, where things lie, and what is kept there. */
import type { HsContext } from "../hs/context.ts";
import type { HypervisorMap } from "../hs/hypervisor.ts";
import { type DomainView, type VcpuView, type VmmState, vmmState } from "./layout.ts";
import type { VmmParts } from "./parts.ts";

/** The hypervisor on one hart, for the time of one trap. */
export interface Host {
  readonly context: HsContext;
  readonly map: HypervisorMap;
  readonly state: VmmState;
  /** What is not the reference's own. */
  readonly parts: VmmParts;
}

/** The hypervisor, and the guest that came to it. */
export interface Visit extends Host {
  readonly vcpu: VcpuView;
  readonly domain: DomainView;
}

/** A handler that is told which parts are a reader's. */
export type PartedHandle = (context: HsContext, map: HypervisorMap, parts: VmmParts) => void;

/** Views of everything, through the hart that a handler has. */
export const hostOf = (context: HsContext, map: HypervisorMap, parts: VmmParts = {}): Host => ({
  context,
  map,
  state: vmmState(context, map),
  parts,
});
