/**
 * The layout of privileged software as a C header: structures, offsets for assembly, and published addresses. TypeScript and C then
 * work on the same bytes, and the compiler of the one checks the arithmetic of the other.
 */
import { cName, type FieldType, type PlacedField, type StructShape } from "./struct.ts";

/** What goes into a header. */
export interface HeaderContent {
  /** Name of the file, for its guard: `layout.h`. */
  readonly file: string;
  /** Where it comes from, in words; the first line says so. */
  readonly origin: string;
  /** Structures that the header describes; those inside them come along. */
  readonly structs: readonly StructShape[];
  /** Addresses by name. */
  readonly symbols?: ReadonlyMap<string, bigint>;
}

const macro = (...words: readonly string[]): string => words.map(cName).join("_").toUpperCase();
const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** The header's text. Equal layouts give equal texts. */
export function cHeader({ file, origin, structs, symbols = new Map() }: HeaderContent): string {
  const guard = macro(file);
  const all = inOrder(structs);
  return [
    `/* Generated from ${origin}. Change it there. */`,
    `#ifndef ${guard}`,
    `#define ${guard}`,
    "",
    "#ifndef __ASSEMBLER__",
    "#include <stddef.h>",
    "#include <stdint.h>",
    ...all.flatMap((struct) => ["", ...declaration(struct)]),
    "#endif",
    ...all.flatMap((struct) => ["", ...offsets(struct)]),
    ...(symbols.size === 0 ? [] : [""]),
    ...[...symbols].map(([name, address]) => `#define ${macro(name)} ${hex(address)}`),
    "",
    "#endif",
    "",
  ].join("\n");
}

/** All structures, each behind those that it contains. */
function inOrder(structs: readonly StructShape[]): readonly StructShape[] {
  const found = new Map<string, StructShape>();
  const visit = (struct: StructShape): void => {
    const known = found.get(struct.name);
    if (known !== undefined && known !== struct)
      throw new RangeError(`two structures are called ${struct.name}`);
    if (known !== undefined) return;
    for (const { type } of struct.fields) if (type.c.struct !== undefined) visit(type.c.struct);
    found.set(struct.name, struct);
  };
  for (const struct of structs) visit(shapeOf(struct));
  return [...found.values()];
}

/** The shape itself, where a whole `Struct` was given. */
const shapeOf = (struct: StructShape & Partial<Pick<FieldType<unknown>, "c">>): StructShape =>
  struct.c?.struct ?? struct;

function declaration({ name, sizeBytes, fields }: StructShape): string[] {
  const struct = `struct ${cName(name)}`;
  return [
    `${struct} {`,
    ...fields.map(member),
    "};",
    `_Static_assert(sizeof(${struct}) == ${sizeBytes}, "size of ${name}");`,
    ...fields.map(
      (field) =>
        `_Static_assert(offsetof(${struct}, ${cName(field.name)}) == ${field.offset}, "${name}.${field.name}");`,
    ),
  ];
}

function member({ name, type: { c } }: PlacedField): string {
  const alignment = c.alignment === undefined ? "" : `_Alignas(${c.alignment}) `;
  return `  ${alignment}${c.name} ${cName(name)}${c.lengths.map((length) => `[${length}]`).join("")};`;
}

/** For assembly, which has no structures. */
const offsets = ({ name, sizeBytes, fields }: StructShape): string[] => [
  `#define ${macro("sizeof", name)} ${sizeBytes}`,
  ...fields.map((field) => `#define ${macro(name, field.name)} ${field.offset}`),
];
