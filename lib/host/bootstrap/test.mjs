/**
 * `npm test`: installs and builds what is missing, runs the whole suite at quick sizes, says what was skipped and why. Then the
 * tests of the machine run twice more: without the reference engine's accelerations, and on the translating engine. Those of the
 * hypervisor run once more, too: with its source evaluated afresh between traps, and every trace hash must be the same.
 * `npm run test:full` (`--full`): long sizes, and the log is kept in `test/full-run.log`.
 * Arguments after `--` go to Vitest: `npm test -- test/unit/isa`.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { amnesiaReportOf } from "./amnesia-report.mjs";
import { ensureBook } from "./book.mjs";
import { engineReportOf } from "./engine-report.mjs";
import { ensureBuilt, ensureInstalled, main, modernNode, ROOT, run, UserError } from "./environment.mjs";
import { lockstepReportOf } from "./lockstep-report.mjs";
import { foundParts } from "./optional-parts.mjs";

const FULL_LOG = path.join(ROOT, "test/full-run.log");

function printParts(parts) {
  for (const { title, path: found, enables, get } of parts) {
    process.stdout.write(
      found ? `  found    ${title}: ${found}\n` : `  missing  ${title} (${enables}). To get it: ${get}\n`,
    );
  }
}

/** Every test of Vitest's JSON report, flat. */
function testsOf(report) {
  return report.testResults.flatMap((file) =>
    file.assertionResults.map(({ status, ancestorTitles, title }) => ({
      status,
      title: [...ancestorTitles, title].join(" > "),
    })),
  );
}

/** Counts tests by outcome, and the skipped ones by the missing part that their title names. */
function summarize(report) {
  const tests = testsOf(report);
  const count = (...statuses) => tests.filter(({ status }) => statuses.includes(status)).length;
  const brokenFiles = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every(({ status }) => status !== "failed"),
  );
  const skipped = tests.filter(({ status }) => status !== "passed" && status !== "failed");
  const byPart = new Map();
  for (const { title } of skipped) {
    const part = /\[needs ([^\]]+)\]/.exec(title)?.[1] ?? "no reason given";
    byPart.set(part, (byPart.get(part) ?? 0) + 1);
  }
  return {
    passed: count("passed"),
    failed: count("failed") + brokenFiles.length,
    skipped: skipped.length,
    byPart,
  };
}

function printSummary({ passed, failed, skipped, byPart }) {
  for (const [part, tests] of byPart) process.stdout.write(`  skipped ${tests} tests: missing ${part}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
}

function fullLogHeader(parts) {
  const cpu = os.cpus()[0]?.model ?? "unknown processor";
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const lines = [
    `machine: ${os.cpus().length} × ${cpu}, ${memory} GiB, ${os.type()} ${os.release().split("-")[0]} ${os.arch()}`,
  ];
  const { devDependencies } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  lines.push(
    `versions: node ${devDependencies.node}, vitest ${devDependencies.vitest}, fast-check ${devDependencies["fast-check"]}`,
  );
  lines.push(
    `parts: ${parts.map(({ name, path: found }) => `${name} ${found ? "found" : "missing"}`).join(", ")}`,
  );
  return `${lines.join("\n")}\n`;
}

/** Runs Vitest; its exit code, what it printed, and what it counted. */
async function runVitest(args, env, tee) {
  const report = path.join(ROOT, `.cache/test-report-${process.pid}.json`);
  const { code, output } = await run(
    modernNode(),
    [
      path.join(ROOT, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...args,
    ],
    { env, tee },
  );
  try {
    return { code, output, summary: summarize(JSON.parse(readFileSync(report, "utf8"))) };
  } catch {
    throw new UserError(`Vitest stopped before it could report (exit code ${code}).`);
  } finally {
    rmSync(report, { force: true });
  }
}

/** Tests of the machine, which run a second time with the reference engine's two accelerations off. */
const MACHINE_TESTS = ["isa", "hart", "mmu", "engine"].flatMap((layer) => [
  `test/unit/${layer}`,
  `test/property/${layer}`,
]);

/** Tests of the machine, boards and guests included, which run a second time on the translating engine. */
const ENGINE_TESTS = [
  ...["isa", "hart", "mmu", "engine", "bus", "devices", "board", "firmware", "hs", "systems", "support"].map(
    (layer) => `test/unit/${layer}/`,
  ),
  ...["hart", "mmu", "engine", "devices", "board", "firmware"].map((layer) => `test/property/${layer}/`),
  "test/conformance/",
  "test/differential/",
  ...["iommu-disk", "mini-kernel", "opensbi", "recorded-boot", "sbi-firmware", "u-boot-disk"].map(
    (name) => `test/e2e/${name}`,
  ),
];

/** The tests of the machine on the translating engine; fails when another engine stood in for it. */
async function runOnTranslator() {
  process.stdout.write("\nThe tests of the machine again, on the translating engine\n");
  const report = path.join(ROOT, `.cache/engine-report-${process.pid}.jsonl`);
  const env = { DOM0_ENGINE: "translator", DOM0_ENGINE_REPORT: report };
  try {
    const { code, summary } = await runVitest(ENGINE_TESTS, env, false);
    printSummary(summary);
    const { line, problem } = engineReportOf(report);
    process.stdout.write(`${line}\n`);
    if (problem !== undefined) throw new UserError(problem);
    return code;
  } finally {
    rmSync(report, { force: true });
  }
}

/** Tests of the hypervisor, which run a second time forgetting all but machine RAM. */
const HYPERVISOR_TESTS = ["test/unit/vmm/", "test/property/vmm/", "test/unit/referee/"];

/** Runs them in two ways, at quick sizes, and compares the trace hashes of all boards; fails when one differs. */
async function runForgetful() {
  process.stdout.write("\nThe tests of the hypervisor twice: as it is, and forgetting all but machine RAM\n");
  const [ordinary, forgetful] = ["ordinary", "forgetful"].map((kind) =>
    path.join(ROOT, `.cache/scenes-${kind}-${process.pid}.jsonl`),
  );
  try {
    const plain = await runVitest(HYPERVISOR_TESTS, { DOM0_SCENES: ordinary }, false);
    if (plain.code !== 0) return plain.code;
    const { code, summary } = await runVitest(
      [...HYPERVISOR_TESTS, "--testTimeout=300000"],
      { DOM0_SCENES: forgetful, DOM0_AMNESIA: "1" },
      false,
    );
    printSummary(summary);
    const { line, problem } = amnesiaReportOf(ordinary, forgetful);
    process.stdout.write(`${line}\n`);
    if (problem !== undefined) throw new UserError(problem);
    return code;
  } finally {
    for (const file of [ordinary, forgetful]) rmSync(file, { force: true });
  }
}

/** Runs the suite, and looks whether as much was compared in lockstep as is promised. A choice of tests promises nothing. */
async function runSuite(vitestArgs, full) {
  const report = path.join(ROOT, `.cache/lockstep-report-${process.pid}.jsonl`);
  const env = { DOM0_LOCKSTEP_REPORT: report, ...(full ? { DOM0_TEST_FULL: "1" } : {}) };
  try {
    const result = await runVitest(vitestArgs, env, full);
    printSummary(result.summary);
    if (vitestArgs.length > 0 || result.code !== 0) return result;
    const { line, problem } = lockstepReportOf(report, full ? "full" : "quick");
    process.stdout.write(`${line}\n`);
    return { ...result, output: `${result.output}${line}\n`, problem };
  } finally {
    rmSync(report, { force: true });
  }
}

await main(async () => {
  const full = process.argv.includes("--full");
  const vitestArgs = process.argv.slice(2).filter((argument) => argument !== "--full" && argument !== "--");
  await ensureInstalled();
  await ensureBuilt();
  await ensureBook();
  const parts = foundParts();
  printParts(parts);
  const { code, output, summary, problem } = await runSuite(vitestArgs, full);
  if (full) {
    const closing = `${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped\n`;
    writeFileSync(
      FULL_LOG,
      fullLogHeader(parts) +
        output
          .replaceAll(`${ROOT}/`, "")
          .replaceAll(ROOT, ".")
          .replace(/\x1b\[[0-9;]*m/g, "") +
        closing,
    );
  }
  if (problem !== undefined) throw new UserError(problem);
  if (code === 0 && vitestArgs.length === 0) {
    process.stdout.write("\nThe tests of the machine again, with decode memo and translation cache off\n");
    const plain = await runVitest(MACHINE_TESTS, { DOM0_PLAIN_ENGINE: "1" }, false);
    printSummary(plain.summary);
    if (plain.code !== 0) return plain.code;
    const onTranslator = await runOnTranslator();
    if (onTranslator !== 0) return onTranslator;
    const forgetful = await runForgetful();
    if (forgetful !== 0) return forgetful;
  }
  if (summary.passed === 0) throw new UserError("No test ran: that is a failure too.");
  if (process.env["DOM0_NO_SKIP"] === "1" && summary.skipped > 0)
    throw new UserError(`${summary.skipped} tests were skipped, and DOM0_NO_SKIP=1 allows none.`);
  return code === 0 && summary.failed === 0 ? 0 : 1;
});
