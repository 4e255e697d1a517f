/** The module of the cold tier: the same on every board, so it is generated and compiled once. */

import { Code, type Local } from "../wasm/code.ts";
import { ModuleWriter } from "../wasm/module.ts";
import type { ColdTier } from "./translator.ts";

/** A module that leaves every step to the slow path. */
function slowModule(): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const two = module.type({ parameters: ["i32", "i32"], results: ["i32"] });
  const three = module.type({ parameters: ["i32", "i32", "i32"], results: ["i32"] });
  const slow = module.importFunction("h", "slow", two);
  const interpret = module.declare(three);
  const run = module.declare(two);
  const [h, budget] = [0 as Local, 1 as Local];
  const code = new Code(2);
  const again = code.loop();
  code.get(h);
  code.get(budget);
  code.call(slow);
  code.tee(budget);
  code.i32(0);
  code.op("i32.gt_s");
  code.brIf(again);
  code.end();
  code.get(budget);
  module.define(run, code.finish());
  const stub = new Code(3);
  stub.get(budget);
  module.define(interpret, stub.finish());
  module.export("run", run);
  module.export("interpret", interpret);
  return module.finish();
}

let compiled: WebAssembly.Module | undefined;

/** Makes the cold tier of a machine. */
export function createColdTier(imports: WebAssembly.Imports): ColdTier {
  compiled ??= new WebAssembly.Module(slowModule());
  const { run, interpret } = new WebAssembly.Instance(compiled, imports).exports;
  return { run: run as ColdTier["run"], interpret: interpret as WebAssembly.ExportValue };
}
