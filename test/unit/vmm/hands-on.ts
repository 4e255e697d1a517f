/** The hypervisor's own functions, called by a test on a machine that stands still: an onlooker's loads and stores, and real fences. */
import type { HsContext } from "../../../lib/hs/context.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import type { Host } from "../../../lib/vmm/host.ts";
import type { VmmScene } from "./vmm-scene.ts";

/** @param before  Told before each load and store: another hart may do something there. */
export function handsOn(
  { board, vmm }: VmmScene,
  before: () => void = () => {},
): { readonly host: Host; readonly fences: (readonly [bigint | undefined, bigint | undefined])[] } {
  const fences: (readonly [bigint | undefined, bigint | undefined])[] = [];
  const ram = onlooker(board);
  const context = {
    hart: 0,
    load: (...args: Parameters<typeof ram.load>) => {
      before();
      return ram.load(...args);
    },
    store: (...args: Parameters<typeof ram.store>) => {
      before();
      ram.store(...args);
    },
    fenceSecondStage: (address?: bigint, vmid?: bigint) => {
      fences.push([address, vmid]);
      for (const { remembered } of board.harts) remembered?.fenceSecondStage({ address, id: vmid });
    },
  } as unknown as HsContext;
  return { host: { context, map: vmm.map, state: vmm.state, parts: {} }, fences };
}
