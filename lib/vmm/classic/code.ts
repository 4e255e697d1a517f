/** The monitor's machine code: where the hart begins, and the trap vector. */
import { trapVector } from "../../hs/vector.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { FLOAT_CODE_OFFSET, floatCode } from "./floats.ts";
import { Classic, CODE, PAGE_BYTES, STATE } from "./layout.ts";

/** Numbers of the monitor's handlers: what `hx` calls. */
export const ClassicHandler = { START: 48, TRAP: 49, NESTED: 50, FLOAT: 51 } as const;

const start: readonly Item[] = [
  label("start"),
  asm.li("sp", STATE),
  asm.csrw("mscratch", "zero"),
  asm.la("t0", "vector"),
  asm.csrw("mtvec", "t0"),
  asm.la("t0", "restore"),
  asm.sd("t0", Classic.offsetOf("saved") + 8 * 32, "sp"),
  asm.hx(ClassicHandler.START),
  asm.j("leave"),
];

/** The code, and its labels' addresses. */
export function classicCode() {
  const vector = trapVector("M", { trap: ClassicHandler.TRAP, nested: ClassicHandler.NESTED });
  const floats = [asm.align(FLOAT_CODE_OFFSET), ...floatCode(ClassicHandler.FLOAT)];
  const built = program({ origin: CODE }, [...start, ...vector, ...floats]);
  if (built.kind !== "program") throw new Error(built.message);
  if (built.symbols.get("floats") !== CODE + BigInt(FLOAT_CODE_OFFSET) || built.bytes.length > PAGE_BYTES)
    throw new Error("the vector has grown into the code behind it");
  return built;
}
