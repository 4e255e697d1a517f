/** A trap to machine mode: supervisor mode's call, or another hart's knock. Everything else is delegated. */

import type { HsContext } from "../hs/context.ts";
import { decodeCsr, encodeCsr } from "../isa/csr-map.ts";
import { causeWords, EXCEPTION, INTERRUPT, type Trap } from "../isa/trap.ts";
import { base } from "./base.ts";
import { debugConsole } from "./debug-console.ts";
import { hartState } from "./hart-state.ts";
import { ipi } from "./ipi.ts";
import { LEGACY } from "./legacy.ts";
import { answerKnock } from "./mailbox.ts";
import { areaOf, type FirmwareMap, type HartAreaView } from "./map.ts";
import { remoteFence } from "./remote-fence.ts";
import {
  failure,
  type SbiAnswer,
  type SbiCall,
  SbiError,
  type SbiExtension,
  type SbiFunction,
} from "./sbi.ts";
import { placeOf } from "./start.ts";
import { systemReset } from "./system-reset.ts";
import { timer } from "./timer.ts";

const ECALL_BYTES = 4n;

/** The two values of `mcause` that ever come here. */
const CALL = BigInt(EXCEPTION.ecallFromS);
const KNOCK = encodeCsr("mcause", { interrupt: 1, code: INTERRUPT.machineSoftware });

const extensions: readonly SbiExtension[] = [
  base((id) => isLegacy(id) || BY_ID.has(id)),
  ...[timer, ipi, remoteFence, hartState, systemReset, debugConsole],
];
const BY_ID: ReadonlyMap<bigint, SbiExtension> = new Map(
  extensions.map((extension) => [extension.id, extension]),
);

const isLegacy = (id: bigint): boolean => id < BigInt(LEGACY.length);

const notSupported: SbiFunction = () => failure(SbiError.NOT_SUPPORTED);

/** The function that `a7` and `a6` name. @spec SBI 2.0 "Binary Encoding" */
function functionOf(extension: bigint, number: bigint): SbiFunction {
  if (isLegacy(extension)) return LEGACY[Number(extension)] ?? notSupported;
  return BY_ID.get(extension)?.functions[Number(number)] ?? notSupported;
}

/** Handles a trap. The hart goes on behind the call, or where the answer says. */
export function handleTrap(context: HsContext, map: FirmwareMap, self: HartAreaView): void {
  const cause = context.csr.read("mcause");
  if (cause === CALL) answerCall(context, map, self);
  else if (cause === KNOCK) answerKnock(context, map, self);
  else panic(context);
}

function answerCall(context: HsContext, map: FirmwareMap, self: HartAreaView): void {
  const { registers } = context;
  const extension = registers.a7;
  const call: SbiCall = {
    context,
    map,
    self,
    area: (hart) => areaOf(context, hart),
    argument: (index) => registers[`a${index}`],
  };
  const answer = functionOf(extension, registers.a6)(call);
  if (answer.kind === "redirect") {
    redirect(context, answer.refused.trap);
    return;
  }
  context.csr.write("mepc", context.csr.read("mepc") + ECALL_BYTES);
  giveAnswer(context, map, self, answer, isLegacy(extension));
}

/** Legacy calls leave `a1` alone. A call that waits will have succeeded when it returns. */
function giveAnswer(
  { registers }: HsContext,
  map: FirmwareMap,
  self: HartAreaView,
  answer: Exclude<SbiAnswer, { kind: "redirect" }>,
  legacy: boolean,
): void {
  const waits = answer.kind === "wait";
  registers.a0 = waits ? SbiError.SUCCESS : answer.error;
  if (!legacy) registers.a1 = waits ? 0n : answer.value;
  if (waits) self.saved.resume = placeOf(map, answer.at);
}

/** Does to the caller what the hart would have done if the trap had been delegated; `sepc` is that of its call. @spec norm:trap_del_S_mode_op */
function redirect({ csr }: HsContext, trap: Trap): void {
  const status = decodeCsr("mstatus", csr.read("mstatus"));
  csr.write("sepc", csr.read("mepc"));
  csr.write("scause", BigInt(trap.cause));
  csr.write("stval", trap.tval);
  csr.write("htval", trap.tval2);
  csr.write("htinst", 0n);
  csr.write("hstatus", encodeCsr("hstatus", { SPV: 0, GVA: 0 }, csr.read("hstatus")));
  csr.write("mstatus", encodeCsr("mstatus", { SPP: 1, SPIE: status.SIE, SIE: 0 }, csr.read("mstatus")));
  csr.write("mepc", csr.read("stvec") & ~3n);
}

/** The firmware cannot go on: a trap that nobody should have sent here, or one of its own. The machine stops with this sentence. */
export function panic({ csr }: HsContext): never {
  const { code, interrupt } = decodeCsr("mcause", csr.read("mcause"));
  const words = causeWords({ isInterrupt: interrupt === 1n, cause: Number(code) });
  const [epc, tval] = [csr.read("mepc"), csr.read("mtval")].map((word) => `0x${word.toString(16)}`);
  throw new Error(`unexpected trap in machine mode: ${words} at ${epc}, tval ${tval}`);
}
