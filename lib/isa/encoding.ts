/**
 * Instruction encodings as the manual draws them, and everything that follows from the drawing.
 *
 * A diagram is one row of the manual's instruction listings, most significant bit first: a run of `0` and `1` is fixed,
 * a name is an operand field, and `imm[4:1|11]` says which bits of the immediate stand there. `rd≠0` is a field that must not
 * be zero, and so are `nzimm` and `nzuimm`. Mask, match, decoding and encoding of operands all come from it, so no second
 * description can disagree.
 */

/** Widths in bits of the operand fields that are written without a bit range. */
const FIELD_WIDTH = {
  rd: 5,
  rs1: 5,
  rs2: 5,
  rs3: 5,
  "rd'": 3,
  "rs1'": 3,
  "rs2'": 3,
  csr: 12,
  uimm: 5,
  rm: 3,
  aq: 1,
  rl: 1,
  fm: 4,
  pred: 4,
  succ: 4,
} as const;

/** Names that a diagram may use for operand fields. */
export type FieldName = keyof typeof FIELD_WIDTH | "imm" | "shamt" | "nzimm" | "nzuimm";

/** A run of operand bits: `width` bits of the operand from bit `operandLsb` stand in the word from bit `wordLsb`. */
export interface Slice {
  readonly wordLsb: number;
  readonly operandLsb: number;
  readonly width: number;
}

/** One operand of an encoding: where its bits are, and how they are read. */
export interface Field {
  readonly name: FieldName;
  readonly slices: readonly Slice[];
  /** One more than the highest operand bit. */
  readonly widthBits: number;
  /** Lowest operand bit that is encoded; bits below it are zero. */
  readonly lowestBit: number;
  readonly signed: boolean;
  /** The one value that makes the word something else; `undefined`: every value will do. */
  readonly except: number | undefined;
}

/** A set of instruction words with operand fields. */
export interface Encoding {
  readonly diagram: string;
  /** 2 or 4. */
  readonly sizeBytes: 2 | 4;
  /** Bits that are fixed, as an unsigned 32-bit mask. */
  readonly mask: number;
  /** Value of the fixed bits: `(word & mask) === match`, both unsigned, selects the instruction. */
  readonly match: number;
  readonly fields: readonly Field[];
}

const SIGNED: ReadonlySet<string> = new Set(["imm", "nzimm"]);

/** Fields that the manual marks as not zero by their names. */
const NOT_ZERO: ReadonlySet<string> = new Set(["nzimm", "nzuimm"]);

const isFixed = (token: string): boolean => /^[01]+$/.test(token);

/** Splits `12|10:5` into runs of operand bits, most significant first. */
function ranges(text: string): { operandLsb: number; width: number }[] {
  return text.split("|").map((range) => {
    const [msb = "", lsb = msb] = range.split(":");
    return { operandLsb: Number(lsb), width: Number(msb) - Number(lsb) + 1 };
  });
}

interface OperandToken {
  readonly name: FieldName;
  readonly runs: { operandLsb: number; width: number }[];
  readonly except: number | undefined;
}

/** Name, runs and forbidden value of one operand token. */
function operandToken(token: string, diagram: string): OperandToken {
  const [, name = "", range, forbidden] = /^([a-z0-9']+)(?:\[([0-9:|]+)\])?(?:≠(\d+))?$/.exec(token) ?? [];
  const except = forbidden === undefined ? (NOT_ZERO.has(name) ? 0 : undefined) : Number(forbidden);
  if (range !== undefined) return { name: name as FieldName, runs: ranges(range), except };
  const width = (FIELD_WIDTH as Readonly<Record<string, number>>)[name];
  if (width === undefined) throw new RangeError(`unknown operand "${token}" in ${diagram}`);
  return { name: name as FieldName, runs: [{ operandLsb: 0, width }], except };
}

function fieldOf(name: FieldName, slices: readonly Slice[], except: number | undefined): Field {
  return {
    name,
    slices,
    widthBits: Math.max(...slices.map(({ operandLsb, width }) => operandLsb + width)),
    lowestBit: Math.min(...slices.map(({ operandLsb }) => operandLsb)),
    signed: SIGNED.has(name),
    except,
  };
}

/** Reads a diagram. Throws `RangeError` unless it draws exactly 16 or 32 bits: a wrong table is our own bug. */
export function encoding(diagram: string): Encoding {
  const slices = new Map<FieldName, Slice[]>();
  const exceptions = new Map<FieldName, number | undefined>();
  let mask = 0;
  let match = 0;
  let wordLsb = 0;
  for (const token of diagram.split(/\s+/).reverse()) {
    if (isFixed(token)) {
      mask += (2 ** token.length - 1) * 2 ** wordLsb;
      match += Number.parseInt(token, 2) * 2 ** wordLsb;
      wordLsb += token.length;
      continue;
    }
    const { name, runs, except } = operandToken(token, diagram);
    exceptions.set(name, except);
    for (const run of runs.reverse()) {
      slices.set(name, [...(slices.get(name) ?? []), { wordLsb, ...run }]);
      wordLsb += run.width;
    }
  }
  if (wordLsb !== 16 && wordLsb !== 32) throw new RangeError(`${wordLsb} bits drawn in ${diagram}`);
  const fields = [...slices].map(([name, runs]) => fieldOf(name, runs, exceptions.get(name)));
  return { diagram, sizeBytes: wordLsb === 32 ? 4 : 2, mask, match, fields };
}

/** Length of the instruction that starts with these bits: 2 bytes unless the two lowest bits are ones. */
export const instructionBytes = (word: number): 2 | 4 => ((word & 3) === 3 ? 4 : 2);

/** True when the fixed bits of the encoding stand in the word. `word` is 32 bits, signed or unsigned. */
export const hasFixedBits = (word: number, { mask, match }: Pick<Encoding, "mask" | "match">): boolean =>
  (word & mask) >>> 0 === match;

/** True when the word is an instance of the encoding. `word` is 32 bits, signed or unsigned. */
export const matches = (word: number, encoding: Encoding): boolean =>
  hasFixedBits(word, encoding) && !encoding.fields.some((field) => isExcepted(word, field));

const isExcepted = (word: number, field: Field): boolean =>
  field.except !== undefined && extractField(word, field) === field.except;

/** True when some word is an instance of both encodings. */
export const overlaps = (a: Encoding, b: Encoding): boolean =>
  (a.mask & b.mask & (a.match ^ b.match)) === 0 && !excludes(a, b) && !excludes(b, a);

/** True when a field of `a` must not have the very value that the fixed bits of `b` give it. */
const excludes = (a: Encoding, b: Encoding): boolean =>
  a.fields.some((field) => isExcepted(b.match, field) && isFixedIn(field, b));

const isFixedIn = (field: Field, { mask }: Encoding): boolean =>
  field.slices.every(({ wordLsb, width }) => ((~mask >>> wordLsb) & sliceMask(width)) === 0);

const sliceMask = (width: number): number => (width === 32 ? -1 : (1 << width) - 1);

/** Reads an operand field out of a word: at most 32 bits, sign-extended when the field is signed. */
export function extractField(word: number, field: Field): number {
  let value = 0;
  for (const { wordLsb, operandLsb, width } of field.slices) {
    value |= ((word >>> wordLsb) & sliceMask(width)) << operandLsb;
  }
  if (!field.signed) return value >>> 0;
  const unused = 32 - field.widthBits;
  return (value << unused) >> unused;
}

/** Puts an operand into a word whose field is zero. The caller has checked that the operand fits. */
export function insertField(word: number, field: Field, value: number): number {
  let result = word;
  for (const { wordLsb, operandLsb, width } of field.slices) {
    result |= ((value >> operandLsb) & sliceMask(width)) << wordLsb;
  }
  return result >>> 0;
}
