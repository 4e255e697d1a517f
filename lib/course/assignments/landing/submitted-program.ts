/** A program that was handed in: bytes and a place. Judges run the bytes; text and labels are only for people. */
import type { LoadableProgram } from "../../../board/board.ts";
import { type Inert, member } from "../../../checks/inert.ts";

/** No exercise needs more. */
const MOST_BYTES = 64 * 1024;

/** What `program(…)` gave, found again in an inert value; or what is wrong with it, as a sentence. */
export function submittedProgram(value: Inert): LoadableProgram | string {
  if (member(value, "kind") === "assembly-error") {
    const message = member(value, "message");
    return `The assembler refuses the program${typeof message === "string" ? `: ${message.slice(0, 200)}` : "."}`;
  }
  const origin = member(value, "origin");
  const bytes = member(value, "bytes");
  if (typeof origin !== "bigint" || !(bytes instanceof Uint8Array)) {
    return "Hand in what program({ origin: RAM }, […]) gives.";
  }
  return bytes.length > MOST_BYTES ? "The program is larger than 64 KiB." : { origin, bytes };
}
