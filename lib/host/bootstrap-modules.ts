/**
 * The bootstrap scripts' tables, for the compiled command line: those scripts are plain JavaScript that is never compiled, so
 * they are found by their place in the project.
 */
import path from "node:path";
import { pathToFileURL } from "node:url";
import { PROJECT_ROOT } from "./node-assets.ts";

const load = (name: string): Promise<unknown> =>
  import(pathToFileURL(path.join(PROJECT_ROOT, "lib/host/bootstrap", name)).href);

/** Parts that not every machine has, and where each is. */
export const { OPTIONAL_PARTS } = (await load(
  "optional-parts.mjs",
)) as typeof import("./bootstrap/optional-parts.mjs");

/** How `dom0 doctor` is used. */
export const { DOCTOR_USAGE } = (await load("doctor.mjs")) as typeof import("./bootstrap/doctor.mjs");
