/**
 * How every instruction is translated: one table for both tiers, so that an instruction has one meaning. The compiler asks
 * for an entry for each mnemonic.
 */
import type { Decoded } from "../../../isa/decode.ts";
import { h } from "../../../isa/h.ts";
import { MNEMONICS, type Mnemonic } from "../../../isa/instructions.ts";
import { privileged } from "../../../isa/privileged.ts";
import { xhx } from "../../../isa/xhx.ts";
import { zicsr } from "../../../isa/zicsr.ts";
import { ATOMIC_EMITTERS } from "./atomic.ts";
import { ADDRESS_EMITTERS, BIT_EMITTERS, SINGLE_BIT_EMITTERS } from "./bits.ts";
import { COMPRESSED } from "./compressed.ts";
import type { Emit, Emitter } from "./emitter.ts";
import { type EmitByRounding, FLOAT_EMITTERS, type FloatMnemonic, type RoundingName } from "./float.ts";
import { CONDITIONAL_EMITTERS, INTEGER_EMITTERS } from "./integer.ts";
import { MULTIPLICATION_EMITTERS } from "./multiplication.ts";
import { SIMPLIFICATIONS, SPECIAL_EMITTERS, type SpecialName } from "./special.ts";

/** The instruction that a compressed one, or one with an ordering, stands for; or something simpler. */
type Alias = Mnemonic | SpecialName;

/** All instructions of an extension are the privileged function's. */
const allPrivileged = <T extends object>(extension: T): { readonly [M in keyof T]: "privileged" } =>
  Object.fromEntries(Object.keys(extension).map((mnemonic) => [mnemonic, "privileged"])) as {
    [M in keyof T]: "privileged";
  };

const TABLE: { readonly [M in Mnemonic]: Emit | EmitByRounding | Alias } = {
  ...INTEGER_EMITTERS,
  ...MULTIPLICATION_EMITTERS,
  ...ATOMIC_EMITTERS,
  ...FLOAT_EMITTERS,
  ...COMPRESSED,
  ...CONDITIONAL_EMITTERS,
  ...ADDRESS_EMITTERS,
  ...BIT_EMITTERS,
  ...SINGLE_BIT_EMITTERS,
  ...allPrivileged(zicsr),
  ...allPrivileged(privileged),
  ...allPrivileged(h),
  ...allPrivileged(xhx),
};

/** Name of something that is translated: a mnemonic, one with a rounding mode of its own, or a simpler case of one. */
export type OpName = Mnemonic | `${FloatMnemonic}.${Exclude<RoundingName, "rne">}` | SpecialName;

/** Something that is translated. */
export interface Op {
  readonly name: OpName;
  readonly emitter: Emitter;
  /** Its place in {@link OPS}. */
  readonly index: number;
}

const ops: Op[] = [];

function register(name: OpName, emit: Emit): Op | undefined {
  if (emit === "interpret") return undefined;
  const op: Op = { name, emitter: emit, index: ops.length };
  ops.push(op);
  return op;
}

const SPECIAL_OPS = Object.fromEntries(
  Object.entries(SPECIAL_EMITTERS).map(([name, emitter]) => [name, register(name as SpecialName, emitter)]),
) as Record<SpecialName, Op>;

/** What a mnemonic is translated as, by the three bits of its rounding mode where it has one. */
interface Choice {
  readonly op: Op | undefined;
  readonly byRounding: readonly (Op | undefined)[] | undefined;
  readonly simplified: (typeof SIMPLIFICATIONS)[Mnemonic];
}

const ROUNDING_MODES: readonly (RoundingName | undefined)[] = [
  ...(["rne", "rtz", "rdn", "rup", "rmm"] as const),
  ...[undefined, undefined], // reserved
  "rne", // the dynamic mode
];

function choiceOf(mnemonic: Mnemonic, entry: Exclude<(typeof TABLE)[Mnemonic], Alias>): Choice {
  const simplified = SIMPLIFICATIONS[mnemonic];
  if (entry === "interpret" || "kind" in entry)
    return { op: register(mnemonic, entry), byRounding: undefined, simplified };
  const { rne } = entry;
  const nearest = register(mnemonic, rne);
  const byRounding = ROUNDING_MODES.map((mode) => {
    if (mode === undefined) return undefined;
    const emit = entry[mode] ?? "interpret";
    return mode === "rne" || emit === rne ? nearest : register(`${mnemonic}.${mode}` as OpName, emit);
  });
  return { op: undefined, byRounding, simplified };
}

const isAlias = (entry: (typeof TABLE)[Mnemonic]): entry is Alias =>
  typeof entry === "string" && entry !== "interpret";

function chooseAll(): Readonly<Record<Mnemonic, Choice>> {
  const choices: Partial<Record<Alias, Choice>> = {};
  for (const name of Object.keys(SPECIAL_OPS) as SpecialName[])
    choices[name] = { op: SPECIAL_OPS[name], byRounding: undefined, simplified: undefined };
  for (const mnemonic of MNEMONICS) {
    const entry = TABLE[mnemonic];
    if (!isAlias(entry)) choices[mnemonic] = choiceOf(mnemonic, entry);
  }
  for (const mnemonic of MNEMONICS) {
    const entry = TABLE[mnemonic];
    const choice = isAlias(entry) ? choices[entry] : undefined;
    if (choice !== undefined) choices[mnemonic] = choice;
  }
  return choices as Record<Mnemonic, Choice>;
}

const CHOICES = chooseAll();

/** Everything that is translated, by index. */
export const OPS: readonly Op[] = ops;
/** The names, in the same order. */
export const OP_NAMES: readonly OpName[] = ops.map(({ name }) => name);

/**
 * What an instruction is translated as; `undefined`: the slow path executes it. A computation whose result nobody keeps is
 * a `nop`. The operands are the instruction's own, also for a simpler case of it.
 */
export function emitterOf(decoded: Decoded): Op | undefined {
  const { mnemonic } = decoded;
  if (mnemonic === undefined) return undefined;
  const { op, byRounding, simplified } = CHOICES[mnemonic];
  if (byRounding !== undefined) return byRounding[(decoded.word >>> 12) & 7];
  if (op?.emitter.kind === "compute" && decoded.rd === 0) return SPECIAL_OPS.nop;
  const special = simplified?.(decoded);
  return special === undefined ? op : SPECIAL_OPS[special];
}
