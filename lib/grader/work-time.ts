/** How long a process has worked, which is the same on a busy machine as on an idle one. */
import { readFileSync } from "node:fs";

const TICK_MS = 10;

/** Processor milliseconds of a process and those below it so far, where the system tells. */
export function workedMs(pid: number | undefined): number | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ");
    if (fields === undefined) return undefined;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    const below = children.filter((child) => child !== "").map((child) => workedMs(Number(child)) ?? 0);
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS + below.reduce((sum, each) => sum + each, 0);
  } catch {
    return undefined;
  }
}
