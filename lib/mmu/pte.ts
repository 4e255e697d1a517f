/** Page-table entries: the fields and what each bit grants. */
import { type BitField, bits, fieldMask, getField } from "../bits/field.ts";

/** Flag bits of a PTE by the manual's letters, from bit 0 up. @spec priv §"Addressing and Memory Protection" */
export const PTE = {
  /** Valid. */
  V: 1n << 0n,
  /** Readable. */
  R: 1n << 1n,
  /** Writable. */
  W: 1n << 2n,
  /** Executable. */
  X: 1n << 3n,
  /** A page of user mode. */
  U: 1n << 4n,
  /** Global: in every address space. */
  G: 1n << 5n,
  /** Accessed since the bit was cleared. */
  A: 1n << 6n,
  /** Dirty: written since the bit was cleared. */
  D: 1n << 7n,
} as const;
/** Letter of a PTE flag. */
export type PteFlag = keyof typeof PTE;

/** Bits of a PTE that are not flags. */
export const PTE_FIELDS = {
  RSW: bits(9, 8),
  PPN: bits(53, 10),
  /** The lowest bits of PPN, which say the size under N=1. @spec norm:Svnapot_valid_encoding */
  napot: bits(13, 10),
  reserved: bits(60, 54),
  PBMT: bits(62, 61),
  N: bits(63),
} as const satisfies Record<string, BitField>;

/** Bits that must be zero in every entry. @spec norm:Sv39_pte_future_rsv */
export const PTE_RESERVED: bigint = fieldMask(PTE_FIELDS.reserved);

const NAPOT = fieldMask(PTE_FIELDS.N);
/** What PPN ends with in a leaf of 64 KiB. @spec norm:Svnapot_valid_encoding */
export const NAPOT_PATTERN = 0b1000n;
/** Bytes that a leaf with N=1 maps. @spec norm:Svnapot_range_napot */
export const NAPOT_PAGE_BYTES = 0x1_0000n;

/** Whether an entry is one of sixteen that map 64 KiB together. @spec norm:Svnapot_pte_N */
export const pteIsNapot = (pte: bigint): boolean => (pte & NAPOT) !== 0n;

/** Memory types by the value of PBMT; 3 is reserved. @spec priv §"Svpbmt" */
const MEMORY_TYPES = ["PMA", "NC", "IO"] as const;
/** What a leaf says about the memory behind it: what the platform says (PMA), not cached (NC), or device registers (IO). */
export type MemoryType = (typeof MEMORY_TYPES)[number];

/** The memory type of a valid leaf. */
export const pteMemoryType = (pte: bigint): MemoryType =>
  MEMORY_TYPES[Number(getField(pte, PTE_FIELDS.PBMT))] ?? "PMA";

/** Physical page number: where the next table, or the page, is. */
export const ptePpn = (pte: bigint): bigint => getField(pte, PTE_FIELDS.PPN);

/** Whether a flag is set. */
export const pteHas = (pte: bigint, flag: PteFlag): boolean => (pte & PTE[flag]) !== 0n;

/** A valid entry without R, W and X points to the next table. */
export const isPointer = (pte: bigint): boolean => (pte & (PTE.R | PTE.W | PTE.X)) === 0n;

/** The flags as software prints them: `DAGUXWRV`, with `-` for a clear bit. */
export function pteFlagsText(pte: bigint): string {
  const letters = Object.keys(PTE).reverse() as PteFlag[];
  return letters.map((letter) => (pteHas(pte, letter) ? letter : "-")).join("");
}
