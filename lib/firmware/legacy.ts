/**
 * The extensions of before there were extensions: one function each, called by its number, with the answer in `a0` alone.
 * Lists of harts are words in the caller's memory, at a virtual address.
 *
 * @spec SBI 2.0 "Legacy Extensions"
 */

import { type HsContext, isRefused, type Refused } from "../hs/context.ts";
import type { Paddr } from "../isa/address.ts";
import { vaddr } from "../isa/address.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import { putByte, takeByte } from "./debug-console.ts";
import { FenceKind } from "./fence.ts";
import { hartsOf } from "./hart-mask.ts";
import { interruptHarts } from "./ipi.ts";
import { SSI } from "./mailbox.ts";
import { fenceOf, INSTRUCTION_FENCE, requestFence } from "./remote-fence.ts";
import { failure, type SbiAnswer, type SbiCall, SbiError, type SbiFunction, success } from "./sbi.ts";
import { shutDown } from "./system-reset.ts";
import { setTimer } from "./timer.ts";

const MPRV = encodeCsr("mstatus", { MPRV: 1 });

/**
 * Loads as the caller would, with its rights and its translation.
 * @spec norm:mstatus_mprv_ldst_op
 */
function loadForCaller(context: HsContext, address: bigint): bigint | Refused {
  context.csr.set("mstatus", MPRV);
  const word = context.attempt(() => context.load(vaddr(address) as bigint as Paddr, 8));
  context.csr.clear("mstatus", MPRV);
  return word;
}

/** The harts of a list in the caller's memory; no list means all. Harts that do not exist are left out, as callers expect of old. */
function listedHarts(call: SbiCall): readonly number[] | SbiAnswer {
  const address = call.argument(0);
  const all = (1n << BigInt(call.map.harts)) - 1n;
  if (address === 0n) return hartsOf(call.map, all, 0n);
  const word = loadForCaller(call.context, address);
  return isRefused(word) ? { kind: "redirect", refused: word } : hartsOf(call.map, word & all, 0n);
}

const toListed =
  (act: (call: SbiCall, harts: readonly number[]) => SbiAnswer): SbiFunction =>
  (call) => {
    const harts = listedHarts(call);
    return "kind" in harts ? harts : act(call, harts);
  };

const fenceListed = (kind: FenceKind, hasId: boolean): SbiFunction =>
  toListed((call, harts) => {
    const fence = fenceOf(call, kind, call.argument(1), call.argument(2), hasId ? call.argument(3) : 0n);
    return fence === undefined ? failure(SbiError.INVALID_ADDRESS) : requestFence(call, harts, fence);
  });

function putChar({ context, argument }: SbiCall): SbiAnswer {
  return putByte(context, BigInt.asUintN(8, argument(0))) ? success() : failure(SbiError.FAILED);
}

function getChar({ context }: SbiCall): SbiAnswer {
  const byte = takeByte(context);
  return byte === undefined ? failure(SbiError.FAILED) : { kind: "value", error: byte, value: 0n };
}

function clearIpi({ context }: SbiCall): SbiAnswer {
  const wasPending = (context.csr.read("mip") & SSI) !== 0n;
  context.csr.clear("mip", SSI);
  return { kind: "value", error: wasPending ? 1n : 0n, value: 0n };
}

/** By number, from 0 to 8. */
export const LEGACY: readonly SbiFunction[] = [
  setTimer,
  putChar,
  getChar,
  clearIpi,
  toListed(interruptHarts),
  toListed((call, harts) => requestFence(call, harts, INSTRUCTION_FENCE)),
  fenceListed(FenceKind.OWN, false),
  fenceListed(FenceKind.OWN_ASID, true),
  ({ context }) => shutDown(context, false),
];
