/** DBCN: a terminal for programs that have no driver yet. @spec SBI 2.0 "Debug Console Extension" */

import type { HsContext } from "../hs/context.ts";
import { paddr } from "../isa/address.ts";
import { DEVICE, isCallersRam } from "./map.ts";
import { failure, type SbiAnswer, type SbiCall, SbiError, type SbiExtension, success } from "./sbi.ts";

/** Registers of the UART, and the two bits of its line status. @spec ns16550 "Line Status Register" */
const DATA = DEVICE.uart;
const LINE_STATUS = paddr(DEVICE.uart + 5n);
const DATA_READY = 1n;
const TRANSMITTER_EMPTY = 0x20n;
/** A transmitter that is not empty after so many looks will never be. */
const PATIENCE = 100;
/** Longer texts are written in part, which callers must expect: the call does not block. */
const MOST_BYTES = 1024n;

/** Sends a byte. False: the transmitter stays full. */
export function putByte(context: HsContext, byte: bigint): boolean {
  for (let look = 0; look < PATIENCE; look++) {
    if ((context.load(LINE_STATUS, 1) & TRANSMITTER_EMPTY) === 0n) continue;
    context.store(DATA, 1, byte);
    return true;
  }
  return false;
}

/** Takes a byte that was typed; `undefined` when there is none. */
export const takeByte = (context: HsContext): bigint | undefined =>
  (context.load(LINE_STATUS, 1) & DATA_READY) === 0n ? undefined : context.load(DATA, 1);

/** The caller's bytes: its own RAM, not the firmware's, which it could otherwise read and overwrite by our hand. */
function callersBytes({ map, argument }: SbiCall): { start: bigint; count: bigint } | undefined {
  const [count, low, high] = [argument(0), argument(1), argument(2)];
  if (high !== 0n || !isCallersRam(map, low, count)) return undefined;
  return { start: low, count: count < MOST_BYTES ? count : MOST_BYTES };
}

function write(call: SbiCall): SbiAnswer {
  const bytes = callersBytes(call);
  if (bytes === undefined) return failure(SbiError.INVALID_PARAM);
  let written = 0n;
  while (written < bytes.count && putByte(call.context, call.context.load(paddr(bytes.start + written), 1)))
    written += 1n;
  return success(written);
}

function read(call: SbiCall): SbiAnswer {
  const bytes = callersBytes(call);
  if (bytes === undefined) return failure(SbiError.INVALID_PARAM);
  let taken = 0n;
  while (taken < bytes.count) {
    const byte = takeByte(call.context);
    if (byte === undefined) break;
    call.context.store(paddr(bytes.start + taken), 1, byte);
    taken += 1n;
  }
  return success(taken);
}

const writeByte = ({ context, argument }: SbiCall): SbiAnswer =>
  putByte(context, BigInt.asUintN(8, argument(0))) ? success() : failure(SbiError.FAILED);

export const debugConsole: SbiExtension = {
  id: 0x4442_434en,
  name: "DBCN",
  functions: [write, read, writeByte],
};
