/** Privileged instructions of guests that the hart refuses, and that the hypervisor does for them or hands back as illegal. */
import { gva } from "../hs/address.ts";
import { isReadOnlyCsr } from "../isa/csr.ts";
import { decodeCsr, encodeCsr } from "../isa/csr-map.ts";
import { guestRegister, setGuestRegister, skip } from "./access.ts";
import { deliverIllegal } from "./exceptions.ts";
import type { Visit } from "./host.ts";
import { DomainFlag, ExitKind, VcpuState } from "./layout.ts";
import { machineCsrAt } from "./machine-csrs.ts";
import {
  enabledInMachine,
  enterSupervisorMode,
  MACHINE,
  pendingInMachine,
  returnFromMachineMode,
} from "./machine-mode.ts";
import { translationInstruction } from "./paravirtual/instructions.ts";
import { isParavirtual } from "./paravirtual/roots.ts";
import { loggedCsr } from "./vm-log.ts";

const WORD = { WFI: 0x1050_0073, MRET: 0x3020_0073, SRET: 0x1020_0073 } as const;
const SYSTEM = 0x73;
const SFENCE = { mask: 0xfe00_7fff, match: 0x1200_0073 } as const;
const INSTRUCTION_BYTES = 4;
const TW = encodeCsr("mstatus", { TW: 1 });

/** An instruction that is not legal in a guest: illegal, or virtual. `stval` has its word. */
export function privileged(visit: Visit): void {
  const word = Number(visit.context.csr.read("stval") & 0xffff_ffffn);
  const isMachine = visit.vcpu.machine.mode === MACHINE;
  if (loggedCsr(visit, word)) return;
  if (word === WORD.WFI && maySleep(visit, isMachine)) wait(visit);
  else if (isParavirtual(visit.domain) && translationInstruction(visit, word)) return;
  else if (!isMachine || !inMachineMode(visit, word)) deliverIllegal(visit);
}

/** A supervisor may wait unless its own machine mode forbids it; programs may not. */
function maySleep({ context, vcpu }: Visit, isMachine: boolean): boolean {
  if (isMachine) return true;
  const { SPP } = decodeCsr("sstatus", context.csr.read("sstatus"));
  return SPP === 1n && (vcpu.machine.mstatus & TW) === 0n;
}

/** WFI: the hart goes to somebody else until an interrupt that the guest has enabled is pending. */
export function wait(visit: Visit): void {
  const { context, domain, vcpu } = visit;
  vcpu.exits.set(ExitKind.WAIT, vcpu.exits.get(ExitKind.WAIT) + 1n);
  skip(visit, INSTRUCTION_BYTES);
  const isOwn = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  const pending = isOwn
    ? pendingInMachine(visit) & enabledInMachine(visit)
    : context.csr.read("hip") & context.csr.read("hie");
  if (pending !== 0n) return;
  // The scheduler looks at what wakes it before the hart's state is saved.
  vcpu.vs.vstimecmp = context.csr.read("vstimecmp");
  vcpu.vs.henvcfg = context.csr.read("henvcfg");
  vcpu.state = VcpuState.BLOCKED;
}

/** What only machine mode may do, done for it. False: there is no such instruction. */
function inMachineMode(visit: Visit, word: number): boolean {
  if (word === WORD.MRET) {
    returnFromMachineMode(visit);
    return true;
  }
  if (word === WORD.SRET) return supervisorReturn(visit);
  if ((word & SFENCE.mask) >>> 0 === SFENCE.match) return fence(visit, word);
  return (word & 0x7f) === SYSTEM && operateCsr(visit, word);
}

/** SRET in machine mode: into the supervisor's mode before its last trap. @spec norm:mstatus_xret_op */
function supervisorReturn(visit: Visit): boolean {
  const { csr } = visit.context;
  const status = csr.read("vsstatus");
  const { SPP, SPIE } = decodeCsr("vsstatus", status);
  csr.write("vsstatus", encodeCsr("vsstatus", { SIE: SPIE, SPIE: 1, SPP: 0 }, status));
  csr.write("sepc", csr.read("vsepc"));
  enterSupervisorMode(visit, SPP === 1n);
  return true;
}

/** SFENCE.VMA: the supervisor's translations are remembered under the guest's VMID. */
function fence(visit: Visit, word: number): boolean {
  const [rs1, rs2] = [(word >>> 15) & 31, (word >>> 20) & 31];
  const address = rs1 === 0 ? undefined : gva(guestRegister(visit, rs1));
  visit.context.fenceGuestTranslations(address, rs2 === 0 ? undefined : guestRegister(visit, rs2));
  skip(visit, INSTRUCTION_BYTES);
  return true;
}

/** CSRRW, CSRRS, CSRRC and their immediate forms. @spec norm:csrrw_op @spec norm:csrrs_op @spec norm:csrrc_op */
function operateCsr(visit: Visit, word: number): boolean {
  const funct3 = (word >>> 12) & 7;
  const address = word >>> 20;
  const csr = machineCsrAt(address);
  const operation = funct3 & 3;
  if (csr === undefined || operation === 0) return false;
  const rs1 = (word >>> 15) & 31;
  const isWrite = operation === 1 || rs1 !== 0;
  if (isWrite && isReadOnlyCsr(address)) return false;
  const operand = (funct3 & 4) === 0 ? guestRegister(visit, rs1) : BigInt(rs1);
  const old = csr.read(visit);
  if (isWrite) csr.write(visit, operation === 1 ? operand : operation === 2 ? old | operand : old & ~operand);
  setGuestRegister(visit, (word >>> 7) & 31, old);
  skip(visit, INSTRUCTION_BYTES);
  return true;
}
