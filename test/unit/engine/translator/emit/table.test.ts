/** What the table of emitters says of every instruction. */
import { describe, expect, it } from "vitest";
import { emitterOf, OP_NAMES, OPS } from "../../../../../lib/engine/translator/emit/table.ts";
import { decode, decodeOrIllegal } from "../../../../../lib/isa/decode.ts";
import type { Insn } from "../../../../../lib/isa/insn.ts";
import { EXTENSIONS, INSTRUCTIONS, type Mnemonic } from "../../../../../lib/isa/instructions.ts";
import { assembled } from "../../../../support/assembled.ts";

const { rv64i, m, a, c, zicsr, zifencei, zicond, zba, zbb, zbs, privileged, h, xhx } = EXTENSIONS;

/** The op of an instruction of assembly text. */
function opOf(text: string): string | undefined {
  const { bytes } = assembled(text);
  const word = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true);
  const isShort = (word & 3) !== 3;
  const upper = isShort ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint16(2, true);
  return emitterOf(decodeOrIllegal(((upper << 16) | word) >>> 0))?.name;
}

describe("The table of emitters", () => {
  const integer = { ...rv64i, ...m, ...a, ...zicsr, ...zifencei, ...zicond, ...zba, ...zbb, ...zbs };

  it("leaves no instruction without floating point to the slow path", () => {
    const left = Object.entries<Insn>({ ...integer, ...privileged, ...h, ...xhx }).filter(
      ([, { match }]) => emitterOf(decodeOrIllegal(match)) === undefined,
    );
    expect(left.map(([mnemonic]) => mnemonic)).toEqual([]);
  });

  it("names each operation once, at its index", () => {
    expect(new Set(OP_NAMES).size).toBe(OP_NAMES.length);
    OPS.forEach((op, index) => {
      expect(op.index).toBe(index);
      expect(op.name).toBe(OP_NAMES[index]);
    });
  });

  it("has no entry for a word that means nothing", () => {
    expect(emitterOf(decodeOrIllegal(0))).toBeUndefined();
    expect(emitterOf(decodeOrIllegal(0xffff_ffff))).toBeUndefined();
  });

  it("takes the semantics of a compressed instruction from the one that it stands for", () => {
    for (const [mnemonic, { match, execute }] of Object.entries<Insn>(c)) {
      // A word whose operands are not zero, as many encodings ask.
      const decoded = [0x0084, 0x0104, 0x1084, 0x0004, 0]
        .map((bits) => decode(match | bits))
        .find((insn) => insn?.mnemonic === mnemonic);
      if (decoded === undefined) continue;
      const base = (Object.keys(INSTRUCTIONS) as Mnemonic[]).find(
        (name) => !name.startsWith("c.") && INSTRUCTIONS[name].execute === execute,
      ) as Mnemonic;
      const plain = { ...decoded, mnemonic: base, sizeBytes: 4 as const };
      expect(emitterOf(decoded), mnemonic).toBe(emitterOf(plain));
    }
  });

  it("has one entry for the four orderings of an atomic operation", () => {
    expect(opOf("amoadd.w.aqrl a0, a1, (a2)")).toBe("amoadd.w");
    expect(opOf("lr.d.aq a0, (a2)")).toBe("lr.d");
    expect(opOf("sc.d.rl a0, a1, (a2)")).toBe("sc.d");
  });

  it("finds the simpler case that operands make of an instruction", () => {
    const cases = {
      "addi a0, x0, 5": "li",
      "lui a0, 5": "li",
      "addi a0, a1, 0": "mv",
      "add a0, a1, x0": "mv",
      "add a0, x0, a1": "mv2",
      "c.mv a0, a1": "mv2",
      "addiw a0, a1, 0": "sext.w",
      "add.uw a0, a1, x0": "zext.w",
      "sltiu a0, a1, 1": "seqz",
      "sltu a0, x0, a1": "snez",
      "beq a0, x0, .+8": "beqz",
      "c.bnez a0, .+8": "bnez",
      "bne a0, a1, .+8": "bne",
      "add x0, a1, a2": "nop",
      "c.nop": "nop",
      fence: "nop",
      "fence.i": "nop",
      "addi a0, a1, 1": "addi",
    };
    for (const [text, name] of Object.entries(cases)) expect(opOf(text), text).toBe(name);
  });

  it("keeps what has an effect although its destination is x0", () => {
    expect(opOf("lw x0, 0(a0)")).toBe("lw");
    expect(opOf("amoadd.w x0, a1, (a2)")).toBe("amoadd.w");
    expect(opOf("jal x0, .+8")).toBe("jal");
    expect(opOf("csrrw x0, sscratch, a0")).toBe("privileged");
  });
});
