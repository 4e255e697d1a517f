/** Runs emitted cells: the same few lines for the student's cells in the cage and the instructor's in the oracle. */
import vm from "node:vm";
import type { EmittedCell } from "../notebook/kernel-protocol.ts";
import type { CellHooks } from "../notebook/session.ts";

type CellFunction = (hooks: CellHooks, ...links: readonly unknown[]) => Promise<void>;

// Captured now: a cell may replace what it can reach later.
const { runInThisContext } = vm;
const { apply } = Reflect;
const { defineProperties } = Object;
const text = String;

/** A cell that was started: its scope fills while it runs, `done` settles at its end. */
export interface StartedCell {
  readonly done: Promise<void>;
  /** Accessors of the cell's names; reading one that has no value yet throws. */
  scope(): object;
  /** Value of the last expression statement. */
  result(): unknown;
}

/** Starts a cell. `scopeOf` gives the scope of an earlier cell, `load` a module. */
export function startCell(
  cell: EmittedCell,
  scopeOf: (cell: number) => object,
  load: (specifier: string) => Promise<object>,
): StartedCell {
  const hooks: CellHooks = {
    define: (names) => {
      hooks.scope = defineProperties({}, names);
    },
    scope: {},
    result: undefined,
    meta: {},
    load: (specifier) => load(text(specifier)),
    // Nobody interrupts a cell here; a cell that does not end is ended with its process.
    tick: () => Number.MAX_SAFE_INTEGER,
  };
  const run = async (): Promise<void> => {
    const links: unknown[] = [hooks];
    for (let at = 0; at < cell.reads.length; at += 1) links[links.length] = scopeOf(cell.reads[at] ?? 0);
    for (let at = 0; at < cell.modules.length; at += 1)
      links[links.length] = await load(cell.modules[at]?.specifier ?? "");
    const body = runInThisContext(cell.code, { filename: `cell-${cell.id}.ts` }) as CellFunction;
    await apply(body, undefined, links);
  };
  return { done: run(), scope: () => hooks.scope, result: () => hooks.result };
}
