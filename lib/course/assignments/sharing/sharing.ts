/** Assignment 05, "Time, interrupts and sharing the CPU": its checks. Loading this file makes the visible ones known. */
import { registerChecks } from "../../../checks/registry.ts";
import { billCheck } from "./bill.ts";
import { capsCheck } from "./caps.ts";
import { contextCheck } from "./context.ts";
import { timerCheck } from "./timer.ts";

/** The checks that stand open in the student's notebook. */
export const SHARING_ASSIGNMENT = [timerCheck, capsCheck, contextCheck, billCheck] as const;

registerChecks(SHARING_ASSIGNMENT);
