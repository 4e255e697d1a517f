/** The CLINT of a guest that brings its own machine mode: software interrupts and the machine timer of each virtual CPU. */
import { ClintOffset } from "../devices/clint.ts";
import { INTERRUPT } from "../isa/trap.ts";
import { vcpusOf } from "./domain.ts";
import type { Visit } from "./host.ts";
import { wake } from "./interrupts.ts";
import type { VcpuView } from "./layout.ts";
import { guestTime } from "./time.ts";

const MSI = 1n << BigInt(INTERRUPT.machineSoftware);
const HALF = 0xffff_ffffn;

const vcpuAt = (visit: Visit, number: number): VcpuView | undefined =>
  vcpusOf(visit, visit.domain.id).find((vcpu) => vcpu.number === number);

/** A register of 4 or 8 bytes: what it is now, and how it changes. */
function registerAt(visit: Visit, offset: number) {
  const place = offset & ~7;
  if (place >= ClintOffset.MTIMECMP && place < ClintOffset.MTIME) {
    const vcpu = vcpuAt(visit, (place - ClintOffset.MTIMECMP) >> 3);
    if (vcpu === undefined) return undefined;
    const write = (value: bigint): void => {
      vcpu.machine.mtimecmp = value;
    };
    return { value: vcpu.machine.mtimecmp, write };
  }
  return place === ClintOffset.MTIME ? { value: guestTime(visit), write: () => {} } : undefined;
}

export function loadClint(visit: Visit, offset: number, width: number): bigint | undefined {
  if (width !== 4 && width !== 8) return undefined;
  if (offset < ClintOffset.MTIMECMP) {
    const vcpu = vcpuAt(visit, offset >> 2);
    return vcpu !== undefined && (vcpu.machine.mip & MSI) !== 0n ? 1n : 0n;
  }
  return BigInt.asUintN(8 * width, (registerAt(visit, offset)?.value ?? 0n) >> BigInt(8 * (offset & 7)));
}

export function storeClint(visit: Visit, offset: number, width: number, value: bigint): "done" | undefined {
  if (width !== 4 && width !== 8) return undefined;
  if (offset < ClintOffset.MTIMECMP) {
    const vcpu = vcpuAt(visit, offset >> 2);
    if (vcpu === undefined) return "done";
    const { machine } = vcpu;
    machine.mip = (value & 1n) === 0n ? machine.mip & ~MSI : machine.mip | MSI;
    wake(vcpu);
    return "done";
  }
  const register = registerAt(visit, offset);
  const shift = BigInt(8 * (offset & 7));
  const mask = width === 8 ? HALF | (HALF << 32n) : HALF << shift;
  register?.write((register.value & ~mask) | ((value << shift) & mask));
  return "done";
}
