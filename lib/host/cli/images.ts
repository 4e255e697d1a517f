/** `dom0 images build|check`: the guest images from their C sources, and the conformance programs from theirs in assembly. */
import process from "node:process";
import {
  assemblerProblem,
  irreproducibleConformancePrograms,
  staleConformancePrograms,
  writeConformancePrograms,
} from "../conformance/programs.ts";
import { compilerProblem, irreproducibleImages, staleImages, writeImages } from "../image-build.ts";
import type { Command } from "./main.ts";

export const command: Command = {
  summary: "build the guest images, or compare them with their sources",
  usage: `Usage: dom0 images build   compile every image and conformance program, and write them with their manifests
       dom0 images check   say which committed one does not match its sources

check compares hashes, and builds every image again when the RISC-V compiler is there.`,
  async run([action]) {
    if (action === "build") return build();
    if (action === "check") return check();
    process.stderr.write("dom0 images: say what to do, build or check.\n");
    return 2;
  },
};

function build(): number {
  const problem = compilerProblem() ?? assemblerProblem();
  if (problem !== undefined) {
    process.stderr.write(`dom0 images: ${problem}\n`);
    return 1;
  }
  for (const image of writeImages()) process.stdout.write(`built ${image}\n`);
  process.stdout.write(`built ${writeConformancePrograms()} conformance programs\n`);
  return 0;
}

function check(): number {
  const missing = compilerProblem() ?? assemblerProblem();
  const rebuilt =
    missing === undefined ? [...irreproducibleImages(), ...irreproducibleConformancePrograms()] : [];
  const problems = [...staleImages(), ...staleConformancePrograms(), ...rebuilt];
  for (const problem of problems)
    process.stderr.write(`dom0 images: ${problem}; run "npx dom0 images build".\n`);
  if (problems.length > 0) return 1;
  const how =
    missing === undefined ? "and come out the same when built again" : `(not built again: ${missing})`;
  process.stdout.write(`images match their sources ${how}\n`);
  return 0;
}
