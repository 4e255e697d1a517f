/** Hypercalls of paravirtualized guests. Others may not make them. Frames and entries are named by machine addresses. */

import { gva } from "../../hs/address.ts";
import { Fault } from "../errors.ts";
import type { Visit } from "../host.ts";
import type { Hypercall } from "../parts.ts";
import { fenceGuests, isParavirtual, pinTable, setRoot, unpinTable } from "./roots.ts";
import { updateTables } from "./updates.ts";

type Serve = (visit: Visit, a0: bigint, a1: bigint) => bigint;

const ofParavirtual =
  (serve: Serve): Hypercall =>
  (visit) => {
    const { a0, a1 } = visit.context.registers;
    return isParavirtual(visit.domain) ? serve(visit, a0, a1) : Fault.NOT_PERMITTED;
  };

function fence(visit: Visit, address: bigint, isAll: bigint): bigint {
  if (isAll > 1n) return Fault.INVALID;
  fenceGuests(visit, isAll === 1n ? undefined : gva(address));
  return 0n;
}

/** By name; see `HYPERCALLS`. */
export const PARAVIRTUAL_HYPERCALLS: Readonly<Record<string, Hypercall>> = {
  /** (list, count): how many of the updates were made; `a1` tells it also when the next one was refused. */
  pv_update: ofParavirtual(updateTables),
  /** (frame, level): it stays a table. */
  pv_pin: ofParavirtual(pinTable),
  /** (frame) */
  pv_unpin: ofParavirtual(unpinTable),
  /** (frame): what CSRW to `satp` means. */
  pv_set_root: ofParavirtual(setRoot),
  /** (virtual address, 1: all): what SFENCE.VMA means. */
  pv_fence: ofParavirtual(fence),
};
