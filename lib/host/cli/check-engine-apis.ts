/**
 * What the translating engine may not use: it runs in Node and in every current browser, inside a worker, with and without
 * cross-origin isolation. A list, because a type checker knows no browser.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { PROJECT_ROOT } from "../node-assets.ts";
import type { CheckResult } from "./check-layers.ts";

const FOLDER = "lib/engine/translator";
/** Fewer files than this, and the check has looked in the wrong place. */
const LEAST_FILES = 10;

/** What is forbidden, and why. Comments count too: nobody should be tempted. */
export const FORBIDDEN_APIS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\bshared\s*:/, "a shared memory needs cross-origin isolation"],
  [/\bSharedArrayBuffer\b/, "needs cross-origin isolation"],
  [/\bAtomics\s*\./, "needs shared memory to be of use"],
  [/\bmeasureUserAgentSpecificMemory\b/, "Chromium only, and needs cross-origin isolation"],
  [/\bperformance\s*\.\s*memory\b/, "Chromium only"],
  [/\bscheduler\s*\.\s*(postTask|yield)\b/, "not in every browser"],
  [/\bnavigator\s*\.\s*scheduling\b/, "Chromium only"],
  [/\brequestIdleCallback\b/, "not in every browser, nor in workers"],
  [/WebAssembly\s*\.\s*(Suspending|promising|SuspendError)\b/, "JSPI is not in every browser"],
  [/WebAssembly\s*\.\s*Function\b/, "type reflection is in no browser by default"],
  [/WebAssembly\s*\.\s*(Tag|Exception|JSTag)\b/, "the code that is generated throws nothing"],
  [/\bbuiltins\s*:|\bimportedStringConstants\b/, "string builtins are not in every browser"],
  [/\b(address|index)\s*:\s*"i64"/, "a 64-bit memory is not in every browser, and slower"],
  [/\brelaxed/i, "relaxed SIMD gives other results on other hosts"],
  [/\b[if]\d+x\d+\.|\bv128\b/, "SIMD: nothing here needs it"],
  [/\bi64\.(add128|sub128|mul_wide_[su])\b/, "wide arithmetic is in no browser by default"],
  [/\bcompileStreaming\b|\binstantiateStreaming\b/, "there is nothing to fetch"],
  [/\b(window|document|self|chrome)\s*\./, "a page's or a worker's own"],
  [/\b(process|Buffer|__dirname|__filename)\b\s*[.([]/, "Node only"],
  [/\brequire\s*\(|["']node:/, "Node only"],
  [/["']v8["']|%[A-Z]\w+\(/, "V8 only"],
  [
    /\bDate\b|\bMath\s*\.\s*random\b|\bperformance\s*\.\s*now\b/,
    "runs must not depend on the host's time or luck",
  ],
];

/** Looks through the engine's sources of the project at `root`. */
export async function checkEngineApis(root: string = PROJECT_ROOT): Promise<CheckResult> {
  const folder = path.join(root, FOLDER);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts")).sort();
  const findings: string[] = [];
  for (const file of files) {
    const lines = (await readFile(path.join(folder, file), "utf8")).split("\n");
    for (const [at, line] of lines.entries())
      for (const [pattern, why] of FORBIDDEN_APIS) {
        const match = pattern.exec(line);
        if (match !== null) findings.push(`${FOLDER}/${file}:${at + 1}: "${match[0]}": ${why}`);
      }
  }
  if (files.length < LEAST_FILES)
    findings.push(`only ${files.length} files in ${FOLDER}: its silence means nothing`);
  return findings.length > 0
    ? { ok: false, lines: findings }
    : { ok: true, lines: [`${files.length} files of the translator use what every browser has`] };
}
