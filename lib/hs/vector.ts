/**
 * The trap vector: the machine code between the hart and the TypeScript handlers. It lies in RAM like everything else, and
 * the hart runs it instruction by instruction.
 *
 * Outside handlers `mscratch` (or `sscratch`) holds the address of the hart's save area; inside it holds zero, which is
 * how the vector knows a trap that privileged code itself has caused.
 */
import { type Item, label } from "../isa/assembler/item.ts";
import { asm } from "../isa/assembler/typed.ts";
import { REGISTER_NAMES } from "../isa/register.ts";
import { array, pointer, struct, u64 } from "./struct.ts";

/** What the vector saves, for each hart. `sp` points here while handlers run. */
export const SaveArea = struct("save-area", {
  /** x0…x31 by number; x0 is not stored. */
  x: array(u64, 32),
  /** Where to go behind `hx`: `restore`, or another place of the privileged program, which a handler may put here. */
  resume: pointer,
});

/** Numbers of the handlers that the vector calls. */
export interface VectorHandlers {
  /** For each trap. */
  readonly trap: number;
  /** For a trap of the privileged program itself. It is called without a save area, and cannot go on. */
  readonly nested: number;
}

const RESUME = SaveArea.offsetOf("resume");
const registerOffset = (index: number): number => SaveArea.offsetOf("x") + 8 * index;
const SP_INDEX = REGISTER_NAMES.indexOf("sp");
/** All registers but x0 and `sp`. */
const SAVED = REGISTER_NAMES.map((name, index) => ({ name, offset: registerOffset(index) })).filter(
  ({ name }) => name !== "zero" && name !== "sp",
);

/**
 * The vector of one mode. Labels: `vector`, `leave` (goes where `resume` says), `restore` (back to the program), `nested`.
 *
 * @param mode  M for firmware, S for a hypervisor in HS-mode or a kernel.
 */
export function trapVector(mode: "M" | "S", handlers: VectorHandlers): Item[] {
  const scratch = mode === "M" ? "mscratch" : "sscratch";
  return [
    asm.align(4),
    label("vector"),
    asm.csrrw("sp", scratch, "sp"),
    asm.beqz("sp", "nested"),
    ...SAVED.map(({ name, offset }) => asm.sd(name, offset, "sp")),
    asm.csrrw("t0", scratch, "zero"), // the interrupted sp; zero marks that handlers run
    asm.sd("t0", registerOffset(SP_INDEX), "sp"),
    asm.la("t0", "restore"),
    asm.sd("t0", RESUME, "sp"),
    asm.hx(handlers.trap),

    label("leave"),
    asm.ld("t0", RESUME, "sp"),
    asm.jr("t0"),

    label("restore"),
    asm.csrw(scratch, "sp"),
    ...SAVED.map(({ name, offset }) => asm.ld(name, offset, "sp")),
    asm.ld("sp", registerOffset(SP_INDEX), "sp"),
    mode === "M" ? asm.mret() : asm.sret(),

    label("nested"),
    asm.csrrw("sp", scratch, "sp"),
    asm.hx(handlers.nested),
    asm.j("nested"),
  ];
}
