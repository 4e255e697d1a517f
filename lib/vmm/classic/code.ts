/** The monitor's machine code: where the hart begins, and the trap vector. */
import { trapVector } from "../../hs/vector.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { Classic, CODE, STATE } from "./layout.ts";

/** Numbers of the monitor's handlers: what `hx` calls. */
export const ClassicHandler = { START: 48, TRAP: 49, NESTED: 50 } as const;

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
  const built = program({ origin: CODE }, [...start, ...vector]);
  if (built.kind !== "program") throw new Error(built.message);
  return built;
}
