/**
 * The one page that is the machine: the state block of a hart, name → offset and width.
 *
 * Everything that a guest can change about a hart is here, and nothing else is. Both engines, snapshots and debuggers read
 * offsets from this table; no other file contains one.
 */

/** A field of the block: `count` little-endian words of `widthBytes`. */
export interface LayoutField {
  readonly offset: number;
  readonly widthBytes: 4 | 8;
  readonly count: number;
}

/** CSRs that are stored as they are read. The order is for ever: `pmpcfg0` and `pmpcfg2` are neighbors on purpose. */
export const STORED_CSRS = [
  ...(["mstatus", "medeleg", "mideleg", "mie", "mtvec", "mcounteren", "menvcfg", "mcountinhibit"] as const),
  ...(["mscratch", "mepc", "mcause", "mtval"] as const),
  ...(["stvec", "scounteren", "senvcfg", "sscratch", "sepc", "scause", "stval", "satp"] as const),
  ...(["pmpcfg0", "pmpcfg2"] as const),
  ...([
    "pmpaddr0",
    "pmpaddr1",
    "pmpaddr2",
    "pmpaddr3",
    "pmpaddr4",
    "pmpaddr5",
    "pmpaddr6",
    "pmpaddr7",
  ] as const),
  ...(["pmpaddr8", "pmpaddr9", "pmpaddr10", "pmpaddr11"] as const),
  ...(["pmpaddr12", "pmpaddr13", "pmpaddr14", "pmpaddr15"] as const),
  ...(["fcsr", "stimecmp"] as const),
  ...(["hstatus", "hedeleg", "hideleg", "hcounteren", "hgeie", "henvcfg", "htimedelta"] as const),
  ...(["htval", "htinst", "hgatp", "mtval2", "mtinst"] as const),
  ...(["vsstatus", "vstvec", "vsscratch", "vsepc", "vscause", "vstval", "vstimecmp", "vsatp"] as const),
] as const;
/** Name of a stored CSR. */
export type StoredCsr = (typeof STORED_CSRS)[number];

/** Fields in order. 64-bit words first, so that everything is aligned. */
const FIELDS = [
  // x0…x31, signed. x0 is zero between instructions.
  { name: "x", widthBytes: 8, count: 32 },
  // Address of the next instruction.
  { name: "pc", widthBytes: 8, count: 1 },
  // Instructions that this hart has retired since reset. Engines alone write it.
  { name: "instret", widthBytes: 8, count: 1 },
  // What mcycle and minstret read beyond `instret` (or all that they read, while mcountinhibit stops them).
  { name: "mcycleBias", widthBytes: 8, count: 1 },
  { name: "minstretBias", widthBytes: 8, count: 1 },
  // Bits of mip that software set; and those that wires assert now.
  { name: "softwarePending", widthBytes: 8, count: 1 },
  { name: "wiresPending", widthBytes: 8, count: 1 },
  // The stored CSRs, one word each, in the order of STORED_CSRS.
  { name: "csrs", widthBytes: 8, count: STORED_CSRS.length },
  // f0…f31: single precision boxed in the lower half.
  { name: "f", widthBytes: 8, count: 32 },
  // Physical address that LR reserved, and its width in the two lowest bits (1: 4 bytes, 2: 8 bytes); 0 for none.
  { name: "reservation", widthBytes: 8, count: 1 },
  // Guest external interrupts that wires assert now: what hgeip reads.
  { name: "guestExternal", widthBytes: 8, count: 1 },
  // Privilege mode as its number: the level's two bits, and V above them.
  { name: "mode", widthBytes: 4, count: 1 },
  // 1 while the hart sleeps in WFI.
  { name: "waiting", widthBytes: 4, count: 1 },
] as const satisfies readonly { name: string; widthBytes: 4 | 8; count: number }[];

/** Name of a field of the state block. */
export type LayoutName = (typeof FIELDS)[number]["name"];

function layOut(): { layout: Record<LayoutName, LayoutField>; sizeBytes: number } {
  const layout: Partial<Record<LayoutName, LayoutField>> = {};
  let offset = 0;
  for (const { name, widthBytes, count } of FIELDS) {
    layout[name] = { offset, widthBytes, count };
    offset += widthBytes * count;
  }
  return { layout: layout as Record<LayoutName, LayoutField>, sizeBytes: Math.ceil(offset / 64) * 64 };
}

const laidOut = layOut();

/** Where everything is, in bytes from the start of the hart's block. */
export const HART_LAYOUT: Readonly<Record<LayoutName, LayoutField>> = laidOut.layout;

/** Bytes of one hart's block, a multiple of 64. */
export const HART_STATE_BYTES: number = laidOut.sizeBytes;

const SLOT_OF: ReadonlyMap<string, number> = new Map(STORED_CSRS.map((name, slot) => [name, slot]));

/** The slot of a stored CSR in `csrs`, or `undefined` when reading that CSR takes more than looking. */
export const storedCsrSlot = (name: string): number | undefined => SLOT_OF.get(name);
