/** Items of random programs: one instruction of the table with drawn operands, or a few that make sense together only. */
import { decode } from "../../../lib/isa/decode.ts";
import { FORMS, type FormShape } from "../../../lib/isa/form.ts";
import type { Insn } from "../../../lib/isa/insn.ts";
import { EXTENSIONS, INSTRUCTIONS, type Mnemonic } from "../../../lib/isa/instructions.ts";
import { zicsr } from "../../../lib/isa/zicsr.ts";
import { borrowedRights, counterItem, csrItem } from "./csr-items.ts";
import { type Below, COUNTER, type Draft, freeRegister, POINTERS, randomWord, word } from "./words.ts";

const one = (...words: number[]): Draft => ({ words });
const whole = (...words: number[]): Draft => ({ words, isWhole: true });

/** Where a jump may go: over up to four items. */
const ahead = (below: Below): number => 1 + below(5);

/** A jump through a register to an item ahead: its address is computed from the pc. */
function throughRegister(below: Below, mnemonic: "jalr" | "c.jr" | "c.jalr"): Draft {
  const register = freeRegister(below);
  const jumpWord =
    mnemonic === "jalr"
      ? word("jalr", { rd: below(2) === 0 ? 0 : freeRegister(below), rs1: register, imm: 0 })
      : word(mnemonic, { rs1: register });
  return {
    words: [word("auipc", { rd: register }), word("addi", { rd: register, rs1: register }), jumpWord],
    jump: { word: 1, mnemonic: "addi", from: 0, ahead: ahead(below) },
  };
}

/** A return from a trap that was none, to an item ahead, into a mode that the status says or that is set here. */
function trapReturn(below: Below, letter: "m" | "s"): Draft {
  const register = freeRegister(below);
  const status = letter === "m" ? 0x300 : 0x100;
  // SPP is bit 8; MPP is bits 12 and 11. A mode is set and never cleared, so that returns come to an end.
  const bits = letter === "s" ? 0x100 : [0x800, 0x1800, 0x0800][below(3)];
  const setsMode = below(3) !== 0;
  const upper = ((bits ?? 0) + 0x800) >>> 12;
  const set = [
    word("lui", { rd: register, imm: upper << 12 }),
    word("addi", { rd: register, rs1: register, imm: ((bits ?? 0) << 20) >> 20 }),
    word("csrrs", { rd: 0, rs1: register, csr: status }),
  ];
  const words = setsMode ? set : [];
  return {
    words: [
      ...words,
      word("auipc", { rd: register }),
      word("addi", { rd: register, rs1: register }),
      word("csrrw", { rd: 0, rs1: register, csr: letter === "m" ? 0x341 : 0x141 }),
      word(letter === "m" ? "mret" : "sret", {}),
    ],
    jump: { word: words.length + 1, mnemonic: "addi", from: words.length, ahead: ahead(below) },
  };
}

const FLOATING_STATUS = 0x001;

/** Waiting for an interrupt, if one is pending and enabled that was not taken: all other waiting would be for ever. */
function waiting(below: Below, withH: boolean): Draft {
  // QEMU 10.0 reads zero from sip and sie in VS-mode: there it would not know that an interrupt is pending.
  const [pending, enable] = withH || below(2) === 0 ? [0x344, 0x304] : [0x144, 0x104];
  const rd = 10 + below(3);
  const other = 13 + below(3);
  return whole(
    word("csrrsi", { csr: pending, uimm: 2 }),
    word("csrrsi", { csr: enable, uimm: 2 }),
    word("addi", { rd }),
    word("addi", { rd: other }),
    word("csrrs", { rd, csr: pending }),
    word("csrrs", { rd: other, csr: enable }),
    word("and", { rd, rs1: rd, rs2: other }),
    word("andi", { rd, rs1: rd, imm: 2 }),
    word("beq", { rs1: rd, imm: 8 }),
    word("wfi", {}),
  );
}

/** A loop of one instruction: counts down, and ends if something jumped into it. */
function loop(below: Below): Draft {
  const inner = randomWord(below, ["add", "xor", "mul", "sub", "sltu", "fadd.d"][below(6)] as Mnemonic);
  const back = -((inner & 3) === 3 ? 8 : 6);
  return whole(
    word("addi", { rd: COUNTER, rs1: 0, imm: 1 + below(6) }),
    inner,
    word("addi", { rd: COUNTER, rs1: COUNTER, imm: -1 }),
    word("blt", { rs1: 0, rs2: COUNTER, imm: back }),
  );
}

/** An LR and its SC, with arithmetic between them; or one without the other. */
function reserved(below: Below, mnemonic: Mnemonic): Draft {
  const width = mnemonic.includes(".w") ? "w" : "d";
  const order = (): string => ["", ".aq", ".rl", ".aqrl"][below(4)] ?? "";
  const at = { rs1: POINTERS.other };
  const loads = mnemonic.startsWith("lr") ? mnemonic : (`lr.${width}${order()}` as Mnemonic);
  const stores = mnemonic.startsWith("sc") ? mnemonic : (`sc.${width}${order()}` as Mnemonic);
  const pair = [
    word(loads, { ...at, rd: freeRegister(below) }),
    ...[[], [randomWord(below, "addi")], [randomWord(below, "c.add")]][below(3)]!,
    word(stores, { ...at, rd: freeRegister(below), rs2: below(32) }),
  ];
  // The reservation does not outlive the item: another SC is the end of it either way.
  return one(...pair, ...(below(4) === 0 ? [word("sc.w", { ...at, rd: freeRegister(below), rs2: 3 })] : []));
}

/** A word that is no instruction of this hart. */
function nonsense(below: Below): Draft {
  for (;;) {
    const isShort = below(3) === 0;
    const any = isShort ? (below(2 ** 14) << 2) | below(3) : (below(2 ** 30) * 4 + 3) >>> 0;
    const isLonger = (any & 0x1f) === 0x1f;
    if (!isLonger && decode(any) === undefined) return one(any);
  }
}

/** Makers for the instructions that make no sense alone. */
const SPECIAL: Readonly<Partial<Record<Mnemonic, (below: Below, withH: boolean) => Draft>>> = {
  jalr: (below) => throughRegister(below, "jalr"),
  "c.jr": (below) => throughRegister(below, "c.jr"),
  "c.jalr": (below) => throughRegister(below, "c.jalr"),
  "c.addi16sp": (below) => {
    const imm = (1 + below(31)) * 16;
    return one(word("c.addi16sp", { nzimm: imm }), word("c.addi16sp", { nzimm: -imm }));
  },
  mret: (below) => trapReturn(below, "m"),
  sret: (below) => trapReturn(below, "s"),
  wfi: waiting,
};

/** A jump to where no program has anything mapped, nor a bare machine anything at all. */
function away(below: Below): Draft {
  const rd = freeRegister(below);
  const other = rd === 11 ? 12 : 11;
  return whole(
    word("addi", { rd, imm: below(2) === 0 ? 3 : 5 }), // the window, or the guest's
    word("slli", { rd, rs1: rd, shamt: 30 }),
    word("lui", { rd: other, imm: 0x9000 }),
    word("add", { rd, rs1: rd, rs2: other }),
    word("jalr", { rs1: rd, imm: 2 * below(100) }),
  );
}

/** Items that are no instruction of the table's own. */
const OTHERS: readonly ((below: Below) => Draft)[] = [
  loop,
  (below) => (below(4) === 0 ? away(below) : loop(below)),
  borrowedRights,
  counterItem,
  nonsense,
  (below) => one(word("csrrwi", { rd: 0, csr: 2, uimm: below(5) })), // frm
  (below) => one(word("csrrs", { rd: freeRegister(below), rs1: 0, csr: FLOATING_STATUS })),
];

const isCsr = (mnemonic: string): mnemonic is keyof typeof zicsr => Object.hasOwn(zicsr, mnemonic);

/** An item around an instruction. */
export function drawItem(below: Below, mnemonic: Mnemonic, withH: boolean): Draft {
  if (below(12) === 0) return (OTHERS[below(OTHERS.length)] ?? loop)(below);
  const special = SPECIAL[mnemonic];
  if (special !== undefined) return special(below, withH);
  if (isCsr(mnemonic)) return csrItem(below, mnemonic, withH);
  if (/^(lr|sc)\./.test(mnemonic)) return reserved(below, mnemonic);
  const drawn = randomWord(below, mnemonic);
  const insn = INSTRUCTIONS[mnemonic] as Insn;
  const shape: FormShape = FORMS[insn.form];
  if (!shape.operands.some(({ kind }) => kind === "target")) return one(drawn);
  return { words: [drawn], jump: { word: 0, mnemonic, from: 0, ahead: ahead(below) } };
}

/** Instructions that programs are made of. */
export const poolOf = (withH: boolean, without: ReadonlySet<string>): readonly Mnemonic[] =>
  Object.entries(EXTENSIONS)
    .filter(([name]) => name !== "xhx" && (withH || name !== "h"))
    .flatMap(([, table]) => Object.keys(table) as Mnemonic[])
    .filter((mnemonic) => !without.has(mnemonic));
