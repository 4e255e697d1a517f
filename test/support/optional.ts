/**
 * Tests that need a part which not every machine has say so here, by name.
 *
 * A missing part skips the tests that need it and is counted by the runner; with `DOM0_NO_SKIP=1` (CI) it fails
 * instead, so that a green CI means that everything ran.
 */
import { describe } from "vitest";
import { OPTIONAL_PARTS } from "../../lib/host/bootstrap/optional-parts.mjs";

export type OptionalPart = keyof typeof OPTIONAL_PARTS;

const find = (part: OptionalPart): string | undefined => OPTIONAL_PARTS[part].find();

/** Path of a part inside a `describeWith` block that named it. */
export function partPath(part: OptionalPart): string {
  const found = find(part);
  if (found === undefined) throw new Error(`optional part "${part}" is missing: ${OPTIONAL_PARTS[part].get}`);
  return found;
}

/** `describe`, but skipped (or, with `DOM0_NO_SKIP=1`, failing) when a part is missing. The title names the parts. */
export function describeWith(parts: readonly OptionalPart[], title: string, body: () => void): void {
  const missing = parts.filter((part) => find(part) === undefined);
  const runs = missing.length === 0 || process.env["DOM0_NO_SKIP"] === "1";
  describe.runIf(runs)(missing.length === 0 ? title : `${title} [needs ${missing.join(", ")}]`, body);
}
