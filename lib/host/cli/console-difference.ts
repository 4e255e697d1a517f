/** Two console texts, line by line, and what differs between them. */

/** Lines of one text that the other has not. */
export interface ConsoleDifference {
  readonly equalLines: number;
  /** Pairs of lines that differ in their numbers only: times, counts, addresses. */
  readonly numbersOnly: number;
  /** What else is in one of the texts only, in order. */
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** Lines that are compared at most. */
const MAX_LINES = 2000;

/** What a terminal shows: backspaces and carriage returns done, empty lines and spaces at the ends left out. */
function shownLines(text: string): string[] {
  const lines = text
    .split("\n")
    .slice(0, MAX_LINES)
    .map((line) => {
      let shown = "";
      for (const character of line.replaceAll("\r", ""))
        shown = character === "\b" ? shown.slice(0, -1) : shown + character;
      return shown.trimEnd();
    });
  return lines.filter((line) => line !== "");
}

const withoutNumbers = (line: string): string => line.replaceAll(/0x[0-9a-f]+|[0-9a-f]{8,}|\d+/gi, "#");

/** Compares two texts. */
export function consoleDifference(ours: string, theirs: string): ConsoleDifference {
  const [left, right] = [shownLines(ours), shownLines(theirs)];
  const pairs = commonLines(left.map(withoutNumbers), right.map(withoutNumbers));
  const equalLines = pairs.filter(([at, other]) => left[at] === right[other]).length;
  const [paired, otherPaired] = [new Set(pairs.map(([at]) => at)), new Set(pairs.map(([, other]) => other))];
  return {
    equalLines,
    numbersOnly: pairs.length - equalLines,
    ours: left.filter((_, at) => !paired.has(at)),
    theirs: right.filter((_, at) => !otherPaired.has(at)),
  };
}

/** A longest common subsequence, as pairs of indexes. */
function commonLines(left: readonly string[], right: readonly string[]): [number, number][] {
  const width = right.length + 1;
  const lengths = new Uint16Array((left.length + 1) * width);
  for (let at = left.length - 1; at >= 0; at--)
    for (let other = right.length - 1; other >= 0; other--) {
      const [down, across] = [lengths[(at + 1) * width + other] ?? 0, lengths[at * width + other + 1] ?? 0];
      const diagonal = (lengths[(at + 1) * width + other + 1] ?? 0) + 1;
      lengths[at * width + other] = left[at] === right[other] ? diagonal : Math.max(down, across);
    }
  const pairs: [number, number][] = [];
  for (let at = 0, other = 0; at < left.length && other < right.length; ) {
    if (left[at] === right[other]) pairs.push([at++, other++]);
    else if ((lengths[(at + 1) * width + other] ?? 0) >= (lengths[at * width + other + 1] ?? 0)) at++;
    else other++;
  }
  return pairs;
}
