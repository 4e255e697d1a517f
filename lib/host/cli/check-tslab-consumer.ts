/**
 * Compiles a notebook's view of the kit with the compiler that plain tslab brings: TypeScript 5.0, Node10 module
 * resolution, no DOM, and (unlike tslab) no `skipLibCheck`, because that is what turns an unread type into `any`.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import process from "node:process";
import { PROJECT_ROOT } from "../node-assets.ts";

const CONSUMER = "test/notebooks/tslab-consumer/consumer.ts";
const COMPILER = "node_modules/@tslab/typescript-for-tslab/bin/tsc";
const TYPES = "lib/dist/ts5.0";

/** tslab's own options (`createConverter` of 1.0.22), as flags. */
const OPTIONS = [
  "--noEmit --module esnext --moduleResolution node10 --esModuleInterop --target es2022 --lib es2022",
  "--experimentalDecorators --resolveJsonModule --jsx react --types node --pretty false",
].flatMap((line) => line.split(" "));

/** Packages whose declarations must not be reached from a front door: tslab would read them for each notebook. */
const HEAVY = /^(?:typescript|zod|shiki|unified|kysely|katex)(?:\/|$)/;

/** How a check ended; the message names each problem. */
export interface ConsumerCheck {
  readonly ok: boolean;
  readonly message: string;
}

/**
 * Checks that tslab's compiler understands the front door.
 * @param consumer  File to compile, from the project's root; its imports are those of a notebook.
 */
export async function check(consumer: string = CONSUMER): Promise<ConsumerCheck> {
  for (const [needed, remedy] of [
    [COMPILER, "run npm ci"],
    [`${TYPES}/index.d.ts`, "run npm run build"],
    [consumer, "check the path"],
  ] as const) {
    if (!existsSync(path.resolve(PROJECT_ROOT, needed)))
      return { ok: false, message: `${needed} is missing: ${remedy}` };
  }
  const heavy = [...reachedPackages()].filter((name) => HEAVY.test(name));
  if (heavy.length > 0) {
    return {
      ok: false,
      message: `the front door's types reach ${heavy.join(", ")}: keep them behind an interface`,
    };
  }
  const problems = (await compile(consumer)).filter(isOurs);
  if (problems.length > 0) return { ok: false, message: problems.join("\n") };
  const version = JSON.parse(
    readFileSync(path.join(PROJECT_ROOT, COMPILER, "../../package.json"), "utf8"),
  ) as { version: string };
  return { ok: true, message: `TypeScript ${version.version} of tslab reads the front door` };
}

/** Errors that tsc found, one a line. */
function compile(consumer: string): Promise<string[]> {
  return new Promise((resolve) => {
    const args = [path.join(PROJECT_ROOT, COMPILER), ...OPTIONS, consumer];
    const child = spawn(process.execPath, args, { cwd: PROJECT_ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => resolve([`error: ${error.message}`]));
    child.on("close", (code) => {
      const errors = output.split("\n").filter((line) => /error/.test(line));
      resolve(
        code !== 0 && errors.length === 0
          ? [`error: the compiler ended with code ${code}: ${output.trim()}`]
          : errors,
      );
    });
  });
}

/**
 * Whether an error lies in what we answer for: not in the declarations of Node, nor in fast-check, whose random
 * generators come from a package without an entry for Node10 resolution; no notebook names them.
 */
function isOurs(line: string): boolean {
  return !/^node_modules\/(?:@types\/node|undici-types|fast-check)\//.test(line);
}

/** Names of the packages that the declarations for tslab import. */
function reachedPackages(): Set<string> {
  const names = new Set<string>();
  const seen = new Set<string>();
  const waiting = [path.join(PROJECT_ROOT, TYPES, "index.d.ts")];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file) || !existsSync(file)) continue;
    seen.add(file);
    for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(
      /(?:from|import\()\s*["']([^"']+)["']/g,
    )) {
      if (specifier.startsWith("."))
        waiting.push(path.join(path.dirname(file), specifier.replace(/[.]js$/, ".d.ts")));
      else names.add(specifier);
    }
  }
  return names;
}
