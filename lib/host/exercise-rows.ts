/** Rows of the table that shows what each answer to each exercise earns. The tests make them; `dom0 exercises` prints them. */

/** One answer to one exercise. */
export interface ExerciseRow {
  /** "02.3" in a notebook, "A2.1" in an assignment. */
  readonly exercise: string;
  /** What kind of answer it is, in words: "the reference answer", "MXR forgotten". */
  readonly answer: string;
  /** Points of the exercise. */
  readonly points: number;
  /** Points that the answer should earn. */
  readonly expected: number;
  /** Points that it earned. */
  readonly got: number;
  /** What the student is told. */
  readonly message: string;
}

/** Scores are sums of shares; they are compared as the gradebook rounds them. */
export const isAsExpected = ({ expected, got }: ExerciseRow): boolean => Math.abs(expected - got) < 1e-6;

const number = (value: number): string => String(Math.round(value * 100) / 100);

/** A row as one line. */
export function rowText(row: ExerciseRow): string {
  const mark = isAsExpected(row) ? " " : "!";
  const said = row.message.split("\n")[0] ?? "";
  return `${mark} ${row.exercise.padEnd(6)} ${row.answer.padEnd(52)} ${number(row.expected).padStart(4)} of ${number(row.points).padEnd(3)} ${number(row.got).padStart(5)}  ${said}`;
}

const HEAD = `  ${"exercise".padEnd(6)} ${"answer".padEnd(50)} expected     got  what the student is told`;

/** The whole table under its headings, in the order of the exercises, and its sum. */
export function tableText(rows: readonly ExerciseRow[], onlyDifferences = false): string {
  const sorted = rows.toSorted((one, other) =>
    one.exercise === other.exercise ? 0 : one.exercise < other.exercise ? -1 : 1,
  );
  const shown = onlyDifferences ? sorted.filter((row) => !isAsExpected(row)) : sorted;
  const exercises = new Set(rows.map(({ exercise }) => exercise)).size;
  const different = rows.filter((row) => !isAsExpected(row)).length;
  const sum = `${rows.length} answers to ${exercises} exercises, ${different} earn something else than they should`;
  return [HEAD, ...shown.map(rowText), sum].join("\n");
}
