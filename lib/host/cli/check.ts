/** `npm run check`: everything that can be said about the sources without running them. */
import { spawn } from "node:child_process";
import path from "node:path";
import process from "node:process";
import { PROJECT_ROOT } from "../node-assets.ts";
import { checkEngineApis } from "./check-engine-apis.ts";
import { type CheckResult, checkLayers } from "./check-layers.ts";
import { checkNormTags } from "./check-norm-tags.ts";
import type { Command } from "./main.ts";

/** Runs a tool of the project under this Node; what it prints matters only when it fails. */
function tool(script: string, ...args: string[]): Promise<CheckResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(PROJECT_ROOT, "node_modules", script), ...args], {
      cwd: PROJECT_ROOT,
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => resolve({ ok: false, lines: [error.message] }));
    child.on("close", (code) => resolve({ ok: code === 0, lines: output.trim().split("\n") }));
  });
}

async function types(): Promise<CheckResult> {
  const projects = ["lib/tsconfig.json", "tsconfig.json", "book/tsconfig.json"];
  for (const project of projects) {
    const result = await tool("typescript/bin/tsc", "--noEmit", "--pretty", "false", "-p", project);
    if (!result.ok) return result;
  }
  return { ok: true, lines: [`${projects.join(", ")} compile`] };
}

async function tslabConsumer(): Promise<CheckResult> {
  const { check } = await import("./check-tslab-consumer.ts");
  const { ok, message } = await check();
  return { ok, lines: message.split("\n") };
}

async function notebooks(): Promise<CheckResult> {
  const { lintAllNotebooks } = await import("./lint-notebooks.ts");
  return lintAllNotebooks();
}

async function datasets(): Promise<CheckResult> {
  const { DATASETS } = await import("../../assets/dataset-schema.ts");
  const { datasetProblems } = await import("./datasets.ts");
  const names = Object.keys(DATASETS) as (keyof typeof DATASETS)[];
  const problems = (await Promise.all(names.map(datasetProblems))).flat();
  return problems.length > 0
    ? { ok: false, lines: problems }
    : { ok: true, lines: [`${names.length} data sets fit their columns`] };
}

const CHECKS: Readonly<Record<string, () => Promise<CheckResult>>> = {
  "format and lint": () =>
    tool("@biomejs/biome/bin/biome", "check", "--error-on-warnings", "--max-diagnostics=50"),
  types,
  layers: () => checkLayers(),
  "manual's rules": () => checkNormTags(),
  "engine's APIs": () => checkEngineApis(),
  "tslab consumer": tslabConsumer,
  notebooks,
  "data sets": datasets,
};

export const command: Command = {
  summary: "format, lint, types, layers, tslab consumer, notebooks",
  usage: `Usage: dom0 check [NAME…]

Runs the static checks, or only those named: ${Object.keys(CHECKS).join(", ")}.`,
  async run(names) {
    const unknown = names.filter((name) => !Object.hasOwn(CHECKS, name));
    if (unknown.length > 0) {
      process.stderr.write(`dom0 check: no check is called "${unknown.join('", "')}".\n`);
      return 2;
    }
    let failed = 0;
    for (const [name, check] of Object.entries(CHECKS)) {
      if (names.length > 0 && !names.includes(name)) continue;
      const { ok, lines } = await check();
      process.stdout.write(
        `${ok ? "ok  " : "FAIL"} ${name}${ok && lines.length === 1 ? `: ${lines[0]}` : ""}\n`,
      );
      if (!ok) {
        failed += 1;
        for (const line of lines) process.stdout.write(`     ${line}\n`);
      }
    }
    return failed === 0 ? 0 : 1;
  },
};
