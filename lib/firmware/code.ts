/** The firmware's machine code: where harts start, the trap vector, and the places where a hart waits. */

import { SaveArea, trapVector } from "../hs/vector.ts";
import { type Paddr, paddr } from "../isa/address.ts";
import { type Item, label } from "../isa/assembler/item.ts";
import { program } from "../isa/assembler/program.ts";
import { asm } from "../isa/assembler/typed.ts";
import { areaAddress, FIRMWARE_BASE, HartArea } from "./map.ts";

/** Numbers of the firmware's handlers: what `hx` calls. */
export const Handler = {
  /** Once on each hart, before anything else. */
  START: 1,
  /** For each trap to machine mode. */
  TRAP: 2,
  /** For a trap of the firmware itself. */
  NESTED: 3,
  /** Behind each WFI of a parked hart. */
  PARKED: 4,
  /** Again and again while other harts still have to do this hart's fence. */
  FENCES: 5,
} as const;

/**
 * A hart starts here with nothing but its number. It finds its area, points `mtvec` at the vector and calls `START`, which
 * says through `resume` whether the hart enters the payload or is parked.
 */
const start: readonly Item[] = [
  label("start"),
  asm.csrr("t0", "mhartid"),
  asm.li("t1", HartArea.sizeBytes),
  asm.mul("t0", "t0", "t1"),
  asm.li("sp", areaAddress(0)),
  asm.add("sp", "sp", "t0"),
  asm.csrw("mscratch", "zero"),
  asm.la("t0", "vector"),
  asm.csrw("mtvec", "t0"),
  asm.la("t0", "restore"),
  asm.sd("t0", SaveArea.offsetOf("resume"), "sp"),
  asm.hx(Handler.START),
  asm.j("leave"),
];

/** A parked hart sleeps until its software interrupt, or any that it has enabled, is pending. Interrupts are off in machine mode: WFI just ends. */
const park: readonly Item[] = [label("park"), asm.wfi(), asm.hx(Handler.PARKED), asm.j("leave")];

/** A hart that waits for others looks again, and lets them run in between. */
const fences: readonly Item[] = [label("fences"), asm.hx(Handler.FENCES), asm.j("leave")];

/** The code, and its labels' addresses. */
export function firmwareCode(): { bytes: Uint8Array; labels: ReadonlyMap<string, Paddr> } {
  const vector = trapVector("M", { trap: Handler.TRAP, nested: Handler.NESTED });
  const built = program({ origin: FIRMWARE_BASE }, [...start, ...park, ...fences, ...vector]);
  if (built.kind !== "program") throw new Error(built.message);
  const labels = [...built.symbols].map(([name, address]): [string, Paddr] => [name, paddr(address)]);
  return { bytes: built.bytes, labels: new Map(labels) };
}
