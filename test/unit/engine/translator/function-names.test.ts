import { describe, expect, it } from "vitest";
import { ModuleWriter } from "../../../../lib/engine/translator/wasm/module.ts";

/** `unreachable`, with no locals. */
const TRAPS = new Uint8Array([0x00, 0x00, 0x0b]);

function stackOf(named: boolean): string {
  const module = new ModuleWriter();
  const type = module.type({ parameters: [], results: [] });
  const functions = [module.declare(type), module.declare(type)];
  for (const each of functions) module.define(each, TRAPS);
  module.export("second", functions[1] ?? 0);
  if (named) {
    module.name(functions[1] ?? 0, "region 0x80000080");
    module.name(functions[0] ?? 0, "region 0x80000000");
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.finish()));
  try {
    (exports["second"] as () => void)();
  } catch (error) {
    return String((error as Error).stack);
  }
  return "";
}

describe("names of generated functions", () => {
  it("stand in stack traces, so that profilers show them", () => {
    expect(stackOf(true)).toContain("region 0x80000080");
    expect(stackOf(false)).not.toContain("region");
  });
});
