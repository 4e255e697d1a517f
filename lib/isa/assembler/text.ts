/** The text assembler: GNU syntax, as much of it as small programs use. */
import { FORMS, type FormShape, type OperandKind } from "../form.ts";
import { INSTRUCTIONS, MNEMONICS, type Mnemonic } from "../instructions.ts";
import { findRegister } from "../register.ts";
import { didYouMean } from "./closest.ts";
import { DIRECTIVES, isIgnoredDirective } from "./directive.ts";
import { type Item, instruction, label, pseudoInstruction } from "./item.ts";
import { type AssemblyError, isMistake, type Mistake, mistake } from "./mistake.ts";
import type { OperandValue } from "./operand.ts";
import { link, type Program, type ProgramOptions, type SourceItem } from "./program.ts";
import { PSEUDO_INSTRUCTIONS, PSEUDO_OPERANDS, type PseudoMnemonic } from "./pseudo.ts";
import { parseNumber, parseStatement } from "./statement.ts";
import { withDefaults } from "./typed.ts";

/**
 * Assembles text.
 *
 * @param text  GNU assembly: one statement a line, `#` comments, labels, numeric local labels (`1:`, `1b`, `1f`).
 * @returns     The program, or all mistakes with their lines.
 */
export function assemble(text: string, options: ProgramOptions = {}): Program | AssemblyError {
  const reader = new Reader();
  for (const [index, line] of text.split("\n").entries()) reader.read(line, index + 1);
  return link(options, reader.items, reader.constants);
}

/** Operands that are names of the architecture, whatever constants a program defines. */
const NAMES: ReadonlySet<OperandKind | undefined> = new Set(["register", "float", "sp"]);

/** Reads statements in order; keeps constants and counts local labels. */
class Reader {
  readonly items: SourceItem[] = [];
  readonly constants = new Map<string, bigint>();
  readonly #localCounts = new Map<string, number>();

  read(line: string, number: number): void {
    const { labels, mnemonic, operands } = parseStatement(line);
    const add = (item: Item): number => this.items.push({ item, line: number, source: line.trim() });
    for (const name of labels) add(label(this.#labelName(name)));
    if (mnemonic === undefined) return;
    const item = this.#statement(
      mnemonic,
      operands.map((operand) => this.#localReference(operand)),
    );
    if (item === undefined) return;
    add(isMistake(item) ? wrong(line.trim(), item) : item);
  }

  #statement(mnemonic: string, operands: readonly string[]): Item | Mistake | undefined {
    if (isIgnoredDirective(mnemonic)) return undefined;
    if (mnemonic === ".equ" || mnemonic === ".set") return this.#defineConstant(operands);
    const directive = DIRECTIVES[mnemonic];
    if (directive !== undefined) return directive(operands, (text) => this.#value(text));
    if (mnemonic.startsWith("."))
      return mistake(`there is no directive ${mnemonic}${didYouMean(mnemonic, Object.keys(DIRECTIVES))}`);
    return this.#instruction(mnemonic, operands);
  }

  #instruction(mnemonic: string, operands: readonly string[]): Item | Mistake {
    const [name, full] = shorthand(mnemonic, operands);
    if (Object.hasOwn(PSEUDO_INSTRUCTIONS, name)) {
      const pseudo = name as PseudoMnemonic;
      const kinds = PSEUDO_OPERANDS[PSEUDO_INSTRUCTIONS[pseudo].form];
      if (kinds.length !== full.length)
        return mistake(`${name} takes ${kinds.length} operands, not ${full.length}`);
      return pseudoInstruction(
        pseudo,
        full.map((text, index) => (kinds[index] === "r" ? text : this.#value(text))),
      );
    }
    if (!Object.hasOwn(INSTRUCTIONS, name))
      return mistake(`there is no instruction "${mnemonic}"${hint(mnemonic)}`);
    const real = name as Mnemonic;
    const { text: template, operands: slots }: FormShape = FORMS[INSTRUCTIONS[real].form];
    const values = withoutZeroOffset(full, template).map((text, index) =>
      NAMES.has(slots[index]?.kind) ? text : this.#value(text),
    );
    return instruction(real, withDefaults(real, values));
  }

  /** A number or constant as bigint; any other name stays a name. */
  #value(text: string): OperandValue {
    return parseNumber(text) ?? this.constants.get(text) ?? text;
  }

  #defineConstant([name = "", text = ""]: readonly string[]): Mistake | undefined {
    const value = this.#value(text);
    if (typeof value !== "bigint") return mistake(`"${text}" is not a number`, 2);
    this.constants.set(name, value);
    return undefined;
  }

  #labelName(name: string): string {
    if (!/^\d+$/.test(name)) return name;
    const count = (this.#localCounts.get(name) ?? 0) + 1;
    this.#localCounts.set(name, count);
    return `${name}@${count}`;
  }

  /** `1b` is the last label `1` before here, `1f` the next one. */
  #localReference(operand: string): string {
    const [, name, direction] = /^(\d+)([bf])$/.exec(operand) ?? [];
    if (name === undefined || findRegister(operand) !== undefined) return operand;
    const count = this.#localCounts.get(name) ?? 0;
    return `${name}@${direction === "b" ? count : count + 1}`;
  }
}

const ALL_MNEMONICS: readonly string[] = [...MNEMONICS, ...Object.keys(PSEUDO_INSTRUCTIONS)];

/** Words that people bring along from other machines, and how RISC-V says it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  subi: "addi with a negative immediate subtracts",
  mov: "mv copies a register, li loads a constant",
  jmp: "j jumps",
  push: "addi sp, sp, -8 and sd push",
  pop: "ld and addi sp, sp, 8 pop",
};

const hint = (mnemonic: string): string => {
  const word = Object.hasOwn(ELSEWHERE, mnemonic) ? ELSEWHERE[mnemonic] : undefined;
  return word === undefined ? didYouMean(mnemonic, ALL_MNEMONICS) : `; ${word}`;
};

/** An item that reports a mistake when the program is put together, with all the others. */
const wrong = (text: string, found: Mistake): Item => ({
  text,
  isCode: false,
  sizeBytes: () => 0,
  encode: () => found,
});

/** `(a0)` was read as offset 0 and base a0; where a form has a base alone, the offset goes. */
function withoutZeroOffset(operands: readonly string[], template: string): readonly string[] {
  const hasBaseAlone = template.endsWith(" (%)") && operands.at(-2) === "0";
  return hasBaseAlone ? [...operands.slice(0, -2), ...operands.slice(-1)] : operands;
}

/** Short ways to write JAL and JALR. */
function shorthand(mnemonic: string, operands: readonly string[]): [string, readonly string[]] {
  const [first = "", second = "", third = ""] = operands;
  if (mnemonic === "jal" && operands.length === 1) return ["jal", ["ra", first]];
  if (mnemonic === "jalr" && operands.length === 1) return ["jalr", ["ra", "0", first]];
  if (mnemonic === "jalr" && operands.length === 2) return ["jalr", [first, "0", second]];
  if (mnemonic === "jalr" && findRegister(second) !== undefined) return ["jalr", [first, third, second]];
  return [mnemonic, operands];
}
