/** `dom0 doctor`: what is installed here and what each missing part would enable. Works before anything is installed. */
import { existsSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { modernNode, ROOT } from "./environment.mjs";
import { foundParts } from "./optional-parts.mjs";

const HELP =
  "Usage: dom0 doctor\n       dom0 doctor --replay RECORDING\n\nLists the optional parts, where each was found, and how to get those that are missing.\nWith --replay: repeats a recorded run (dom0 boot --record) on other settings and on QEMU, and says whose bug it is.\n";

/** Prints the report. @returns {number} 0 when the kit can run; optional parts do not count. */
export function doctor(args) {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(HELP);
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
