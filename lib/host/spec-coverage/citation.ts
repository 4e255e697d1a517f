/** What a citation of the manual is: a rule's name, and the piece of code or the test that stands by it. */

/** `norm:` and the rule's name, wherever it stands. */
export const TAG = /norm:([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9])/g;

/** The rules that a text names, each once. */
export function tagsIn(text: string): string[] {
  return [...new Set([...text.matchAll(TAG)].map(([, tag = ""]) => tag))];
}

/** Whether a rule is about how an instruction or a register is encoded, as the manual's names of rules say. */
export const isAboutEncoding = (tag: string): boolean =>
  /(^|_)(enc|encoding|img|shamt\d*|rsv|format)(_|$)/.test(tag);

/** A piece of code that a citation stands by: a declaration, a statement, a member, a row of a table. */
export interface Place {
  /** Path from the project's folder, with `/`. */
  readonly file: string;
  /** Names of the declarations around it and its own, joined by dots; statements have the name of what they are in. */
  readonly name: string;
  /** First line, from 1. */
  readonly line: number;
  /** Where it begins and ends in the file's text. */
  readonly start: number;
  readonly end: number;
  /** Digest of its code without comments and layout. */
  readonly hash: string;
  /** Whether anything of it exists when the program runs: a type does not. */
  readonly runs: boolean;
  readonly tags: readonly string[];
}

/** A test: one call of `it`, perhaps with a table of cases. */
export interface CitedTest {
  readonly file: string;
  /** Titles of the `describe` blocks around it and its own, as written, joined by ` > `. */
  readonly title: string;
  /** Of the call, from 1; with the file it finds the test when it runs. */
  readonly line: number;
  readonly endLine: number;
  /** Digest of the call, of what it names in its file, and of the hooks that run before it. */
  readonly hash: string;
  /** Rules that every case of it is about. */
  readonly tags: readonly string[];
  /** Rules that cases of its table are about: those whose expanded title names them. */
  readonly rowTags: readonly string[];
}

/** A citation that belongs to nothing. */
export interface StrayCitation {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
