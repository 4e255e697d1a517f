/** Zicond: conditional operations. One half of a branch-free choice: a register, or zero. */
import { computing, type Insn } from "./insn.ts";

const registers = computing("registers");

/** Integer conditional operations. @spec unpriv §"Zicond Extension for Integer Conditional Operations" */
export const zicond = {
  "czero.eqz": registers("0000111 rs2 rs1 101 rd 0110011", "norm:czero-eqz_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] === 0n ? 0n : x[rs1];
  }),
  "czero.nez": registers("0000111 rs2 rs1 111 rd 0110011", "norm:czero-nez_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs2] === 0n ? x[rs1] : 0n;
  }),
} as const satisfies Record<string, Insn>;
