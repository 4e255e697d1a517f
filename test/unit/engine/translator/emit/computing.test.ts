/** Instructions that compute and branches: what is emitted against the records of the instruction set. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emitterOf } from "../../../../../lib/engine/translator/emit/table.ts";
import { type DecodedInsn, decode } from "../../../../../lib/isa/decode.ts";
import type { ExecContext, Insn } from "../../../../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../../../../../lib/isa/instructions.ts";
import { Ending, PC, TranslatedMemory, wordsAlone } from "../../../../support/emitted-instruction.ts";

const NUM_RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 4000 : 250;
const WORDS_OF_EACH = 24;

/** Numbers at which arithmetic goes wrong. */
const CORNERS = [
  ...[0n, 1n, 2n, -1n, -2n, 31n, 32n, 33n, 63n, 64n, 65n],
  ...[0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn],
  ...[0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, -0x8000_0000n, -0x8000_0001n],
  ...[2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) + 1n, 0x0123_4567_89ab_cdefn, -0x0123_4567_89ab_cdefn],
  ...[0x00ff_0000_8000_0001n, 0x0100_0000_0000_00ffn],
].map((value) => BigInt.asIntN(64, value));

const operand = fc.oneof(fc.constantFrom(...CORNERS), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));

/** What a hart is to an instruction that neither reaches memory nor is privileged. */
function contextOf(
  x: BigInt64Array,
  { sizeBytes }: DecodedInsn,
): { context: ExecContext; target: () => bigint | undefined } {
  let target: bigint | undefined;
  const context = {
    x,
    pc: PC,
    followingPc: PC + BigInt(sizeBytes),
    fenceInstructions: () => undefined,
    jump: (to: bigint): void => {
      target = BigInt.asUintN(64, to);
    },
  } as unknown as ExecContext;
  return { context, target: () => target };
}

/** Words of an instruction: random operands, and small registers, so that some are x0 and some are the same. */
function wordsOf(mnemonic: Mnemonic): DecodedInsn[] {
  const { mask, match } = INSTRUCTIONS[mnemonic] as Insn;
  const random = fc.sample(fc.integer({ min: 0, max: 0xffff_ffff }), { seed: 5, numRuns: WORDS_OF_EACH * 4 });
  // In every second word, registers from x0 to x3, and immediates of two bits.
  const small = random.map((bits, index) => (index % 2 === 0 ? bits : bits & 0x0031_81ff));
  const words = small.map((bits) => ((bits & ~mask) | match) >>> 0);
  const decoded = words.map((word) => decode(word)).filter((insn) => insn?.mnemonic === mnemonic);
  return decoded.slice(0, WORDS_OF_EACH) as DecodedInsn[];
}

const memory = new TranslatedMemory(4096);

/** Runs the same instruction on both sides. */
function compare(decoded: DecodedInsn, execute: () => number, registers: readonly bigint[]): void {
  memory.x.set(registers);
  memory.x[0] = 0n;
  const x = memory.x.slice();
  const { context, target } = contextOf(x, decoded);
  decoded.execute(context, decoded);
  x[0] = 0n;
  const ending = execute();
  const isTaken = target() !== undefined;
  expect(ending, decoded.word.toString(16)).toBe(isTaken ? Ending.BRANCH : Ending.FOLLOWING);
  if (isTaken) expect(target()).toBe(BigInt.asUintN(64, PC + decoded.imm));
  expect(memory.x, decoded.word.toString(16)).toEqual(x);
}

const PURE: ReadonlySet<string> = new Set(["compute", "branch", "nothing"]);

describe("An instruction that computes", () => {
  const tested = MNEMONICS.filter((mnemonic) =>
    wordsOf(mnemonic).every((decoded) => PURE.has(emitterOf(decoded)?.emitter.kind ?? "")),
  );

  for (const mnemonic of tested) {
    it(`${mnemonic} does what its record does`, () => {
      const instructions = wordsOf(mnemonic);
      expect(instructions.length).toBeGreaterThan(0);
      const functions = memory.compile(instructions);
      const registers = fc.array(operand, { minLength: 32, maxLength: 32 });
      fc.assert(
        fc.property(registers, fc.nat(instructions.length - 1), (values, index) => {
          const decoded = instructions[index] as DecodedInsn;
          compare(decoded, functions[index] as () => number, values);
        }),
        { seed: 5, numRuns: NUM_RUNS },
      );
    });
  }
});

describe("In its form for words, on words", () => {
  const word = fc.oneof(fc.constantFrom(...CORNERS), operand).map((value) => BigInt.asIntN(32, value));
  /** What the form asks of registers; undefined for instructions without one. */
  const registersOf = (decoded: DecodedInsn): fc.Arbitrary<bigint> | undefined => {
    const emitter = emitterOf(decoded)?.emitter;
    if (emitter?.kind === "branch") return word;
    if (emitter?.kind !== "compute" || emitter.word === undefined) return undefined;
    return emitter.word.of === "any" ? operand : word;
  };
  const tested = MNEMONICS.filter((mnemonic) => wordsOf(mnemonic).some(registersOf));

  it("is most of the arithmetic of 32 bits, what works on bits, and all branches", () => {
    expect(tested.length).toBeGreaterThanOrEqual(38);
  });

  it.each(tested)("%s does what its record does", (mnemonic) => {
    for (const decoded of wordsOf(mnemonic)) {
      const register = registersOf(decoded);
      if (register === undefined) continue;
      const [execute] = memory.compile([decoded], 255, wordsAlone);
      fc.assert(
        fc.property(fc.array(register, { minLength: 32, maxLength: 32 }), (values) => {
          compare(decoded, execute as () => number, values);
        }),
        { seed: 5, numRuns: NUM_RUNS / 10 },
      );
    }
  });
});

describe("Two operands from the corners", () => {
  for (const mnemonic of ["mul", "mulh", "mulhsu", "mulhu", "div", "divu", "rem", "remu"] as const) {
    it(`are all paired in ${mnemonic}, and in its form for words`, () => {
      for (const name of [mnemonic, `${mnemonic}w`]) {
        if (!(name in INSTRUCTIONS)) continue;
        const { match } = INSTRUCTIONS[name as Mnemonic] as Insn;
        const decoded = decode(match | (3 << 7) | (1 << 15) | (2 << 20)) as DecodedInsn;
        const [execute] = memory.compile([decoded]);
        for (const a of CORNERS) {
          for (const b of CORNERS) {
            const registers = Array.from({ length: 32 }, (_, index) =>
              index === 1 ? a : index === 2 ? b : 0n,
            );
            compare(decoded, execute as () => number, registers);
          }
        }
      }
    });
  }
});
