/** The SBI that guests call which begin in supervisor mode: the hypervisor is their firmware. @spec SBI 2.0, chapters named below */
import { gpa, type hpa } from "../hs/address.ts";
import { skip } from "./access.ts";
import { ramAddress, switchOff, vcpusOf } from "./domain.ts";
import { fenceGuest } from "./guest-fences.ts";
import type { Visit } from "./host.ts";
import { setPending } from "./interrupts.ts";
import { VcpuState, type VcpuView } from "./layout.ts";
import { inheritRoot, isParavirtual } from "./paravirtual/roots.ts";
import { wait } from "./privileged.ts";
import { printByte, readTyped } from "./terminal.ts";
import { resetVcpu, startVcpu, VSSI } from "./vcpu.ts";
import { setGuestTimer } from "./virtual-timer.ts";
import { driveUart } from "./virtual-uart.ts";
import { isLoggedDomain, setDeadline } from "./vm-log.ts";

/** Error codes. @spec SBI 2.0 "Standard SBI Errors" */
const SbiError = {
  SUCCESS: 0n,
  FAILED: -1n,
  NOT_SUPPORTED: -2n,
  INVALID_PARAM: -3n,
  INVALID_ADDRESS: -5n,
  ALREADY_AVAILABLE: -6n,
} as const;

/** What a function answers: `a0` and `a1`, or `undefined` when there is nobody to answer, or it was done already. */
type Answer = { readonly error: bigint; readonly value: bigint } | undefined;
type SbiFunction = (visit: Visit) => Answer;

const success = (value = 0n): Answer => ({ error: SbiError.SUCCESS, value });
const failure = (error: bigint): Answer => ({ error, value: 0n });

const SPECIFICATION = 2n << 24n;
/** The letters "dom0": none of the numbers that the specification lists. */
const IMPLEMENTATION = 0x646f_6d30n;

const ALL = 2n ** 64n - 1n;
/** Longer texts are written in part, which callers must expect. */
const MOST_BYTES = 256n;

/** @spec SBI 2.0 "Base Extension" */
const base: readonly SbiFunction[] = [
  () => success(SPECIFICATION),
  () => success(IMPLEMENTATION),
  () => success(1n),
  ({ context }) =>
    success(
      EXTENSIONS.has(context.registers.a0) || LEGACY[Number(context.registers.a0)] !== undefined ? 1n : 0n,
    ),
  () => success(),
  () => success(),
  () => success(),
];

/** @spec SBI 2.0 "Timer Extension" */
const setTimer: SbiFunction = (visit) => {
  const { a0 } = visit.context.registers;
  if (isLoggedDomain(visit, visit.domain)) setDeadline(visit, a0);
  else setGuestTimer(visit, a0);
  return success();
};

/** Virtual CPUs of a mask; `undefined` when one of them does not exist. @spec SBI 2.0 "Hart list parameter" */
function listed(visit: Visit, mask: bigint, first: bigint): readonly VcpuView[] | undefined {
  const all = vcpusOf(visit, visit.domain.id);
  if (first === ALL) return all;
  const wanted = Array.from({ length: 64 }, (_, place) => place).filter(
    (place) => ((mask >> BigInt(place)) & 1n) === 1n,
  );
  const found = wanted.map((place) => all.find((vcpu) => BigInt(vcpu.number) === first + BigInt(place)));
  return found.every((vcpu) => vcpu !== undefined) ? found : undefined;
}

/** @spec SBI 2.0 "IPI Extension" */
const sendIpi: SbiFunction = (visit) => {
  const { a0, a1 } = visit.context.registers;
  const targets = listed(visit, a0, a1);
  if (targets === undefined) return failure(SbiError.INVALID_PARAM);
  for (const target of targets) if (target.state !== VcpuState.STOPPED) setPending(visit, target, VSSI, true);
  return success();
};

/** @spec SBI 2.0 "RFENCE Extension" */
const remoteFence =
  (kind: "instructions" | "addresses" | "address-space"): SbiFunction =>
  (visit) => {
    const { a0, a1, a2, a3, a4 } = visit.context.registers;
    if (listed(visit, a0, a1) === undefined) return failure(SbiError.INVALID_PARAM);
    if (kind === "instructions") visit.context.fenceInstructions();
    else fenceGuest(visit, a2, a3, kind === "address-space" ? a4 : undefined);
    return success();
  };

/** A paravirtualized guest names a virtual address: if nothing is there, the fault is its own. */
const mayBeginAt = (visit: Visit, address: bigint): boolean =>
  isParavirtual(visit.domain) || ramAddress(visit, visit.domain, gpa(address)) !== undefined;

/** @spec SBI 2.0 "Hart State Management Extension" */
const hartState: readonly SbiFunction[] = [
  (visit) => {
    const { a0, a1, a2 } = visit.context.registers;
    const target = vcpusOf(visit, visit.domain.id).find((vcpu) => BigInt(vcpu.number) === a0);
    if (target === undefined) return failure(SbiError.INVALID_PARAM);
    if ((a1 & 1n) !== 0n || !mayBeginAt(visit, a1)) return failure(SbiError.INVALID_ADDRESS);
    if (target.state !== VcpuState.STOPPED) return failure(SbiError.ALREADY_AVAILABLE);
    const vsatp = inheritRoot(visit, target);
    resetVcpu(target, visit.domain, target.number);
    startVcpu(target, a1, a2, vsatp);
    return success();
  },
  ({ vcpu }) => {
    vcpu.state = VcpuState.STOPPED;
    return undefined;
  },
  (visit) => {
    const { a0 } = visit.context.registers;
    const target = vcpusOf(visit, visit.domain.id).find((vcpu) => BigInt(vcpu.number) === a0);
    if (target === undefined) return failure(SbiError.INVALID_PARAM);
    return success(target.state === VcpuState.STOPPED ? 1n : 0n);
  },
  (visit) => {
    if (BigInt.asUintN(32, visit.context.registers.a0) !== 0n) return failure(SbiError.NOT_SUPPORTED);
    visit.context.registers.a0 = SbiError.SUCCESS;
    visit.context.registers.a1 = 0n;
    wait(visit);
    return undefined;
  },
];

/** @spec SBI 2.0 "System Reset Extension" */
const reset: SbiFunction = (visit) => {
  const [type, reason] = [visit.context.registers.a0, visit.context.registers.a1].map((word) =>
    BigInt.asUintN(32, word),
  );
  if (type === undefined || type > 2n || reason === undefined || reason > 1n)
    return failure(SbiError.INVALID_PARAM);
  switchOff(visit, reason);
  return undefined;
};

/** Bytes of the guest's own memory, one by one, up to the first that it has not. */
function eachByte(visit: Visit, act: (at: ReturnType<typeof hpa>) => boolean): Answer {
  const { a0, a1, a2 } = visit.context.registers;
  if (a2 !== 0n) return failure(SbiError.INVALID_PARAM);
  const count = a0 < MOST_BYTES ? a0 : MOST_BYTES;
  for (let done = 0n; done < count; done += 1n) {
    const at = ramAddress(visit, visit.domain, gpa(a1 + done));
    if (at === undefined) return failure(SbiError.INVALID_PARAM);
    if (!act(at)) return success(done);
  }
  return success(count);
}

/** @spec SBI 2.0 "Debug Console Extension" */
const debugConsole: readonly SbiFunction[] = [
  (visit) =>
    eachByte(visit, (at) => {
      printByte(visit, Number(visit.context.load(at, 1)));
      return true;
    }),
  (visit) =>
    eachByte(visit, (at) => {
      const byte = readTyped(visit.domain);
      if (byte !== undefined) visit.context.store(at, 1, BigInt(byte));
      driveUart(visit);
      return byte !== undefined;
    }),
  (visit) => {
    printByte(visit, Number(visit.context.registers.a0 & 0xffn));
    return success();
  },
];

const EXTENSIONS: ReadonlyMap<bigint, readonly SbiFunction[]> = new Map([
  [0x10n, base],
  [0x5449_4d45n, [setTimer]],
  [0x73_5049n, [sendIpi]],
  [0x5246_4e43n, [remoteFence("instructions"), remoteFence("addresses"), remoteFence("address-space")]],
  [0x48_534dn, hartState],
  [0x5352_5354n, [reset]],
  [0x4442_434en, debugConsole],
]);

/** Calls of before there were extensions: the answer is in `a0` alone. @spec SBI 2.0 "Legacy Extensions" */
const LEGACY: readonly (SbiFunction | undefined)[] = [
  setTimer,
  (visit) => {
    printByte(visit, Number(visit.context.registers.a0 & 0xffn));
    return success();
  },
  (visit) => {
    const byte = readTyped(visit.domain);
    driveUart(visit);
    return { error: byte === undefined ? -1n : BigInt(byte), value: 0n };
  },
  undefined,
  undefined,
  undefined,
  undefined,
  undefined,
  (visit) => {
    switchOff(visit, 0n);
    return undefined;
  },
];

const ECALL_BYTES = 4;

/** A guest calls its firmware. It goes on behind its call with an answer, unless it has switched itself off. */
export function answerSbi(visit: Visit): void {
  const { registers } = visit.context;
  const { a7, a6 } = registers;
  const isLegacy = a7 < BigInt(LEGACY.length);
  const call = isLegacy ? LEGACY[Number(a7)] : EXTENSIONS.get(a7)?.[Number(a6)];
  const answer = call === undefined ? failure(SbiError.NOT_SUPPORTED) : call(visit);
  if (answer === undefined) return;
  registers.a0 = BigInt.asUintN(64, answer.error);
  if (!isLegacy) registers.a1 = answer.value;
  skip(visit, ECALL_BYTES);
}
