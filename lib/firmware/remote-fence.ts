/** RFENCE: fences on other harts. The call returns when all of them have done it. @spec SBI 2.0 "RFENCE Extension" */
import { getField } from "../bits/field.ts";
import { CSRS } from "../isa/csr-map.ts";
import { doFence, type Fence, FenceKind } from "./fence.ts";
import { hartsOf, isReachable } from "./hart-mask.ts";
import { knock } from "./mailbox.ts";
import {
  failure,
  type SbiAnswer,
  type SbiCall,
  SbiError,
  type SbiExtension,
  type SbiFunction,
  success,
} from "./sbi.ts";

/** All that later fetches see. */
export const INSTRUCTION_FENCE: Fence = {
  kind: FenceKind.INSTRUCTIONS,
  start: 0n,
  size: 0n,
  id: 0n,
  vmid: 0n,
};
/** As a size: the whole address space. */
const EVERYTHING = 2n ** 64n - 1n;

/**
 * Asks harts for a fence. This one does its own part at once, writes the request for the others and waits at `fences`,
 * where it also does what they ask of it: two harts that fence each other would otherwise wait for ever.
 */
export function requestFence(call: SbiCall, harts: readonly number[], fence: Fence): SbiAnswer {
  const { context, self } = call;
  if (harts.includes(context.hart)) doFence(context, fence);
  const others = harts.filter((hart) => hart !== context.hart && isReachable(call.area(hart)));
  if (others.length === 0) return success();
  Object.assign(self.fence, fence);
  self.fence.pending = others.reduce((mask, hart) => mask | (1n << BigInt(hart)), 0n);
  for (const hart of others) knock(context, hart);
  return { kind: "wait", at: "fences" };
}

/** A fence of the caller's; `undefined` when its range goes on behind the last address. */
export function fenceOf(
  { context }: SbiCall,
  kind: FenceKind,
  start: bigint,
  size: bigint,
  id: bigint,
): Fence | undefined {
  if (size !== EVERYTHING && start + size > EVERYTHING + 1n) return undefined;
  const isGuest = kind === FenceKind.GUEST || kind === FenceKind.GUEST_ASID;
  const vmid = isGuest ? getField(context.csr.read("hgatp"), CSRS.hgatp.fields.VMID) : 0n;
  return { kind, start, size, id, vmid };
}

/** A function that fences harts of a mask, over a range where the kind has one. */
const remote =
  (kind: FenceKind): SbiFunction =>
  (call) => {
    const harts = hartsOf(call.map, call.argument(0), call.argument(1));
    if ("kind" in harts) return harts;
    const fence = fenceOf(call, kind, call.argument(2), call.argument(3), call.argument(4));
    return fence === undefined ? failure(SbiError.INVALID_ADDRESS) : requestFence(call, harts, fence);
  };

/** FENCE.I has no range; what the other registers hold means nothing. */
const remoteInstructionFence: SbiFunction = (call) => {
  const harts = hartsOf(call.map, call.argument(0), call.argument(1));
  return "kind" in harts ? harts : requestFence(call, harts, INSTRUCTION_FENCE);
};

export const remoteFence: SbiExtension = {
  id: 0x5246_4e43n,
  name: "RFENCE",
  functions: [
    remoteInstructionFence,
    remote(FenceKind.OWN),
    remote(FenceKind.OWN_ASID),
    remote(FenceKind.SECOND_STAGE_VMID),
    remote(FenceKind.SECOND_STAGE),
    remote(FenceKind.GUEST_ASID),
    remote(FenceKind.GUEST),
  ],
};
