/**
 * The ledger of mutation runs: which piece of code was changed, how often, and which tests said no.
 *
 * An entry is about the code and the tests as they were, by digest: when either is edited, the entry no longer speaks
 * about it, and the rule counts as cited but not verified until the run is repeated.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { CitedTest, Place } from "./citation.ts";
import { digest } from "./syntax.ts";

/** Where the ledger is, from the project's folder. */
export const LEDGER_FILE = "test/spec-coverage/ledger.json";

/** A test that noticed mutants. */
export interface Killer {
  readonly file: string;
  readonly title: string;
  readonly hash: string;
  readonly kills: number;
}

/** What became of the mutants of one place, as seen by the tests that cite one rule. */
export interface LedgerEntry {
  readonly tag: string;
  readonly file: string;
  readonly place: string;
  readonly hash: string;
  /** Digest of all tests that cite the rule, whether they noticed anything or not: see {@link testsDigest}. */
  readonly against?: string;
  readonly mutants: number;
  readonly killed: number;
  readonly by: readonly Killer[];
}

export type Ledger = readonly LedgerEntry[];

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const keyOf = ({ tag, file, place, hash }: LedgerEntry): string => [tag, file, place, hash].join("\0");

/** One entry a line, so that a change shows as what it is. */
export function ledgerText(entries: Ledger): string {
  const sorted = [...entries].sort((a, b) => compare(keyOf(a), keyOf(b)));
  return `[\n${sorted.map((entry) => `  ${JSON.stringify(entry)}`).join(",\n")}\n]\n`;
}

export async function readLedger(root: string): Promise<Ledger> {
  const text = await readFile(path.join(root, LEDGER_FILE), "utf8").catch(() => "[]");
  return JSON.parse(text) as Ledger;
}

export const writeLedger = (root: string, entries: Ledger): Promise<void> =>
  writeFile(path.join(root, LEDGER_FILE), ledgerText(entries));

/** What the ledger knows of a rule at a place as it is now. */
export function entryFor(ledger: Ledger, tag: string, place: Place): LedgerEntry | undefined {
  return ledger.find((entry) => entry.tag === tag && entry.file === place.file && entry.hash === place.hash);
}

/** Digest of the tests that cite a rule. */
export const testsDigest = (tests: readonly CitedTest[]): string =>
  digest(...tests.map(({ file, hash }) => `${file} ${hash}`).sort());

/** Whether a test that noticed a mutant is still the test it was. */
export function standsStill(entry: LedgerEntry, tests: readonly CitedTest[]): boolean {
  return entry.by.some(({ file, hash }) => tests.some((test) => test.file === file && test.hash === hash));
}
