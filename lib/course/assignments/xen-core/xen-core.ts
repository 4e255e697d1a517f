/** Assignment 06, "Xen's core": its checks. Loading this file makes the visible ones known. */
import { registerChecks } from "../../../checks/registry.ts";
import { bellsCheck } from "./bells.ts";
import { handsCheck } from "./hands.ts";
import { huntCheck } from "./hunt.ts";
import { pageTypesCheck } from "./page-types.ts";

/** The checks that stand open in the student's notebook. */
export const XEN_CORE_ASSIGNMENT = [pageTypesCheck, handsCheck, bellsCheck, huntCheck] as const;

registerChecks(XEN_CORE_ASSIGNMENT);
