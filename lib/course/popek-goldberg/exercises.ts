/** The exercises of notebook 03: their instances by seed, and their checks. Loading this file makes the checks known. */
import { registerChecks } from "../../checks/registry.ts";
import { emulateCheck } from "./emulate-check.ts";
import { type ExitReading, exitReading, exitReadingCheck } from "./exit-reading.ts";
import { fillCheck } from "./fill-check.ts";
import { lieCheck } from "./lie-check.ts";
import { priceCheck } from "./price-check.ts";
import { sretCheck } from "./sret-check.ts";

/** What each exercise gives to the reader. */
export interface PopekGoldbergInstances {
  readonly "03.1": ExitReading;
}

/** Makers of instances by exercise. */
export const POPEK_GOLDBERG_MAKERS: {
  readonly [Id in keyof PopekGoldbergInstances]: (seed: number) => PopekGoldbergInstances[Id];
} = { "03.1": exitReading };

/** All checks of notebook 03. */
export const POPEK_GOLDBERG_CHECKS = [
  exitReadingCheck,
  sretCheck,
  emulateCheck,
  fillCheck,
  lieCheck,
  priceCheck,
] as const;

registerChecks(POPEK_GOLDBERG_CHECKS);
