/**
 * H: the instructions with which a hypervisor reads and writes its guest's memory, and fences its guest's translations.
 * (The rest of the extension is CSRs, traps and the second stage of translation.)
 */
import {
  type ExecContext,
  type GuestLoad,
  type Insn,
  illegalInstruction,
  type Operands,
  trapping,
  virtualInstruction,
} from "./insn.ts";
import { isVirtual, MODE_NUMBER } from "./mode.ts";
import type { Trap } from "./trap.ts";

const { U, S } = MODE_NUMBER;

/**
 * Who may access a guest's memory: M and HS, and U where HU allows it. A guest may not, but its hypervisor may emulate it.
 * @spec norm:hlsv_mode
 * @spec norm:hlsv_virtinst
 * @spec norm:hlsv_illegalinst
 */
function accessRefusal(hart: ExecContext, operands: Operands): Trap | undefined {
  if (isVirtual(hart.mode)) return virtualInstruction(operands); // norm:H_virtinst_vu_vs_hinst
  // norm:hstatus_hu_op
  const isRefused = !hart.hasHypervisor || (hart.mode === U && !hart.hypervisorStatus("HU"));
  return isRefused ? illegalInstruction(operands) : undefined;
}

const load = (
  diagram: string,
  widthBytes: GuestLoad["widthBytes"],
  signed: boolean,
  right: GuestLoad["right"] = "read",
): Insn<"loadReserved"> => {
  const shape = { widthBytes, signed, right };
  return trapping("loadReserved")(
    diagram,
    "norm:hlsv_op",
    (hart, operands) =>
      accessRefusal(hart, operands) ?? hart.loadAsGuest(operands.rd, hart.x[operands.rs1], shape),
  );
};

const store = (diagram: string, widthBytes: GuestLoad["widthBytes"]): Insn<"storeAt"> =>
  trapping("storeAt")(
    diagram,
    "norm:hlsv_op",
    (hart, operands) =>
      accessRefusal(hart, operands) ?? hart.storeAsGuest(hart.x[operands.rs1], operands.rs2, widthBytes),
  );

/**
 * Fences are HS's and M's. TVM takes HFENCE.GVMA away from HS-mode, and leaves it HFENCE.VVMA.
 * @spec norm:hfence-vvma_hfence-gvma_exceptions
 * @spec norm:hfence-vvma_tvm
 * @spec norm:mstatus_tvm_hs
 */
const fence =
  (stage: "vs" | "g") =>
  (hart: ExecContext, operands: Operands): Trap | undefined => {
    const { mode } = hart;
    if (isVirtual(mode)) return virtualInstruction(operands); // norm:H_virtinst_vu_vs_hinst
    const isTaken = stage === "g" && mode === S && hart.status("TVM");
    if (!hart.hasHypervisor || mode === U || isTaken) return illegalInstruction(operands); // norm:hfence-vvma_mode
    const address = operands.rs1 === 0 ? undefined : hart.x[operands.rs1];
    const id = operands.rs2 === 0 ? undefined : hart.x[operands.rs2];
    hart.fenceGuestTranslations(stage, address, id);
    return undefined;
  };

/** Hypervisor instructions. @spec priv §"Hypervisor Instructions" */
export const h = {
  "hlv.b": load("0110000 00000 rs1 100 rd 1110011", 1, true),
  "hlv.bu": load("0110000 00001 rs1 100 rd 1110011", 1, false),
  "hlv.h": load("0110010 00000 rs1 100 rd 1110011", 2, true),
  "hlv.hu": load("0110010 00001 rs1 100 rd 1110011", 2, false),
  "hlvx.hu": load("0110010 00011 rs1 100 rd 1110011", 2, false, "execute"),
  "hlv.w": load("0110100 00000 rs1 100 rd 1110011", 4, true),
  "hlv.wu": load("0110100 00001 rs1 100 rd 1110011", 4, false),
  "hlvx.wu": load("0110100 00011 rs1 100 rd 1110011", 4, false, "execute"),
  "hlv.d": load("0110110 00000 rs1 100 rd 1110011", 8, true),
  "hsv.b": store("0110001 rs2 rs1 100 00000 1110011", 1),
  "hsv.h": store("0110011 rs2 rs1 100 00000 1110011", 2),
  "hsv.w": store("0110101 rs2 rs1 100 00000 1110011", 4),
  "hsv.d": store("0110111 rs2 rs1 100 00000 1110011", 8),
  "hfence.vvma": trapping("addressFence")(
    "0010001 rs2 rs1 000 00000 1110011",
    "norm:hfence-vvma_hfence-gvma_op",
    fence("vs"),
  ),
  "hfence.gvma": trapping("addressFence")(
    "0110001 rs2 rs1 000 00000 1110011",
    "norm:hfence-gvma_op",
    fence("g"),
  ),
} as const satisfies Record<string, Insn>;
