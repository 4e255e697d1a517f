/**
 * `check("codec", { decodeMstatus })`: the one call that notebooks use. It finds the check by name, judges, shows the
 * verdict and never throws; a host may listen, and may choose seed and number of instances.
 */
import { show } from "../notebook/display.ts";
import { type Answer, localAnswer } from "./answer.ts";
import { type Check, type CheckRun, QUICK_INSTANCES, type Verdict, verdictText } from "./check.ts";
import { visibleSeed } from "./seed.ts";
import { verdictBundle } from "./verdict-bundle.ts";

/** What a host may change about every `check(...)` of a run. */
export interface CheckHost {
  /** Turns what the notebook passed into an answer. */
  answer(value: unknown): Answer;
  /** Seed and size of one check. */
  run(check: Check): CheckRun;
  /** Receives every verdict, in order. */
  report(verdict: Verdict): void;
}

const PAGE: CheckHost = {
  answer: localAnswer,
  run: (check) => ({ seed: visibleSeed(check.id), instances: QUICK_INSTANCES }),
  report: (verdict) => show(verdictBundle(verdict)),
};

const checks = new Map<string, Check>();
let host: CheckHost = PAGE;

/** Makes checks known by their id. A later check with the same id replaces the earlier one. */
export function registerChecks(list: readonly Check[]): void {
  for (const check of list) checks.set(check.id, check);
}

/** Ids of all known checks, sorted. */
export const knownChecks = (): readonly string[] => [...checks.keys()].sort();

/** Installs a host; `undefined` brings back the page. */
export function setCheckHost(next: CheckHost | undefined): void {
  host = next ?? PAGE;
}

/**
 * Judges an answer by the check of that name and shows the verdict, which the host receives. Nothing is returned, so that
 * a cell that ends with a check prints the verdict once. An unknown name is a verdict of nothing out of nothing that says
 * so; nothing throws.
 */
export function check(id: string, value: unknown): void {
  const found = checks.get(id);
  const verdict = found === undefined ? unknownCheck(id) : found.run(host.answer(value), host.run(found));
  host.report(verdict);
}

function unknownCheck(id: string): Verdict {
  const known = knownChecks().join(", ");
  return {
    check: id,
    title: `There is no check "${id}"`,
    passed: false,
    score: 0,
    most: 0,
    message: known === "" ? "No checks are registered." : `Known checks: ${known}.`,
    properties: [],
    seed: visibleSeed(id),
  };
}

/** Text of a verdict as a page shows it. */
export const pageText = (verdict: Verdict): string => verdictText(verdict, true);
