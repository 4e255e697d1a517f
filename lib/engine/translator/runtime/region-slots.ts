/** The slots of the table of functions, and the cells that say where what is in them may run. */
import {
  CELLS,
  FIRST_REGION_SLOT,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  MISFIT_CELLS,
  SLOT_INTERPRET,
  TABLE_SLOTS,
} from "../layout.ts";
import type { EngineMemory } from "./engine-memory.ts";

/** Hands out slots. What was handed out holds the interpreter until somebody puts a region there. */
export class RegionSlots {
  readonly table: WebAssembly.Table;
  readonly #memory: EngineMemory;
  #next = FIRST_REGION_SLOT;

  constructor(memory: EngineMemory) {
    this.#memory = memory;
    this.table = new WebAssembly.Table({ element: "anyfunc", initial: TABLE_SLOTS });
  }

  /** Slots in use. */
  get count(): number {
    return this.#next - FIRST_REGION_SLOT;
  }

  /** The next free slot; 0 when there is none. */
  allocate(): number {
    if (this.#next === TABLE_SLOTS) return 0;
    const slot = this.#next++;
    this.vacate(slot);
    return slot;
  }

  /** The interpreter takes a slot's place, and nothing fits it any more. */
  vacate(slot: number): void {
    this.table.set(slot, this.table.get(SLOT_INTERPRET));
    this.#memory.i32[(CELLS >>> 2) + slot] = 0;
    this.#memory.i32[(MISFIT_CELLS >>> 2) + slot] = 0;
  }

  /** Takes contexts out of all cells: what fits in them must be found out anew. */
  withdraw(bits: number): void {
    const { i32 } = this.#memory;
    for (let slot = FIRST_REGION_SLOT; slot < this.#next; slot++) {
      const cell = (CELLS >>> 2) + slot;
      const misfit = (MISFIT_CELLS >>> 2) + slot;
      i32[cell] = (i32[cell] ?? 0) & ~bits;
      i32[misfit] = (i32[misfit] ?? 0) & ~bits;
    }
  }

  /** All slots are free again. No generated code may be on the stack. */
  flush(): void {
    for (let slot = FIRST_REGION_SLOT; slot < this.#next; slot++) this.vacate(slot);
    this.#memory.u8.fill(0, JUMP_CACHE, JUMP_CACHE + JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES);
    this.#next = FIRST_REGION_SLOT;
  }
}
