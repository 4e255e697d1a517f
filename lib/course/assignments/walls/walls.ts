/** Assignment 02, "Walls": its checks. Loading this file makes the visible ones known. */
import { registerChecks } from "../../../checks/registry.ts";
import { auditCheck } from "./audit.ts";
import { blameCheck } from "./blame.ts";
import { unmapCheck } from "./unmap.ts";

/** The checks that stand open in the student's notebook. */
export const WALLS_ASSIGNMENT = [blameCheck, unmapCheck, auditCheck] as const;

registerChecks(WALLS_ASSIGNMENT);
