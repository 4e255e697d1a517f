/** The CSR picture: a control and status register bit by bit, its fields named, the set ones filled. */

import { type BitField, getField } from "../bits/field.ts";
import { groupedHex } from "../bits/hex.ts";
import { CSRS, type CsrName } from "../isa/csr-map.ts";
import { fieldMeaning } from "./csr-meanings.ts";
import { type FigureBundle, pictureBundle } from "./figure.ts";
import { box, element, FIGURE_WIDTH, label, line, picture } from "./marks/svg.ts";
import { paperPaint, partPaint } from "./palette.ts";

/** One field as a decoder returns it. */
export interface CsrField {
  readonly name: string;
  /** Highest and lowest bit, inclusive. */
  readonly high: number;
  readonly low: number;
  readonly value: bigint;
  /** What the value means, in a few words. */
  readonly meaning?: string;
}

/** A register with its fields, ready to draw. */
export interface CsrView {
  readonly name: string;
  readonly value: bigint;
  readonly fields: readonly CsrField[];
}

const LEFT = 26;
const BIT = 19.6;
const CELL_HEIGHT = 24;
/** Height of a row below its labels: cells and bit numbers. */
const ROW_BODY = CELL_HEIGHT + 26;

const xOf = (bit: number): number => LEFT + (31 - (bit % 32)) * BIT;

const fieldPieces = (field: CsrField): { high: number; low: number }[] =>
  [
    { high: field.high, low: Math.max(field.low, 32) },
    { high: Math.min(field.high, 31), low: field.low },
  ].filter((piece) => piece.high >= piece.low);

/** Whether a name stands slanted over cells of this width. */
const isSlanted = ({ name }: CsrField, width: number): boolean => name.length * 6.4 > width - 4;

function pieceMarks(
  view: CsrView,
  field: CsrField,
  piece: { high: number; low: number },
  top: number,
): string {
  const x = xOf(piece.high);
  const width = (piece.high - piece.low + 1) * BIT;
  const isSet = field.value !== 0n;
  const paint = partPaint("csr");
  // Beside a slanted name an upright one of two letters would lie under its end.
  const isTight =
    width === BIT &&
    field.name.length > 1 &&
    view.fields.some((other) => other.high === other.low && isSlanted(other, BIT));
  const narrow = isSlanted(field, width) || isTight;
  const middle = x + width / 2;
  const bits = Array.from({ length: piece.high - piece.low + 1 }, (_, index) => piece.high - index);
  return [
    box(x, top, width, CELL_HEIGHT, {
      fill: isSet ? paint : paperPaint("paper"),
      stroke: paint,
      "stroke-width": 1.25,
    }),
    ...bits.map((bit) =>
      label(xOf(bit) + BIT / 2, top + 16, String((view.value >> BigInt(bit)) & 1n), {
        size: 12,
        anchor: "middle",
        mono: true,
        bold: isSet,
        paint: isSet ? paperPaint("paper") : paperPaint("quiet"),
      }),
    ),
    narrow
      ? element(
          "g",
          { transform: `translate(${Math.round(middle * 100) / 100 + 4} ${top - 6}) rotate(-58)` },
          label(0, 0, field.name, { size: 11, bold: isSet, paint: isSet ? paint : paperPaint("quiet") }),
        )
      : label(middle, top - 6, field.name, {
          size: 11,
          anchor: "middle",
          bold: isSet,
          paint: isSet ? paint : paperPaint("quiet"),
        }),
  ].join("");
}

function rowMarks(view: CsrView, upper: boolean, top: number): string {
  const low = upper ? 32 : 0;
  const pieces = view.fields.flatMap((field) =>
    fieldPieces(field)
      .filter((piece) => piece.low >= low && piece.high < low + 32)
      .map((piece) => pieceMarks(view, field, piece, top)),
  );
  const numbers = [31, 24, 16, 8, 0].map((bit) =>
    label(xOf(bit) + BIT / 2, top + CELL_HEIGHT + 15, String(bit + low), {
      size: 10,
      anchor: "middle",
      paint: paperPaint("quiet"),
    }),
  );
  return [
    line(LEFT, top + CELL_HEIGHT / 2, LEFT + 32 * BIT, top + CELL_HEIGHT / 2, paperPaint("rule")),
    ...pieces,
    ...numbers,
  ].join("");
}

const fieldSentence = (field: CsrField): string =>
  `${field.name} = ${field.value}${field.meaning === undefined ? "" : ` (${field.meaning})`}`;

const hexOf = (value: bigint): string => groupedHex(value, 16);

/** Room above a row for the longest slanted name. */
const labelRoom = (view: CsrView): number =>
  18 + Math.max(0, ...view.fields.map((field) => field.name.length)) * 6;

function csrSvg(view: CsrView, title: string): string {
  const value = BigInt.asUintN(64, view.value);
  const drawn: CsrView = { ...view, value };
  const set = view.fields.filter((field) => field.value !== 0n);
  const noted = view.fields.filter((field) => field.meaning !== undefined);
  const room = labelRoom(view);
  const halves = view.fields.some((field) => field.high >= 32) ? [true, false] : [false];
  const bottom = 46 + halves.length * (room + ROW_BODY);
  return picture(
    {
      title,
      description: `${view.name} holds ${hexOf(value)}. Fields that are set: ${set.map(fieldSentence).join(", ") || "none"}.`,
    },
    FIGURE_WIDTH,
    bottom + 14 + noted.length * 18,
    label(24, 30, title, { size: 15, bold: true }),
    label(FIGURE_WIDTH - 24, 30, hexOf(value), {
      size: 12,
      anchor: "end",
      mono: true,
      paint: paperPaint("quiet"),
    }),
    ...halves.map((upper, row) => rowMarks(drawn, upper, 46 + row * (room + ROW_BODY) + room)),
    ...noted.map((field, index) => label(LEFT, bottom + 18 + index * 18, fieldSentence(field), { size: 12 })),
  );
}

function csrText(view: CsrView, title: string): string {
  const rows = view.fields.map((field) => {
    const bits = field.high === field.low ? `${field.high}` : `${field.high}:${field.low}`;
    return `  ${bits.padStart(5)}  ${field.name.padEnd(6)} ${field.value}${field.meaning === undefined ? "" : `  ${field.meaning}`}`;
  });
  return [`${title}: ${hexOf(view.value)}`, ...rows].join("\n");
}

/** A register of the machine with its fields, taken from the table of the instruction set. */
export function csrView(name: CsrName, value: bigint): CsrView {
  const fields = Object.entries<BitField>(CSRS[name].fields).map(([field, place]) => {
    const content = getField(value, place);
    const meaning = fieldMeaning(name, field, content);
    const found = { name: field, low: place.lsb, high: place.lsb + place.width - 1, value: content };
    return meaning === undefined ? found : { ...found, meaning };
  });
  return { name, value, fields };
}

/** Draws a view of a register: the form for registers that the table does not have. */
export const drawCsr = (view: CsrView, title = view.name): FigureBundle =>
  pictureBundle(csrSvg(view, title), csrText(view, title));

/**
 * Draws one control and status register, bit by bit.
 *
 * @param value  64 bits, as `board.hart.csr(name)` reads it.
 */
export const csrPicture = (name: CsrName, value: bigint, title: string = name): FigureBundle =>
  drawCsr(csrView(name, value), title);
