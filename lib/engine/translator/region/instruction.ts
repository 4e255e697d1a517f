/** Instruction words as regions see them, remembered by word: most words of a program occur many times. */
import { type Decoded, decode } from "../../../isa/decode.ts";
import type { Emitter } from "../emit/emitter.ts";
import { SPECIAL_EMITTERS } from "../emit/special.ts";
import { emitterOf } from "../emit/table.ts";
import { type OperandUse, operandUse } from "./operand-probe.ts";

/** How control goes on behind an instruction. */
export const Flow = {
  /** With the following one. */
  NEXT: 0,
  /** There, or to pc + imm. */
  BRANCH: 1,
  /** To pc + imm. */
  JUMP: 2,
  /** To pc + imm, and back behind itself. */
  CALL: 3,
  /** To an address in a register, which nothing tells beforehand. */
  JUMP_REGISTER: 4,
  /** There, and back behind itself. */
  CALL_REGISTER: 5,
  /** Back to the caller. */
  RETURN: 6,
  /** Through the privileged function, perhaps elsewhere. */
  PRIVILEGED: 7,
  /** Not here: the cold tier executes it. */
  LEAVE: 8,
} as const;
/** One of them. */
export type Flow = (typeof Flow)[keyof typeof Flow];

/** Whether control may reach the code behind an instruction. */
export const fallsThrough = (flow: Flow): boolean =>
  flow !== Flow.JUMP && flow !== Flow.JUMP_REGISTER && flow !== Flow.RETURN;
/** Whether control may go to pc + imm within the function. */
export const isTaken = (flow: Flow): boolean => flow === Flow.JUMP || flow === Flow.BRANCH;
/** Whether the registers are handed over, and perhaps come back changed. */
export const handsOver = (flow: Flow): boolean =>
  flow === Flow.CALL || flow === Flow.CALL_REGISTER || flow === Flow.PRIVILEGED;

/** What floating-point state a region asks for. */
export const FloatLevel = { NONE: 0, ON: 1, FAST: 2 } as const;
/** One of them. */
export type FloatLevel = (typeof FloatLevel)[keyof typeof FloatLevel];

/** An instruction word with all that translating it takes. */
export interface RegionInsn extends OperandUse {
  readonly word: number;
  readonly decoded: Decoded;
  /** Undefined for those that leave. */
  readonly emitter: Emitter | undefined;
  readonly flow: Flow;
  readonly sizeBytes: 2 | 4;
  /** The immediate of jumps, branches and accesses. */
  readonly offset: number;
  readonly floatLevel: FloatLevel;
  /** Whether it writes a word (see `words.ts`) that comes from memory or is a constant. */
  readonly loadsWord: boolean;
}

const REMEMBERED = 1 << 14;
const remembered = new Array<RegionInsn | undefined>(REMEMBERED).fill(undefined);

/** The instruction that a word (32 bits, or 16 of a compressed one) means; undefined for none. */
export function regionInsn(word: number): RegionInsn | undefined {
  const index = Math.imul(word, 0x9e37_79b1) >>> 18;
  const known = remembered[index];
  if (known !== undefined && known.word === word) return known;
  const decoded = decode(word);
  if (decoded === undefined) return undefined;
  const insn = describe(word, decoded);
  remembered[index] = insn;
  return insn;
}

const NO_USE: OperandUse = {
  readsX: 0,
  writesX: 0,
  readsF: 0,
  writesF: 0,
  mayBail: true,
  access: undefined,
};

function describe(word: number, decoded: Decoded): RegionInsn {
  const emitter = emitterOf(decoded)?.emitter;
  const flow = emitter === undefined ? Flow.LEAVE : flowOf(decoded, emitter);
  const use = emitter === undefined ? NO_USE : operandUse(decoded, emitter);
  return {
    ...use,
    // A call that nests too deep is given up.
    mayBail: use.mayBail || flow === Flow.CALL || flow === Flow.CALL_REGISTER,
    word,
    decoded,
    emitter,
    flow,
    sizeBytes: decoded.sizeBytes,
    offset: Number(decoded.imm),
    floatLevel: floatLevelOf(emitter),
    loadsWord: emitter !== undefined && loadsWord(emitter),
  };
}

/** Whether a register is one that calls leave the address behind them in, by convention. */
export const isLink = (register: number): boolean => register === 1 || register === 5;

/** Which jumps call and return is a convention of registers. @spec unpriv §"Return-address stack prediction hints encoded in the register operands of a JALR instruction" */
function flowOf({ rd, rs1 }: Decoded, emitter: Emitter): Flow {
  switch (emitter.kind) {
    case "branch":
      return Flow.BRANCH;
    case "jump":
      return isLink(rd) ? Flow.CALL : Flow.JUMP;
    case "jumpRegister":
      if (isLink(rd)) return Flow.CALL_REGISTER;
      return rd === 0 && isLink(rs1) ? Flow.RETURN : Flow.JUMP_REGISTER;
    case "privileged":
      return Flow.PRIVILEGED;
    default:
      return Flow.NEXT;
  }
}

/** The immediates of constants have 32 bits. */
const loadsWord = (emitter: Emitter): boolean =>
  emitter === SPECIAL_EMITTERS.li ||
  (emitter.kind === "load" && emitter.op !== "i64.load" && emitter.op !== "i64.load32_u");

function floatLevelOf(emitter: Emitter | undefined): FloatLevel {
  if (emitter?.kind !== "float") return FloatLevel.NONE;
  return emitter.needs === "fast" ? FloatLevel.FAST : FloatLevel.ON;
}
