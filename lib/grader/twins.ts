/** Submissions that are the same file. Something for a person to look at: it changes no score. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync } from "node:fs";
import path from "node:path";
import { NOTEBOOK_LIMITS } from "../notebook/nbformat.ts";
import type { Course } from "./course.ts";
import { readRegularFile } from "./files.ts";
import { isProblem } from "./problem.ts";

/** For each student, the others who handed in the very same bytes. An untouched release is nobody's copy. */
export function findTwins(
  course: Course,
  assignment: string,
  students: readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string[]>();
  for (const student of students) {
    for (const hash of hashesIn(course.folder("submitted", assignment, student))) {
      owners.set(hash, [...(owners.get(hash) ?? []), student]);
    }
  }
  for (const hash of hashesIn(course.folder("release", assignment))) owners.delete(hash);
  const twins = new Map<string, readonly string[]>();
  for (const group of owners.values()) {
    if (group.length < 2) continue;
    for (const student of group)
      twins.set(
        student,
        group.filter((other) => other !== student),
      );
  }
  return twins;
}

function hashesIn(folder: string): readonly string[] {
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ipynb"))
    .flatMap((name) => {
      const bytes = readRegularFile(path.join(folder, name), NOTEBOOK_LIMITS.bytes);
      return isProblem(bytes) ? [] : [createHash("sha256").update(bytes).digest("hex")];
    });
}
