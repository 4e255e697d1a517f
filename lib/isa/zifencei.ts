/** Zifencei: stores to instruction memory become visible to fetches. */
import { type Insn, trapping } from "./insn.ts";

/** The instruction-fetch fence. @spec unpriv §"Zifencei Extension for Instruction-Fetch Fence" */
export const zifencei = {
  // norm:fence_i_rsv
  "fence.i": trapping("none")("imm[11:0] rs1 001 rd 0001111", "norm:fence_i_op", (hart) => {
    hart.fenceInstructions();
    return undefined;
  }),
} as const satisfies Record<string, Insn>;
