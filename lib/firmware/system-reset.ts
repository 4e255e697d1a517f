/** SRST: the machine is switched off or restarted. @spec SBI 2.0 "System Reset Extension" */
import { FinisherCommand } from "../devices/test-finisher.ts";
import type { HsContext } from "../hs/context.ts";
import { DEVICE } from "./map.ts";
import { failure, type SbiAnswer, type SbiCall, SbiError, type SbiExtension } from "./sbi.ts";

const ResetType = { SHUTDOWN: 0n, COLD_REBOOT: 1n, WARM_REBOOT: 2n } as const;
const ResetReason = { NONE: 0n, SYSTEM_FAILURE: 1n } as const;
/** What the finisher reports of a system that failed. */
const FAILURE_CODE = 1n;

/** Switches off; after a failure the exit code says so. The machine stops behind this call: the hart is parked for good. */
export function shutDown(context: HsContext, failed: boolean): SbiAnswer {
  const command = failed
    ? (FAILURE_CODE << 16n) | BigInt(FinisherCommand.FAIL)
    : BigInt(FinisherCommand.PASS);
  context.store(DEVICE.testFinisher, 4, command);
  return { kind: "wait", at: "park" };
}

function reset({ context, argument }: SbiCall): SbiAnswer {
  const type = BigInt.asUintN(32, argument(0));
  const reason = BigInt.asUintN(32, argument(1));
  if (reason !== ResetReason.NONE && reason !== ResetReason.SYSTEM_FAILURE)
    return failure(SbiError.INVALID_PARAM);
  if (type === ResetType.SHUTDOWN) return shutDown(context, reason === ResetReason.SYSTEM_FAILURE);
  if (type !== ResetType.COLD_REBOOT && type !== ResetType.WARM_REBOOT)
    return failure(SbiError.INVALID_PARAM);
  context.store(DEVICE.testFinisher, 4, BigInt(FinisherCommand.RESET));
  return { kind: "wait", at: "park" };
}

export const systemReset: SbiExtension = { id: 0x5352_5354n, name: "SRST", functions: [reset] };
