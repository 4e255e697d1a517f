/** Privileged instructions: returns from traps, waiting, and the fence for address translation. */
import { type ExecContext, type Insn, illegalInstruction, type Operands, trapping } from "./insn.ts";
import { MODE_NUMBER } from "./mode.ts";
import type { Trap } from "./trap.ts";

const { U, S, M } = MODE_NUMBER;

/** @spec norm:xret_in_higher_mode */
function machineReturn(hart: ExecContext, operands: Operands): Trap | undefined {
  return hart.mode === M ? hart.returnFromTrap("M") : illegalInstruction(operands);
}

/** TSR lets machine mode catch every SRET of supervisor mode. @spec norm:mstatus_tsr_op */
function supervisorReturn(hart: ExecContext, operands: Operands): Trap | undefined {
  const allowed = hart.mode === M || (hart.mode === S && !hart.status("TSR"));
  return allowed ? hart.returnFromTrap("S") : illegalInstruction(operands);
}

/**
 * TW=1 forbids WFI below machine mode at once (a time limit of zero). User mode may not wait at all, as on QEMU.
 * @spec norm:mstatus_tw_op
 */
function waitForInterrupt(hart: ExecContext, operands: Operands): Trap | undefined {
  if (hart.mode === U || (hart.mode === S && hart.status("TW"))) return illegalInstruction(operands);
  hart.waitForInterrupt();
  return undefined;
}

/** TVM lets machine mode catch every change that supervisor mode makes to translation. @spec norm:mstatus_tvm_warl_op */
function supervisorFence(hart: ExecContext, operands: Operands): Trap | undefined {
  if (hart.mode === U || (hart.mode === S && hart.status("TVM"))) return illegalInstruction(operands);
  const vaddr = operands.rs1 === 0 ? undefined : hart.x[operands.rs1];
  const asid = operands.rs2 === 0 ? undefined : hart.x[operands.rs2];
  hart.fenceTranslations(vaddr, asid);
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
