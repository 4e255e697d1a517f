/** The exercises of notebook 04: their instances by seed, and their checks. Loading this file makes the checks known. */
import { registerChecks } from "../../checks/registry.ts";
import { demandCheck } from "./demand-check.ts";
import { type HandWalk, handWalk, handWalkCheck } from "./hand-walk.ts";
import { mmioCheck } from "./mmio-check.ts";
import { readsCheck } from "./reads-check.ts";
import { type RootDraft, rootDraft, rootDraftCheck } from "./root-draft.ts";
import { vmCheck } from "./vm-check.ts";

/** What each exercise gives to the reader. */
export interface SecondWallInstances {
  readonly "04.1": HandWalk;
  readonly "04.2": RootDraft;
}

/** Makers of instances by exercise. */
export const SECOND_WALL_MAKERS: {
  readonly [Id in keyof SecondWallInstances]: (seed: number) => SecondWallInstances[Id];
} = {
  "04.1": handWalk,
  "04.2": rootDraft,
};

/** All checks of notebook 04. */
export const SECOND_WALL_CHECKS = [
  handWalkCheck,
  rootDraftCheck,
  mmioCheck,
  demandCheck,
  vmCheck,
  readsCheck,
] as const;

registerChecks(SECOND_WALL_CHECKS);
