/** How translated code reaches memory: the look into a bank of translations that every load and store makes. */
import { DATA_ENTRIES, DATA_ENTRY_BYTES, FLAGS_BIAS, STORES_IN_BANK } from "../layout.ts";
import type { Code, Local } from "../wasm/code.ts";
import type { Emission } from "./emission.ts";
import type { Emitter } from "./emitter.ts";

/** Widths of accesses. */
export type AccessWidth = 1 | 2 | 4 | 8;

/** Offset of the addend within an entry, behind its tag. */
const ADDEND = 8;
/** log2 of a page's bytes, and of an entry's. */
const PAGE_SHIFT = 12;
const ENTRY_SHIFT = Math.log2(DATA_ENTRY_BYTES);
const PAGE_MASK = -4096n;

/** Where a look is emitted. */
export interface TlbLook {
  readonly code: Code;
  /** Pushes the virtual address, i64. Called once, first. */
  address(): void;
  /** Pushes the address of the bank of data translations, i32. Called once. */
  bank(): void;
  /** Pops an i32; leaves for the slow path if it is not zero. */
  bailIf(): void;
  /** Locals that the look may overwrite: the address as i64; the entry, and then the place of a store, as i32. */
  readonly addressLocal: Local;
  readonly entryLocal: Local;
  /** Page flags that keep stores from the fast path: 255 for all. */
  readonly flagMask: number;
}

/** Which accesses a look lets through: naturally aligned ones, or all whose bytes lie in one page. */
export type Fit = "aligned" | "inPage";

/**
 * Pushes the address in WebAssembly's memory, i32, that a virtual address means. One comparison finds an unknown page, one
 * without the right, and an access that does not fit: a misaligned one by its low bits, one on two pages by the page of its
 * last byte, as QEMU does. A store looks at its page's flags as well.
 *
 * After it, `entryLocal` holds what a store has pushed.
 */
export function locateInTlb(
  look: TlbLook,
  kind: "load" | "store",
  widthBytes: AccessWidth,
  fit: Fit = "aligned",
): void {
  const { code, addressLocal, entryLocal } = look;
  const offset = kind === "load" ? 0 : STORES_IN_BANK;
  look.address();
  code.tee(addressLocal);
  code.op("i32.wrap_i64");
  code.i32(PAGE_SHIFT - ENTRY_SHIFT);
  code.op("i32.shr_u");
  code.i32((DATA_ENTRIES - 1) * DATA_ENTRY_BYTES);
  code.op("i32.and");
  look.bank();
  code.op("i32.add");
  code.tee(entryLocal);
  code.load("i64.load", offset);
  pushCompared(look, widthBytes, fit);
  code.op("i64.ne");
  look.bailIf();
  code.get(addressLocal);
  code.op("i32.wrap_i64");
  code.get(entryLocal);
  code.load("i32.load", offset + ADDEND);
  code.op("i32.add");
  if (kind === "store") bailIfFlagged(look);
}

/** Pushes what the entry's tag must be. */
function pushCompared({ code, addressLocal }: TlbLook, widthBytes: AccessWidth, fit: Fit): void {
  code.get(addressLocal);
  if (fit === "inPage" && widthBytes > 1) {
    code.i64(BigInt(widthBytes - 1));
    code.op("i64.add");
  }
  code.i64(fit === "inPage" ? PAGE_MASK : PAGE_MASK | BigInt(widthBytes - 1));
  code.op("i64.and");
}

/** Looks at the flags of the page of the place on the stack, which stays there. */
function bailIfFlagged({ code, entryLocal, flagMask, bailIf }: TlbLook): void {
  code.tee(entryLocal);
  code.i32(PAGE_SHIFT);
  code.op("i32.shr_u");
  code.load("i32.load8_u", FLAGS_BIAS);
  if (flagMask !== 255) {
    code.i32(flagMask);
    code.op("i32.and");
  }
  bailIf();
  code.get(entryLocal);
}

/** Emits a load of the table. It reads memory even for x0, for it may fault. */
export function emitLoad(e: Emission, { op, widthBytes }: Extract<Emitter, { kind: "load" }>): void {
  const at = e.temp32(0);
  const offset = e.locate("load", widthBytes);
  e.code.set(at);
  e.setRd(() => {
    e.code.get(at);
    e.code.load(op, offset);
  });
}

/** Emits a store of the table. */
export function emitStore(e: Emission, { op, widthBytes }: Extract<Emitter, { kind: "store" }>): void {
  const offset = e.locate("store", widthBytes);
  e.rs2();
  e.code.store(op, offset);
}
