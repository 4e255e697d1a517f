/** Zicsr: atomic read–modify–write of control and status registers. */
import { type ExecContext, type Insn, illegalInstruction, type Operands, trapping } from "./insn.ts";
import { exception, type Trap } from "./trap.ts";

const csr = trapping("csr");
const csrImmediate = trapping("csrImmediate");

/** CSRRW writes always, and reads unless `rd` is x0. @spec norm:csrrw_op @spec norm:csrrwi_rd_x0 @spec norm:csrrw_rs1_x0 */
function exchange(hart: ExecContext, operands: Operands, value: bigint): Trap | undefined {
  const denied = hart.csrDenied(operands.csr, true);
  if (denied !== undefined) return refusal(denied, operands);
  // norm:csrr_order
  const old = operands.rd === 0 ? 0n : hart.readCsr(operands.csr);
  hart.writeCsr(operands.csr, value);
  hart.x[operands.rd] = old;
  return undefined;
}

/**
 * CSRRS and CSRRC read always, and write unless their source field is 0: x0 or the immediate 0, whatever a register
 * holds.
 * @spec norm:csrrs_csrrc_rs1_x0
 * @spec norm:csrrsi_csrrci_uimm_zero
 */
function modify(
  hart: ExecContext,
  operands: Operands,
  source: number | bigint,
  change: (old: bigint) => bigint,
): Trap | undefined {
  const writes = BigInt(source) !== 0n;
  const denied = hart.csrDenied(operands.csr, writes);
  if (denied !== undefined) return refusal(denied, operands);
  const old = hart.readCsr(operands.csr);
  if (writes) hart.writeCsr(operands.csr, change(hart.readCsrToModify(operands.csr)));
  hart.x[operands.rd] = old;
  return undefined;
}

const refusal = (denied: Parameters<typeof exception>[0], operands: Operands): Trap =>
  exception(denied, illegalInstruction(operands).tval);

/** CSR instructions. @spec unpriv §"Zicsr Extension for Control and Status Register (CSR) Instructions" */
export const zicsr = {
  csrrw: csr("csr rs1 001 rd 1110011", "norm:csrrw_op", (hart, operands) =>
    exchange(hart, operands, hart.x[operands.rs1]),
  ),
  csrrs: csr("csr rs1 010 rd 1110011", "norm:csrrs_op", (hart, operands) => {
    const bits = hart.x[operands.rs1];
    return modify(hart, operands, operands.rs1, (old) => old | bits);
  }),
  csrrc: csr("csr rs1 011 rd 1110011", "norm:csrrc_op", (hart, operands) => {
    const bits = hart.x[operands.rs1];
    return modify(hart, operands, operands.rs1, (old) => old & ~bits);
  }),
  csrrwi: csrImmediate("csr uimm 101 rd 1110011", "norm:csrrwi_csrrsi_csrrci_ops", (hart, operands) =>
    exchange(hart, operands, operands.imm),
  ),
  csrrsi: csrImmediate("csr uimm 110 rd 1110011", "norm:csrrwi_csrrsi_csrrci_ops", (hart, operands) =>
    modify(hart, operands, operands.imm, (old) => old | operands.imm),
  ),
  csrrci: csrImmediate("csr uimm 111 rd 1110011", "norm:csrrwi_csrrsi_csrrci_ops", (hart, operands) =>
    modify(hart, operands, operands.imm, (old) => old & ~operands.imm),
  ),
} as const satisfies Record<string, Insn>;
