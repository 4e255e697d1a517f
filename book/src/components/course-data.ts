/** What the build has written about the chapters and the ledger, for the pages that show it. */
import { readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { LEDGER_FILE, type LedgerClaim, type Standing } from "../../build/claims.ts";
import { COURSE_FILE, type CourseChapter } from "../../build/course.ts";

const read = (file: string): unknown => JSON.parse(readFileSync(path.join(process.cwd(), file), "utf8"));

/** The chapters that are here, in their order. */
export const courseChapters = (): readonly CourseChapter[] => read(COURSE_FILE) as CourseChapter[];

/** The eight claims with their evidence. */
export const ledgerClaims = (): readonly LedgerClaim[] => read(LEDGER_FILE) as LedgerClaim[];

/** How a claim stands, in words. */
export const standingWords: Readonly<Record<Standing, string>> = {
  open: "nothing yet",
  undecided: "undecided",
  supported: "supported",
  refuted: "refuted",
  contested: "contested",
};

/** A chapter's exercises for the page's script: `id@cell`, with spaces between. */
export const checkList = (page: string): string | undefined => {
  const checks = courseChapters().find((chapter) => chapter.page === page)?.checks ?? [];
  return checks.length === 0 ? undefined : checks.map(({ id, cell }) => `${id}@${cell}`).join(" ");
};
