/** Chooses the wall: bubblewrap where it is, a plain child elsewhere. */
import { existsSync } from "node:fs";
import path from "node:path";
import { bubblewrap } from "./bubblewrap.ts";
import type { KitPaths, Sandbox } from "./confined.ts";
import { plainChild } from "./plain-child.ts";

const programOnPath = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));

/** Chooses the strongest wall that this machine has. `practiceOnly` leaves bubblewrap out. */
export function chooseSandbox(kit: KitPaths, practiceOnly = false): Sandbox {
  const isLinux = process.platform === "linux";
  const bwrap = isLinux && !practiceOnly ? programOnPath("bwrap") : undefined;
  const prlimit = isLinux ? programOnPath("prlimit") : undefined;
  return bwrap !== undefined && prlimit !== undefined
    ? bubblewrap(kit, bwrap, prlimit)
    : plainChild(kit, prlimit);
}
