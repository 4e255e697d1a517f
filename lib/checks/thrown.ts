/** What to say of a thrown value. It is a student's: its own getters may throw, and it may be no error at all. */
import type { Outcome } from "./answer.ts";

/** What the stub of an unwritten answer throws. */
export const STUB_MESSAGE = "not implemented";

/** Category of a function that is still its stub. */
export const UNWRITTEN = "is not written yet";

// Captured before any student's code can run.
const ErrorOf = Error;
const text = String;
const LONGEST_NAME = 60;
const LONGEST_MESSAGE = 400;

/** An outcome that says what was thrown; `category` quotes no message, so it cannot quote an input. */
export function thrown(error: unknown): Extract<Outcome, { readonly ok: false }> {
  let name = "an error";
  let message = "";
  try {
    if (error instanceof ErrorOf) {
      name = text(error.name).slice(0, LONGEST_NAME);
      message = text(error.message).slice(0, LONGEST_MESSAGE);
    } else message = text(error).slice(0, LONGEST_MESSAGE);
  } catch {
    message = "";
  }
  if (message === STUB_MESSAGE) return { ok: false, category: UNWRITTEN, message };
  return { ok: false, category: `threw ${name}`, message: message === "" ? name : `${name}: ${message}` };
}
