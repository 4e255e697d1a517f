/**
 * Where regions plug in: what the runtime tells whoever translates, and what it offers them.
 *
 * A region is one function in one slot of the table. It is code of physical places, for one virtual address: its cell says in
 * which contexts (bits of fetch banks) each of its virtual pages is known to be the page of RAM that it was made from. Whoever
 * translates sets bits, the runtime clears them; a slot is not used again before everything was flushed.
 */
import type { Ram } from "../../../bus/ram.ts";
import type { CodePages } from "./code-pages.ts";
import type { Counters } from "./counters.ts";
import type { EngineMemory } from "./engine-memory.ts";

/** What a translator of regions sees of the hart that runs, in its present context. */
export interface HartView {
  /** Address of its state block. */
  readonly h: number;
  /** Address of the next instruction, unsigned. Valid in every call from generated code. */
  readonly pc: bigint;
  /** The one bit of the present context in cells. */
  readonly codeBit: number;
  /** `codeBit` where floats are on, or fast; else 0: see `layout.ts`. */
  readonly codeBitFloatOn: number;
  readonly codeBitFloatFast: number;
  /**
   * Number of the code page from which the hart fetches this address now, or −1 where it could not, or not without anybody's
   * notice. Asking changes nothing that a guest can see. Of each change in the present context the runtime tells by `unmap`,
   * of new knowledge by `learn`.
   *
   * @param vaddr  Any address in the page, 64 bits.
   */
  codePageAt(vaddr: bigint): number;
}

/** Whoever translates regions. Calls come from within runs, but for `flush`; generated code may be on the stack. */
export interface RegionSource {
  /** This heat word has reached the threshold: code at the hart's pc was arrived at often. Lower or replace it, or it will be told again. */
  hot(heatAddress: number, hart: HartView): void;
  /**
   * Generated code has come to a region whose cell has not the bit of the present context, nor its misfit cell: sets one of
   * them. Or to one that begins at another pc (`REGION_PCS`): finds one for this pc, if there is any, and puts its slot into
   * the heat word.
   *
   * @returns 1: enter the region of this slot now.
   */
  resolve(slot: number, hart: HartView): number;
  /**
   * Instructions of a code page are about to change or be forgotten; their slots are empty already. Regions that contain any
   * byte of the range end: cell 0, the interpreter in their slot, their heat word below the threshold.
   */
  invalidate(codePage: number, firstByte: number, lengthBytes: number): void;
  /** In the contexts of these bits a virtual page may no longer be this code page: cells of all regions that touch it lose the bits. */
  unmap(codePage: number, bits: number): void;
  /** In the contexts of these bits a virtual page is known to be this code page from now on: misfit cells of all regions that touch it lose the bits. */
  learn(codePage: number, bits: number): void;
  /** All regions and code pages are forgotten; slots begin anew, cells are 0, the interpreter is everywhere. No generated code is on the stack. */
  flush(): void;
}

/** What the runtime offers to whoever translates. */
export interface RegionHost {
  readonly memory: EngineMemory;
  readonly ram: Ram;
  /** All slots in use hold the interpreter until a region is put there. */
  readonly table: WebAssembly.Table;
  /** What a module of regions imports: "m" memory, "m" table. */
  readonly imports: WebAssembly.Imports;
  readonly codePages: CodePages;
  readonly counters: Counters;
  /** The bits of `PageFlag` that make a store leave the fast path on this board. */
  readonly storeFlags: number;
  /** The next free slot; 0 when none is left: then everything will be flushed before the next run. */
  allocateSlot(): number;
  /** Puts the interpreter into a slot. */
  vacate(slot: number): void;
  /** Flushes all code when no generated code is on the stack any more, which it sees to. */
  requestFlush(): void;
}
