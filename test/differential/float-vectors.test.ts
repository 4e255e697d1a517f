/** Every floating-point instruction in every rounding mode over the same operands, here and on QEMU: results and flags. */
import { expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { FORMS, type FormShape } from "../../lib/isa/form.ts";
import type { Insn } from "../../lib/isa/insn.ts";
import { EXTENSIONS } from "../../lib/isa/instructions.ts";
import { assembled } from "../support/assembled.ts";
import { elf } from "../support/elf-file.ts";
import { floatRegisterWord } from "../support/float-words.ts";
import { describeWith } from "../support/optional.ts";
import { ramFromQemu } from "../support/qemu.ts";
import { seededNumbers } from "../support/random.ts";

const VECTORS = process.env["DOM0_TEST_FULL"] === "1" ? 1500 : 120;
const CODE = 0x8000_0000;
const OPERANDS = 0x8020_0000;
const RESULTS = 0x8040_0000;
const OPERAND_BYTES = 24;
const RESULT_BYTES = 16;

const MODES = ["rne", "rtz", "rdn", "rup", "rmm"];
/** Where an instruction finds its operands, and where it leaves its result, by the field of its form. */
const INTEGER_REGISTER: Record<string, string> = { rd: "a1", rs1: "a0" };
const FLOAT_REGISTER: Record<string, string> = { rd: "fa1", rs1: "fs1", rs2: "fs2", rs3: "fs3" };

/** All ways to write an instruction: one for each rounding mode if it has one. */
function texts(mnemonic: string, shape: FormShape): { text: string; isFloat: boolean }[] {
  const operands = shape.operands.filter(({ kind }) => kind !== "rounding");
  const isFloat = operands[0]?.kind === "float";
  const names = operands.map(
    ({ field, kind }) => (kind === "float" ? FLOAT_REGISTER : INTEGER_REGISTER)[field],
  );
  const plain = `${mnemonic} ${names.join(", ")}`;
  const rounds = operands.length < shape.operands.length;
  // GNU's `dyn` takes the mode from frm, so both ways to say it are tried.
  return rounds
    ? MODES.flatMap((mode, frm) => [
        { text: `${plain}, ${mode}`, isFloat },
        { text: `csrwi frm, ${frm}\n ${plain}, dyn`, isFloat },
      ])
    : [{ text: plain, isFloat }];
}

const computing = Object.entries<Insn>({ ...EXTENSIONS.f, ...EXTENSIONS.d })
  .filter(([, { form }]) => form !== "floatLoad" && form !== "floatStore")
  .flatMap(([mnemonic, { form }]) => texts(mnemonic, FORMS[form]));

/** A loop over the operands. */
const section = ({ text, isFloat }: { text: string; isFloat: boolean }): string => `
  li s2, ${OPERANDS}
  li s3, ${VECTORS}
1: fld fs1, 0(s2)
  fld fs2, 8(s2)
  fld fs3, 16(s2)
  ld a0, 0(s2)
  csrw fcsr, zero
  ${text}
  csrr a2, fflags
  ${isFloat ? "fsd fa1, 0(s4)" : "sd a1, 0(s4)"}
  sd a2, 8(s4)
  addi s2, s2, ${OPERAND_BYTES}
  addi s4, s4, ${RESULT_BYTES}
  addi s3, s3, -1
  bnez s3, 1b`;

function operandWords(below: (limit: number) => number): Uint8Array {
  const words = new BigUint64Array(VECTORS * 3);
  for (const index of words.keys()) {
    // Now and then two operands are equal, or opposite, so that sums cancel.
    const before = words[index - 1] ?? 0n;
    words[index] = below(6) === 0 ? before ^ (BigInt(below(2)) << 63n) : floatRegisterWord(below);
  }
  return new Uint8Array(words.buffer);
}

describeWith(["qemu"], "QEMU and our board", () => {
  it(`give the same results and flags for ${computing.length} ways to compute with ${VECTORS} operands`, () => {
    const seed = 754;
    const operands = operandWords(seededNumbers(seed));
    const power = "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)";
    const source = [
      `li t0, 0x6000\n csrs mstatus, t0\n li s4, ${RESULTS}`,
      ...computing.map(section),
      power,
    ].join("\n");
    const file = elf([
      { paddr: BigInt(CODE), bytes: assembled(source).bytes },
      { paddr: BigInt(OPERANDS), bytes: operands },
    ]);
    const board = buildBoard();
    board.loadElf(file);
    expect(board.run({ instructions: 100_000_000 })).toMatchObject({ reason: "poweroff" });
    const results = (ram: Uint8Array): BigUint64Array => {
      const start = RESULTS - CODE;
      return new BigUint64Array(ram.slice(start, start + computing.length * VECTORS * RESULT_BYTES).buffer);
    };
    const ours = results(board.bus.ram.u8);
    const theirs = results(ramFromQemu(file).ram);
    const words = new BigUint64Array(operands.buffer);
    const differences = computing.flatMap(({ text }, operation) =>
      Array.from({ length: VECTORS }, (_, vector) => {
        const at = 2 * (operation * VECTORS + vector);
        const show = (result: BigUint64Array) => `${result[at]?.toString(16)} flags ${result[at + 1]}`;
        const on = [...words.slice(vector * 3, vector * 3 + 3)].map((word) => word.toString(16)).join(" ");
        return { text, on, ours: show(ours), qemu: show(theirs) };
      }).filter((line) => line.ours !== line.qemu),
    );
    expect(differences.slice(0, 20), `seed ${seed}`).toEqual([]);
    // The operands raise every flag somewhere, and QEMU wrote all results.
    const flags = theirs.filter((_, index) => index % 2 === 1).reduce((all, word) => all | word, 0n);
    expect(flags).toBe(31n);
  });
});
