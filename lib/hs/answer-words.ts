/** What somebody else's handler came back with, in words. */

/** What is wrong with an answer. Handlers return nothing; a value is a misunderstanding that would otherwise go unnoticed. */
export function describeAnswer(answer: unknown): string | undefined {
  if (answer === undefined) return undefined;
  return inWords(() =>
    isPromise(answer)
      ? "returned a promise; a handler is synchronous, like the trap that it handles"
      : `returned ${describe(answer)}; a handler answers through registers and memory and returns nothing`,
  );
}

/** What is wrong with what a generator yielded. */
export const describeYield = (value: unknown): string =>
  inWords(() => `yielded ${describe(value)}; a bare yield lets other harts run, and takes no value`);

/** What was thrown. */
export const describeThrown = (thrown: unknown): string =>
  inWords(() => (thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : describe(thrown)));

/** Whether somebody's answer is a generator. A value that objects to being asked is none. */
export function isGenerator(answer: unknown): answer is Generator<unknown, unknown, unknown> {
  if (typeof answer !== "object" || answer === null) return false;
  try {
    return Object.prototype.toString.call(answer) === "[object Generator]";
  } catch {
    return false;
  }
}

const isPromise = (value: unknown): boolean => typeof value === "object" && value !== null && "then" in value;

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value)}`;
}

const LONGEST = 200;

/** What a value says of itself. It may be one that throws when it is looked at. */
function inWords(say: () => string): string {
  try {
    return say().slice(0, LONGEST);
  } catch {
    return "gave something that cannot be shown";
  }
}
