/** Regions of one instruction, written by hand: the least that the cold tier can call. */
import {
  CELLS,
  HEAT_IS_SLOT,
  RAM_OFFSET,
  REGION_PCS,
  SLOT_INTERPRET,
  TABLE_SLOTS,
  WORD,
  xOffset,
} from "../../../../../lib/engine/translator/layout.ts";
import { Code, type Local } from "../../../../../lib/engine/translator/wasm/code.ts";
import { ModuleWriter } from "../../../../../lib/engine/translator/wasm/module.ts";
import { HART_LAYOUT } from "../../../../../lib/hart/layout.ts";
import type { IdentityMachine } from "./identity-machine.ts";

const [hart, budget, depth] = [0 as Local, 1 as Local, 2 as Local];
/** Where regions note how deep they were called: a word that nobody else uses. */
const DEEPEST = WORD.spare + 8 * 12;

function write(regionType: number, body: (code: Code) => void): Uint8Array {
  const code = new Code(3);
  body(code);
  for (const argument of [hart, budget, depth]) code.get(argument);
  code.i32(SLOT_INTERPRET);
  code.returnCallIndirect(regionType);
  return code.finish();
}

/** `addi rd, rd, imm`, if the budget is not used up; the cold tier goes on behind it. */
function addImmediate(code: Code, rd: number, imm: number): void {
  code.get(budget);
  code.i32(0);
  code.op("i32.gt_s");
  code.if();
  for (const [offset, amount] of [
    [xOffset(rd), imm],
    [HART_LAYOUT.pc.offset, 4],
  ] as const) {
    code.get(hart);
    code.get(hart);
    code.load("i64.load", offset);
    code.i64(BigInt(amount));
    code.op("i64.add");
    code.store("i64.store", offset);
  }
  code.get(budget);
  code.i32(1);
  code.op("i32.sub");
  code.set(budget);
  code.end();
  code.get(hart);
  code.get(depth);
  code.get(hart);
  code.load("i32.load", DEEPEST);
  code.get(depth);
  code.get(hart);
  code.load("i32.load", DEEPEST);
  code.ops("i32.gt_s", "select");
  code.store("i32.store", DEEPEST);
}

/** What a region does: the instruction at its beginning, or nothing. */
export type SmallRegion = { readonly rd: number; readonly imm: number } | "nothing";

/** Puts a region into a slot of a machine's table and says in the heat word of an address that it begins there. */
export function putRegion(machine: IdentityMachine, pc: number, slot: number, region: SmallRegion): void {
  const module = new ModuleWriter();
  const type = module.type({ parameters: ["i32", "i32", "i32"], results: ["i32"] });
  module.importMemory("m", "memory", Math.ceil(RAM_OFFSET / 65_536));
  module.importTable("m", "table", TABLE_SLOTS);
  const index = module.declare(type);
  module.define(
    index,
    write(type, (code) => {
      if (region !== "nothing") addImmediate(code, region.rd, region.imm);
    }),
  );
  module.element(slot, index);
  const { memory, table, view } = machine;
  new WebAssembly.Instance(new WebAssembly.Module(module.finish()), { m: { memory, table } });
  view.setInt32(machine.heatOf(pc), HEAT_IS_SLOT + slot, true);
  view.setInt32(CELLS + 4 * slot, 1, true);
  view.setBigInt64(REGION_PCS + 8 * slot, BigInt(pc), true);
}

/** How deep calls were nested in which a region ran. */
export const deepestCall = (machine: IdentityMachine): number => machine.view.getInt32(DEEPEST, true);
