/** HSM: harts are started, stopped and put to sleep. @spec SBI 2.0 "Hart State Management Extension" */

import type { HsContext } from "../hs/context.ts";
import { paddr } from "../isa/address.ts";
import { hartNumber } from "./hart-mask.ts";
import { HartStatus } from "./hart-status.ts";
import { answerKnock, knock } from "./mailbox.ts";
import { type FirmwareMap, type HartAreaView, isCallersRam } from "./map.ts";
import { failure, type SbiAnswer, type SbiCall, SbiError, type SbiExtension, success } from "./sbi.ts";
import { enterSupervisor, MSI, placeOf } from "./start.ts";

const INSTRUCTION_BYTES = 2n;
/** The only kinds of sleep: with registers kept, and without. Others are reserved, or some platform's. */
const Suspend = { RETENTIVE: 0n, NON_RETENTIVE: 0x8000_0000n } as const;

/** Whether supervisor mode may execute there. */
const isStartable = (map: FirmwareMap, address: bigint): boolean =>
  (address & 1n) === 0n && isCallersRam(map, address, INSTRUCTION_BYTES);

function start(call: SbiCall): SbiAnswer {
  const hart = hartNumber(call, call.argument(0));
  if (hart === undefined) return failure(SbiError.INVALID_PARAM);
  const address = call.argument(1);
  if (!isStartable(call.map, address)) return failure(SbiError.INVALID_ADDRESS);
  const target = call.area(hart);
  if (target.status !== HartStatus.STOPPED) return failure(SbiError.ALREADY_AVAILABLE);
  target.startAddress = paddr(address);
  target.startArgument = call.argument(2);
  target.status = HartStatus.START_PENDING;
  knock(call.context, hart);
  return success();
}

/** Only the software interrupt of other harts wakes a stopped hart. */
function stop({ context, self }: SbiCall): SbiAnswer {
  self.status = HartStatus.STOPPED;
  self.wantsInterrupt = 0n;
  context.csr.write("mie", MSI);
  return { kind: "wait", at: "park" };
}

function status(call: SbiCall): SbiAnswer {
  const hart = hartNumber(call, call.argument(0));
  return hart === undefined ? failure(SbiError.INVALID_PARAM) : success(call.area(hart).status);
}

function suspend(call: SbiCall): SbiAnswer {
  const { self, map } = call;
  const kind = BigInt.asUintN(32, call.argument(0));
  const losesRegisters = kind === Suspend.NON_RETENTIVE;
  if (!losesRegisters && kind !== Suspend.RETENTIVE) return failure(SbiError.INVALID_PARAM);
  if (losesRegisters && !isStartable(map, call.argument(1))) return failure(SbiError.INVALID_ADDRESS);
  self.losesRegisters = losesRegisters ? 1n : 0n;
  self.startAddress = paddr(call.argument(1));
  self.startArgument = call.argument(2);
  self.status = HartStatus.SUSPENDED;
  return { kind: "wait", at: "park" };
}

/** Behind a parked hart's WFI: whoever was started starts, whoever slept and has something to hear wakes, the rest sleep on. */
export function afterWait(context: HsContext, map: FirmwareMap, self: HartAreaView): void {
  const { csr } = context;
  if ((csr.read("mip") & MSI) !== 0n) answerKnock(context, map, self);
  const before = self.status;
  if (before === HartStatus.START_PENDING) {
    enterSupervisor(context, self, self.startAddress, self.startArgument);
  } else if (before === HartStatus.SUSPENDED && (csr.read("mip") & csr.read("mie")) !== 0n) {
    self.status = HartStatus.STARTED;
    if (self.losesRegisters !== 0n) enterSupervisor(context, self, self.startAddress, self.startArgument);
  }
  self.saved.resume = placeOf(map, self.status === HartStatus.STARTED ? "restore" : "park");
}

export const hartState: SbiExtension = {
  id: 0x48_534dn,
  name: "HSM",
  functions: [start, stop, status, suspend],
};
