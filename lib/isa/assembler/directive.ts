/** Directives of the text assembler. */
import { alignment, data, type Item, textBytes, zeroes } from "./item.ts";
import { type Mistake, mistake } from "./mistake.ts";
import type { OperandValue } from "./operand.ts";
import { parseQuoted } from "./statement.ts";

type Directive = (operands: readonly string[], value: (text: string) => OperandValue) => Item | Mistake;

const integers =
  (name: string, sizeBytes: number): Directive =>
  (operands, value) =>
    data(name, sizeBytes, operands.map(value));

const quoted =
  (name: string, terminated: boolean): Directive =>
  (operands) => {
    const text = parseQuoted(operands.join(", "));
    return text === undefined
      ? mistake(`${name} takes a text in double quotes`, 1)
      : textBytes(text, terminated);
  };

/** A directive with one number. */
const counted =
  (name: string, item: (count: number) => Item): Directive =>
  ([operand = ""], value) => {
    const count = value(operand);
    return typeof count === "bigint"
      ? item(Number(count))
      : mistake(`${name} takes a number, not "${operand}"`, 1);
  };

const zero = counted(".zero", zeroes);
const powerOfTwo = counted(".align", (exponent) => alignment(2 ** exponent));

/** What each directive makes. `.align` takes an exponent, as GNU `as` does for RISC-V. */
export const DIRECTIVES: Readonly<Record<string, Directive>> = {
  ".byte": integers(".byte", 1),
  ".half": integers(".half", 2),
  ".2byte": integers(".2byte", 2),
  ".word": integers(".word", 4),
  ".4byte": integers(".4byte", 4),
  ".dword": integers(".dword", 8),
  ".quad": integers(".quad", 8),
  ".8byte": integers(".8byte", 8),
  ".ascii": quoted(".ascii", false),
  ".asciz": quoted(".asciz", true),
  ".string": quoted(".string", true),
  ".align": powerOfTwo,
  ".p2align": powerOfTwo,
  ".balign": counted(".balign", alignment),
  ".zero": zero,
  ".space": zero,
  ".skip": zero,
};

/** Directives about sections and symbols, which a flat program does not need. */
const IGNORED: ReadonlySet<string> = new Set(
  ".text .data .rodata .bss .section .globl .global .local .type .size .option .attribute .file .ident".split(
    " ",
  ),
);

/** Whether a directive is accepted and means nothing here. */
export const isIgnoredDirective = (name: string): boolean => IGNORED.has(name);
