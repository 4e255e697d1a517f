/** What a run of the tests has really compared in lockstep, from the lines that its parts wrote. */
import { readFileSync } from "node:fs";

/** Instructions in all, at the long size and at the quick one; the boot of Linux is not counted, because not everybody has it. */
const LEAST = { full: 1000e6, quick: 20e6 };
const EXTRA = "Linux";

/**
 * Adds up the lines: one for each part, with its name and the instructions after which both engines were the same.
 *
 * @param {string} text
 * @param {"full" | "quick"} size
 * @returns {{ line: string, problem: string | undefined }}  A line to print, and what is wrong, if anything is.
 */
export function lockstepReport(text, size) {
  const sums = new Map();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const { part, instructions } = JSON.parse(line);
    sums.set(part, (sums.get(part) ?? 0) + instructions);
  }
  const millions = (count) => (count / 1e6).toFixed(1);
  const total = [...sums].reduce((sum, [part, count]) => sum + (part === EXTRA ? 0 : count), 0);
  const parts = [...sums].map(([part, count]) => `${part} ${millions(count)}`).join(", ");
  const line = `compared in lockstep: ${millions(total)} million instructions${parts === "" ? "" : ` (${parts})`}`;
  const problem =
    total >= LEAST[size]
      ? undefined
      : `Fewer than ${millions(LEAST[size])} million instructions were compared in lockstep.`;
  return { line, problem };
}

/** The same for a file; no file is nothing compared. */
export function lockstepReportOf(file, size) {
  try {
    return lockstepReport(readFileSync(file, "utf8"), size);
  } catch {
    return lockstepReport("", size);
  }
}
