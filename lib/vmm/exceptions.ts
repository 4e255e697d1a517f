/** Exceptions that the hypervisor hands to a guest: it does to the guest's CSRs what the hart would have done. */
import { decodeCsr, encodeCsr } from "../isa/csr-map.ts";
import { EXCEPTION } from "../isa/trap.ts";
import type { Visit } from "./host.ts";
import { DomainFlag } from "./layout.ts";
import { enterMachineMode } from "./machine-mode.ts";

const SPP = encodeCsr("sstatus", { SPP: 1 });

/** Hands an exception to the guest: to its machine mode, if it has one and has not delegated it, else to its supervisor. */
export function deliver(visit: Visit, cause: number, tval: bigint): void {
  const { domain, vcpu } = visit;
  const isOwn = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  const isDelegated = vcpu.machine.mode === 0n && ((vcpu.machine.medeleg >> BigInt(cause)) & 1n) === 1n;
  if (isOwn && !isDelegated) enterMachineMode(visit, BigInt(cause), tval);
  else enterSupervisor(visit, BigInt(cause), tval);
}

/** @spec norm:H_trap_vs_csrwrites */
function enterSupervisor({ context: { csr } }: Visit, cause: bigint, tval: bigint): void {
  const isSupervisor = (csr.read("sstatus") & SPP) !== 0n;
  const vsstatus = csr.read("vsstatus");
  const { SIE } = decodeCsr("vsstatus", vsstatus);
  csr.write("vsepc", csr.read("sepc"));
  csr.write("vscause", cause);
  csr.write("vstval", tval);
  csr.write("vsstatus", encodeCsr("vsstatus", { SPP: isSupervisor ? 1 : 0, SPIE: SIE, SIE: 0 }, vsstatus));
  csr.write("sepc", csr.read("vstvec") & ~3n);
  csr.set("sstatus", SPP);
}

/** The instruction does not exist on the guest's hart. */
export const deliverIllegal = (visit: Visit): void =>
  deliver(visit, EXCEPTION.illegalInstruction, visit.context.csr.read("stval"));
