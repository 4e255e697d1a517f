/**
 * The engine's own part of the machine's memory: between the state blocks and the page flags, at the same addresses on every
 * board, so that the cold tier is the same module everywhere. Nothing here is guest state: all of it may be thrown away
 * between two instructions, and none of it enters a snapshot or a digest.
 */
import { HART_LAYOUT, HART_STATE_BYTES, STORED_CSRS, type StoredCsr } from "../../hart/layout.ts";

/** The harts that a board may have. */
export const MAX_HARTS = 4;

/** First byte of the engine's part, behind the largest state blocks. */
export const ENGINE_OFFSET = 0x2000;

/**
 * A hart's working words. Generated code has the address of the hart's state block in a local (`h`); both the block and
 * these words are then at constant offsets from it, because the words of all harts lie as far apart as their blocks.
 */
const WORDS = [
  // retired + budget of the machine, as f64, and of this hart, as i64: what has retired is that minus the budget in hand.
  { name: "retiredBase", widthBytes: 8 },
  { name: "instretBase", widthBytes: 8 },
  // The machine's retired count, f64: written before every call of the slow path, read by it.
  { name: "retired", widthBytes: 8 },
  // Address of the bank of data translations that holds in the present mode, and of the bank of fetches.
  { name: "dataBank", widthBytes: 4 },
  { name: "fetchBank", widthBytes: 4 },
  // The bit of the present fetch bank: a region may run if its cell has it.
  { name: "codeBit", widthBytes: 4 },
  // The same where floating-point loads, stores and moves need no look at mstatus (FS, and a guest's, are Dirty); else 0.
  { name: "codeBitFloatOn", widthBytes: 4 },
  // The same where arithmetic may use the host's: besides, frm is RNE and NX is set already; else 0.
  { name: "codeBitFloatFast", widthBytes: 4 },
  // 1 while traps and CSR writes need nobody's ear but the trace's, so that the fast path may take them.
  { name: "fastPrivileged", widthBytes: 4 },
  // Set of data banks and fetch banks by context number (0: not known), for changes of mode without the slow path.
  { name: "dataBankOf", widthBytes: 4, count: 32 },
  { name: "fetchBankOf", widthBytes: 4, count: 8 },
  // Events (40 bytes each, as in the trace) that wait in the ring.
  { name: "waitingEvents", widthBytes: 4 },
  // Retired count at the last trap that the fast path took, f64.
  { name: "retiredAtTrap", widthBytes: 8 },
  // Free for whoever needs a word: see the file that uses it.
  { name: "spare", widthBytes: 8, count: 16 },
] as const satisfies readonly { name: string; widthBytes: 4 | 8; count?: number }[];

/** Name of a working word. */
export type WordName = (typeof WORDS)[number]["name"];

function layOutWords(): Record<WordName, number> {
  const offsets: Partial<Record<WordName, number>> = {};
  let offset = 0;
  for (const { name, widthBytes, ...rest } of WORDS) {
    offset = Math.ceil(offset / widthBytes) * widthBytes;
    offsets[name] = ENGINE_OFFSET + offset;
    offset += widthBytes * ("count" in rest ? rest.count : 1);
  }
  if (offset > HART_STATE_BYTES) throw new RangeError(`a hart's working words take ${offset} bytes`);
  return offsets as Record<WordName, number>;
}

/** Byte offset of each working word from the hart's state block. */
export const WORD: Readonly<Record<WordName, number>> = layOutWords();

/** Byte offset of a register from the state block. */
export const xOffset = (register: number): number => HART_LAYOUT.x.offset + 8 * register;
/** Byte offset of a floating-point register from the state block. */
export const fOffset = (register: number): number => HART_LAYOUT.f.offset + 8 * register;
/** Byte offset of a stored CSR from the state block. */
export const csrOffset = (name: StoredCsr): number => HART_LAYOUT.csrs.offset + 8 * STORED_CSRS.indexOf(name);

/**
 * Address spaces that were left not long ago: for each hart a direct-mapped table of entries with `satp` (i64), then the words
 * `dataBankOf` and `fetchBankOf` of contexts that are no guest's. All zero: not known. It fits between words and ring.
 */
export const SPACES = 8;
export const SPACE_DATA_CONTEXTS = 16;
export const SPACE_FETCH_CONTEXTS = 4;
export const SPACE_BYTES = 8 + 4 * (SPACE_DATA_CONTEXTS + SPACE_FETCH_CONTEXTS);
export const SPACE_AREA = ENGINE_OFFSET + MAX_HARTS * HART_STATE_BYTES;
export const SPACES_END = SPACE_AREA + MAX_HARTS * SPACES * SPACE_BYTES;

const align = (offset: number): number => Math.ceil(offset / 4096) * 4096;

/** Pages of the ring of events that wait for the trace: 1024 of 40 bytes. */
export const EVENT_BYTES = 40;
export const EVENT_RING_EVENTS = 1024;
export const EVENT_RING = align(SPACES_END);

/** What the fast path knows of each CSR: 4096 words of 32 bits. */
export const CSR_TABLE = align(EVENT_RING + EVENT_RING_EVENTS * EVENT_BYTES);

/** The jump cache: where code for an address is. Entries of 16 bytes: pc (i64), slot of the table (i32). All harts share it. */
export const JUMP_CACHE_ENTRIES = 1 << 16;
export const JUMP_CACHE_ENTRY_BYTES = 16;
export const JUMP_CACHE = align(CSR_TABLE + 4 * 4096);

/** Slots of the table of functions. */
export const TABLE_SLOTS = 1 << 16;
/** The cold tier's interpreter: what is in every slot that has no region. Signature `(h, budget, depth) → budget`. */
export const SLOT_INTERPRET = 0;
/** One privileged instruction. Signature `(h, budget, word) → budget`. */
export const SLOT_PRIVILEGED = 1;
/** The first slot for a region. */
export const FIRST_REGION_SLOT = 8;

/** A cell for each slot: in which code contexts (bits) its region may run. 0: the region is no longer valid. */
export const CELLS = align(JUMP_CACHE + JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES);
/** A cell for each slot: in which code contexts its region was found not to fit. */
export const MISFIT_CELLS = align(CELLS + 4 * TABLE_SLOTS);

/**
 * What regions note about themselves, by slot: how often a guess about an access was wrong (i32), and how often accesses that
 * share a look were in two pages (i32).
 */
export const REGION_NOTES = align(MISFIT_CELLS + 4 * TABLE_SLOTS);
export const WRONG_GUESSES = 0;
export const SPLIT_LOOKS = 4;
export const REGION_NOTE_BYTES = 8;

/** The address of the guest at which each slot's region begins (i64): code of one place may be at several. */
export const REGION_PCS = align(REGION_NOTES + REGION_NOTE_BYTES * TABLE_SLOTS);

/** Translations of fetches: banks of direct-mapped entries of 16 bytes: page tag (i64), address of the code page (i32), offset of the page in RAM (i32). */
export const FETCH_ENTRIES = 4096;
export const FETCH_ENTRY_BYTES = 16;
export const FETCH_BANK_BYTES = FETCH_ENTRIES * FETCH_ENTRY_BYTES;
/** Shared out among the harts; each is one code context, and one bit of the cells. */
export const FETCH_BANKS = 32;
export const FETCH_BANK_AREA = align(REGION_PCS + 8 * TABLE_SLOTS);

/**
 * Translations of data: banks of direct-mapped entries of 16 bytes, first those of loads, then those of stores:
 * tag (i64), addend (i32): host address = low half of the virtual address + addend.
 */
export const DATA_ENTRIES = 4096;
export const DATA_ENTRY_BYTES = 16;
export const STORES_IN_BANK = DATA_ENTRIES * DATA_ENTRY_BYTES;
export const DATA_BANK_BYTES = 2 * STORES_IN_BANK;
/** Shared out among the harts. */
export const DATA_BANKS = 64;
export const DATA_BANK_AREA = align(FETCH_BANK_AREA + FETCH_BANKS * FETCH_BANK_BYTES);

/** The tag of an empty entry: no access compares equal to it, because bit 11 of a compared address is always masked away. */
export const EMPTY_TAG = 0x800n;

/**
 * Code pages: what the cold tier knows of a page of RAM from which instructions were fetched. A slot of 8 bytes for each
 * halfword and four more (see `interpreter/slot.ts`), then a heat word of 4 bytes for each.
 */
export const SLOT_BYTES = 8;
export const HEAT_IN_PAGE = (2048 + 4) * SLOT_BYTES;
export const CODE_PAGE_BYTES = HEAT_IN_PAGE + 2048 * 4;
export const CODE_PAGES = 4096;
export const CODE_PAGE_AREA = align(DATA_BANK_AREA + DATA_BANKS * DATA_BANK_BYTES);

/** Heat words from here on are not counts but slots of the table: a region begins at this halfword. */
export const HEAT_IS_SLOT = 0x4000_0000;

/** First byte behind the engine's part. */
export const ENGINE_END = align(CODE_PAGE_AREA + CODE_PAGES * CODE_PAGE_BYTES);
/** Bytes of page flags on a board with this engine, whatever its RAM: so RAM begins at the same address everywhere. */
export const FLAG_BYTES = 2 ** 31 / 4096;
/** First page flag. */
export const FLAGS = ENGINE_END;
/** First byte of RAM in the memory. */
export const RAM_OFFSET = FLAGS + FLAG_BYTES;
/** Add this to (host address >>> 12) for the address of the page's flag byte. */
export const FLAGS_BIAS = FLAGS - RAM_OFFSET / 4096;

/** How deep calls of generated code may nest. */
export const MAX_DEPTH = 120;
/**
 * This bit of a depth tells the interpreter, which takes it away, that the pc is no arrival: a region has given up there, or a
 * run begins. So no heat is counted, and no region made, at every address at which somebody happens to stop.
 */
export const NO_ARRIVAL = 0x1_0000;
