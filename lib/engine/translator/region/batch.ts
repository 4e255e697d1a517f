/** Several regions in one WebAssembly module: far cheaper in time and memory than a module for each. */
import { FIRST_REGION_SLOT } from "../layout.ts";
import { ModuleWriter } from "../wasm/module.ts";

/** A function for one or more slots of the table. */
export interface BatchFunction {
  /** What profilers call it. */
  readonly name: string;
  readonly body: Uint8Array;
  readonly slots: readonly number[];
}

/** Number of the type of regions in a module of a batch. */
export const REGION_TYPE = 0;

/** Number of the function by which regions tell that they are left, in modules that count it. */
export const LEFT_FUNCTION = 0;

/**
 * The bytes of a module that puts its functions into their slots when it is instantiated.
 *
 * @param countsExits  Whether it imports `left` of "h".
 */
export function writeBatch(
  functions: readonly BatchFunction[],
  countsExits = false,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const type = module.type({ parameters: ["i32", "i32", "i32"], results: ["i32"] });
  if (type !== REGION_TYPE) throw new RangeError("regions have the first type");
  module.importMemory("m", "memory", 1);
  module.importTable("m", "table", FIRST_REGION_SLOT);
  if (countsExits) {
    const left = module.importFunction("h", "left", module.type({ parameters: ["i32"], results: [] }));
    if (left !== LEFT_FUNCTION) throw new RangeError("it is the first function");
  }
  for (const { name, body, slots } of functions) {
    const number = module.declare(type);
    module.define(number, body);
    module.name(number, name);
    for (const slot of slots) module.element(slot, number);
  }
  return module.finish();
}
