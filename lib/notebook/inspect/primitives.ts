/**
 * Strings, numbers and keys as JavaScript source would write them, with Node's choice of quotes.
 */
import { BREAK_LENGTH } from "./layout.ts";

const LONGEST_STRING = 10_000;
const SPLIT_FROM = 16;

const ESCAPES: { readonly [character: string]: string } = {
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
  "\\": "\\\\",
};

/** A string in quotes that needs the fewest escapes. */
export function quote(text: string): string {
  const mark = !text.includes("'")
    ? "'"
    : !text.includes('"')
      ? '"'
      : !text.includes("`") && !text.includes("${")
        ? "`"
        : "'";
  const body = text.replace(
    /[\u0000-\u001f\u007f-\u009f\\']|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (character) => {
      if (character === "'") return mark === "'" ? "\\'" : "'";
      const known = ESCAPES[character];
      if (known !== undefined) return known;
      const code = character.charCodeAt(0);
      return code > 0xff
        ? `\\u${code.toString(16)}`
        : `\\x${code.toString(16).toUpperCase().padStart(2, "0")}`;
    },
  );
  return `${mark}${body}${mark}`;
}

/** A string inside another value: quoted, cut when very long, split after line ends when it would not fit. */
export function quoteInside(text: string, indentation: number): string {
  const cut = text.length > LONGEST_STRING;
  const kept = cut ? text.slice(0, LONGEST_STRING) : text;
  const more = text.length - LONGEST_STRING;
  const note = cut ? `... ${more} more character${more > 1 ? "s" : ""}` : "";
  if (kept.length > SPLIT_FROM && kept.length > BREAK_LENGTH - indentation - 4) {
    return (
      kept
        .split(/(?<=\n)/)
        .map(quote)
        .join(` +\n${" ".repeat(indentation + 2)}`) + note
    );
  }
  return quote(kept) + note;
}

/** A number, with its zero's sign. */
export const printNumber = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));

/** A property key, quoted when it is no identifier. */
export function printKey(key: string | symbol): string {
  if (typeof key === "symbol") return String(key);
  return /^[a-zA-Z_][a-zA-Z_0-9]*$/.test(key) ? key : quote(key);
}

/** A primitive value; `indentation` matters to long strings alone. */
export function printPrimitive(value: unknown, indentation: number): string | undefined {
  switch (typeof value) {
    case "string":
      return quoteInside(value, indentation);
    case "number":
      return printNumber(value);
    case "bigint":
      return `${value}n`;
    case "boolean":
    case "undefined":
    case "symbol":
      return String(value);
    default:
      return value === null ? "null" : undefined;
  }
}
