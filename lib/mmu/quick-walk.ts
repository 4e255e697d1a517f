/**
 * The walk of ordinary translations on numbers, where the page walk (`page-walk.ts`, `two-stage.ts`) works on bigints. It knows
 * entries with nothing to set and nothing unusual, and PMP that says the same about a whole page. To everything else it says that
 * it does not know; then the page walk decides. What it does say is what the page walk says.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../bus/machine-memory.ts";
import type { Ram } from "../bus/ram.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import { type StoredCsr, storedCsrSlot } from "../hart/layout.ts";
import type { HartState } from "../hart/state.ts";
import { paddr } from "../isa/address.ts";
import { BARE, SV39, SV48 } from "../isa/csr-map.ts";
import { MODE_NUMBER, type ModeNumber } from "../isa/mode.ts";
import { checkPmp, isPmpUniform } from "./pmp.ts";

const NOWHERE = -1;
const HALF = 2 ** 32;
const { U, S, M, VU } = MODE_NUMBER;

/** Flags of an entry, in its low half. */
const V = 1;
const R = 2;
const W = 4;
const X = 8;
const USER = 0x10;
const A = 0x40;
const D = 0x80;
/** N, PBMT and reserved bits, in its high half; the two values of PBMT that are no ordinary memory's. */
const UNUSUAL = 0xffc0_0000 | 0;
const NON_CACHEABLE = 1 << 29;
const INPUT_OUTPUT = 1 << 30;
/** The page number: so many bits are in the low half, and the others are these of the high half. */
const PPN_SHIFT = 10;
const PPN_LOW_BITS = 22;
const PPN_HIGH = 0x003f_ffff;
/** `satp`, `vsatp`, `hgatp`: MODE and the high bits of the root's page number, in its high half. */
const MODE_SHIFT = 28;
const ROOT_HIGH = 0xfff;

/** Bits of `mstatus`, in its low half. */
const MPRV = 1 << 17;
const SUM = 1 << 18;
const MXR = 1 << 19;
const MPP_SHIFT = 11;
/** MPV, in its high half. */
const MPV = 1 << 7;
/** PBMTE, in the high half of `menvcfg`. */
const PBMTE = 1 << 30;

const RIGHTS = { fetch: X, load: R, store: W } as const satisfies Record<AccessKind, number>;
/** A page of RAM in the memo of PMP: asked before; whom it gives R, W and X, in the places of those flags. */
const IS_KNOWN = 1;
const FOR_MACHINE = 4;
/** Pages about which PMP is asked together. */
const PAGES_ASKED = 512;

/** Whose entries they are, and with which rights they are used. */
interface Rules {
  readonly kind: AccessKind;
  readonly asUser: boolean;
  readonly sum: boolean;
  readonly mxr: boolean;
}

/** Where a register of a stage is, by index of 32-bit words. */
const wordOf = (name: StoredCsr): number => {
  const slot = storedCsrSlot(name);
  if (slot === undefined) throw new RangeError(`${name} is not stored`);
  return 2 * slot;
};
const SATP = wordOf("satp");
const VSATP = wordOf("vsatp");
const HGATP = wordOf("hgatp");
const MSTATUS = wordOf("mstatus");
const VSSTATUS = wordOf("vsstatus");
const MENVCFG = wordOf("menvcfg");

/** Walks for one hart. */
export class QuickWalk {
  readonly #state: HartState;
  readonly #ram: Ram;
  readonly #csrs: Int32Array;
  /** What PMP says about each page of RAM. */
  readonly #pmp: Uint8Array;
  /** Gets the offsets in RAM of the entries that the present walk reads. */
  #sources: number[] = [];
  /** One address, as a word and as two halves. */
  readonly #address = new BigUint64Array(1);
  readonly #halves = new Int32Array(this.#address.buffer);

  constructor(state: HartState, ram: Ram) {
    this.#state = state;
    this.#ram = ram;
    this.#csrs = new Int32Array(state.csrs.buffer, state.csrs.byteOffset, 2 * state.csrs.length);
    this.#pmp = new Uint8Array(ram.pageCount);
  }

  /** PMP may have changed. */
  forget(): void {
    this.#pmp.fill(0);
  }

  /**
   * Where an access goes that stays inside a page, with the rights that the hart has now.
   *
   * @param sources  Gets the offsets in RAM of the entries that were read.
   * @returns        An offset in RAM; negative: not known.
   */
  find(vaddr: bigint, kind: AccessKind, sources: number[]): number {
    const mode = this.#effectiveMode(kind);
    const offset = this.#target(vaddr, kind, mode, sources) - this.#ram.base;
    if (!(offset >= 0 && offset < this.#ram.sizeBytes)) return NOWHERE;
    return this.#isAllowed(offset, mode, RIGHTS[kind]) ? offset : NOWHERE;
  }

  /**
   * The same for an access to a device.
   *
   * @param lengthBytes  Bytes that it touches, for PMP.
   * @returns            A physical address outside RAM; negative: not known.
   */
  findDevice(vaddr: bigint, kind: AccessKind, lengthBytes: number): number {
    const mode = this.#effectiveMode(kind);
    const address = this.#target(vaddr, kind, mode, []);
    const offset = address - this.#ram.base;
    if (!(address >= 0 && Number.isSafeInteger(address)) || (offset >= 0 && offset < this.#ram.sizeBytes))
      return NOWHERE;
    const { allowed } = checkPmp(this.#state, mode, kind, paddr(BigInt(address)), lengthBytes);
    return allowed ? address : NOWHERE;
  }

  /** A physical address, whatever is there and whatever PMP says of it. */
  #target(vaddr: bigint, kind: AccessKind, mode: ModeNumber, sources: number[]): number {
    this.#sources = sources;
    this.#address[0] = vaddr;
    const low = this.#halves[0] as number;
    const high = this.#halves[1] as number;
    return mode < VU ? this.#first(SATP, low, high, kind, mode) : this.#both(low, high, kind, mode);
  }

  #effectiveMode(kind: AccessKind): ModeNumber {
    const status = this.#csrs[MSTATUS] as number;
    if (kind === "fetch" || (status & MPRV) === 0) return this.#state.modeNumber;
    const privilege = (status >>> MPP_SHIFT) & 3;
    const isGuest = privilege !== M && ((this.#csrs[MSTATUS + 1] as number) & MPV) !== 0;
    return (isGuest ? privilege + VU : privilege) as ModeNumber;
  }

  /** The only stage, or a guest's own: an address, physical or guest-physical. */
  #first(register: number, low: number, high: number, kind: AccessKind, mode: ModeNumber): number {
    const scheme = mode === M ? BARE_MODE : (this.#csrs[register + 1] as number) >>> MODE_SHIFT;
    if (scheme === BARE_MODE) return (high >>> 0) * HALF + (low >>> 0);
    const isSv48 = scheme === SV48_MODE;
    if (!isSv48 && scheme !== SV39_MODE) return NOWHERE;
    const sign = high >> (isSv48 ? 15 : 6);
    if (sign !== 0 && sign !== -1) return NOWHERE;
    const mstatus = this.#csrs[MSTATUS] as number;
    const status = register === SATP ? mstatus : (this.#csrs[VSSTATUS] as number);
    const rules = {
      kind,
      asUser: mode === U || mode === VU,
      sum: (status & SUM) !== 0,
      mxr: ((status | mstatus) & MXR) !== 0,
    };
    return this.#walk(register, isSv48 ? 3 : 2, low, high, rules);
  }

  /** A guest's access. */
  #both(low: number, high: number, kind: AccessKind, mode: ModeNumber): number {
    const gpa = this.#first(VSATP, low, high, kind, mode);
    return gpa < 0 ? NOWHERE : this.#second(gpa, kind, ((this.#csrs[MSTATUS] as number) & MXR) !== 0);
  }

  /** The second stage: all its accesses are user mode's. */
  #second(gpa: number, kind: AccessKind, mxr: boolean): number {
    const scheme = (this.#csrs[HGATP + 1] as number) >>> MODE_SHIFT;
    if (scheme === BARE_MODE) return gpa;
    const isWide = scheme === SV48_MODE;
    if (!isWide && scheme !== SV39_MODE) return NOWHERE;
    if (gpa >= (isWide ? 2 ** 50 : 2 ** 41)) return NOWHERE;
    const rules = { kind, asUser: true, sum: false, mxr };
    return this.#walk(HGATP, isWide ? 3 : 2, gpa | 0, Math.floor(gpa / HALF), rules);
  }

  #walk(register: number, levels: number, low: number, high: number, rules: Rules): number {
    const { u32, base, sizeBytes } = this.#ram;
    const root =
      ((this.#csrs[register + 1] as number) & ROOT_HIGH) * HALF + ((this.#csrs[register] as number) >>> 0);
    let table = root * PAGE_BYTES;
    for (let level = levels; level >= 0; level--) {
      const mask = register === HGATP && level === levels ? WIDE_INDEX : INDEX;
      const entry = table + 8 * (indexAt(level, low, high) & mask);
      const at = (register === VSATP ? this.#second(entry, "load", false) : entry) - base;
      if (!(at >= 0 && at < sizeBytes) || !this.#isAllowed(at, S, R)) return NOWHERE;
      const pte = u32[at >>> 2] as number;
      const pteHigh = u32[(at >>> 2) + 1] as number;
      if ((pte & V) === 0) return NOWHERE;
      if ((pteHigh & UNUSUAL) !== 0 && !this.#isMemoryType(pte, pteHigh & UNUSUAL, register)) return NOWHERE;
      this.#sources.push(at);
      const target = ((pteHigh & PPN_HIGH) * 2 ** PPN_LOW_BITS + (pte >>> PPN_SHIFT)) * PAGE_BYTES;
      if ((pte & (R | W | X)) !== 0)
        return isGranted(pte, level, rules) ? target + withinPage(level, low) : NOWHERE;
      if ((pte & (A | D | USER)) !== 0) return NOWHERE;
      table = target;
    }
    return NOWHERE;
  }

  /** Whether unusual bits are the memory type of a leaf, where there may be one. It says nothing here: there are no caches. */
  #isMemoryType(pte: number, unusual: number, register: number): boolean {
    if (register !== SATP || (pte & (R | W | X)) === 0) return false;
    if (unusual !== NON_CACHEABLE && unusual !== INPUT_OUTPUT) return false;
    return ((this.#csrs[MENVCFG + 1] as number) & PBMTE) !== 0;
  }

  /** Whether PMP lets a mode access any bytes of the page at an offset. */
  #isAllowed(offset: number, mode: ModeNumber, right: number): boolean {
    const page = offset >>> PAGE_SHIFT;
    const known = (this.#pmp[page] as number) || this.#ask(page);
    return (known & (mode === M ? right << FOR_MACHINE : right)) !== 0;
  }

  /**
   * Asks PMP about a page, with all pages around it if it says the same of them. Where it does not say the same of a page
   * everywhere, nobody is given anything here.
   */
  #ask(page: number): number {
    const first = page - (page % PAGES_ASKED);
    const pages = Math.min(PAGES_ASKED, this.#ram.pageCount - first);
    const known = this.#rightsOf(first, pages);
    if (known !== undefined) {
      this.#pmp.fill(known, first, first + pages);
      return known;
    }
    const own = this.#rightsOf(page, 1) ?? IS_KNOWN;
    this.#pmp[page] = own;
    return own;
  }

  /** What PMP says of all bytes of some pages; undefined: it is not the same. */
  #rightsOf(page: number, pages: number): number | undefined {
    const start = paddr(BigInt(this.#ram.base + page * PAGE_BYTES));
    const lengthBytes = pages * PAGE_BYTES;
    if (!isPmpUniform(this.#state, start, lengthBytes)) return undefined;
    let known = IS_KNOWN;
    for (const kind of ["fetch", "load", "store"] as const) {
      if (checkPmp(this.#state, S, kind, start, lengthBytes).allowed) known |= RIGHTS[kind];
      if (checkPmp(this.#state, M, kind, start, lengthBytes).allowed) known |= RIGHTS[kind] << FOR_MACHINE;
    }
    return known;
  }
}

const BARE_MODE = Number(BARE);
const SV39_MODE = Number(SV39);
const SV48_MODE = Number(SV48);

/** Bits of an index into a table, and into the root of the second stage. */
const INDEX = 0x1ff;
const WIDE_INDEX = 0x7ff;

/** Index into the table of a level, and bits of the level above. */
function indexAt(level: number, low: number, high: number): number {
  switch (level) {
    case 0:
      return low >>> 12;
    case 1:
      return (low >>> 21) | (high << 11);
    case 2:
      return (low >>> 30) | (high << 2);
    default:
      return high >>> 7;
  }
}

/** The part of an address that a leaf of a level does not translate. */
const withinPage = (level: number, low: number): number => low & (2 ** (PAGE_SHIFT + 9 * level) - 1);

/** Whether a leaf allows the access as it is. */
function isGranted(pte: number, level: number, { kind, asUser, sum, mxr }: Rules): boolean {
  if (level > 2 || ((pte >>> PPN_SHIFT) & (2 ** (9 * level) - 1)) !== 0) return false;
  if ((pte & (R | W)) === W || (pte & A) === 0) return false;
  const isUserPage = (pte & USER) !== 0;
  if (asUser ? !isUserPage : isUserPage && (kind === "fetch" || !sum)) return false;
  if (kind === "load") return (pte & R) !== 0 || (mxr && (pte & X) !== 0);
  return kind === "fetch" ? (pte & X) !== 0 : (pte & (W | D)) === (W | D);
}
