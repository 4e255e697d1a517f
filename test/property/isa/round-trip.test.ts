/** Laws of the encodings: what is disassembled assembles to the same word. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { decode } from "../../../lib/isa/decode.ts";
import { disassemble } from "../../../lib/isa/disassemble.ts";
import { insertField, matches } from "../../../lib/isa/encoding.ts";
import { FORMS, type FormShape } from "../../../lib/isa/form.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { INSTRUCTIONS, MNEMONICS } from "../../../lib/isa/instructions.ts";

const ADDRESS = 0x8000_4000n;

/** Words of an instruction with random operands; fields that its text does not show stay zero. */
function wordsOf(insn: Insn): fc.Arbitrary<number> {
  const shape: FormShape = FORMS[insn.form];
  const shown = insn.fields.filter(({ name }) => shape.operands.some(({ field }) => field === name));
  return fc
    .tuple(
      ...shown.map(({ widthBits, lowestBit }) =>
        fc.integer({ min: 0, max: 2 ** (widthBits - lowestBit) - 1 }).map((value) => value << lowestBit),
      ),
    )
    .map((values) =>
      shown.reduce((word, field, index) => insertField(word, field, values[index] ?? 0), insn.match),
    )
    .filter((word) => matches(word, insn));
}

describe("assemble after disassemble", () => {
  for (const mnemonic of MNEMONICS) {
    it(`gives back every word of ${mnemonic}`, () => {
      const insn: Insn = INSTRUCTIONS[mnemonic];
      fc.assert(
        fc.property(wordsOf(insn), (word) => {
          const text = disassemble(word, ADDRESS);
          const program = assemble(text, { origin: ADDRESS });
          if (program.kind !== "program") throw new Error(`${text}: ${program.message}`);
          expect(program.bytes.length).toBe(insn.sizeBytes);
          expect(
            [...program.bytes].reduceRight((high, byte) => high * 256 + byte, 0),
            text,
          ).toBe(word >>> 0);
        }),
        { seed: 1, numRuns: 100 },
      );
    });
  }
});

describe("decoding", () => {
  it("finds at most one instruction for a word, and the one whose diagram it fits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (word) => {
        const matching = MNEMONICS.filter((name) => matches(word, INSTRUCTIONS[name]));
        expect(matching.length).toBeLessThanOrEqual(1);
        expect(decode(word)?.mnemonic).toBe(matching[0]);
      }),
      { seed: 1, numRuns: 20_000 },
    );
  });

  it("gives every 16-bit word the length, and the instruction, of its quadrant", () => {
    for (let word = 0; word < 2 ** 16; word++) {
      const decoded = decode(word);
      if (decoded === undefined) continue;
      expect(decoded.sizeBytes, word.toString(16)).toBe((word & 3) === 3 ? 4 : 2);
      // What follows in memory does not matter to a compressed instruction.
      if (decoded.sizeBytes === 2) expect(decode(word | 0xdead_0000)).toEqual(decoded);
    }
  });

  it("reads without an address what it reads with one, but for targets", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (word) => {
        const program = assemble(disassemble(word), { origin: 0 });
        expect(program.kind, disassemble(word)).toBe("program");
      }),
      { seed: 2, numRuns: 2000 },
    );
  });
});
