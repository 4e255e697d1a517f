/** Random RV64IM programs on our board and on QEMU: same image, same registers and memory at the end of each. */
import { expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { assembled } from "../support/assembled.ts";
import { elf } from "../support/elf-file.ts";
import { describeWith } from "../support/optional.ts";
import { ramFromQemu } from "../support/qemu.ts";
import { seededNumbers } from "../support/random.ts";

const PROGRAMS = process.env["DOM0_TEST_FULL"] === "1" ? 500 : 50;
const BODY_INSTRUCTIONS = 40;
/** Bytes that each program loads from and stores to, around x30. */
const SCRATCH_BYTES = 4096;
const SLOT_BYTES = 256;

const CODE = 0x8000_0000;
const REGISTERS_IN = 0x8040_0000;
const REGISTERS_OUT = 0x8060_0000;
const SCRATCH = 0x8080_0000;

const REGISTER_OPS = [
  "add",
  "sub",
  "sll",
  "slt",
  "sltu",
  "xor",
  "srl",
  "sra",
  "or",
  "and",
  "addw",
  "subw",
  "sllw",
  "srlw",
  "sraw",
];
const MULTIPLY_OPS = [
  "mul",
  "mulh",
  "mulhsu",
  "mulhu",
  "div",
  "divu",
  "rem",
  "remu",
  "mulw",
  "divw",
  "divuw",
  "remw",
  "remuw",
];
const IMMEDIATE_OPS = ["addi", "slti", "sltiu", "xori", "ori", "andi", "addiw"];
const SHIFT_OPS = ["slli", "srli", "srai", "slliw", "srliw", "sraiw"];
const LOADS = ["lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"];
const STORES = ["sb", "sh", "sw", "sd"];
const BRANCHES = ["beq", "bne", "blt", "bge", "bltu", "bgeu"];
/** Values at which arithmetic goes wrong. */
const EDGES = [
  0n,
  1n,
  -1n,
  2n ** 63n,
  2n ** 63n - 1n,
  2n ** 31n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 32n,
  0xffff_ffffn,
  63n,
  64n,
];

/** One random instruction; forward targets are numeric local labels that `body` places. */
function randomInstruction(below: (limit: number) => number, position: number): string {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const source = () => `x${below(32)}`;
  const target = () => `x${pick([...Array(30).keys(), 31])}`; // x30 is the scratch pointer
  const ahead = () => `place${position + 1 + below(4)}`;
  const kinds = [
    () => `${pick(REGISTER_OPS)} ${target()}, ${source()}, ${source()}`,
    () => `${pick(MULTIPLY_OPS)} ${target()}, ${source()}, ${source()}`,
    () => `${pick(IMMEDIATE_OPS)} ${target()}, ${source()}, ${below(4096) - 2048}`,
    () => {
      const op = pick(SHIFT_OPS);
      return `${op} ${target()}, ${source()}, ${below(op.endsWith("w") ? 32 : 64)}`;
    },
    () => `${pick(LOADS)} ${target()}, ${below(4088) - 2048}(x30)`,
    () => `${pick(STORES)} ${source()}, ${below(4088) - 2048}(x30)`,
    () => `${pick(BRANCHES)} ${source()}, ${source()}, ${ahead()}`,
    () => `jal ${target()}, ${ahead()}`,
    () => `${pick(["lui", "auipc"])} ${target()}, ${below(1 << 20)}`,
  ];
  return pick(kinds)();
}

/** Text of one program: registers in, body, registers out. x30 and x31 pass through mscratch. */
function programText(index: number, below: (limit: number) => number): string {
  const slot = index * SLOT_BYTES;
  const loads = Array.from({ length: 29 }, (_, at) => `ld x${at + 1}, ${8 * (at + 1)}(x31)`);
  const body = Array.from(
    { length: BODY_INSTRUCTIONS },
    (_, at) => `place${at}: ${randomInstruction(below, at)}`,
  );
  const places = Array.from({ length: 5 }, (_, at) => `place${BODY_INSTRUCTIONS + at}: nop`);
  const stores = Array.from({ length: 30 }, (_, at) => `sd x${at + 1}, ${8 * (at + 1)}(x31)`);
  const lines = [
    `li x31, ${REGISTERS_IN + slot}`,
    `li x30, ${SCRATCH + index * SCRATCH_BYTES + SCRATCH_BYTES / 2}`,
    ...loads,
    `ld x31, ${8 * 31}(x31)`,
    ...body,
    ...places,
    "csrw mscratch, x31",
    `li x31, ${REGISTERS_OUT + slot}`,
    ...stores,
    "csrr x30, mscratch",
    `sd x30, ${8 * 31}(x31)`,
  ];
  return lines.join("\n").replaceAll("place", `p${index}_`);
}

/** Starting values: half of them edges, half of them anything. */
function startingRegisters(count: number, below: (limit: number) => number): Uint8Array {
  const words = new BigInt64Array((count * SLOT_BYTES) / 8);
  for (const index of words.keys()) {
    const random = (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));
    words[index] = below(2) === 0 ? (EDGES[below(EDGES.length)] ?? 0n) : random;
  }
  return new Uint8Array(words.buffer);
}

describeWith(["qemu"], "QEMU and our board", () => {
  it(`leave the same registers and memory after each of ${PROGRAMS} random programs`, () => {
    const seed = 20_260_712;
    const below = seededNumbers(seed);
    const texts = Array.from({ length: PROGRAMS }, (_, index) => programText(index, below));
    const { bytes } = assembled([...texts, "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)"].join("\n"));
    const file = elf([
      { paddr: BigInt(CODE), bytes },
      { paddr: BigInt(REGISTERS_IN), bytes: startingRegisters(PROGRAMS, below) },
    ]);
    const board = buildBoard();
    board.loadElf(file);
    expect(board.run({ instructions: 10_000_000 })).toMatchObject({ reason: "poweroff" });
    const theirs = ramFromQemu(file).ram;
    const ours = board.bus.ram.u8;
    for (const [index, text] of texts.entries()) {
      const message = `seed ${seed}, program ${index}:\n${text}`;
      const registers = (ram: Uint8Array) => registersAt(ram, REGISTERS_OUT - CODE + index * SLOT_BYTES);
      expect(registers(ours), message).toEqual(registers(theirs));
      const scratch = SCRATCH - CODE + index * SCRATCH_BYTES;
      const isSame = Buffer.compare(
        ours.subarray(scratch, scratch + SCRATCH_BYTES),
        theirs.subarray(scratch, scratch + SCRATCH_BYTES),
      );
      expect(isSame, `memory of ${message}`).toBe(0);
    }
    expect(registersAt(theirs, REGISTERS_OUT - CODE)).not.toEqual(registersAt(theirs, REGISTERS_IN - CODE));
  });
});

function registersAt(ram: Uint8Array, offset: number): string[] {
  const words = new BigUint64Array(ram.slice(offset, offset + SLOT_BYTES).buffer);
  return [...words].map((word, index) => `x${index} ${word.toString(16)}`);
}
