/**
 * The modules that the engine makes use nothing of WebAssembly that a current browser lacks: each is read by a tool that knows
 * only the features named here.
 */
import { afterEach, expect, it } from "vitest";
import wabt from "wabt";
import { buildBoard } from "../../../../lib/board/virt.ts";
import { loopingProgram } from "../../../support/programs/looping.ts";

const FEATURES = {
  mutable_globals: true,
  sign_extension: true,
  sat_float_to_int: true,
  multi_value: true,
  bulk_memory: true,
  reference_types: true,
  tail_call: true,
  exceptions: false,
  simd: false,
  relaxed_simd: false,
  threads: false,
  memory64: false,
  gc: false,
  extended_const: false,
};

const { Module } = WebAssembly;
afterEach(() => {
  WebAssembly.Module = Module;
});

it("all modules of runs of random programs, with and without floating-point, are read with these features alone", async () => {
  const modules: Uint8Array[] = [];
  WebAssembly.Module = class extends Module {
    constructor(bytes: BufferSource) {
      super(bytes);
      if (bytes instanceof Uint8Array) modules.push(bytes.slice());
    }
  };
  for (const isFloating of [false, true])
    for (const mode of ["M", "VS"] as const) {
      const board = buildBoard({ engine: "translator", ramBytes: 4 << 20 });
      for (const [address, bytes] of loopingProgram({
        seed: 3,
        mode,
        isTranslated: mode === "VS",
        harts: 1,
        isFloating,
      }))
        board.memory.write(BigInt(address), bytes);
      board.run({ instructions: 300_000 });
      expect(board.counters?.compileFailures).toBe(0);
    }
  const { readWasm } = await wabt();
  expect(modules.length).toBeGreaterThan(4);
  for (const bytes of modules) {
    const module = readWasm(bytes, FEATURES);
    module.validate();
    module.destroy();
  }
}, 60_000);

it("a module with a feature that is not named is refused", async () => {
  const { readWasm, parseWat } = await wabt();
  const shared = parseWat("shared.wat", "(module (memory 1 1 shared))", { threads: true }).toBinary(
    {},
  ).buffer;
  expect(() => readWasm(shared, FEATURES).validate()).toThrow();
});
