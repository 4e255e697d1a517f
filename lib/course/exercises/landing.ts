/** The exercises of notebook 01: their instances by seed, and their checks. Loading this file makes the checks known. */

import { registerChecks } from "../../checks/registry.ts";
import type { AssemblyError } from "../../isa/assembler/mistake.ts";
import type { Program } from "../../isa/assembler/program.ts";
import type { Crossing } from "../climb.ts";
import { countdownCheck, countdownProgram } from "./countdown.ts";
import { type DelegationWish, delegationCheck, delegationWish } from "./delegation.ts";
import { roundTripsCheck, sampleCrossings } from "./round-trips.ts";
import { theftCheck } from "./theft.ts";
import { visitCheck } from "./visit.ts";

/** What each exercise gives to the reader. Exercises that build their own islands need nothing. */
export interface LandingInstances {
  readonly "01.1": Program | AssemblyError;
  readonly "01.2": DelegationWish;
  readonly "01.5": readonly Crossing[];
}

/** Makers of instances by exercise. */
export const LANDING_MAKERS: {
  readonly [Id in keyof LandingInstances]: (seed: number) => LandingInstances[Id];
} = {
  "01.1": countdownProgram,
  "01.2": delegationWish,
  "01.5": sampleCrossings,
};

/** All checks of notebook 01. */
export const LANDING_CHECKS = [
  countdownCheck,
  delegationCheck,
  visitCheck,
  theftCheck,
  roundTripsCheck,
] as const;

registerChecks(LANDING_CHECKS);
