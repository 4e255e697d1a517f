/** RV64I: the base integer instructions. A record is the manual's row, its rule, and what the instruction does. */
import { asU64 } from "../bits/int64.ts";
import { computing, type ExecContext, type Insn, type Operands, trapping } from "./insn.ts";
import { isVirtual, MODE_NUMBER } from "./mode.ts";
import { exception, inGuest } from "./trap.ts";

const registers = computing("registers");
const immediate = computing("immediate");
const shift = computing("shift");
const upper = computing("upper");
const load = trapping("load");
const store = trapping("store");

const branch = computing("branch");

/** The low 32 bits, sign-extended: what every `…W` instruction leaves in its register. @spec norm:rv64_w_sex */
const word = (value: bigint): bigint => BigInt.asIntN(32, value);
const unsignedWord = (value: bigint): bigint => BigInt.asUintN(32, value);
const flag = (condition: boolean): bigint => (condition ? 1n : 0n);

/** Targets are even, so no jump is misaligned while there are compressed instructions. @spec norm:jump_misaligned_c_no_exception */
function jumpAndLink(hart: ExecContext, { rd, imm }: Operands): undefined {
  hart.x[rd] = hart.followingPc; // norm:jal_op
  hart.jump(hart.pc + imm); // norm:jal_op
}

/** The base is read before the link is written, for `rd` may be `rs1`. @spec norm:jalr_target */
function jumpAndLinkRegister(hart: ExecContext, { rd, rs1, imm }: Operands): undefined {
  const target = (hart.x[rs1] + imm) & ~1n; // norm:jalr_op
  hart.x[rd] = hart.followingPc;
  hart.jump(target);
}

/** The cause tells the mode that asked; VU-mode's is U-mode's. @spec norm:ecall_op2 @spec norm:H_cause_ecall */
const ECALL_FROM = {
  [MODE_NUMBER.U]: "ecallFromU",
  [MODE_NUMBER.S]: "ecallFromS",
  [MODE_NUMBER.M]: "ecallFromM",
  [MODE_NUMBER.VU]: "ecallFromU",
  [MODE_NUMBER.VS]: "ecallFromVs",
} as const;

/** @spec norm:br_target */
const branchIf = (isTaken: boolean, hart: ExecContext, imm: bigint): undefined =>
  isTaken ? hart.jump(hart.pc + imm) : undefined;

/** Rules that several records share. */
const EQUAL = "norm:beq_bne_op";
const LESS = "norm:blt_bltu_op";
const NOT_LESS = "norm:bge_bgeu_op";
const SHIFT = "norm:sll_srl_sra_sh_amt_rv64i";
const SHIFT_W = "norm:slliw_srliw_sraiw_op";
const LOAD_SMALL = "norm:lh_lhu_lb_lbu_op_rv64i";
const STORE = "norm:sd_sw_sh_sb_op_rv64i";

/** The base instruction set. @spec unpriv §"RV64I Base Integer Instruction Set" */
export const rv64i = {
  // norm:lui_op
  lui: upper("imm[31:12] rd 0110111", "norm:lui_op_rv64i", ({ x }, { rd, imm }) => {
    x[rd] = imm;
  }),
  // norm:auipc_op
  auipc: upper("imm[31:12] rd 0010111", "norm:auipc_op_rv64i", (hart, { rd, imm }) => {
    hart.x[rd] = hart.pc + imm;
  }),
  jal: trapping("jump")("imm[20|10:1|11|19:12] rd 1101111", "norm:jal_op", jumpAndLink),
  jalr: load("imm[11:0] rs1 000 rd 1100111", "norm:jalr_op", jumpAndLinkRegister),
  beq: branch("imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011", EQUAL, (hart, { rs1, rs2, imm }) =>
    branchIf(hart.x[rs1] === hart.x[rs2], hart, imm),
  ),
  bne: branch("imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011", EQUAL, (hart, { rs1, rs2, imm }) =>
    branchIf(hart.x[rs1] !== hart.x[rs2], hart, imm),
  ),
  blt: branch("imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011", LESS, (hart, { rs1, rs2, imm }) =>
    branchIf(hart.x[rs1] < hart.x[rs2], hart, imm),
  ),
  bge: branch("imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011", NOT_LESS, (hart, { rs1, rs2, imm }) =>
    branchIf(hart.x[rs1] >= hart.x[rs2], hart, imm),
  ),
  bltu: branch("imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011", LESS, (hart, { rs1, rs2, imm }) =>
    branchIf(asU64(hart.x[rs1]) < asU64(hart.x[rs2]), hart, imm),
  ),
  bgeu: branch("imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011", NOT_LESS, (hart, { rs1, rs2, imm }) =>
    branchIf(asU64(hart.x[rs1]) >= asU64(hart.x[rs2]), hart, imm),
  ),
  // norm:lb_lbu_op norm:ldst_ea norm:load_op
  lb: load("imm[11:0] rs1 000 rd 0000011", LOAD_SMALL, (hart, { rd, rs1, imm }) =>
    hart.load8(rd, hart.x[rs1] + imm),
  ),
  // norm:lh_op
  lh: load("imm[11:0] rs1 001 rd 0000011", LOAD_SMALL, (hart, { rd, rs1, imm }) =>
    hart.load16(rd, hart.x[rs1] + imm),
  ),
  // norm:lw_op
  lw: load("imm[11:0] rs1 010 rd 0000011", "norm:lw_op_rv64i", (hart, { rd, rs1, imm }) =>
    hart.load32(rd, hart.x[rs1] + imm),
  ),
  ld: load("imm[11:0] rs1 011 rd 0000011", "norm:ld_op_rv64i", (hart, { rd, rs1, imm }) =>
    hart.load64(rd, hart.x[rs1] + imm),
  ),
  // norm:lb_lbu_op
  lbu: load("imm[11:0] rs1 100 rd 0000011", LOAD_SMALL, (hart, { rd, rs1, imm }) =>
    hart.load8U(rd, hart.x[rs1] + imm),
  ),
  // norm:lhu_op
  lhu: load("imm[11:0] rs1 101 rd 0000011", LOAD_SMALL, (hart, { rd, rs1, imm }) =>
    hart.load16U(rd, hart.x[rs1] + imm),
  ),
  lwu: load("imm[11:0] rs1 110 rd 0000011", "norm:lwu_op", (hart, { rd, rs1, imm }) =>
    hart.load32U(rd, hart.x[rs1] + imm),
  ),
  // norm:sw_sh_sb_op norm:store_op
  sb: store("imm[11:5] rs2 rs1 000 imm[4:0] 0100011", STORE, (hart, { rs1, rs2, imm }) =>
    hart.store8(hart.x[rs1] + imm, rs2),
  ),
  // norm:sw_sh_sb_op
  sh: store("imm[11:5] rs2 rs1 001 imm[4:0] 0100011", STORE, (hart, { rs1, rs2, imm }) =>
    hart.store16(hart.x[rs1] + imm, rs2),
  ),
  // norm:sw_sh_sb_op
  sw: store("imm[11:5] rs2 rs1 010 imm[4:0] 0100011", STORE, (hart, { rs1, rs2, imm }) =>
    hart.store32(hart.x[rs1] + imm, rs2),
  ),
  sd: store("imm[11:5] rs2 rs1 011 imm[4:0] 0100011", STORE, (hart, { rs1, rs2, imm }) =>
    hart.store64(hart.x[rs1] + imm, rs2),
  ),
  // norm:addi_overflow
  addi: immediate("imm[11:0] rs1 000 rd 0010011", "norm:addi_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] + imm;
  }),
  slti: immediate("imm[11:0] rs1 010 rd 0010011", "norm:slti_sltiu_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = flag(x[rs1] < imm);
  }),
  sltiu: immediate("imm[11:0] rs1 011 rd 0010011", "norm:slti_sltiu_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = flag(asU64(x[rs1]) < asU64(imm));
  }),
  xori: immediate("imm[11:0] rs1 100 rd 0010011", "norm:andi_ori_xori_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] ^ imm;
  }),
  ori: immediate("imm[11:0] rs1 110 rd 0010011", "norm:andi_ori_xori_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] | imm;
  }),
  andi: immediate("imm[11:0] rs1 111 rd 0010011", "norm:andi_ori_xori_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] & imm;
  }),
  // norm:slli_op
  slli: shift("000000 shamt[5:0] rs1 001 rd 0010011", SHIFT, ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] << imm;
  }),
  // norm:srli_op
  srli: shift("000000 shamt[5:0] rs1 101 rd 0010011", SHIFT, ({ x }, { rd, rs1, imm }) => {
    x[rd] = asU64(x[rs1]) >> imm;
  }),
  // norm:srai_op
  srai: shift("010000 shamt[5:0] rs1 101 rd 0010011", SHIFT, ({ x }, { rd, rs1, imm }) => {
    x[rd] = x[rs1] >> imm;
  }),
  // norm:add_sub_overflow norm:R-type_operands
  add: registers("0000000 rs2 rs1 000 rd 0110011", "norm:add_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] + x[rs2];
  }),
  // norm:add_sub_overflow
  sub: registers("0100000 rs2 rs1 000 rd 0110011", "norm:sub_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] - x[rs2];
  }),
  // norm:sll_srl_sra_op
  sll: registers("0000000 rs2 rs1 001 rd 0110011", SHIFT, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] << (x[rs2] & 63n);
  }),
  slt: registers("0000000 rs2 rs1 010 rd 0110011", "norm:slt_sltu_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = flag(x[rs1] < x[rs2]);
  }),
  sltu: registers("0000000 rs2 rs1 011 rd 0110011", "norm:slt_sltu_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = flag(asU64(x[rs1]) < asU64(x[rs2]));
  }),
  xor: registers("0000000 rs2 rs1 100 rd 0110011", "norm:and_or_xor_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] ^ x[rs2];
  }),
  // norm:sll_srl_sra_op
  srl: registers("0000000 rs2 rs1 101 rd 0110011", SHIFT, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = asU64(x[rs1]) >> (x[rs2] & 63n);
  }),
  // norm:sll_srl_sra_op
  sra: registers("0100000 rs2 rs1 101 rd 0110011", SHIFT, ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] >> (x[rs2] & 63n);
  }),
  or: registers("0000000 rs2 rs1 110 rd 0110011", "norm:and_or_xor_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] | x[rs2];
  }),
  and: registers("0000000 rs2 rs1 111 rd 0110011", "norm:and_or_xor_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = x[rs1] & x[rs2];
  }),
  // norm:addiw_overflow
  addiw: immediate("imm[11:0] rs1 000 rd 0011011", "norm:addiw_op", ({ x }, { rd, rs1, imm }) => {
    x[rd] = word(x[rs1] + imm);
  }),
  slliw: shift("0000000 shamt[4:0] rs1 001 rd 0011011", SHIFT_W, ({ x }, { rd, rs1, imm }) => {
    x[rd] = word(x[rs1] << imm);
  }),
  srliw: shift("0000000 shamt[4:0] rs1 101 rd 0011011", SHIFT_W, ({ x }, { rd, rs1, imm }) => {
    x[rd] = word(unsignedWord(x[rs1]) >> imm);
  }),
  sraiw: shift("0100000 shamt[4:0] rs1 101 rd 0011011", SHIFT_W, ({ x }, { rd, rs1, imm }) => {
    x[rd] = word(x[rs1]) >> imm;
  }),
  // norm:addw_subw_overflow
  addw: registers("0000000 rs2 rs1 000 rd 0111011", "norm:addw_subw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(x[rs1] + x[rs2]);
  }),
  // norm:addw_subw_overflow
  subw: registers("0100000 rs2 rs1 000 rd 0111011", "norm:addw_subw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(x[rs1] - x[rs2]);
  }),
  sllw: registers("0000000 rs2 rs1 001 rd 0111011", "norm:sllw_srlw_sraw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(x[rs1] << (x[rs2] & 31n));
  }),
  srlw: registers("0000000 rs2 rs1 101 rd 0111011", "norm:sllw_srlw_sraw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(unsignedWord(x[rs1]) >> (x[rs2] & 31n));
  }),
  sraw: registers("0100000 rs2 rs1 101 rd 0111011", "norm:sllw_srlw_sraw_op", ({ x }, { rd, rs1, rs2 }) => {
    x[rd] = word(x[rs1]) >> (x[rs2] & 31n);
  }),
  // One hart and a bus without reordering: every access is in order already.
  fence: computing("fence")("fm pred succ rs1 000 rd 0001111", "norm:fence_op", () => undefined),
  ecall: trapping("none")("000000000000 00000 000 00000 1110011", "norm:ecall_op2", (hart) =>
    exception(ECALL_FROM[hart.mode]),
  ),
  ebreak: trapping("none")("000000000001 00000 000 00000 1110011", "norm:ebreak_op2", (hart) =>
    inGuest(exception("breakpoint", hart.pc), isVirtual(hart.mode)),
  ),
} as const satisfies Record<string, Insn>;
