/** Random programs for regions: blocks that jump anywhere, call each other, fault, and change their own code. */
import fc from "fast-check";

/** How a block ends, with numbers that choose its targets. */
const END_KINDS = [
  ...["branch", "branch", "branch", "branch", "fall", "jump", "call", "call", "return", "return"],
  ...["table", "callTable", "elsewhere", "counted", "counted"],
] as const;

/** One block. */
export interface FlowBlock {
  readonly ops: readonly (readonly [kind: number, a: number, b: number, c: number])[];
  readonly end: (typeof END_KINDS)[number];
  readonly condition: number;
  readonly target: number;
  readonly a: number;
  readonly b: number;
}

const small = fc.nat({ max: 0xffff });

/** Programs of so many blocks at most. */
export const flowPrograms = (maxBlocks: number): fc.Arbitrary<FlowBlock[]> =>
  fc.array(
    fc.record({
      ops: fc.array(fc.tuple(small, small, small, small), { maxLength: 8 }),
      end: fc.constantFrom(...END_KINDS),
      condition: small,
      target: small,
      a: small,
      b: small,
    }),
    { minLength: 2, maxLength: maxBlocks },
  );

const X = ["a0", "a1", "a2", "a3", "a4", "a5", "t1", "t2", "s3", "s4"];
const F = ["fa0", "fa1", "fa2", "ft0"];
const pick = <T>(list: readonly T[], number: number): T => list[number % list.length] as T;

const REGISTERS = [
  "add",
  "sub",
  "xor",
  "or",
  "and",
  "sll",
  "srl",
  "sra",
  "slt",
  "sltu",
  "addw",
  "subw",
  "mul",
];
const RARE = ["div", "remu", "mulh", "divw", "rem", "sllw"];
const IMMEDIATES = ["addi", "xori", "ori", "andi", "slti", "addiw"];
const LOADS = ["lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"];
const STORES = ["sb", "sh", "sw", "sd"];
const BRANCHES = ["beq", "bne", "blt", "bge", "bltu", "bgeu"];
const WIDTH: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 };

/** An offset from a base, mostly aligned. s0 points to data, s1 near the end of a page, s2 to nothing. */
function place(op: string, a: number, b: number): string {
  const width = WIDTH[op[1] ?? "b"] ?? 1;
  const offset = ((a % 32) - 8) * width + (b % 97 === 0 ? 1 : 0);
  const base = b % 61 === 0 ? "s2" : pick(["s0", "s0", "s1", "sp"], b);
  return `${offset}(${base})`;
}

type OpWriter = (a: number, b: number, c: number, block: number) => string;

const OPS: readonly OpWriter[] = [
  (a, b, c) => `${pick(REGISTERS, a >> 4)} ${pick(X, a)}, ${pick(X, b)}, ${pick([...X, "zero"], c)}`,
  (a, b, c) => `${pick(REGISTERS, a >> 4)} ${pick(X, a)}, ${pick(X, b)}, ${pick(X, c)}`,
  (a, b, c) => `${pick(IMMEDIATES, a >> 4)} ${pick([...X, "zero"], a)}, ${pick(X, b)}, ${(c % 4096) - 2048}`,
  (a, b, c) => `${pick(IMMEDIATES, a >> 4)} ${pick(X, a)}, ${pick([...X, "zero"], b)}, ${(c % 64) - 32}`,
  (a, b, c) => `${pick(LOADS, a >> 4)} ${pick(X, a)}, ${place(pick(LOADS, a >> 4), b, c)}`,
  (a, b, c) => `${pick(LOADS, a >> 4)} ${pick([...X, "zero"], a)}, ${place(pick(LOADS, a >> 4), b, c)}`,
  (a, b, c) => `${pick(STORES, a >> 4)} ${pick(X, a)}, ${place(pick(STORES, a >> 4), b, c)}`,
  (a, b, c) => `${pick(STORES, a >> 4)} ${pick(X, a)}, ${place(pick(STORES, a >> 4), b, c)}`,
  (a, b, c) => `${pick(RARE, a >> 4)} ${pick(X, a)}, ${pick(X, b)}, ${pick(X, c)}`,
  (a, b) => `lui ${pick(X, a)}, ${b}`,
  (a, b) => `auipc ${pick(X, a)}, ${b % 16}`,
  (a, b, c) =>
    c % 3 === 0
      ? `fld ${pick(F, a)}, ${8 * (b % 16)}(s0)`
      : c % 3 === 1
        ? `fsd ${pick(F, a)}, ${8 * (b % 16)}(s1)`
        : `fmv.d.x ${pick(F, a)}, ${pick(X, b)}`,
  (a, b, c) =>
    `${pick(["fadd.d", "fmul.d", "fsub.d", "fdiv.d", "fadd.s"], a >> 4)} ${pick(F, a)}, ${pick(F, b)}, ${pick(F, c)}`,
  (a, b, c) =>
    c % 4 === 0
      ? `csrrs ${pick(X, a)}, ${pick(["minstret", "mscratch", "cycle", "mcause", "fflags"], b)}, zero`
      : c % 4 === 1
        ? `csrrw ${pick(X, a)}, ${pick(["mscratch", "fflags", "frm"], b)}, ${pick(X, b)}`
        : `amo${pick(["add", "swap", "or", "max"], a)}.d ${pick(X, b)}, ${pick(X, c)}, (s0)`,
  (a, b, c, block) =>
    c % 6 === 0
      ? `la t3, word_${block}\n  lw t4, ${4 * (b % 4)}(s5)\n  sw t4, 0(t3)\n  fence.i`
      : `addi s1, s1, ${8 * ((a % 5) - 2)}`,
  (_a, _b, c) => (c % 16 === 0 ? "ecall" : c % 16 === 1 ? "ebreak" : "addi s6, s6, 1"),
];

function writeEnd({ end, condition, target, a, b }: FlowBlock, number: number, count: number): string {
  const goal = `block_${target % count}`;
  const branch = `${pick(BRANCHES, condition)} ${pick(X, a)}, ${pick([...X, "zero"], b)}, ${goal}`;
  switch (end) {
    case "branch":
      return branch;
    case "fall":
      return "";
    case "jump":
      return `j ${goal}`;
    case "call":
      return `addi sp, sp, -16\n  sd ra, 0(sp)\n  call ${goal}\n  ld ra, 0(sp)\n  addi sp, sp, 16`;
    case "return":
      return condition % 3 === 0
        ? "ret"
        : `andi t5, s6, 3\n  bnez t5, after_${number}\n  ret\nafter_${number}:`;
    case "table":
    case "callTable":
      return `andi t5, ${pick(X, a)}, 3\n  slli t5, t5, 3\n  add t5, t5, s7\n  ld t5, 0(t5)\n  ${end === "table" ? "jr" : "jalr"} t5`;
    case "elsewhere":
      return `la ra, ${goal}\n  ret`;
    case "counted":
      return `addi s8, s8, -1\n  andi t5, s8, ${pick([7, 15, 63, 255], condition)}\n  bnez t5, ${goal}`;
  }
}

const SPAN = 0x2000;
const TABLE_WORDS = 32;

/** The program's text. It never ends; whatever it does wrong, its trap handler skips. */
export function flowText(blocks: readonly FlowBlock[]): string {
  const bodies = blocks.map((block, number) => {
    const ops = block.ops.map(([kind, a, b, c]) => `  ${pick(OPS, kind)(a, b, c, number)}`);
    return [
      `block_${number}:`,
      `word_${number}: addi s6, s6, 1`,
      "  andi t5, s6, 63",
      "  beqz t5, scatter",
      ...ops,
      `  ${writeEnd(block, number, blocks.length)}`,
    ].join("\n");
  });
  const table = Array.from({ length: TABLE_WORDS }, (_, at) => `block_${(at * 7 + 1) % blocks.length}`);
  return `
  la t0, trap
  csrw mtvec, t0
  li t0, 0x6000
  csrs mstatus, t0
  csrwi fflags, 1
  li s0, ${0x8008_0000 + SPAN}
  li s1, ${0x8008_0ff0}
  li s2, 0x40000000
  li sp, 0x80090000
  la s5, words
  la s7, table
${table.map((label, at) => `  la t0, ${label}\n  sd t0, ${8 * at}(s7)`).join("\n")}
  la ra, block_0
${bodies.join("\n")}
  j block_0
scatter:
  srli t5, s6, 3
  andi t5, t5, ${8 * (TABLE_WORDS - 1)}
  add t5, t5, s7
  ld t5, 0(t5)
  jr t5
trap:
  csrrw t6, mscratch, t6
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  andi t6, s6, 31
  bnez t6, leave
  li sp, 0x80090000
  li s1, ${0x8008_0ff0}
  la ra, block_0
  la t6, block_0
  csrw mepc, t6
leave:
  csrrw t6, mscratch, t6
  mret
  .balign 8
table: .dword ${table.map(() => "0").join(", ")}
words:
  addi s6, s6, 1
  addi s6, s6, 2
  xori s6, s6, 5
  addi s6, s6, 3
`;
}
