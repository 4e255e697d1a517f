/** The cold tier's module. It is the same on every board, so it is generated and compiled once. */
import { NO_ARRIVAL, RAM_OFFSET, SLOT_INTERPRET, SLOT_PRIVILEGED, TABLE_SLOTS } from "../layout.ts";
import { writePrivileged } from "../privileged/write-privileged.ts";
import { Code, type Local } from "../wasm/code.ts";
import { ModuleWriter } from "../wasm/module.ts";
import { writeDispatchLoop } from "./dispatch-loop.ts";
import { writeInterpret } from "./interpret.ts";
import type { InterpreterOptions } from "./loop-frame.ts";

/** What the module calls. `h` is the address of the state block of the hart that runs. */
export interface InterpreterImports {
  /** Steps with the slow path until nothing asks for attention; the budget that is left. */
  readonly slow: (h: number, budget: number) => number;
  /** The same where the fetch bank does not know the page of the pc. */
  readonly fetchMiss: (h: number, budget: number) => number;
  /** Decodes the instruction of a slot. */
  readonly decode: (h: number, slotAddress: number) => void;
  /** A heat word has reached a multiple of the threshold. */
  readonly hot: (h: number, heatAddress: number) => void;
  /** Whether the region in a slot of the table may run in this context; it may put another into the heat word. */
  readonly resolve: (h: number, tableSlot: number) => number;
}

/** What it exports. */
export interface InterpreterExports {
  /** Runs until the budget is used up; what is left of it. */
  readonly run: (h: number, budget: number) => number;
  /** What unused slots of the table hold. */
  readonly interpret: (h: number, budget: number, depth: number) => number;
  /** What `SLOT_PRIVILEGED` holds. */
  readonly privileged: (h: number, budget: number, word: number) => number;
}

const WASM_PAGE_BYTES = 65_536;

const compiled = new Map<string, WebAssembly.Module>();

/** The module for these options, compiled when it is first asked for. */
export function interpreterModule(options: InterpreterOptions): WebAssembly.Module {
  const key = `${options.flagMask} ${options.heatThreshold}`;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(generateInterpreter(options));
  compiled.set(key, module);
  return module;
}

/** Makes a board's cold tier. It puts its functions into their two slots of the table. */
export function instantiateInterpreter(
  options: InterpreterOptions,
  memory: WebAssembly.Memory,
  table: WebAssembly.Table,
  imports: InterpreterImports,
): InterpreterExports {
  const instance = new WebAssembly.Instance(interpreterModule(options), {
    m: { memory, table },
    h: { ...imports },
  });
  return instance.exports as unknown as InterpreterExports;
}

/** The bytes of the module. */
export function generateInterpreter(options: InterpreterOptions): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const region = { parameters: ["i32", "i32", "i32"], results: ["i32"] } as const;
  const regionType = module.type(region);
  const stepType = module.type({ parameters: ["i32", "i32"], results: ["i32"] });
  const noticeType = module.type({ parameters: ["i32", "i32"], results: [] });
  const dispatchType = module.type({ parameters: ["i32", "i32", "i32", "i32"], results: ["i32", "i32"] });
  module.importMemory("m", "memory", Math.ceil(RAM_OFFSET / WASM_PAGE_BYTES));
  module.importTable("m", "table", TABLE_SLOTS);
  const imported = {
    slow: module.importFunction("h", "slow", stepType),
    fetchMiss: module.importFunction("h", "fetchMiss", stepType),
    decode: module.importFunction("h", "decode", noticeType),
    hot: module.importFunction("h", "hot", noticeType),
    resolve: module.importFunction("h", "resolve", stepType),
  };
  const dispatch = module.declare(dispatchType);
  const interpret = module.declare(regionType);
  const privileged = writePrivileged(module, imported);
  const run = module.declare(stepType);
  module.define(dispatch, writeDispatchLoop(options));
  module.define(interpret, writeInterpret({ ...imported, dispatch, privileged, regionType }));
  module.define(run, writeRun(interpret));
  module.export("run", run);
  module.export("interpret", interpret);
  module.export("privileged", privileged);
  module.element(SLOT_INTERPRET, interpret);
  module.element(SLOT_PRIVILEGED, privileged);
  return module.finish();
}

/** Calls `interpret` at depth 0 until the budget is used up: whatever was called in vain comes back here. */
function writeRun(interpret: number): Uint8Array {
  const [hart, budget] = [0 as Local, 1 as Local];
  const code = new Code(2);
  const again = code.loop();
  code.get(hart);
  code.get(budget);
  code.i32(NO_ARRIVAL);
  code.call(interpret);
  code.tee(budget);
  code.i32(0);
  code.op("i32.gt_s");
  code.brIf(again);
  code.end();
  code.get(budget);
  return code.finish();
}
