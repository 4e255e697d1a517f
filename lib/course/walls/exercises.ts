/** The exercises of notebook 02: their instances by seed, and their checks. Loading this file makes the checks known. */
import { registerChecks } from "../../checks/registry.ts";
import { fenceCheck } from "./fence-check.ts";
import { type HexDump, hexDump, hexDumpCheck } from "./hex-dump.ts";
import { mapCheck } from "./map-check.ts";
import { touchesCheck } from "./touches-check.ts";
import { walkCheck } from "./walk-check.ts";
import { type Draft, draftIsland, writeXorExecuteCheck } from "./write-xor-execute.ts";

/** What each exercise gives to the reader. */
export interface WallsInstances {
  readonly "02.1": HexDump;
  readonly "02.2": Draft;
}

/** Makers of instances by exercise. */
export const WALLS_MAKERS: { readonly [Id in keyof WallsInstances]: (seed: number) => WallsInstances[Id] } = {
  "02.1": hexDump,
  "02.2": draftIsland,
};

/** All checks of notebook 02. */
export const WALLS_CHECKS = [
  hexDumpCheck,
  writeXorExecuteCheck,
  walkCheck,
  mapCheck,
  fenceCheck,
  touchesCheck,
] as const;

registerChecks(WALLS_CHECKS);
