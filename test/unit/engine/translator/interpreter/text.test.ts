/** A dispatch loop of three ops and a pair as text, for reviewers: `test/golden/translator/cold-tier.wat`. `npx vitest run -u` writes it anew. */
import { join } from "node:path";
import { expect, it } from "vitest";
import wabt from "wabt";
import { writeDispatchLoop } from "../../../../../lib/engine/translator/interpreter/dispatch-loop.ts";
import { DATUM } from "../../../../../lib/engine/translator/interpreter/ending.ts";
import { opNamed } from "../../../../../lib/engine/translator/interpreter/op.ts";
import { PAIRS } from "../../../../../lib/engine/translator/interpreter/pair.ts";
import {
  FETCH_ENTRIES,
  FLAGS_BIAS,
  HEAT_IN_PAGE,
  MISFIT_CELLS,
  RAM_OFFSET,
  WORD,
} from "../../../../../lib/engine/translator/layout.ts";
import { ModuleWriter } from "../../../../../lib/engine/translator/wasm/module.ts";

const GOLDEN = join(import.meta.dirname, "../../../../golden/translator/cold-tier.wat");

/** What it shows, and what to look at. */
const HEADER = `;; bltu to a place behind it, add, c.ld, and add with c.ld as a pair. Look how the budget is asked before the slot's op is
;; branched to (with one step left a pair is its first op), how an arrival counts heat, and that each op branches itself.
`;

/** Constants of the layout by name, so that moving things about changes nothing here. */
const NAMES: readonly (readonly [pattern: string, name: string])[] = [
  ...Object.entries(WORD).map(([name, offset]) => [`offset=${offset}`, `offset=${name}`] as const),
  ...Object.entries({ FLAGS_BIAS, HEAT_IN_PAGE, MISFIT_CELLS, RAM_OFFSET, DATUM }).map(
    ([name, value]) => [`offset=${value}`, `offset=${name}`] as const,
  ),
  [`i32.const ${FETCH_ENTRIES - 1}`, "i32.const FETCH_ENTRIES-1"],
];

it("the dispatch loop is what its text shows", async () => {
  const module = new ModuleWriter();
  const type = module.type({ parameters: ["i32", "i32", "i32", "i32"], results: ["i32", "i32"] });
  module.importMemory("m", "memory", 1);
  const loop = module.declare(type);
  const branch = { ...opNamed("bltu/backward"), number: 6 };
  const first = { ...opNamed("add"), number: 7 };
  const second = { ...opNamed("c.ld"), number: 8 };
  const choice = { ops: [branch, first, second], pairs: [{ number: 9, first, second }] };
  module.define(loop, writeDispatchLoop({ flagMask: 255, heatThreshold: 128 }, choice));
  const parsed = (await wabt()).readWasm(module.finish(), { check: true });
  const text = NAMES.reduce(
    (result, [constant, name]) => result.replaceAll(new RegExp(`${constant}\\b`, "g"), name),
    parsed.toText({ foldExprs: true, inlineExport: true }),
  );
  parsed.destroy();
  expect(PAIRS.length).toBeGreaterThan(100);
  await expect(HEADER + text).toMatchFileSnapshot(GOLDEN);
});
