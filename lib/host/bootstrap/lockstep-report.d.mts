/** Adds up the lines that `test/support/lockstep.ts` wrote: a line to print, and what is wrong, if anything is. */
export function lockstepReport(
  text: string,
  size: "full" | "quick",
): { readonly line: string; readonly problem: string | undefined };
/** The same for a file; no file is nothing compared. */
export function lockstepReportOf(file: string, size: "full" | "quick"): ReturnType<typeof lockstepReport>;
