/** What the cases are made of: cells, and what a reader must see of each. */

/** What one cell must put out; what is not named must be empty. */
export interface Expected {
  /** Printed text, exactly. */
  readonly out?: string;
  /** Text on stderr contains this. */
  readonly err?: RegExp;
  /** The last value, as text. */
  readonly value?: string;
  /** Error record: its name, and a pattern for its value. */
  readonly error?: readonly [ename: string, evalue: RegExp];
  /** The traceback, line ends included, contains this. */
  readonly trace?: RegExp;
  /** Bundles shown, in order, values of the last expression included. */
  readonly shows?: readonly Readonly<Record<string, unknown>>[];
  /** The cell was stopped. */
  readonly interrupted?: true;
  /** The cell did not stop, and its kernel was killed. */
  readonly hung?: true;
}

/** One cell of a case. */
export interface Step extends Expected {
  readonly source: string;
  /** Stop the cell this long after its first output. */
  readonly interruptAfterMs?: number;
}

/** A few cells run in order in a kernel that has run other cases before: names differ from case to case. */
export interface SemanticsCase {
  /** A sentence. */
  readonly name: string;
  readonly cells: readonly Step[];
}

/** A cell with what it must put out. */
export const cell = (source: string, expected: Expected = {}): Step => ({ source, ...expected });

/** A cell that is stopped while it runs. It says when it has begun. */
export const stopped = (source: string): Step => ({
  source: `console.log('begun');\n${source}`,
  out: "begun\n",
  interruptAfterMs: 200,
  interrupted: true,
});
