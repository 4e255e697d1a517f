/** One line of assembly text: labels, a mnemonic, and operands still as text. */

/** A line taken apart. */
export interface Statement {
  readonly labels: readonly string[];
  /** Instruction or directive in lower case; `undefined` when the line has none. */
  readonly mnemonic: string | undefined;
  /** Operands as written, split at commas; `8(sp)` is two operands. */
  readonly operands: readonly string[];
}

/** Removes a comment (`#`, `//` or `;` outside quotes). */
function withoutComment(line: string): string {
  const match = /^(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|(?!\/\/)[^#;])*/.exec(line);
  return (match?.[0] ?? "").trim();
}

const LABEL = /^([A-Za-z_.$][\w.$]*|\d+)\s*:\s*/;

/** Splits at commas outside quotes and parentheses. */
function splitOperands(text: string): string[] {
  const parts = text.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'|\([^)]*\)|[^,])+/g) ?? [];
  return parts.map((part) => part.trim());
}

/** `8(sp)` is the offset 8 and the base sp; `(sp)` has offset 0. */
function splitBase(operand: string): string[] {
  const [, offset, base] = /^([^"]*)\(\s*([A-Za-z]\w*)\s*\)$/.exec(operand) ?? [];
  return base === undefined || offset === undefined ? [operand] : [offset.trim() || "0", base];
}

/** Takes a line apart. Never fails: what makes no sense is found out by whoever reads the parts. */
export function parseStatement(line: string): Statement {
  const labels: string[] = [];
  let rest = withoutComment(line);
  for (let found = LABEL.exec(rest); found !== null; found = LABEL.exec(rest)) {
    labels.push(found[1] ?? "");
    rest = rest.slice(found[0].length);
  }
  if (rest === "") return { labels, mnemonic: undefined, operands: [] };
  const [mnemonic = "", ...others] = rest.split(/\s+/);
  const operands = others.length === 0 ? [] : splitOperands(rest.slice(mnemonic.length).trim());
  return { labels, mnemonic: mnemonic.toLowerCase(), operands: operands.flatMap(splitBase) };
}

/** A number as assembly writes it: decimal, `0x`, `0b`, with `_` between digits, or a character. */
export function parseNumber(text: string): bigint | undefined {
  const [, sign, digits = ""] = /^(-?)(0[xX][0-9a-fA-F_]+|0[bB][01_]+|\d[\d_]*)n?$/.exec(text) ?? [];
  if (sign !== undefined) {
    const magnitude = BigInt(digits.replaceAll("_", ""));
    return sign === "-" ? -magnitude : magnitude;
  }
  const [, character] = /^'(\\?.)'$/.exec(text) ?? [];
  if (character === undefined) return undefined;
  return BigInt(
    (character.length === 2 ? (ESCAPES[character[1] ?? ""] ?? character[1]) : character)?.codePointAt(0) ?? 0,
  );
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** The characters of a quoted text, or `undefined` when it is not one. */
export function parseQuoted(text: string): string | undefined {
  const [, body] = /^"((?:\\.|[^"\\])*)"$/.exec(text) ?? [];
  return body?.replaceAll(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}
