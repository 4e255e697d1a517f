/** Assignment 03, "Popek and Goldberg on trial": its checks. Loading this file makes the visible ones known. */
import { registerChecks } from "../../../checks/registry.ts";
import { forgottenCheck } from "./forgotten.ts";
import { lawCheck } from "./law.ts";
import { scanCheck } from "./scan.ts";
import { trueShadowCheck } from "./true-shadow.ts";

/** The checks that stand open in the student's notebook. */
export const POPEK_GOLDBERG_ASSIGNMENT = [lawCheck, scanCheck, trueShadowCheck, forgottenCheck] as const;

registerChecks(POPEK_GOLDBERG_ASSIGNMENT);
