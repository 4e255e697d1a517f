/**
 * A process that runs tests against mutated sources.
 *
 * Each order loads the sources and test files anew under addresses of their own (`?v=…`), about 25 ms for the whole
 * machine; the file that has the mutant gets its text changed on the way in. Vitest's own runner is stood in for, because
 * its start alone takes longer than a hundred orders.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import path from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { siblingModule } from "../kernel/headless-sibling.ts";
import { tagsIn } from "./citation.ts";
import type { Answer, Order, TestOutcome } from "./mutation-messages.ts";
import { afterAllOf, type Collected, runCollected, takeCollected } from "./stand-in.ts";

const VERSIONED = /\?v=(\d+)$/;
const STAND_INS: ReadonlyMap<string, string> = new Map([
  ["vitest", siblingModule(import.meta.url, "stand-in").href],
  ["fast-check", siblingModule(import.meta.url, "property-stand-in").href],
]);

let version = 0;
/** The order that is being worked on. */
let now: Order | undefined;

const stripped = new Map<string, string>();

function cached(cache: Map<string, string>, file: string, make: () => string): string {
  const known = cache.get(file);
  if (known !== undefined) return known;
  const made = make();
  cache.set(file, made);
  return made;
}

const plain = (file: string, content: string): string =>
  file.endsWith(".ts") ? stripTypeScriptTypes(content) : content;

/** What Node is to run for a source file. */
function sourceOf(file: string): string {
  const { mutated, root } = now as Order;
  if (mutated !== undefined && file === path.join(root, mutated.file)) return plain(file, mutated.text);
  return cached(stripped, file, () => plain(file, readFileSync(file, "utf8")));
}

registerHooks({
  resolve(specifier, context, next) {
    const versioned = VERSIONED.exec(context.parentURL ?? "") ?? VERSIONED.exec(specifier);
    if (versioned === null || now === undefined) return next(specifier, context);
    const standIn = STAND_INS.get(specifier);
    if (standIn !== undefined) return { url: standIn, shortCircuit: true };
    const resolved = next(specifier, context);
    const isOurs = resolved.url.startsWith(pathToFileURL(now.root).href);
    if (!isOurs || resolved.url.includes("/node_modules/")) return resolved;
    return { ...resolved, url: `${resolved.url.replace(VERSIONED, "")}?v=${version}`, shortCircuit: true };
  },
  load(url, context, next) {
    if (!VERSIONED.test(url)) return next(url, context);
    return {
      format: "module",
      source: sourceOf(fileURLToPath(url.replace(VERSIONED, ""))),
      shortCircuit: true,
    };
  },
});

/** The tests of a file as it says them, with the mutant in the code. */
async function collect(root: string, file: string): Promise<Collected[]> {
  takeCollected();
  await import(`${pathToFileURL(path.join(root, file)).href}?v=${version}`);
  return takeCollected();
}

async function outcomesOf(order: Order, file: string): Promise<TestOutcome[]> {
  const wanted = order.tests.filter((test) => test.file === file);
  const collected = await collect(order.root, file);
  const outcomes: TestOutcome[] = [];
  for (const test of collected) {
    const call = wanted.find(({ line, endLine }) => test.line >= line && test.line <= endLine);
    if (call === undefined) continue;
    const tags = [...new Set([...call.tags, ...tagsIn(test.title)])].filter((tag) =>
      order.tags.includes(tag),
    );
    if (tags.length === 0) continue;
    outcomes.push({ file, line: call.line, title: test.title, tags, outcome: await runCollected(test) });
  }
  await afterAllOf(collected);
  return outcomes;
}

async function answer(order: Order): Promise<Answer> {
  version += 1;
  now = order;
  const outcomes: TestOutcome[] = [];
  try {
    for (const file of new Set(order.tests.map((test) => test.file)))
      outcomes.push(...(await outcomesOf(order, file)));
    return { id: order.id, unloadable: undefined, outcomes };
  } catch (error) {
    return { id: order.id, unloadable: String(error), outcomes: [] };
  }
}

process.on("message", (order: Order) => {
  void answer(order).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
