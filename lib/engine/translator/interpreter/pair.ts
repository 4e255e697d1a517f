/**
 * Pairs of ops that one handler executes. They are data, chosen by how often they follow each other in the C guests and in a
 * boot of Linux. Any other choice would be as right.
 */
import { FIRST_PAIR, type InterpreterOp, opNamed } from "./op.ts";

/** Two ops that often follow each other. */
export interface Pair {
  readonly number: number;
  readonly first: InterpreterOp;
  readonly second: InterpreterOp;
}

/** By the first op: which follow it. */
const FOLLOWERS: Readonly<Record<string, string>> = {
  add: "beqz/forward c.add c.ld lbu",
  addi: "addi c.addi",
  addw: "addw or slliw srliw xor",
  and: "c.slli c.xor",
  andi: "add c.add c.xor",
  auipc: "jalr/call",
  "c.add": "c.bnez/backward c.jalr/jump c.ld c.lw c.sd c.xor mul srli",
  "c.addi": "bltu/backward bne/backward c.add c.addi c.jalr/return c.ld c.mv2 c.sd fmul.d sd",
  "c.addiw": "c.bnez/forward c.ld",
  "c.andi": "c.bnez/forward",
  "c.fld": "addi c.fld",
  "c.ld": "c.add c.addi c.addiw c.ld c.mv2 c.sd srli",
  "c.li": "addi c.li",
  "c.lw": "c.add c.addi c.jal/near srli",
  "c.mv2": "auipc bgeu/forward bltu/backward c.jal/near c.mv2",
  "c.or": "c.add",
  "c.sd": "c.addi c.lw c.sd",
  "c.slli": "add c.add c.srli",
  "c.srli": "c.add sh",
  "c.xor": "bnez/forward c.beqz/forward c.jalr/return slli srli",
  "fadd.d": "bne/backward",
  "fmul.d": "fadd.d",
  lbu: "c.addi c.andi c.srli lbu",
  ld: "c.addi c.addiw ld",
  li: "beq/forward c.li",
  mul: "ori slli",
  or: "addw or srliw xor",
  ori: "andi",
  remu: "c.addiw",
  sd: "bltu/forward c.jal/near sd",
  "sext.w": "sext.w",
  slli: "c.add c.xor srli",
  slliw: "addw or slliw srliw xor",
  srli: "add and andi c.or c.xor",
  srliw: "addw or slliw srliw xor",
  xor: "addw c.addw mul or slliw srliw xor",
};

/** All of them, by number from `FIRST_PAIR`. */
export const PAIRS: readonly Pair[] = Object.entries(FOLLOWERS)
  .flatMap(([first, seconds]) => seconds.split(" ").map((second) => [first, second] as const))
  .map(([first, second], index) => ({
    number: FIRST_PAIR + index,
    first: opNamed(first),
    second: opNamed(second),
  }));

/** By the first op, then the second; only for ops that are the first of a pair. */
const NUMBERS: readonly (Uint16Array | undefined)[] = numbersByOps();

function numbersByOps(): (Uint16Array | undefined)[] {
  const rows = new Array<Uint16Array | undefined>(FIRST_PAIR).fill(undefined);
  for (const { number, first, second } of PAIRS) {
    const row = rows[first.number] ?? new Uint16Array(FIRST_PAIR);
    row[second.number] = number;
    rows[first.number] = row;
  }
  return rows;
}

/** The op that executes both, in the slot of the first; 0 where there is none. */
export const pairOf = (first: number, second: number): number => NUMBERS[first]?.[second] ?? 0;

const FIRSTS: Uint16Array = Uint16Array.from(PAIRS, ({ first }) => first.number);

/** The op that a slot had before it became a pair's. */
export const firstOf = (op: number): number => (op < FIRST_PAIR ? op : (FIRSTS[op - FIRST_PAIR] ?? op));
