/** Privileged instructions: returns from traps, waiting, and the fence for address translation. */
import {
  type ExecContext,
  type Insn,
  illegalInstruction,
  type Operands,
  trapping,
  virtualInstruction,
} from "./insn.ts";
import { isVirtual, MODE_NUMBER } from "./mode.ts";
import type { Trap } from "./trap.ts";

const { U, S, M, VU, VS } = MODE_NUMBER;

/** @spec norm:xret_in_higher_mode @spec norm:xret_in_lower_mode */
function machineReturn(hart: ExecContext, operands: Operands): Trap | undefined {
  return hart.mode === M ? hart.returnFromTrap("M") : illegalInstruction(operands); // norm:xret_op
}

/**
 * TSR lets machine mode catch every SRET of supervisor mode, and VTSR the hypervisor every one of its guest.
 * @spec norm:mstatus_tsr_op
 * @spec norm:H_virtinst_vs_sret_vtsr1
 * @spec norm:H_virtinst_vu_sret_sfence
 */
function supervisorReturn(hart: ExecContext, operands: Operands): Trap | undefined {
  const { mode } = hart;
  if (mode === U || (mode === S && hart.status("TSR"))) return illegalInstruction(operands); // norm:mstatus_modes
  // norm:hstatus_vtsr_op
  if (mode === VU || (mode === VS && hart.hypervisorStatus("VTSR"))) return virtualInstruction(operands);
  return hart.returnFromTrap("S"); // norm:xret_op
}

/**
 * TW=1 forbids WFI below machine mode at once (a time limit of zero), and VTW in a guest. User mode may not wait at all, as
 * on QEMU.
 * @spec norm:mstatus_tw_op
 * @spec norm:H_virtinst_vu_wfi_tw0
 * @spec norm:H_virtinst_wfi_vtw1_tw0
 */
function waitForInterrupt(hart: ExecContext, operands: Operands): Trap | undefined {
  const { mode } = hart;
  if (mode === U || (mode !== M && hart.status("TW"))) return illegalInstruction(operands); // norm:mstatus_modes
  // norm:hstatus_vtw_op norm:vtw_virtinstr
  if (mode === VU || (mode === VS && hart.hypervisorStatus("VTW"))) return virtualInstruction(operands);
  hart.waitForInterrupt(); // norm:wfi_op
  return undefined;
}

/**
 * TVM lets machine mode catch every change that supervisor mode makes to translation, and VTVM the hypervisor those of its
 * guest. In a guest the fence is about the guest's own stage.
 * @spec norm:mstatus_tvm_warl_op
 * @spec norm:H_virtinst_vs_sfence_sinval_satp_vtvm1
 * @spec norm:sfence_vma_v1
 */
function supervisorFence(hart: ExecContext, operands: Operands): Trap | undefined {
  const { mode } = hart;
  if (mode === U || (mode === S && hart.status("TVM"))) return illegalInstruction(operands); // norm:mstatus_modes
  // norm:hstatus_vtvm_op
  if (mode === VU || (mode === VS && hart.hypervisorStatus("VTVM"))) return virtualInstruction(operands);
  const vaddr = operands.rs1 === 0 ? undefined : hart.x[operands.rs1];
  const asid = operands.rs2 === 0 ? undefined : hart.x[operands.rs2];
  if (isVirtual(mode)) hart.fenceGuestTranslations("vs", vaddr, asid);
  else hart.fenceTranslations(vaddr, asid);
  return undefined;
}

/** Privileged instructions beyond ECALL and EBREAK, which the base has. @spec priv §"Machine-Mode Privileged Instructions" */
export const privileged = {
  mret: trapping("none")("0011000 00010 00000 000 00000 1110011", "norm:xret_op", machineReturn),
  sret: trapping("none")("0001000 00010 00000 000 00000 1110011", "norm:xret_op", supervisorReturn),
  wfi: trapping("none")("0001000 00101 00000 000 00000 1110011", "norm:wfi_op", waitForInterrupt),
  "sfence.vma": trapping("addressFence")(
    "0001001 rs2 rs1 000 00000 1110011",
    "norm:sfence_vma_op",
    supervisorFence,
  ),
} as const satisfies Record<string, Insn>;
