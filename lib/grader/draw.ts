/**
 * Where a grading run draws its random instances from.
 *
 * Checks, draws and kits are public, so who knows the seed knows every hidden instance. A course therefore has a secret
 * of its own. The oracle gets a key for one submission, a check a number of its own: none of them tells another.
 */
import { createHash, createHmac } from "node:crypto";
import { type NamedSeed, seedFor, visibleSeed } from "../checks/seed.ts";

/** The choice of a grading run. */
export type Draw =
  /** What every page draws: nothing is hidden. */
  | { readonly kind: "visible" }
  /** By a name that somebody typed, and whoever knows it can draw again: for tests and disputes. */
  | { readonly kind: "chosen"; readonly name: string }
  /** By the course's secret. */
  | { readonly kind: "secret"; readonly secret: string };

/** The draw of one submission, as the oracle gets it. */
export type SubmissionDraw =
  | { readonly kind: "visible" }
  | { readonly kind: "chosen"; readonly names: readonly string[] }
  | { readonly kind: "secret"; readonly key: string };

/** What a stored run and its report say of the draw: enough to tell two apart, and nothing to draw from. */
export function labelOf(draw: Draw): string {
  if (draw.kind === "visible") return "visible";
  if (draw.kind === "chosen") return draw.name;
  return `secret ${createHash("sha256").update(draw.secret).digest("hex").slice(0, 12)}`;
}

/** The draw of one student's submission of an assignment. */
export function drawFor(draw: Draw, assignment: string, student: string): SubmissionDraw {
  if (draw.kind === "visible") return draw;
  if (draw.kind === "chosen") return { kind: "chosen", names: [draw.name, assignment, student] };
  return { kind: "secret", key: keyed(draw.secret, JSON.stringify([assignment, student])) };
}

/** The seed of one check. Its name is secret too, since checks derive further seeds from it. */
export function seedOf(draw: SubmissionDraw, check: string): NamedSeed {
  if (draw.kind === "visible") return visibleSeed(check);
  if (draw.kind === "chosen") return seedFor(...draw.names, check);
  const digest = keyed(draw.key, check);
  return { value: Number.parseInt(digest.slice(0, 8), 16), name: `${check}/${digest.slice(8, 40)}` };
}

const keyed = (key: string, text: string): string => createHmac("sha256", key).update(text).digest("hex");
