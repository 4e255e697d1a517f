/**
 * C: compressed instructions, 16 bits each. Every one is a shorter way to write another instruction, whose semantics it
 * shares: a record says which, and which operands are implied.
 */
import { d } from "./d.ts";
import { encoding } from "./encoding.ts";
import type { Form } from "./form.ts";
import type { ImpliedOperands, Insn, SpecReference } from "./insn.ts";
import { rv64i } from "./rv64i.ts";

/** Makes the maker of compressed records of one form. @spec norm:Zca_align16 */
const compressed =
  <F extends Form>(form: F) =>
  (diagram: string, spec: SpecReference, { execute }: Insn, implied: ImpliedOperands = {}): Insn<F> => ({
    ...encoding(diagram),
    form,
    spec,
    execute,
    implied,
  });

const load = compressed("compressedLoad");
const store = compressed("compressedStore");
const floatLoad = compressed("compressedFloatLoad");
const floatStore = compressed("compressedFloatStore");
const immediate = compressed("compressedImmediate");
const pair = compressed("compressedPair");
const smallShift = compressed("compressedSmallShift");
const smallPair = compressed("compressedSmallPair");
const branch = compressed("compressedBranch");
const jumpRegister = compressed("compressedJumpRegister");
const stackLoad = compressed("stackLoad");
const stackStore = compressed("stackStore");

/** Register numbers that encodings imply. */
const ZERO = 0;
const RA = 1;
const SP = 2;

const inPlace = { rs1: "rd" } as const;

/** Compressed instructions. @spec unpriv §"C Extension for Compressed Instructions" */
export const c = {
  // Quadrant 0: loads and stores with a small register as base.
  // norm:c-addi4spn_rsv
  "c.addi4spn": compressed("stackAddress")(
    "000 nzuimm[5:4|9:6|2|3] rd' 00",
    "norm:c-addi4spn_op",
    rv64i.addi,
    { rs1: SP },
  ),
  "c.fld": floatLoad("001 uimm[5:3] rs1' uimm[7:6] rd' 00", "norm:c-fld_op", d.fld),
  "c.lw": load("010 uimm[5:3] rs1' uimm[2|6] rd' 00", "norm:c-lw_op", rv64i.lw),
  "c.ld": load("011 uimm[5:3] rs1' uimm[7:6] rd' 00", "norm:c-ld_op", rv64i.ld),
  "c.fsd": floatStore("101 uimm[5:3] rs1' uimm[7:6] rs2' 00", "norm:c-fsd_op", d.fsd),
  "c.sw": store("110 uimm[5:3] rs1' uimm[2|6] rs2' 00", "norm:c-sw_op", rv64i.sw),
  "c.sd": store("111 uimm[5:3] rs1' uimm[7:6] rs2' 00", "norm:c-sd_op", rv64i.sd),

  // Quadrant 1: constants, arithmetic in place, control transfer.
  "c.nop": compressed("hint")("000 imm[5] 00000 imm[4:0] 01", "norm:c-nop_op", rv64i.addi),
  "c.addi": immediate("000 imm[5] rd≠0 imm[4:0] 01", "norm:c-addi_op", rv64i.addi, inPlace),
  // norm:c-addiw_rsv
  "c.addiw": immediate("001 imm[5] rd≠0 imm[4:0] 01", "norm:c-addiw_op", rv64i.addiw, inPlace),
  "c.li": immediate("010 imm[5] rd imm[4:0] 01", "norm:c-li_op", rv64i.addi, { rs1: ZERO }),
  // norm:c-addi16sp_rsv
  "c.addi16sp": compressed("stackPointer")(
    "011 nzimm[9] 00010 nzimm[4|6|8:7|5] 01",
    "norm:c-addi16sp_op",
    rv64i.addi,
    { rd: SP, rs1: SP },
  ),
  // norm:c-lui_rsv
  "c.lui": compressed("compressedUpper")("011 nzimm[17] rd≠2 nzimm[16:12] 01", "norm:c-lui_op", rv64i.lui),
  "c.srli": smallShift("100 shamt[5] 00 rd' shamt[4:0] 01", "norm:c-srli_op", rv64i.srli, inPlace),
  "c.srai": smallShift("100 shamt[5] 01 rd' shamt[4:0] 01", "norm:c-srai_op", rv64i.srai, inPlace),
  "c.andi": compressed("compressedSmallImmediate")(
    "100 imm[5] 10 rd' imm[4:0] 01",
    "norm:c-andi_op",
    rv64i.andi,
    inPlace,
  ),
  "c.sub": smallPair("100 0 11 rd' 00 rs2' 01", "norm:c-sub_op", rv64i.sub, inPlace),
  "c.xor": smallPair("100 0 11 rd' 01 rs2' 01", "norm:c-xor_op", rv64i.xor, inPlace),
  "c.or": smallPair("100 0 11 rd' 10 rs2' 01", "norm:c-or_op", rv64i.or, inPlace),
  "c.and": smallPair("100 0 11 rd' 11 rs2' 01", "norm:c-and_op", rv64i.and, inPlace),
  "c.subw": smallPair("100 1 11 rd' 00 rs2' 01", "norm:c-subw_op", rv64i.subw, inPlace),
  "c.addw": smallPair("100 1 11 rd' 01 rs2' 01", "norm:c-addw_op", rv64i.addw, inPlace),
  "c.j": compressed("compressedJump")("101 imm[11|4|9:8|10|6|7|3:1|5] 01", "norm:c-j_op", rv64i.jal, {
    rd: ZERO,
  }),
  "c.beqz": branch("110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "norm:c-beqz_op", rv64i.beq, { rs2: ZERO }),
  "c.bnez": branch("111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "norm:c-bnez_op", rv64i.bne, { rs2: ZERO }),

  // Quadrant 2: loads and stores on the stack, moves, jumps through registers.
  "c.slli": compressed("compressedShift")(
    "000 shamt[5] rd shamt[4:0] 10",
    "norm:c-slli_op",
    rv64i.slli,
    inPlace,
  ),
  "c.fldsp": compressed("stackFloatLoad")("001 uimm[5] rd uimm[4:3|8:6] 10", "norm:c-fldsp_op", d.fld, {
    rs1: SP,
  }),
  // norm:c-lwsp_rsv
  "c.lwsp": stackLoad("010 uimm[5] rd≠0 uimm[4:2|7:6] 10", "norm:c-lwsp_op", rv64i.lw, { rs1: SP }),
  // norm:c-ldsp_rsv
  "c.ldsp": stackLoad("011 uimm[5] rd≠0 uimm[4:3|8:6] 10", "norm:c-ldsp_op", rv64i.ld, { rs1: SP }),
  // norm:c-jr_rsv
  "c.jr": jumpRegister("100 0 rs1≠0 00000 10", "norm:c-jr_op", rv64i.jalr, { rd: ZERO }),
  "c.mv": pair("100 0 rd rs2≠0 10", "norm:c-mv_op", rv64i.add, { rs1: ZERO }),
  "c.ebreak": compressed("none")("100 1 00000 00000 10", "norm:c-ebreak_op", rv64i.ebreak),
  "c.jalr": jumpRegister("100 1 rs1≠0 00000 10", "norm:c-jalr_op", rv64i.jalr, { rd: RA }),
  "c.add": pair("100 1 rd rs2≠0 10", "norm:c-add_op", rv64i.add, inPlace),
  "c.fsdsp": compressed("stackFloatStore")("101 uimm[5:3|8:6] rs2 10", "norm:c-fsdwsp_op", d.fsd, {
    rs1: SP,
  }),
  "c.swsp": stackStore("110 uimm[5:2|7:6] rs2 10", "norm:c-swsp_op", rv64i.sw, { rs1: SP }),
  "c.sdsp": stackStore("111 uimm[5:3|8:6] rs2 10", "norm:c-sdsp_op", rv64i.sd, { rs1: SP }),
} as const satisfies Record<string, Insn>;
