/** Our assembler beside GNU as: the same bytes for the same text. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { disassemble } from "../../../lib/isa/disassemble.ts";
import { extractField, insertField, matches } from "../../../lib/isa/encoding.ts";
import { FORMS, type FormShape } from "../../../lib/isa/form.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { EXTENSIONS, INSTRUCTIONS, MNEMONICS } from "../../../lib/isa/instructions.ts";
import { describeWith, partPath } from "../../support/optional.ts";
import { YOUNGER_INSTRUCTIONS } from "../../support/younger-instructions.ts";

/** A small generator with a fixed seed: 32-bit words. */
function randomWords(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
}

const PSEUDO_TEXT = `
  nop; ret; li a0, 2047; li a1, -2048; li a2, 2048; li a3, 0x7ffff800; li t0, -0x80000000
  mv a0, s11; not t1, t2; neg a4, a5; negw s0, s1; sext.w tp, gp; seqz a0, a1; snez a0, a1; sltz a0, a1; sgtz a0, a1
  jr t0; jalr t1; jalr ra, t1; csrr a0, mstatus; csrw satp, a1; csrs mie, t0; csrc mip, t1; csrwi mscratch, 3
  csrsi mstatus, 8; csrci mstatus, 8; rdcycle a0; rdtime a1; rdinstret a2; fence; sfence.vma; sfence.vma a0
  zext.b a0, a1; zext.w a2, a3; fmv.s fa0, fs1; fabs.s ft0, ft11; fneg.s fa1, fa2; fgt.s a0, fa0, fa1; fge.s a1, ft0, ft1
  fmv.d fa0, fs1; fabs.d ft0, ft11; fneg.d fa1, fa2; fgt.d a0, fa0, fa1; fge.d a1, ft0, ft1
  frcsr t0; fscsr t1; frrm t2; fsrm a0; frflags a1; fsflags a2; fadd.s fa0, fa1, fa2; fcvt.w.d a0, fa0, rtz; fcvt.d.w fa0, a0
  lr.w a0, (a1); sc.d.aqrl a0, a1, (a2); amoswap.w.aq zero, t0, (sp)
  .byte 1, 2; .half 0x1234; .word 0xdeadbeef; .dword 0x123456789abcdef0; .ascii "text"; .balign 4
  back: beqz a0, back; bnez a0, back; blez a0, back; bgez a0, back; bltz a0, back; bgtz a0, front
  bgt a0, a1, back; ble a0, a1, front; bgtu a0, a1, back; bleu a0, a1, front; j back; jal front
  front: jal zero, back; bne s0, s1, back
`;

/** Instructions that no other assembler knows. */
const OURS_ALONE: ReadonlySet<string> = new Set(Object.keys(EXTENSIONS.xhx));

/** Every instruction with random operands, as text that both assemblers read; targets are distances from here. */
function instructionTexts(random: () => number, perInstruction: number): string[] {
  return MNEMONICS.filter((mnemonic) => !OURS_ALONE.has(mnemonic)).flatMap((mnemonic) => {
    const insn: Insn = INSTRUCTIONS[mnemonic];
    const shape: FormShape = FORMS[insn.form];
    const shown = insn.fields.filter(({ name }) => shape.operands.some(({ field }) => field === name));
    const text = (): string => {
      let word = insn.match;
      for (const field of shown)
        word = insertField(word, field, random() & (2 ** field.widthBits - 1) & -(2 ** field.lowestBit));
      return matches(word, insn) && !hasUnwritableRounding(word, insn) ? disassemble(word) : text();
    };
    return Array.from({ length: insn.fields.length === 0 ? 1 : perInstruction }, text);
  });
}

/** GNU as does not write the rounding modes 5 and 6, and none at all where nothing is ever rounded. */
function hasUnwritableRounding(word: number, { fields, form }: Insn): boolean {
  const rm = fields.find(({ name }) => name === "rm");
  const mode = rm === undefined ? 0 : extractField(word, rm);
  return [5, 6].includes(mode) || (form.startsWith("floatWiden") && mode !== 0);
}

/** GNU as writes compressed instructions only where it is told to, and then would compress others too. */
function asGnuReadsIt(line: string): string {
  const [mnemonic = ""] = line.split(" ");
  const numbers = YOUNGER_INSTRUCTIONS[mnemonic];
  if (numbers !== undefined) return line.replace(mnemonic, numbers);
  return line.startsWith("c.") ? `.option push\n.option rvc\n${line}\n.option pop` : line;
}

describeWith(["gcc"], "GNU as", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), "gnu-as-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Bytes of the text section. */
  function gnuBytes(source: string): Uint8Array {
    const [text, object, binary] = ["in.s", "out.o", "out.bin"].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(text, `.option norelax\n.option norvc\n${source}\n`);
    const gcc = partPath("gcc");
    execFileSync(gcc, [
      "-march=rv64gc_zicsr_zifencei_zba_zbb_zbs",
      "-Wa,-march=rv64gch_zba_zbb_zbs",
      "-mabi=lp64",
      "-c",
      text,
      "-o",
      object,
    ]);
    execFileSync(gcc.replace(/gcc$/, "objcopy"), ["-O", "binary", "-j", ".text", object, binary]);
    return readFileSync(binary);
  }

  const ourBytes = (source: string): Uint8Array => {
    const result = assemble(source, { origin: 0 });
    if (result.kind !== "program") throw new Error(result.message);
    return result.bytes;
  };

  /** Lines whose bytes differ. */
  function differences(lines: readonly string[]): string[] {
    const ours = ourBytes(lines.join("\n"));
    const theirs = gnuBytes(lines.map(asGnuReadsIt).join("\n"));
    expect(ours.length).toBe(theirs.length);
    let at = 0;
    return lines.filter((line) => {
      const start = at;
      at += line.startsWith("c.") ? 2 : 4;
      return ours.subarray(start, at).some((byte, index) => byte !== theirs[start + index]);
    });
  }

  it("makes the same words of every instruction with random operands", () => {
    // A target that GNU as cannot relocate in one instruction is written by it as two: distances are kept away from it.
    const lines = instructionTexts(randomWords(7), 20).map((line) => line.replace(/\.([+-]\d+)$/, "$1 + ."));
    // An empty fence set is a reserved encoding that GNU as does not read.
    const portable = lines.filter((line) => !line.endsWith("+ .") && !/^fence .*\b0/.test(line));
    expect(portable.length).toBeGreaterThan(1000);
    expect(differences(portable)).toEqual([]);
  });

  it("makes the same bytes of pseudo-instructions, branches to labels and data", () => {
    const source = PSEUDO_TEXT.replaceAll(";", "\n");
    expect(Buffer.from(ourBytes(source)).toString("hex")).toBe(Buffer.from(gnuBytes(source)).toString("hex"));
  });
});
