/**
 * The referee's own reading of page tables: written from the manual, shares nothing with the machine's walkers, and is kept plain rather
 * than fast. It reads RAM as it is, not what a hart may use at this moment: whether A and D are set, SUM, MXR or PMP play no part. What is
 * a leaf here could be used by somebody.
 *
 * @spec priv §"Sv39: Page-Based 39-bit Virtual-Memory System" "Guest Physical Address Translation"
 */

/** Bits of a page-table entry. @spec priv §"Sv39: Page-Based 39-bit Virtual-Memory System" */
export const BIT = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;
const RIGHTS = BIT.R | BIT.W | BIT.X;
/** Leaves may have them, pointers may not. */
const LEAF_ONLY = BIT.U | BIT.A | BIT.D;
const MEMORY_TYPE = 3n << 61n;
const NAPOT = 1n << 63n;
const RESERVED = 0x7fn << 54n;
const PPN_MASK = (1n << 44n) - 1n;
const PAGE_SHIFT = 12n;
const INDEX_BITS = 9n;
/** Tables that are visited at most in one listing: tables that lead to themselves would have no end. */
const MOST_TABLES = 1 << 12;

/** Page tables: where the root is, and how it is read. */
export interface Tables {
  /** The register that names them. */
  readonly register: "satp" | "vsatp" | "hgatp";
  /** Address of the root; of `vsatp`'s tables a guest-physical one. */
  readonly root: bigint;
  readonly levels: number;
}

/** Eight bytes of memory; `undefined`: there is no memory, or nobody may read it. */
export type ReadWord = (address: bigint) => bigint | undefined;

/** What one entry says. */
export type Meaning =
  | { readonly kind: "nothing"; readonly why: string }
  | { readonly kind: "table"; readonly to: bigint }
  | { readonly kind: "leaf"; readonly to: bigint; readonly bytes: bigint; readonly rights: bigint };

/** Memory that tables map. */
export interface MappedPage {
  /** First address of the page; negative half of Sv39 as unsigned 64 bits. */
  readonly address: bigint;
  readonly bytes: bigint;
  /** Where it lies. */
  readonly to: bigint;
  /** R, W, X and U, as in an entry; of two stages what both allow. */
  readonly rights: bigint;
  /** Address of the leaf; of two stages, of the second one's. */
  readonly at: bigint;
}

/** An entry on the way. */
export interface Step {
  readonly register: Tables["register"];
  readonly level: number;
  readonly index: number;
  readonly at: bigint;
  readonly entry: bigint | undefined;
  readonly meaning: Meaning;
}

/** The tables that a value of `satp`, `vsatp` or `hgatp` names; `undefined`: it says Bare. */
export function tablesOf(register: Tables["register"], value: bigint): Tables | undefined {
  const mode = value >> 60n;
  if (mode !== 8n && mode !== 9n) return undefined;
  const ppn = value & PPN_MASK;
  // The root of a second stage is four pages, at a multiple of four.
  const root = (register === "hgatp" ? ppn & ~3n : ppn) << PAGE_SHIFT;
  return { register, root, levels: mode === 8n ? 3 : 4 };
}

/** Bytes that an entry of a level stands for. */
export const spanOf = (level: number): bigint => 1n << (PAGE_SHIFT + INDEX_BITS * BigInt(level));

/** Entries in a table of a level: the root of a second stage has four times as many. */
const entriesAt = ({ register, levels }: Tables, level: number): number =>
  register === "hgatp" && level === levels - 1 ? 2048 : 512;

const nothing = (why: string): Meaning => ({ kind: "nothing", why });

/** What an entry of a level says. */
export function meaningOf(register: Tables["register"], level: number, entry: bigint): Meaning {
  if ((entry & BIT.V) === 0n) return nothing("V is 0");
  if ((entry & (BIT.R | BIT.W)) === BIT.W) return nothing("W without R is reserved");
  if ((entry & RESERVED) !== 0n) return nothing("reserved bits are set");
  const ppn = (entry >> 10n) & PPN_MASK;
  if ((entry & RIGHTS) === 0n) {
    if ((entry & (LEAF_ONLY | MEMORY_TYPE | NAPOT)) !== 0n) return nothing("a pointer has bits of a leaf");
    return level === 0 ? nothing("a pointer in the last level") : { kind: "table", to: ppn << PAGE_SHIFT };
  }
  return leafMeaning(register, level, entry, ppn);
}

function leafMeaning(register: Tables["register"], level: number, entry: bigint, ppn: bigint): Meaning {
  if ((entry & MEMORY_TYPE) === MEMORY_TYPE) return nothing("memory type 3 is reserved");
  // To the second stage every access is one of user mode.
  if (register === "hgatp" && (entry & BIT.U) === 0n) return nothing("U is 0, and guests need it");
  const rights = entry & (RIGHTS | BIT.U);
  if ((entry & NAPOT) !== 0n) {
    if (level !== 0 || (ppn & 15n) !== 8n) return nothing("N with a size that is reserved");
    return { kind: "leaf", to: (ppn & ~15n) << PAGE_SHIFT, bytes: 16n << PAGE_SHIFT, rights };
  }
  const bytes = spanOf(level);
  const to = ppn << PAGE_SHIFT;
  return (to & (bytes - 1n)) === 0n
    ? { kind: "leaf", to, bytes, rights }
    : nothing("a large page at an address that is no multiple of its size");
}

/** The address as the machine writes it: bit 38 (or 47) of a virtual address is repeated above. */
const canonical = ({ register, levels }: Tables, address: bigint): bigint =>
  register === "hgatp" ? address : BigInt.asUintN(64, BigInt.asIntN(12 + 9 * levels, address));

/**
 * Lists every page that tables map, by rising index.
 *
 * @returns  At its end: whether that was all; false for tables that lead back to themselves.
 */
export function* leavesOf(tables: Tables, read: ReadWord): Generator<MappedPage, boolean> {
  let left = MOST_TABLES;
  const list = function* (table: bigint, level: number, base: bigint): Generator<MappedPage> {
    if (left-- <= 0) return;
    for (let index = 0; index < entriesAt(tables, level); index++) {
      const at = table + 8n * BigInt(index);
      const entry = read(at);
      if (entry === undefined) continue;
      const meaning = meaningOf(tables.register, level, entry);
      const address = base + BigInt(index) * spanOf(level);
      if (meaning.kind === "table") yield* list(meaning.to, level - 1, address);
      if (meaning.kind !== "leaf") continue;
      const { to, bytes, rights } = meaning;
      // Of 64 KiB that sixteen entries map together, each maps its own page.
      const own = spanOf(level);
      const part = bytes > own ? address & (bytes - 1n) : 0n;
      yield { address: canonical(tables, address), bytes: own, to: to + part, rights, at };
    }
  };
  yield* list(tables.root, tables.levels - 1, 0n);
  return left >= 0;
}

/** A walk for one address: each entry on the way, and the page if there is one. */
export interface Walk {
  readonly steps: readonly Step[];
  readonly page: MappedPage | undefined;
  /** Bytes around the address of which the same entry speaks. */
  readonly span: bigint;
}

/** Walks to one address. */
export function walkTo(tables: Tables, read: ReadWord, address: bigint): Walk {
  const steps: Step[] = [];
  const addressBits = 12 + 9 * tables.levels + (tables.register === "hgatp" ? 2 : 0);
  const fits =
    tables.register === "hgatp"
      ? address >> BigInt(addressBits) === 0n
      : BigInt.asUintN(64, address) === canonical(tables, BigInt.asUintN(addressBits, address));
  const place = BigInt.asUintN(addressBits, address);
  let table = tables.root;
  for (let level = tables.levels - 1; fits && level >= 0; level--) {
    const span = spanOf(level);
    const index = (place / span) % BigInt(entriesAt(tables, level));
    const at = table + 8n * index;
    const entry = read(at);
    const meaning =
      entry === undefined ? nothing("there is nothing to read") : meaningOf(tables.register, level, entry);
    steps.push({ register: tables.register, level, index: Number(index), at, entry, meaning });
    if (meaning.kind === "nothing") return { steps, page: undefined, span };
    if (meaning.kind === "leaf") {
      const { to, bytes, rights } = meaning;
      const start = canonical(tables, place - (place % bytes));
      return { steps, page: { address: start, bytes, to, rights, at }, span };
    }
    table = meaning.to;
  }
  return { steps, page: undefined, span: spanOf(0) };
}

/** Reads a guest's memory through its second stage. */
export const throughSecondStage =
  (second: Tables, read: ReadWord): ReadWord =>
  (address) => {
    const { page } = walkTo(second, read, address);
    return page === undefined || (page.rights & BIT.R) === 0n
      ? undefined
      : read(page.to + (address - page.address));
  };

/**
 * Lists what a guest's addresses reach through both stages together.
 *
 * @param first   The guest's own tables; `undefined`: it has none, and its addresses are guest-physical.
 * @param second  The hypervisor's tables for it.
 */
export function* composedLeavesOf(
  first: Tables | undefined,
  second: Tables,
  read: ReadWord,
): Generator<MappedPage, boolean> {
  if (first === undefined) return yield* leavesOf(second, read);
  const own = leavesOf(first, throughSecondStage(second, read));
  for (;;) {
    const { done, value } = own.next();
    if (done === true) return value;
    yield* behind(value, second, read);
  }
}

function* behind(page: MappedPage, second: Tables, read: ReadWord): Generator<MappedPage> {
  for (let offset = 0n; offset < page.bytes; ) {
    const { page: host, span } = walkTo(second, read, page.to + offset);
    const size = host?.bytes ?? span;
    const rest = size - ((page.to + offset) % size);
    const bytes = rest < page.bytes - offset ? rest : page.bytes - offset;
    if (host !== undefined) {
      const rights = (page.rights & host.rights & RIGHTS) | (page.rights & BIT.U);
      const to = host.to + (page.to + offset - host.address);
      yield { address: page.address + offset, bytes, to, rights, at: host.at };
    }
    offset += bytes;
  }
}
