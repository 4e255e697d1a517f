/** Pairs of ops that one handler executes: data, chosen from a profile of the C guests. */
import { FIRST_PAIR, type InterpreterOp, opNamed } from "./op.ts";

/** Two ops that often follow each other. */
export interface Pair {
  readonly number: number;
  readonly first: InterpreterOp;
  readonly second: InterpreterOp;
}

const NAMES: readonly (readonly [first: string, second: string])[] = [];

/** All of them, by number from `FIRST_PAIR`. */
export const PAIRS: readonly Pair[] = NAMES.map(([first, second], index) => ({
  number: FIRST_PAIR + index,
  first: opNamed(first),
  second: opNamed(second),
}));
