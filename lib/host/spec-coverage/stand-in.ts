/**
 * Stands in for Vitest's `describe`, `it` and hooks while mutants are tried, in one process without a cold start for each.
 *
 * It only keeps what a test file says; {@link takeCollected} hands it over. `expect` is Vitest's own.
 */
import { format } from "node:util";

export { assert, expect, vi } from "vitest";
export { afterAllOf, type Collected, runCollected, takeCollected };

type Body = (...values: unknown[]) => unknown;
type Hook = () => unknown;

/** A `describe` block. */
interface Suite {
  readonly titles: readonly string[];
  readonly parent: Suite | undefined;
  readonly skipped: boolean;
  readonly hooks: Record<"beforeAll" | "beforeEach" | "afterEach" | "afterAll", Hook[]>;
  started?: boolean;
}

/** A test of a file: one case, if it has a table. */
interface Collected {
  /** Expanded titles from the outermost `describe` to the case. */
  readonly title: string;
  /** Where `it` was called. */
  readonly line: number;
  readonly suite: Suite;
  readonly body: Hook;
}

const newSuite = (parent: Suite | undefined, title: string, skipped: boolean): Suite => ({
  titles: parent === undefined ? [] : [...parent.titles, title],
  parent,
  skipped: skipped || parent?.skipped === true,
  hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] },
});

let current = newSuite(undefined, "", false);
let collected: Collected[] = [];

/** What has been said since the last call. */
function takeCollected(): Collected[] {
  const taken = collected;
  collected = [];
  current = newSuite(undefined, "", false);
  return taken;
}

/** The line of the test file from which `it` was called. */
function callLine(): number {
  const frame = new Error().stack?.split("\n").find((line) => line.includes("?v="));
  return Number(/\?v=\d+:(\d+):/.exec(frame ?? "")?.[1] ?? 0);
}

/** One case's title: `%s` and its kin, `$name` and `%#` as in Vitest. */
function expanded(title: string, row: unknown, at: number): string {
  const values = Array.isArray(row) ? row : [row];
  const named = title.replaceAll("%#", String(at)).replaceAll(/\$(\w+)/g, (written, name: string) => {
    const of = values[0] as Readonly<Record<string, unknown>> | undefined;
    return typeof of === "object" && of !== null && name in of ? String(of[name]) : written;
  });
  const wanted = [...named.matchAll(/%[sdifjoOc]/g)].length;
  return format(named, ...values.slice(0, wanted));
}

function define(title: string, body: Body, skipped: boolean, values: readonly unknown[] = []): void {
  if (skipped || current.skipped) return;
  const line = callLine();
  collected.push({
    title: [...current.titles, title].join(" > "),
    line,
    suite: current,
    body: () => body(...values),
  });
}

const runnable = (one: unknown): Body => (typeof one === "function" ? (one as Body) : () => undefined);

type Table = readonly unknown[];

function eachTest(table: Table, skipped: boolean) {
  return (title: string, ...rest: unknown[]): void => {
    const body = runnable(rest.find((one) => typeof one === "function"));
    for (const [at, row] of table.entries())
      define(expanded(title, row, at), body, skipped, Array.isArray(row) ? row : [row]);
  };
}

function testFunction(skipped: boolean) {
  return (title: string, ...rest: unknown[]): void =>
    define(title, runnable(rest.find((one) => typeof one === "function")), skipped);
}

export const it = Object.assign(testFunction(false), {
  each: (table: Table) => eachTest(table, false),
  skip: testFunction(true),
  skipIf: (condition: boolean) => testFunction(condition),
  runIf: (condition: boolean) => testFunction(!condition),
});
export const test = it;

function block(title: string, body: Body, skipped: boolean, values: readonly unknown[] = []): void {
  const outer = current;
  current = newSuite(outer, title, skipped);
  try {
    body(...values);
  } finally {
    current = outer;
  }
}

const blockFunction =
  (skipped: boolean) =>
  (title: string, ...rest: unknown[]): void =>
    block(title, runnable(rest.find((one) => typeof one === "function")), skipped);

export const describe = Object.assign(blockFunction(false), {
  each:
    (table: Table) =>
    (title: string, body: Body): void => {
      for (const [at, row] of table.entries())
        block(expanded(title, row, at), body, false, Array.isArray(row) ? row : [row]);
    },
  skip: blockFunction(true),
  skipIf: (condition: boolean) => blockFunction(condition),
  runIf: (condition: boolean) => blockFunction(!condition),
});

const hook =
  (name: keyof Suite["hooks"]) =>
  (body: Hook): void => {
    current.hooks[name].push(body);
  };
export const beforeAll = hook("beforeAll");
export const beforeEach = hook("beforeEach");
export const afterEach = hook("afterEach");
export const afterAll = hook("afterAll");

const chain = (suite: Suite | undefined): Suite[] =>
  suite === undefined ? [] : [...chain(suite.parent), suite];

/** `failed` means that the test's own body said no: a wrong expectation. Any other error is `broken`. */
export type Outcome = "passed" | "failed" | "broken";

const isAssertion = (error: unknown): boolean => error instanceof Error && error.name === "AssertionError";

/** Runs one test with its hooks. What hooks throw never counts as the test's verdict. */
async function runCollected({ suite, body }: Collected): Promise<Outcome> {
  const suites = chain(suite);
  let outcome: Outcome = "passed";
  try {
    for (const one of suites) {
      if (one.started !== true) for (const hook of one.hooks.beforeAll) await hook();
      one.started = true;
    }
    for (const one of suites) for (const hook of one.hooks.beforeEach) await hook();
  } catch {
    return "broken";
  }
  try {
    await body();
  } catch (error) {
    outcome = isAssertion(error) ? "failed" : "broken";
  }
  try {
    for (const one of suites.toReversed()) for (const hook of one.hooks.afterEach) await hook();
  } catch {
    return outcome === "failed" ? outcome : "broken";
  }
  return outcome;
}

/** Runs what the suites of these tests want to run at their end. */
async function afterAllOf(tests: readonly Collected[]): Promise<void> {
  for (const suite of new Set(tests.flatMap((one) => chain(one.suite)))) {
    if (suite.started !== true) continue;
    for (const hook of suite.hooks.afterAll) await Promise.resolve(hook()).catch(() => undefined);
  }
}
