/** What can be wrong with a program: values that say where and teach how it would be right. */

/** One mistake, before anybody knows on which line it stands. */
export interface Mistake {
  readonly kind: "mistake";
  /** Number of the wrong operand from 1; 0 when the statement as a whole is wrong. */
  readonly operand: number;
  readonly message: string;
}

/** Makes a mistake. */
export const mistake = (message: string, operand = 0): Mistake => ({ kind: "mistake", operand, message });

/** Tells a mistake from a result. */
export const isMistake = (value: unknown): value is Mistake =>
  typeof value === "object" && value !== null && (value as { kind?: unknown }).kind === "mistake";

/** A mistake with its place. */
export interface LocatedMistake {
  /** Line of the text, or number of the item in the list, from 1. */
  readonly line: number;
  /** The statement as it was written. */
  readonly source: string;
  /** Number of the wrong operand from 1; 0 when the statement as a whole is wrong. */
  readonly operand: number;
  readonly message: string;
}

/** A program that could not be assembled: all its mistakes, and one line for the first. */
export interface AssemblyError {
  readonly kind: "assembly-error";
  readonly message: string;
  readonly mistakes: readonly LocatedMistake[];
}

/** Collects mistakes into the error that the assemblers return. */
export function assemblyError(mistakes: readonly LocatedMistake[]): AssemblyError {
  const [first] = mistakes;
  const more = mistakes.length > 1 ? ` (and ${mistakes.length - 1} more)` : "";
  const message =
    first === undefined ? "" : `line ${first.line}: ${first.message}${more}\n    ${first.source}`;
  return { kind: "assembly-error", message, mistakes };
}
