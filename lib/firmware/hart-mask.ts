/** Lists of harts, as callers write them. @spec SBI 2.0 "Hart list parameter" */

import { HartStatus } from "./hart-status.ts";
import type { FirmwareMap, HartAreaView } from "./map.ts";
import { failure, type SbiAnswer, type SbiCall, SbiError } from "./sbi.ts";

const ALL = 2n ** 64n - 1n;
const MASK_BITS = 64n;

/**
 * Harts of a mask: bit 0 is hart `base`, and base −1 means all.
 *
 * @returns  Their numbers, or the refusal when one of them does not exist.
 */
export function hartsOf({ harts }: FirmwareMap, mask: bigint, base: bigint): readonly number[] | SbiAnswer {
  if (base === ALL) return Array.from({ length: harts }, (_, hart) => hart);
  const listed: number[] = [];
  for (let bit = 0n; bit < MASK_BITS; bit++) {
    if (((mask >> bit) & 1n) === 0n) continue;
    if (base + bit >= BigInt(harts)) return failure(SbiError.INVALID_PARAM);
    listed.push(Number(base + bit));
  }
  return base < BigInt(harts) ? listed : failure(SbiError.INVALID_PARAM);
}

/** Whether a hart runs supervisor mode, or sleeps in it: only such harts can be interrupted or have translations to fence. */
export const isReachable = ({ status }: HartAreaView): boolean =>
  status === HartStatus.STARTED || status === HartStatus.SUSPENDED;

/** The hart with this number, if the board has it. */
export const hartNumber = ({ map }: SbiCall, argument: bigint): number | undefined =>
  argument < BigInt(map.harts) ? Number(argument) : undefined;
