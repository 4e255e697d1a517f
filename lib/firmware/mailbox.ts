/**
 * How harts call one another: the caller writes what it wants into RAM and raises the other's machine software interrupt
 * through the CLINT; the other looks, does it, and clears its own interrupt.
 */
import { ClintOffset } from "../devices/clint.ts";
import type { HsContext } from "../hs/context.ts";
import { type Paddr, paddr } from "../isa/address.ts";
import { INTERRUPT } from "../isa/trap.ts";
import { doFence } from "./fence.ts";
import {
  areaAddress,
  areaOf,
  DEVICE,
  FenceRequest,
  type FirmwareMap,
  HartArea,
  type HartAreaView,
} from "./map.ts";

/** Supervisor mode's software interrupt, which is what an IPI looks like there. */
export const SSI = 1n << BigInt(INTERRUPT.supervisorSoftware);

const softwareInterrupt = (hart: number): Paddr => paddr(DEVICE.clint + BigInt(ClintOffset.MSIP + 4 * hart));

/** Raises a hart's machine software interrupt. */
export const knock = (context: HsContext, hart: number): void =>
  context.store(softwareInterrupt(hart), 4, 1n);

/**
 * Answers the door: everything that other harts want of this one. The interrupt is cleared first, so that a wish that comes
 * while we look is not lost.
 */
export function answerKnock(context: HsContext, map: FirmwareMap, self: HartAreaView): void {
  context.store(softwareInterrupt(context.hart), 4, 0n);
  if (self.wantsInterrupt !== 0n) {
    self.wantsInterrupt = 0n;
    context.csr.set("mip", SSI);
  }
  doFencesOfOthers(context, map);
}

/** Does each fence that another hart waits for, and tells it by clearing this hart's bit. */
function doFencesOfOthers(context: HsContext, { harts }: FirmwareMap): void {
  const ownBit = 1n << BigInt(context.hart);
  for (let hart = 0; hart < harts; hart++) {
    const { fence } = areaOf(context, hart);
    if ((fence.pending & ownBit) === 0n) continue;
    doFence(context, fence);
    context.atomic("and", pendingWord(hart), ~ownBit);
  }
}

/** Where a hart's request lists those who have not done it yet. */
const pendingWord = (hart: number): Paddr =>
  paddr(areaAddress(hart) + BigInt(HartArea.offsetOf("fence") + FenceRequest.offsetOf("pending")));
