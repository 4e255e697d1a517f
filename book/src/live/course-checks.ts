/** The exercises of the course, as the contents of every page name them. */

/** One exercise and where it is. */
export interface CourseCheck {
  readonly id: string;
  /** Address of the chapter's page. */
  readonly page: string;
  /** Address of the cell. */
  readonly address: string;
}

/** Reads the list of one page: `id@cell`, with spaces between. */
export const checksIn = (page: string, list: string): CourseCheck[] =>
  list
    .split(" ")
    .filter((item) => item !== "")
    .map((item) => {
      const [id = "", cell = ""] = item.split("@");
      return { id, page, address: `${page}#cell-${cell}` };
    });

/**
 * The exercise to do next: the first open one of this page, else of the pages after it, else of those before.
 *
 * @returns  Nothing when all have passed.
 */
export function nextUnsolved(
  checks: readonly CourseCheck[],
  here: string,
  passed: Readonly<Record<string, boolean>>,
): CourseCheck | undefined {
  const from = Math.max(
    0,
    checks.findIndex(({ page }) => page === here),
  );
  return [...checks.slice(from), ...checks.slice(0, from)].find(({ id }) => passed[id] !== true);
}
