/**
 * Random programs for regions in which registers hold now words and now all of 64 bits: loops with two ways through them and
 * calls, over data of which all bits are random. They loop for ever.
 */
import fc from "fast-check";

/** An operation: a number that chooses its kind, and three that choose operands. */
type Op = readonly [kind: number, a: number, b: number, c: number];

/** The parts of a program. */
export interface WordProgram {
  readonly ways: readonly (readonly Op[])[];
  readonly conditions: readonly Op[];
  readonly data: readonly bigint[];
  /** What the first way is left for: nothing, a call, or the privileged function. */
  readonly leaves: "nothing" | "call" | "privileged";
}

const WAYS = 7;
const DATA_WORDS = 16;
const small = fc.nat({ max: 0xffff });
const op = fc.tuple(small, small, small, small);

/** Programs of so many operations in a straight line at most. */
export const wordPrograms = (maxOps: number): fc.Arbitrary<WordProgram> =>
  fc.record({
    ways: fc.array(fc.array(op, { maxLength: maxOps }), { minLength: WAYS, maxLength: WAYS }),
    conditions: fc.array(op, { minLength: 3, maxLength: 3 }),
    data: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
      minLength: DATA_WORDS,
      maxLength: DATA_WORDS,
    }),
    leaves: fc.constantFrom("nothing", "call", "privileged"),
  });

const pick = <T>(list: readonly T[], at: number): T => list[at % list.length] as T;
/** Few, so that they meet. */
const X = ["a0", "a1", "a2", "a3", "t1"];
const XZ = [...X, "zero"];
const OF_WORDS = ["addw", "subw", "sllw", "srlw", "sraw", "mulw", "divw", "remuw"];
const OF_BITS = ["and", "or", "xor"];
const WHOLE = ["add", "sub", "srl", "sltu", "slt", "mul"];
const LOADS = ["lw", "lb", "lbu", "lh", "lhu", "lwu"];
const BRANCHES = ["beq", "bne", "blt", "bge", "bltu", "bgeu"];

type Writer = (a: number, b: number, c: number) => string;

const threeOf =
  (names: readonly string[]): Writer =>
  (a, b, c) =>
    `${pick(names, a >> 4)} ${pick(X, a)}, ${pick(XZ, b)}, ${pick(X, c)}`;

function rotation(a: number, b: number, c: number): string {
  const from = pick(X, b);
  const by = 1 + (c % 31);
  return `srliw t2, ${from}, ${by}\n  slliw a4, ${from}, ${32 - by}\n  or ${pick(X, a)}, t2, a4`;
}

const WRITERS: readonly Writer[] = [
  threeOf(OF_WORDS),
  threeOf(OF_WORDS),
  threeOf(OF_BITS),
  threeOf(OF_BITS),
  threeOf(WHOLE),
  rotation,
  (a, b, c) => `${pick(["slliw", "srliw", "sraiw"], a >> 4)} ${pick(X, a)}, ${pick(X, b)}, ${c % 32}`,
  (a, b, c) =>
    `${pick(["addiw", "andi", "ori", "xori"], a >> 4)} ${pick(X, a)}, ${pick(X, b)}, ${(c % 4096) - 2048}`,
  (a, b, c) => `${pick(["mv", "sext.w"], c)} ${pick(X, a)}, ${pick(X, b)}`,
  (a, b, c) => `${pick(LOADS, a >> 4)} ${pick(X, a)}, ${8 * (b % DATA_WORDS) + 4 * (c % 2)}(s0)`,
  (a, b) => `ld ${pick(X, a)}, ${8 * (b % DATA_WORDS)}(s0)`,
  (a, b, c) => `${pick(["sw", "sd", "sb"], c)} ${pick(X, a)}, ${8 * (b % DATA_WORDS)}(s3)`,
  (a, b, c) =>
    c % 2 === 0 ? `li ${pick(X, a)}, ${(b % 2048) - 1024}` : `lui ${pick(X, a)}, ${0x7_fff0 + (b % 32)}`,
  (a, b, c) => `${pick(["slli", "srli", "srai"], a >> 4)} ${pick(X, a)}, ${pick(X, b)}, ${c % 64}`,
  // Leaves in the middle: for a page that is not there, or a handler.
  (a, b, c) =>
    c % 8 === 0 ? `lw ${pick(X, a)}, ${4 * (b % 8)}(s2)` : c % 8 === 1 ? "ecall" : `mv ${pick(X, a)}, zero`,
];

const LEAVING = { nothing: "nop", call: "call function", privileged: "csrrw a2, mscratch, a0" };

/** The program's text. Its trap handler skips whatever faults. */
export function wordText({ ways, conditions, data, leaves }: WordProgram): string {
  const way = (index: number): string =>
    (ways[index] ?? []).map(([kind, a, b, c]) => `  ${pick(WRITERS, kind)(a, b, c)}`).join("\n");
  const branch = (index: number, goal: string): string => {
    const [kind, a, b] = conditions[index] ?? [0, 0, 0, 0];
    return `  ${pick(BRANCHES, kind)} ${pick(X, a)}, ${pick(XZ, b)}, ${goal}`;
  };
  return `
  la t0, trap
  csrw mtvec, t0
  la s0, data
  li s2, 0x40000000
  li s3, 0x80080000
  li s4, 0
  csrw mscratch, s0
again:
${way(0)}
${branch(0, "other")}
${way(1)}
  j both
other:
${way(2)}
both:
  ${LEAVING[leaves]}
${way(3)}
  andi s5, s4, 7
inner:
${way(4)}
${branch(1, "skip")}
${way(5)}
skip:
  addi s5, s5, -1
  bgtz s5, inner
${way(6)}
  addi s4, s4, 1
${branch(2, "again")}
  ld a0, 8(s0)
  ld a1, 16(s0)
  j again
function:
  ld a1, 0(s0)
  ld a3, 24(s0)
  ld t1, 32(s0)
  addiw a2, a2, 3
  ret
trap:
  csrr s6, mepc
  addi s6, s6, 4
  csrw mepc, s6
  mret
  .balign 8
data: .dword ${data.map((word) => `0x${word.toString(16)}`).join(", ")}
`;
}
