/** What the mutation run and its worker processes say to each other. */
import type { Outcome } from "./stand-in.ts";

/** The tests of a file that may run: where their calls stand, and which rules every case of them is about. */
export interface WantedTest {
  readonly file: string;
  readonly line: number;
  readonly endLine: number;
  readonly tags: readonly string[];
}

/** Run the tests that cite one of `tags`, with a mutant in the code or without. */
export interface Order {
  readonly id: number;
  /** The project's folder. */
  readonly root: string;
  /** A file with a mutant in it, from the project's folder; without one the sources are as they are. */
  readonly mutated: { readonly file: string; readonly text: string } | undefined;
  readonly tests: readonly WantedTest[];
  readonly tags: readonly string[];
}

/** One test that ran, and the wanted rules that it is about. */
export interface TestOutcome {
  readonly file: string;
  /** Line of the call as the scanner has it. */
  readonly line: number;
  readonly title: string;
  readonly tags: readonly string[];
  readonly outcome: Outcome;
}

/** `unloadable`: why the test files could not even be read with this mutant in the code. */
export interface Answer {
  readonly id: number;
  readonly unloadable: string | undefined;
  readonly outcomes: readonly TestOutcome[];
}
