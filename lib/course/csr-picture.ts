/** The CSR picture: a control and status register bit by bit, its fields named, the set ones filled. */
import { type FigureBundle, pictureBundle } from "./figure.ts";
import { box, element, label, line, picture } from "./marks/svg.ts";
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

const WIDTH = 760;
const LEFT = 36;
const BIT = 21.5;
const CELL_HEIGHT = 24;
const LABEL_ROOM = 54;
const ROW_HEIGHT = LABEL_ROOM + CELL_HEIGHT + 26;

const xOf = (bit: number): number => LEFT + (31 - (bit % 32)) * BIT;

const fieldPieces = (field: CsrField): { high: number; low: number }[] =>
  [
    { high: field.high, low: Math.max(field.low, 32) },
    { high: Math.min(field.high, 31), low: field.low },
  ].filter((piece) => piece.high >= piece.low);

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
  const narrow = field.name.length * 6.6 > width - 4;
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

const hexOf = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16).padStart(16, "0")}`;

function csrSvg(view: CsrView, title: string): string {
  const value = BigInt.asUintN(64, view.value);
  const drawn: CsrView = { ...view, value };
  const set = view.fields.filter((field) => field.value !== 0n);
  const noted = set.filter((field) => field.meaning !== undefined);
  const bottom = 46 + 2 * ROW_HEIGHT;
  return picture(
    {
      title,
      description: `${view.name} holds ${hexOf(value)}. Fields that are set: ${set.map(fieldSentence).join(", ") || "none"}.`,
    },
    WIDTH,
    bottom + 14 + noted.length * 18,
    label(24, 30, title, { size: 15, bold: true }),
    label(WIDTH - 24, 30, hexOf(value), { size: 12, anchor: "end", mono: true, paint: paperPaint("quiet") }),
    rowMarks(drawn, true, 46 + LABEL_ROOM),
    rowMarks(drawn, false, 46 + ROW_HEIGHT + LABEL_ROOM),
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

/** Draws one control and status register. */
export function csrPicture(view: CsrView, title = view.name): FigureBundle {
  return pictureBundle(csrSvg(view, title), csrText(view, title));
}
