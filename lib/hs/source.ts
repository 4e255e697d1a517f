/** Handlers and hypervisors out of source text, so that amnesia mode can evaluate all of it afresh: also what stands at its top level. */
import type { HsHandlers } from "./install.ts";

/**
 * Makes a maker, for `installHandlers` or `installHypervisor`, out of JavaScript: the body of a function that returns what they
 * want.
 *
 * Each call evaluates the text anew, strictly, in a scope of its own. A variable outside the handlers lives no longer than
 * that scope, so amnesia mode catches a counter there which a factory in a module could hide. (It is parsed once.)
 *
 * @param source  As `let calls = 0; return { 1: { name: "count", handle(context) { … } } };`
 * @param scope   What the text may name besides JavaScript's own globals: structures, `paddr` and so on.
 */
export function fromSource<Made>(source: string, scope: Readonly<Record<string, unknown>> = {}): () => Made {
  const names = Object.keys(scope);
  const values = names.map((name) => scope[name]);
  const evaluate = new Function(...names, `"use strict";\n${source}`);
  return () => evaluate(...values) as Made;
}

/** Handlers by number, out of source text. */
export const handlersFromSource = (
  source: string,
  scope: Readonly<Record<string, unknown>> = {},
): (() => HsHandlers) => fromSource<HsHandlers>(source, scope);
