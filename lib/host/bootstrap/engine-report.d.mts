/** Adds up the lines that `test/support/engine-setup.ts` wrote: a line to print, and what is wrong, if anything is. */
export function engineReport(text: string): { readonly line: string; readonly problem: string | undefined };
/** The same for a file; no file is no step. */
export function engineReportOf(file: string): ReturnType<typeof engineReport>;
