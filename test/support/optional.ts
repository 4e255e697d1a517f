/**
 * Tests that need a part which not every machine has say so here, by name.
 *
 * A missing part skips the tests that need it and is counted by the runner; with `DOM0_NO_SKIP=1` (CI) it fails
 * instead, so that a green CI means that everything ran.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { describe } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

const onPath = (program: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, program))
    .find((file) => existsSync(file));

/** Where each optional part was found; `undefined` when it is missing. */
export const optionalParts = {
  qemu: onPath("qemu-system-riscv64"),
  gcc: onPath("riscv64-unknown-elf-gcc"),
  dtc: onPath("dtc"),
  bwrap: onPath("bwrap"),
  chromium:
    process.env["CHROMIUM"] ?? onPath("chromium") ?? onPath("chromium-browser") ?? onPath("google-chrome"),
  jupyter: [path.join(ROOT, ".venv/bin/jupyter")].find((file) => existsSync(file)),
} as const;

export type OptionalPart = keyof typeof optionalParts;

/** Path of a part inside a `describeWith` block that named it. */
export function partPath(part: OptionalPart): string {
  const found = optionalParts[part];
  if (found === undefined) throw new Error(`optional part "${part}" is missing`);
  return found;
}

/** `describe`, but skipped (or, with `DOM0_NO_SKIP=1`, failing) when a part is missing. The title names the parts. */
export function describeWith(parts: readonly OptionalPart[], title: string, body: () => void): void {
  const missing = parts.filter((part) => optionalParts[part] === undefined);
  const runs = missing.length === 0 || process.env["DOM0_NO_SKIP"] === "1";
  describe.runIf(runs)(missing.length === 0 ? title : `${title} [needs ${missing.join(", ")}]`, body);
}
