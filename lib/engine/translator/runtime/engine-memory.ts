/** Views of the whole of the machine's memory, for those who work with addresses in it. */
import type { MachineMemory } from "../../../bus/machine-memory.ts";
import type { Ram } from "../../../bus/ram.ts";
import { TRANSLATED_RAM_BASE } from "../emit/atomic.ts";
import { FLAGS, RAM_OFFSET } from "../layout.ts";

/** The machine's memory as generated code sees it. */
export interface EngineMemory {
  readonly memory: WebAssembly.Memory;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f64: Float64Array;
}

/** Makes the views. Throws `RangeError` for a memory, or RAM, that is not where generated code takes it to be: our bug. */
export function engineMemory(
  { memory, buffer, flagsOffset, ramOffset }: MachineMemory,
  { base }: Pick<Ram, "base">,
): EngineMemory {
  if (base !== TRANSLATED_RAM_BASE)
    throw new RangeError(`RAM at physical address ${base}, not at ${TRANSLATED_RAM_BASE}`);
  if (flagsOffset !== FLAGS || ramOffset !== RAM_OFFSET)
    throw new RangeError(`RAM at ${ramOffset} in the machine's memory, not at ${RAM_OFFSET}`);
  return {
    memory,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    i32: new Int32Array(buffer),
    i64: new BigInt64Array(buffer),
    f64: new Float64Array(buffer),
  };
}
