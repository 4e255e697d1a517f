/**
 * Reads the `mappings` of a source map: from a place in emitted code back to the cell's text.
 */

/** A place, line and column from 0, columns in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

interface Segment {
  readonly column: number;
  readonly original: Place;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CONTINUES = 0b100000;
const VALUE_BITS = 5;

/** The decoded mappings of one cell. */
export class MappingTable {
  static readonly #known = new WeakMap<object, MappingTable>();
  readonly #lines: readonly (readonly Segment[])[];

  constructor(mappings: string) {
    this.#lines = decode(mappings);
  }

  /** The table of a cell, decoded at its first use. */
  static of(cell: { readonly mappings: string }): MappingTable {
    const known = MappingTable.#known.get(cell) ?? new MappingTable(cell.mappings);
    MappingTable.#known.set(cell, known);
    return known;
  }

  /** Where the code at a place came from; `undefined` for code of ours. */
  original(line: number, column: number): Place | undefined {
    const segments = this.#lines[line] ?? [];
    let found: Segment | undefined;
    for (const segment of segments) {
      if (segment.column > column) break;
      found = segment;
    }
    return found?.original;
  }
}

/** Segments have 1, 4 or 5 fields, each a difference to the one before; those without a source are dropped. */
function decode(mappings: string): Segment[][] {
  let originalLine = 0;
  let originalColumn = 0;
  return mappings.split(";").map((line) => {
    let column = 0;
    const segments: Segment[] = [];
    for (const text of line.split(",")) {
      const [columnStep, , lineStep, originalStep] = integers(text);
      if (columnStep === undefined) continue;
      column += columnStep;
      if (lineStep === undefined || originalStep === undefined) continue;
      originalLine += lineStep;
      originalColumn += originalStep;
      segments.push({ column, original: { line: originalLine, column: originalColumn } });
    }
    return segments;
  });
}

/** Base64 variable-length integers, sign in the lowest bit. */
function integers(text: string): number[] {
  const values: number[] = [];
  let value = 0;
  let shift = 0;
  for (const character of text) {
    const digit = DIGITS.indexOf(character);
    value += (digit & (CONTINUES - 1)) << shift;
    if ((digit & CONTINUES) !== 0) {
      shift += VALUE_BITS;
      continue;
    }
    values.push((value & 1) === 1 ? -(value >> 1) : value >> 1);
    value = 0;
    shift = 0;
  }
  return values;
}
