/** The words of the bit-manipulation instructions as GNU as 2.40 writes them: a table, for machines that have no GNU as. */
import { describe, expect, it } from "vitest";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { disassemble } from "../../../lib/isa/disassemble.ts";

/** Text, word, the manual's rule. */
const WORDS = [
  ["add.uw a0, s1, t6", 0x09f4_853b, "norm:add_uw_enc"],
  ["sh1add a0, s1, t6", 0x21f4_a533, "norm:sh1add_enc"],
  ["sh2add a0, s1, t6", 0x21f4_c533, "norm:sh2add_enc"],
  ["sh3add a0, s1, t6", 0x21f4_e533, "norm:sh3add_enc"],
  ["sh1add.uw a0, s1, t6", 0x21f4_a53b, "norm:sh1add_uw_enc"],
  ["sh2add.uw a0, s1, t6", 0x21f4_c53b, "norm:sh2add_uw_enc"],
  ["sh3add.uw a0, s1, t6", 0x21f4_e53b, "norm:sh3add_uw_enc"],
  ["andn a0, s1, t6", 0x41f4_f533, "norm:andn_enc"],
  ["orn a0, s1, t6", 0x41f4_e533, "norm:orn_enc"],
  ["xnor a0, s1, t6", 0x41f4_c533, "norm:xnor_enc"],
  ["clz a0, s1", 0x6004_9513, "norm:clz_enc"],
  ["clzw a0, s1", 0x6004_951b, "norm:clzw_enc"],
  ["ctz a0, s1", 0x6014_9513, "norm:ctz_enc"],
  ["ctzw a0, s1", 0x6014_951b, "norm:ctzw_enc"],
  ["cpop a0, s1", 0x6024_9513, "norm:cpop_enc"],
  ["cpopw a0, s1", 0x6024_951b, "norm:cpopw_enc"],
  ["max a0, s1, t6", 0x0bf4_e533, "norm:max_enc"],
  ["maxu a0, s1, t6", 0x0bf4_f533, "norm:maxu_enc"],
  ["min a0, s1, t6", 0x0bf4_c533, "norm:min_enc"],
  ["minu a0, s1, t6", 0x0bf4_d533, "norm:minu_enc"],
  ["sext.b a0, s1", 0x6044_9513, "norm:sext_b_enc"],
  ["sext.h a0, s1", 0x6054_9513, "norm:sext_h_enc"],
  ["zext.h a0, s1", 0x0804_c53b, "norm:zext_h_rv64_enc"],
  ["rol a0, s1, t6", 0x61f4_9533, "norm:rol_enc"],
  ["rolw a0, s1, t6", 0x61f4_953b, "norm:rolw_enc"],
  ["ror a0, s1, t6", 0x61f4_d533, "norm:ror_enc"],
  ["rori a0, s1, 21", 0x6154_d513, "norm:rori_rv64_enc"],
  ["roriw a0, s1, 21", 0x6154_d51b, "norm:roriw_enc"],
  ["rorw a0, s1, t6", 0x61f4_d53b, "norm:rorw_enc"],
  ["orc.b a0, s1", 0x2874_d513, "norm:orc_b_enc"],
  ["rev8 a0, s1", 0x6b84_d513, "norm:rev8_rv64_enc"],
  ["bclr a0, s1, t6", 0x49f4_9533, "norm:bclr_enc"],
  ["bclri a0, s1, 21", 0x4954_9513, "norm:bclri_rv64_enc"],
  ["bext a0, s1, t6", 0x49f4_d533, "norm:bext_enc"],
  ["bexti a0, s1, 21", 0x4954_d513, "norm:bexti_rv64_enc"],
  ["binv a0, s1, t6", 0x69f4_9533, "norm:binv_enc"],
  ["binvi a0, s1, 21", 0x6954_9513, "norm:binvi_rv64_enc"],
  ["bset a0, s1, t6", 0x29f4_9533, "norm:bset_enc"],
  ["bseti a0, s1, 21", 0x2954_9513, "norm:bseti_rv64_enc"],
] as const;

describe("the word of a bit-manipulation instruction", () => {
  it.each(WORDS)("of %s is %i, read and written (%s)", (text, word) => {
    expect(disassemble(word)).toBe(text);
    const program = assemble(text, { origin: 0 });
    expect(program).toMatchObject({ kind: "program", listing: [{ word }] });
  });
});
