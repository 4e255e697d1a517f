/** `dom0 doctor`: what is installed here and what each missing part would enable. Works before anything is installed. */
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { modernNode, ROOT } from "./environment.mjs";
import { foundParts } from "./optional-parts.mjs";

/** What `--help` prints, with --replay and without. */
export const DOCTOR_USAGE = `Usage: dom0 doctor
       dom0 doctor --replay RECORDING

Without options: the optional parts, where each was found, and how to get those that are missing.
With --replay: repeats a run that dom0 boot --record wrote on both engines and without accelerations, and on QEMU with the same
typed text, and says in words whose bug it is. QEMU is asked only when it can begin as the board did: the recording begins
at power-on with the program at the start of RAM, nothing but typed text came in, the board has no disk and no network, and
its firmware is not the kit's own. Exit code: 0 when nothing speaks against the emulator; 1 when the file is no recording;
4 when the emulator contradicts itself.`;

/** Prints the report. @returns {number} 0 when the kit can run; optional parts do not count. */
export function doctor(args) {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(`${DOCTOR_USAGE}\n`);
    return 0;
  }
  const installed = existsSync(path.join(ROOT, "node_modules"));
  process.stdout.write(
    installed
      ? `found    Node: ${modernNode()}\n`
      : "missing  the npm packages: npm start or npm test installs them\n",
  );
  for (const { title, path: found, enables, get } of foundParts()) {
    process.stdout.write(
      found
        ? `found    ${title}: ${found}\n`
        : `missing  ${title}\n         would enable ${enables}\n         to get it: ${get}\n`,
    );
  }
  return installed ? 0 : 1;
}
