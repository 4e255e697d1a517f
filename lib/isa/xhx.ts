/**
 * The one instruction that the manual does not have: `hx n` calls the handler with number `n`, which is written in
 * TypeScript and registered with the board. It stands in *custom-0*, the space that the manual leaves to everybody.
 *
 * Machine mode and HS-mode may use it, for handlers have the rights of the mode that calls them. For everybody else, and
 * for a number that nobody registered, it is an illegal instruction: also in a guest, whose hypervisor has nothing to emulate.
 *
 * @spec unpriv §"RV32/64G Instruction Set Listings", Table "RISC-V base opcode map": custom-0
 */
import { type ExecContext, type Insn, illegalInstruction, type Operands, trapping } from "./insn.ts";
import { MODE_NUMBER } from "./mode.ts";
import type { Trap } from "./trap.ts";

const { S, M } = MODE_NUMBER;

function callHandler(hart: ExecContext, operands: Operands): Trap | undefined {
  const number = Number(operands.imm);
  const isAllowed = hart.mode === M || hart.mode === S;
  return isAllowed && hart.hasHandler(number) ? hart.callHandler(number) : illegalInstruction(operands);
}

/** Our own extension: X is the prefix of those that are nobody's standard. */
export const xhx = {
  hx: trapping("handler")("uimm[11:0] 00000 000 00000 0001011", 'dom0 §"The hx instruction"', callHandler),
} as const satisfies Record<string, Insn>;
