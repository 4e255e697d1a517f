/**
 * Semantics against a second arithmetic: unsigned integers modulo 2⁶⁴ with division and multiplication instead of
 * shifts and masks, signs by subtraction. The instructions under test work on signed words with bit operators.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ExecContext, Insn, Operands } from "../../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../../../lib/isa/instructions.ts";
import type { RegisterFile } from "../../../lib/isa/register.ts";

const WORD = 2n ** 64n;
const HALF = 2n ** 32n;

const mod = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus;
/** Two's complement value of an unsigned word. */
const signed = (value: bigint, modulus = WORD): bigint => (value * 2n >= modulus ? value - modulus : value);
/** Low 32 bits, sign-extended to an unsigned 64-bit word. */
const word = (value: bigint): bigint => mod(signed(mod(value, HALF), HALF), WORD);
const floorDivide = (a: bigint, b: bigint): bigint => (mod(a, b) === 0n || a >= 0n ? a / b : a / b - 1n);
/** Bit by bit, for the logical operations. */
const bitwise = (a: bigint, b: bigint, rule: (x: bigint, y: bigint) => boolean): bigint => {
  let result = 0n;
  for (let bit = 1n, x = a, y = b; bit < WORD; bit *= 2n, x /= 2n, y /= 2n)
    if (rule(x % 2n, y % 2n)) result += bit;
  return result;
};
const and = (a: bigint, b: bigint): bigint => bitwise(a, b, (x, y) => x + y === 2n);
const or = (a: bigint, b: bigint): bigint => bitwise(a, b, (x, y) => x + y > 0n);
const xor = (a: bigint, b: bigint): bigint => bitwise(a, b, (x, y) => x !== y);
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value);
/** Quotient and remainder as schoolbooks have them: magnitudes first, signs afterwards. */
const quotient = (a: bigint, b: bigint): bigint => {
  if (b === 0n) return -1n;
  const size = magnitude(a) / magnitude(b);
  return a < 0n === b < 0n ? size : -size;
};
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a - quotient(a, b) * b);

/** Result in rd (any integer; taken modulo 2⁶⁴), from unsigned a = rs1 and b = rs2 or the immediate modulo 2⁶⁴. */
type Model = (a: bigint, b: bigint, pc: bigint) => bigint;

const binary = {
  add: (a, b) => a + b,
  slt: (a, b) => (signed(a) < signed(b) ? 1n : 0n),
  sltu: (a, b) => (a < b ? 1n : 0n),
  xor,
  or,
  and,
  sll: (a, b) => a * 2n ** (b % 64n),
  srl: (a, b) => a / 2n ** (b % 64n),
  sra: (a, b) => floorDivide(signed(a), 2n ** (b % 64n)),
  addw: (a, b) => word(a + b),
  sllw: (a, b) => word(a * 2n ** (b % 32n)),
  srlw: (a, b) => word(mod(a, HALF) / 2n ** (b % 32n)),
  sraw: (a, b) => floorDivide(signed(mod(a, HALF), HALF), 2n ** (b % 32n)),
} as const satisfies Record<string, Model>;

/** The bits of an unsigned value, lowest first. */
const bitsOf = (value: bigint, width: number): bigint[] =>
  Array.from({ length: width }, (_, index) => (value / 2n ** BigInt(index)) % 2n);
const count = (flags: readonly boolean[]): bigint => BigInt(flags.filter(Boolean).length);
/** Length of the run of zeroes at the start of a list of bits. */
const zeroRun = (list: readonly bigint[]): bigint => {
  const first = list.indexOf(1n);
  return BigInt(first < 0 ? list.length : first);
};
const rotateLeft = (value: bigint, amount: bigint, width: bigint): bigint =>
  mod(value * 2n ** amount, 2n ** width) + value / 2n ** (width - amount);
const complement = (value: bigint): bigint => WORD - 1n - value;
const hasBit = (value: bigint, index: bigint): boolean => (value / 2n ** (index % 64n)) % 2n === 1n;
const power = (index: bigint): bigint => 2n ** (index % 64n);
const low = (value: bigint): bigint => mod(value, HALF);
/** Each byte of a value, lowest first. */
const bytesOf = (value: bigint): bigint[] =>
  Array.from({ length: 8 }, (_, index) => (value / 256n ** BigInt(index)) % 256n);
const joinBytes = (bytes: readonly bigint[]): bigint =>
  bytes.reduce((sum, byte, index) => sum + byte * 256n ** BigInt(index), 0n);

const bitManipulation = {
  "add.uw": (a, b) => b + low(a),
  sh1add: (a, b) => b + a * 2n,
  sh2add: (a, b) => b + a * 4n,
  sh3add: (a, b) => b + a * 8n,
  "sh1add.uw": (a, b) => b + low(a) * 2n,
  "sh2add.uw": (a, b) => b + low(a) * 4n,
  "sh3add.uw": (a, b) => b + low(a) * 8n,
  "slli.uw": (a, b) => low(a) * 2n ** b,
  andn: (a, b) => and(a, complement(b)),
  orn: (a, b) => or(a, complement(b)),
  xnor: (a, b) => complement(xor(a, b)),
  clz: (a) => zeroRun(bitsOf(a, 64).reverse()),
  clzw: (a) => zeroRun(bitsOf(low(a), 32).reverse()),
  ctz: (a) => zeroRun(bitsOf(a, 64)),
  ctzw: (a) => zeroRun(bitsOf(low(a), 32)),
  cpop: (a) => count(bitsOf(a, 64).map((bit) => bit === 1n)),
  cpopw: (a) => count(bitsOf(low(a), 32).map((bit) => bit === 1n)),
  max: (a, b) => (signed(a) > signed(b) ? a : b),
  maxu: (a, b) => (a > b ? a : b),
  min: (a, b) => (signed(a) > signed(b) ? b : a),
  minu: (a, b) => (a > b ? b : a),
  "sext.b": (a) => signed(mod(a, 256n), 256n),
  "sext.h": (a) => signed(mod(a, 65_536n), 65_536n),
  "zext.h": (a) => mod(a, 65_536n),
  rol: (a, b) => rotateLeft(a, b % 64n, 64n),
  rolw: (a, b) => word(rotateLeft(low(a), b % 32n, 32n)),
  ror: (a, b) => rotateLeft(a, (64n - (b % 64n)) % 64n, 64n),
  rori: (a, b) => rotateLeft(a, (64n - b) % 64n, 64n),
  roriw: (a, b) => word(rotateLeft(low(a), (32n - b) % 32n, 32n)),
  rorw: (a, b) => word(rotateLeft(low(a), (32n - (b % 32n)) % 32n, 32n)),
  "orc.b": (a) => joinBytes(bytesOf(a).map((byte) => (byte > 0n ? 255n : 0n))),
  rev8: (a) => joinBytes(bytesOf(a).reverse()),
  bclr: (a, b) => (hasBit(a, b) ? a - power(b) : a),
  bset: (a, b) => (hasBit(a, b) ? a : a + power(b)),
  binv: (a, b) => (hasBit(a, b) ? a - power(b) : a + power(b)),
  bext: (a, b) => (hasBit(a, b) ? 1n : 0n),
} as const satisfies Record<string, Model>;

const MODELS: { readonly [M in Mnemonic]?: Model } = {
  ...binary,
  ...bitManipulation,
  bclri: bitManipulation.bclr,
  bseti: bitManipulation.bset,
  binvi: bitManipulation.binv,
  bexti: bitManipulation.bext,
  sub: (a, b) => a - b,
  subw: (a, b) => word(a - b),
  addi: binary.add,
  slti: binary.slt,
  sltiu: binary.sltu,
  xori: xor,
  ori: or,
  andi: and,
  slli: binary.sll,
  srli: binary.srl,
  srai: binary.sra,
  addiw: binary.addw,
  slliw: binary.sllw,
  srliw: binary.srlw,
  sraiw: binary.sraw,
  lui: (_, imm) => imm,
  auipc: (_, imm, pc) => pc + imm,
  mul: (a, b) => a * b,
  mulh: (a, b) => floorDivide(signed(a) * signed(b), WORD),
  mulhsu: (a, b) => floorDivide(signed(a) * b, WORD),
  mulhu: (a, b) => (a * b) / WORD,
  div: (a, b) => quotient(signed(a), signed(b)),
  divu: (a, b) => (b === 0n ? WORD - 1n : (a - (a % b)) / b),
  rem: (a, b) => remainder(signed(a), signed(b)),
  remu: (a, b) => (b === 0n ? a : a % b),
  mulw: (a, b) => word(a * b),
  divw: (a, b) => word(quotient(signed(mod(a, HALF), HALF), signed(mod(b, HALF), HALF))),
  divuw: (a, b) => word(mod(b, HALF) === 0n ? -1n : mod(a, HALF) / mod(b, HALF)),
  remw: (a, b) => word(remainder(signed(mod(a, HALF), HALF), signed(mod(b, HALF), HALF))),
  "czero.eqz": (a, b) => (b === 0n ? 0n : a),
  "czero.nez": (a, b) => (b !== 0n ? 0n : a),
  remuw: (a, b) => word(mod(b, HALF) === 0n ? a : mod(a, HALF) % mod(b, HALF)),
};

const BRANCHES: { readonly [M in Mnemonic]?: (a: bigint, b: bigint) => boolean } = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => signed(a) < signed(b),
  bge: (a, b) => signed(a) >= signed(b),
  bltu: (a, b) => a < b,
  bgeu: (a, b) => a >= b,
};

/** The manual's rule for each. */
const RULES: { readonly [M in Mnemonic]?: string } = {
  lui: "norm:lui_op_rv64i norm:lui_op",
  auipc: "norm:auipc_op_rv64i norm:auipc_op",
  beq: "norm:beq_bne_op",
  bne: "norm:beq_bne_op",
  blt: "norm:blt_bltu_op",
  bge: "norm:bge_bgeu_op",
  bltu: "norm:blt_bltu_op",
  bgeu: "norm:bge_bgeu_op",
  addi: "norm:addi_op norm:addi_overflow",
  slti: "norm:slti_sltiu_op",
  sltiu: "norm:slti_sltiu_op",
  xori: "norm:andi_ori_xori_op",
  ori: "norm:andi_ori_xori_op",
  andi: "norm:andi_ori_xori_op",
  slli: "norm:sll_srl_sra_sh_amt_rv64i norm:slli_op",
  srli: "norm:sll_srl_sra_sh_amt_rv64i norm:srli_op",
  srai: "norm:sll_srl_sra_sh_amt_rv64i norm:srai_op",
  add: "norm:add_op norm:add_sub_overflow norm:R-type_operands",
  sub: "norm:sub_op norm:add_sub_overflow",
  sll: "norm:sll_srl_sra_sh_amt_rv64i norm:sll_srl_sra_op",
  slt: "norm:slt_sltu_op",
  sltu: "norm:slt_sltu_op",
  xor: "norm:and_or_xor_op",
  srl: "norm:sll_srl_sra_sh_amt_rv64i norm:sll_srl_sra_op",
  sra: "norm:sll_srl_sra_sh_amt_rv64i norm:sll_srl_sra_op",
  or: "norm:and_or_xor_op",
  and: "norm:and_or_xor_op",
  addiw: "norm:addiw_op norm:addiw_overflow norm:rv64_w_sex",
  slliw: "norm:slliw_srliw_sraiw_op norm:rv64_w_sex",
  srliw: "norm:slliw_srliw_sraiw_op norm:rv64_w_sex",
  sraiw: "norm:slliw_srliw_sraiw_op norm:rv64_w_sex",
  addw: "norm:addw_subw_op norm:addw_subw_overflow norm:rv64_w_sex",
  subw: "norm:addw_subw_op norm:addw_subw_overflow norm:rv64_w_sex",
  sllw: "norm:sllw_srlw_sraw_op",
  srlw: "norm:sllw_srlw_sraw_op",
  sraw: "norm:sllw_srlw_sraw_op",
  mul: "norm:mul_op",
  mulh: "norm:mulh_mulhu_mulhsu_op",
  mulhsu: "norm:mulh_mulhu_mulhsu_op",
  mulhu: "norm:mulh_mulhu_mulhsu_op",
  div: "norm:div_divu_op",
  divu: "norm:div_divu_op",
  rem: "norm:rem_remu_op",
  remu: "norm:rem_remu_op",
  mulw: "norm:mulw_op",
  divw: "norm:divw_divuw_op",
  divuw: "norm:divw_divuw_op",
  remw: "norm:remw_remuw_op",
  remuw: "norm:remw_remuw_op",
  "czero.eqz": "norm:czero-eqz_op",
  "czero.nez": "norm:czero-nez_op",
  "add.uw": "norm:add_uw_op",
  sh1add: "norm:sh1add_op",
  sh2add: "norm:sh2add_op",
  sh3add: "norm:sh3add_op",
  "sh1add.uw": "norm:sh1add_uw_op",
  "sh2add.uw": "norm:sh2add_uw_op",
  "sh3add.uw": "norm:sh3add_uw_op",
  "slli.uw": "norm:slli_uw_op",
  andn: "norm:andn_op",
  orn: "norm:orn_op",
  xnor: "norm:xnor_op",
  clz: "norm:clz_op",
  clzw: "norm:clzw_op",
  ctz: "norm:ctz_op",
  ctzw: "norm:ctzw_op",
  cpop: "norm:cpop_op",
  cpopw: "norm:cpopw_op",
  max: "norm:max_op",
  maxu: "norm:maxu_op",
  min: "norm:min_op",
  minu: "norm:minu_op",
  "sext.b": "norm:sext_b_op",
  "sext.h": "norm:sext_h_op",
  "zext.h": "norm:zext_h_op",
  rol: "norm:rol_op",
  rolw: "norm:rolw_op",
  ror: "norm:ror_op",
  rori: "norm:rori_op",
  roriw: "norm:roriw_op",
  rorw: "norm:rorw_op",
  "orc.b": "norm:orc_b_op",
  rev8: "norm:rev8_op",
  bclr: "norm:bclr_op",
  bclri: "norm:bclri_op",
  bext: "norm:bext_op",
  bexti: "norm:bexti_op",
  binv: "norm:binv_op",
  binvi: "norm:binvi_op",
  bset: "norm:bset_op",
  bseti: "norm:bseti_op",
};

/** A hart that can compute and jump, and nothing else. */
class FakeHart {
  readonly x: RegisterFile = new BigInt64Array(32) as unknown as RegisterFile;
  readonly pc: bigint;
  readonly followingPc: bigint;
  jumpedTo: bigint | undefined;
  constructor(pc: bigint) {
    this.pc = pc;
    this.followingPc = pc + 4n;
  }
  jump(target: bigint): undefined {
    this.jumpedTo = BigInt.asUintN(64, target);
  }
}

const execute = (mnemonic: Mnemonic, hart: FakeHart, operands: Partial<Operands>): unknown =>
  INSTRUCTIONS[mnemonic].execute(hart as unknown as ExecContext, {
    word: 0,
    rd: 0,
    rs1: 0,
    rs2: 0,
    rs3: 0,
    imm: 0n,
    csr: 0,
    ...operands,
  });

/** 64-bit words in which edges are frequent. */
const wordArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.bigInt({ min: 0n, max: WORD - 1n }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      0n,
      1n,
      2n,
      WORD - 1n,
      2n ** 63n,
      2n ** 63n - 1n,
      2n ** 31n,
      2n ** 31n - 1n,
      HALF - 1n,
      HALF,
      WORD - 2n ** 31n,
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: -64, max: 64 }).map((value) => mod(BigInt(value), WORD)) },
);
const pcArbitrary = fc.bigInt({ min: 0n, max: 2n ** 62n - 1n }).map((value) => value * 4n);

/** Immediates that an instruction's encoding can hold. */
function immediateOf(insn: Insn): fc.Arbitrary<bigint> {
  const field = insn.fields.find(({ name }) => name === "imm" || name === "shamt");
  if (field === undefined) return fc.constant(0n);
  const width = BigInt(field.widthBits);
  const [min, max] = field.signed ? [-(2n ** (width - 1n)), 2n ** (width - 1n) - 1n] : [0n, 2n ** width - 1n];
  return fc.bigInt({ min, max }).map((value) => value - mod(value, 2n ** BigInt(field.lowestBit)));
}

const COMPUTING_FORMS: readonly string[] = ["registers", "immediate", "shift", "upper", "unary"];
const numRuns = process.env["DOM0_TEST_FULL"] === "1" ? 20_000 : 400;

describe("instructions that compute", () => {
  const computing = MNEMONICS.filter((mnemonic) => COMPUTING_FORMS.includes(INSTRUCTIONS[mnemonic].form));

  it("all have a model here", () => {
    expect(computing.filter((mnemonic) => MODELS[mnemonic] === undefined)).toEqual([]);
    expect(computing.length).toBe(43 + 8 + 24 + 8 + 2);
  });

  for (const mnemonic of computing) {
    it(`${mnemonic} agrees with unsigned arithmetic modulo 2^64 (${RULES[mnemonic]})`, () => {
      const insn: Insn = INSTRUCTIONS[mnemonic];
      const model = MODELS[mnemonic];
      if (model === undefined) throw new Error(`no model of ${mnemonic}`);
      const usesImmediate = insn.form !== "registers";
      fc.assert(
        fc.property(wordArbitrary, wordArbitrary, immediateOf(insn), pcArbitrary, (a, b, imm, pc) => {
          const hart = new FakeHart(pc);
          hart.x[5] = a;
          hart.x[6] = b;
          expect(execute(mnemonic, hart, { rd: 7, rs1: 5, rs2: 6, imm })).toBeUndefined();
          const second = usesImmediate ? mod(imm, WORD) : b;
          expect(BigInt.asUintN(64, hart.x[7])).toBe(mod(model(a, second, pc), WORD));
          expect([BigInt.asUintN(64, hart.x[5]), BigInt.asUintN(64, hart.x[6])]).toEqual([a, b]);
        }),
        { seed: 1, numRuns },
      );
    });
  }

  it("cannot be taken for one another: the models here tell every instruction from all others of its form", () => {
    const words = fc.sample(fc.tuple(wordArbitrary, wordArbitrary), { seed: 5, numRuns: 300 });
    const results = (mnemonic: Mnemonic): string =>
      words
        .map(([a, b]) => {
          const hart = new FakeHart(0x8000_0000n);
          [hart.x[5], hart.x[6]] = [a, b];
          execute(mnemonic, hart, { rd: 7, rs1: 5, rs2: 6, imm: b % 32n });
          return hart.x[7];
        })
        .join();
    for (const form of COMPUTING_FORMS) {
      const ofForm = computing.filter((mnemonic) => INSTRUCTIONS[mnemonic].form === form);
      expect(new Set(ofForm.map(results)).size, form).toBe(ofForm.length);
    }
  });

  it("may have the destination equal to a source", () => {
    fc.assert(
      fc.property(wordArbitrary, wordArbitrary, fc.constantFrom(...computing), (a, b, mnemonic) => {
        const apart = new FakeHart(0n);
        const same = new FakeHart(0n);
        for (const hart of [apart, same]) [hart.x[5], hart.x[6]] = [a, b];
        execute(mnemonic, apart, { rd: 7, rs1: 5, rs2: 6 });
        execute(mnemonic, same, { rd: 5, rs1: 5, rs2: 6 });
        expect(same.x[5], mnemonic).toBe(apart.x[7]);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });
});

describe("instructions that branch", () => {
  for (const [mnemonic, model] of Object.entries(BRANCHES) as [
    Mnemonic,
    (a: bigint, b: bigint) => boolean,
  ][]) {
    it(`${mnemonic} jumps exactly when its comparison holds (${RULES[mnemonic]} norm:br_target)`, () => {
      const pairs = fc.oneof(
        fc.tuple(wordArbitrary, wordArbitrary),
        wordArbitrary.map((a) => [a, a] as [bigint, bigint]),
      );
      fc.assert(
        fc.property(pairs, immediateOf(INSTRUCTIONS[mnemonic]), pcArbitrary, ([a, b], imm, pc) => {
          const hart = new FakeHart(pc);
          hart.x[5] = a;
          hart.x[6] = b;
          execute(mnemonic, hart, { rs1: 5, rs2: 6, imm });
          expect(hart.jumpedTo).toBe(model(a, b) ? mod(pc + imm, WORD) : undefined);
        }),
        { seed: 1, numRuns },
      );
    });
  }

  it("jal links what follows it and jumps as far as its immediate says (norm:jal_op)", () => {
    fc.assert(
      fc.property(immediateOf(INSTRUCTIONS.jal), pcArbitrary, (imm, pc) => {
        const hart = new FakeHart(pc);
        execute("jal", hart, { rd: 5, imm });
        expect(hart.jumpedTo).toBe(mod(pc + imm, WORD));
        expect(BigInt.asUintN(64, hart.x[5])).toBe(mod(pc + 4n, WORD));
      }),
      { seed: 1, numRuns },
    );
  });

  it("jalr clears the lowest bit of its target and reads its base before it writes the link (norm:jalr_op norm:jalr_target)", () => {
    fc.assert(
      fc.property(wordArbitrary, immediateOf(INSTRUCTIONS.jalr), pcArbitrary, (base, imm, pc) => {
        const hart = new FakeHart(pc);
        hart.x[5] = base;
        execute("jalr", hart, { rd: 5, rs1: 5, imm });
        const target = mod(base + imm, WORD);
        expect(hart.jumpedTo).toBe(target - (target % 2n));
        expect(BigInt.asUintN(64, hart.x[5])).toBe(mod(pc + 4n, WORD));
      }),
      { seed: 1, numRuns },
    );
  });
});

describe("division's odd cases, as the manual's table gives them (norm:div_by_zero norm:rem_by_zero norm:signed_div_overflow norm:rem_result_sign norm:remw_remuw_result_sign)", () => {
  const MIN = -(2n ** 63n);
  const MIN32 = -(2n ** 31n);
  it.each([
    ["div", 7n, 0n, -1n],
    ["divu", 7n, 0n, -1n],
    ["rem", 7n, 0n, 7n],
    ["remu", 7n, 0n, 7n],
    ["div", MIN, -1n, MIN],
    ["rem", MIN, -1n, 0n],
    ["divw", 7n, 0n, -1n],
    ["divuw", 7n, 0n, -1n],
    ["remw", -7n, 0n, -7n],
    ["remuw", 0xffff_ffffn, 0n, -1n],
    ["divw", MIN32, -1n, MIN32],
    ["remw", MIN32, -1n, 0n],
    ["div", -7n, 2n, -3n],
    ["rem", -7n, 2n, -1n],
    ["rem", 7n, -2n, 1n],
  ] as const)("%s %d, %d gives %d", (mnemonic, a, b, expected) => {
    const hart = new FakeHart(0n);
    hart.x[5] = a;
    hart.x[6] = b;
    execute(mnemonic, hart, { rd: 7, rs1: 5, rs2: 6 });
    expect(hart.x[7]).toBe(expected);
  });
});
