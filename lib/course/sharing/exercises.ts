/** The exercises of notebook 05: their instances by seed, and their checks. Loading this file makes the checks known. */
import { registerChecks } from "../../checks/registry.ts";
import { accountCheck } from "./account-check.ts";
import { type GanttToRead, ganttCheck, ganttToRead } from "./read-gantt.ts";
import { ringCheck } from "./ring-check.ts";
import { shareCheck } from "./share-check.ts";
import { switchCheck } from "./switch-check.ts";
import { thiefCheck } from "./thief-check.ts";

/** What each exercise gives to the reader. */
export interface SharingInstances {
  readonly "05.1": GanttToRead;
}

/** Makers of instances by exercise. */
export const SHARING_MAKERS: {
  readonly [Id in keyof SharingInstances]: (seed: number) => SharingInstances[Id];
} = { "05.1": ganttToRead };

/** All checks of notebook 05. */
export const SHARING_CHECKS = [
  ganttCheck,
  ringCheck,
  switchCheck,
  shareCheck,
  thiefCheck,
  accountCheck,
] as const;

registerChecks(SHARING_CHECKS);
