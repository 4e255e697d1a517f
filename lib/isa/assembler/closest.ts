/** "Did you mean …?" for names that are almost right. */

/** Single-letter slips between two names: insertions, deletions, replacements, and swaps of neighbors. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const here = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      here[column] = Math.min(
        (above[column] ?? 0) + 1,
        (here[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = above;
    above = here;
  }
  return above[b.length] ?? 0;
}

/** Names longer than this are compared with nothing: no slip of the pen makes them. */
const MAX_LENGTH = 24;

/** `; did you mean mstatus?` when a candidate is one slip away (two in a longer name), else nothing. */
export function didYouMean(written: string, candidates: Iterable<string>): string {
  if (written.length > MAX_LENGTH) return "";
  const allowed = written.length > 4 ? 2 : 1;
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates) {
    if (Math.abs(name.length - written.length) > allowed) continue;
    const distance = editDistance(written, name);
    if (distance <= allowed && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best === undefined ? "" : `; did you mean ${best.name}?`;
}
