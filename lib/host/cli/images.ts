/** `dom0 images build|check`: the guest images, from their C sources. */
import process from "node:process";
import { compilerProblem, irreproducibleImages, staleImages, writeImages } from "../image-build.ts";
import type { Command } from "./main.ts";

export const command: Command = {
  summary: "build the guest images, or compare them with their sources",
  usage: `Usage: dom0 images build   compile every image and write it with its manifest
       dom0 images check   say which committed image does not match its sources

check compares hashes, and builds every image again when the RISC-V compiler is there.`,
  async run([action]) {
    if (action === "build") return build();
    if (action === "check") return check();
    process.stderr.write("dom0 images: say what to do, build or check.\n");
    return 2;
  },
};

function build(): number {
  const problem = compilerProblem();
  if (problem !== undefined) {
    process.stderr.write(`dom0 images: ${problem}\n`);
    return 1;
  }
  for (const image of writeImages()) process.stdout.write(`built ${image}\n`);
  return 0;
}

function check(): number {
  const missing = compilerProblem();
  const problems = [...staleImages(), ...(missing === undefined ? irreproducibleImages() : [])];
  for (const problem of problems)
    process.stderr.write(`dom0 images: ${problem}; run "npx dom0 images build".\n`);
  if (problems.length > 0) return 1;
  const how =
    missing === undefined ? "and come out the same when built again" : `(not built again: ${missing})`;
  process.stdout.write(`images match their sources ${how}\n`);
  return 0;
}
