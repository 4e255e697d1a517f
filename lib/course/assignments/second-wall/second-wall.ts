/** Assignment 04, "The second wall": its checks. Loading this file makes the visible ones known. */
import { registerChecks } from "../../../checks/registry.ts";
import { bothWalksCheck } from "./both-walks.ts";
import { buildCheck } from "./build.ts";
import { deviceCheck } from "./device.ts";
import { islandsCheck } from "./islands.ts";

/** The checks that stand open in the student's notebook. */
export const SECOND_WALL_ASSIGNMENT = [buildCheck, bothWalksCheck, deviceCheck, islandsCheck] as const;

registerChecks(SECOND_WALL_ASSIGNMENT);
