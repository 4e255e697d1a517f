/** Assignment 01, "Landing on the island": its checks. Loading this file makes the visible ones known. */
import { registerChecks } from "../../../checks/registry.ts";
import { checksumCheck } from "./checksum.ts";
import { codecCheck } from "./codec.ts";
import { replayCheck } from "./replay.ts";
import { tripCheck } from "./trip.ts";

/** The checks that stand open in the student's notebook. */
export const LANDING_ASSIGNMENT = [checksumCheck, codecCheck, tripCheck, replayCheck] as const;

registerChecks(LANDING_ASSIGNMENT);
