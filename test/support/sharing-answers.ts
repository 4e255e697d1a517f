/** The reference answers of notebook 05 as values: what its source texts evaluate to. */
import { stripTypeScriptTypes } from "node:module";
import { referenceAnswer } from "../../lib/course/help.ts";
import type { SharingExercise } from "../../lib/course/sharing/answers.ts";
import { NEVER_AGAIN } from "../../lib/course/sharing/ring-check.ts";
import type { FairShare, Ring } from "../../lib/course/sharing/sharing-parts.ts";
import type { WorldSwitch } from "../../lib/course/sharing/world-switch-parts.ts";

const evaluated = (id: SharingExercise, names: string): unknown =>
  new Function("NEVER", `${stripTypeScriptTypes(referenceAnswer(id, 1))}\nreturn ${names};`)(NEVER_AGAIN);

export const ringAnswer = evaluated("05.2", "ring") as Ring;
export const switchAnswer = evaluated("05.3", "{ save, restore }") as WorldSwitch;
export const fairAnswer = evaluated("05.4", "{ charge, wake, choose }") as FairShare;
