/** The exercises of notebook 06: their instances by seed, and their checks. Loading this file makes the checks known. */
import { registerChecks } from "../../checks/registry.ts";
import { breakEvenCheck } from "./break-even.ts";
import { checkerCheck } from "./checker-check.ts";
import { type ReferenceStory, referenceCheck, referenceStory } from "./count-references.ts";
import { eventCheck } from "./event-check.ts";
import { type FastPathDraft, fastPathCheck, fastPathDraft } from "./fast-path.ts";
import { grantCheck } from "./grant-check.ts";

/** What each exercise gives to the reader. */
export interface XenCoreInstances {
  readonly "06.1": ReferenceStory;
  readonly "06.2": FastPathDraft;
}

/** Makers of instances by exercise. */
export const XEN_CORE_MAKERS: {
  readonly [Id in keyof XenCoreInstances]: (seed: number) => XenCoreInstances[Id];
} = {
  "06.1": referenceStory,
  "06.2": fastPathDraft,
};

/** All checks of notebook 06. */
export const XEN_CORE_CHECKS = [
  referenceCheck,
  fastPathCheck,
  eventCheck,
  grantCheck,
  checkerCheck,
  breakEvenCheck,
] as const;

registerChecks(XEN_CORE_CHECKS);
