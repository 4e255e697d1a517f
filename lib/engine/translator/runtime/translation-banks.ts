/**
 * One hart's memory of translations, in the form that generated code looks into: banks of entries in the machine's memory, one
 * for each context of accesses. The slow path fills it by its own walks and checks; nobody else does.
 */
import { PAGE_BYTES, PAGE_SHIFT } from "../../../bus/machine-memory.ts";
import type { AccessKind } from "../../../hart/effective-mode.ts";
import type { Hart } from "../../../hart/hart.ts";
import type { HartState } from "../../../hart/state.ts";
import { MODE_NUMBER } from "../../../isa/mode.ts";
import {
  DATA_CONTEXTS,
  dataContext,
  FETCH_CONTEXTS,
  fetchContext,
  GUEST_DATA,
  GUEST_FETCHES,
} from "../../../mmu/access-context.ts";
import type { TranslationSources } from "../../../mmu/translation-cache.ts";
import type { TranslationMemory } from "../../../mmu/translation-memory.ts";
import {
  CODE_PAGES,
  DATA_BANK_AREA,
  DATA_BANK_BYTES,
  DATA_BANKS,
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  FETCH_BANK_AREA,
  FETCH_BANK_BYTES,
  FETCH_BANKS,
  FETCH_ENTRIES,
  FETCH_ENTRY_BYTES,
  RAM_OFFSET,
  SLOT_BYTES,
  STORES_IN_BANK,
  WORD,
} from "../layout.ts";
import { forgetSpaces } from "../privileged/space-code.ts";
import { BankSet, type SpaceWords } from "./bank-set.ts";
import { type CodePages, codePageAddress, codePageOf } from "./code-pages.ts";
import type { Counters } from "./counters.ts";
import type { EngineMemory } from "./engine-memory.ts";

const PAGE_MASK = -PAGE_BYTES;
const OFFSET_MASK = PAGE_BYTES - 1;
const NOWHERE = -1;
/** Machine mode has no address space: what it remembers is good in all. */
const NO_SPACE: SpaceWords = [0, 0, 0, 0];
/** Low two bits of a context that is not a guest's: the privilege level. */
const LEVEL = 3;

/** What the banks of a hart work with. */
export interface BankParts {
  readonly memory: EngineMemory;
  readonly hart: Hart;
  /** Address of the hart's state block. */
  readonly h: number;
  readonly harts: number;
  readonly sources: TranslationSources;
  readonly codePages: CodePages;
  readonly counters: Counters;
  /** In the contexts of these bits a virtual page may no longer be this code page. */
  readonly onUnmap: (codePage: number, bits: number) => void;
  /** In the contexts of these bits a virtual page is known to be this code page. */
  readonly onLearn: (codePage: number, bits: number) => void;
  /** All that was known in the contexts of these bits is forgotten. */
  readonly onForget: (bits: number) => void;
  /** There is no code page left for a page. */
  readonly onFull: () => void;
}

/** The banks of one hart. */
export class TranslationBanks implements TranslationMemory {
  readonly isEnabled = true;
  readonly #parts: BankParts;
  readonly #i32: Int32Array;
  readonly #state: HartState;
  readonly #data: BankSet;
  readonly #fetches: BankSet;
  /** Number of this hart's first bank of fetches: bits of cells count from there. */
  readonly #firstFetchBank: number;
  /** Indices of working words. */
  readonly #dataBank: number;
  readonly #fetchBank: number;
  readonly #dataBankOf: number;
  readonly #fetchBankOf: number;
  /** For each code page the bits of contexts in which it may be known. */
  readonly #contextsOf = new Int32Array(CODE_PAGES);
  /** One address, as a word and as two halves. */
  readonly #address = new BigInt64Array(1);
  readonly #halves = new Int32Array(this.#address.buffer);

  constructor(parts: BankParts) {
    const { memory, hart, h, harts, sources } = parts;
    this.#parts = parts;
    this.#i32 = memory.i32;
    this.#state = hart.state;
    const dataBanks = Math.floor(DATA_BANKS / harts);
    const fetchBanks = Math.floor(FETCH_BANKS / harts);
    this.#firstFetchBank = hart.id * fetchBanks;
    this.#data = new BankSet(memory.i32, memory.i64, {
      start: DATA_BANK_AREA + hart.id * dataBanks * DATA_BANK_BYTES,
      bankBytes: DATA_BANK_BYTES,
      banks: dataBanks,
    });
    this.#fetches = new BankSet(memory.i32, memory.i64, {
      start: FETCH_BANK_AREA + this.#firstFetchBank * FETCH_BANK_BYTES,
      bankBytes: FETCH_BANK_BYTES,
      banks: fetchBanks,
    });
    this.#dataBank = (h + WORD.dataBank) >>> 2;
    this.#fetchBank = (h + WORD.fetchBank) >>> 2;
    this.#dataBankOf = (h + WORD.dataBankOf) >>> 2;
    this.#fetchBankOf = (h + WORD.fetchBankOf) >>> 2;
    sources.join(this);
    this.selectContext();
  }

  /** The bit of the present context in cells. */
  get codeBit(): number {
    return this.#bitOf(this.#fetches.bankAt(this.#i32[this.#fetchBank] ?? 0));
  }

  /** Number of the code page of an address in the present context; −1: not known. */
  codePageAt(low: number, high: number): number {
    const at = this.#fetchPlace(low);
    const isHit = this.#i32[at] === (low & PAGE_MASK) && this.#i32[at + 1] === high;
    return isHit ? codePageOf(this.#i32[at + 2] ?? 0) : NOWHERE;
  }

  /** Address of the cold tier's slot for the instruction at an address in the present context; 0: not known. */
  slotAt(low: number, high: number): number {
    const at = this.#fetchPlace(low);
    const isHit = this.#i32[at] === (low & PAGE_MASK) && this.#i32[at + 1] === high;
    return isHit ? (this.#i32[at + 2] as number) + ((low & OFFSET_MASK) >>> 1) * SLOT_BYTES : 0;
  }

  /** Offset in RAM of a byte at an address, for an access that stays in its page; negative: not known. */
  locatePage(kind: "load" | "store", low: number, high: number): number {
    const at = this.#dataPlace(low, kind === "load" ? 0 : STORES_IN_BANK);
    const isHit = this.#i32[at] === (low & PAGE_MASK) && this.#i32[at + 1] === high;
    return isHit ? ((low + (this.#i32[at + 2] as number)) | 0) - RAM_OFFSET : NOWHERE;
  }

  locateFetch(low: number, high: number): number {
    const at = this.#fetchPlace(low);
    const isHit = this.#i32[at] === (low & (PAGE_MASK | 1)) && this.#i32[at + 1] === high;
    return isHit ? (this.#i32[at + 3] as number) + (low & OFFSET_MASK) : NOWHERE;
  }

  locateLoad(vaddr: bigint, widthBytes: number): number {
    return this.#locateData(vaddr, widthBytes, 0);
  }

  locateStore(vaddr: bigint, widthBytes: number): number {
    return this.#locateData(vaddr, widthBytes, STORES_IN_BANK);
  }

  #locateData(vaddr: bigint, widthBytes: number, part: number): number {
    this.#address[0] = vaddr;
    const low = this.#halves[0] as number;
    const at = this.#dataPlace(low, part);
    const isHit =
      this.#i32[at] === (low & (PAGE_MASK | (widthBytes - 1))) && this.#i32[at + 1] === this.#halves[1];
    return isHit ? ((low + (this.#i32[at + 2] as number)) | 0) - RAM_OFFSET : NOWHERE;
  }

  remember(kind: AccessKind, vaddr: bigint, ramOffset: number, sources: readonly number[]): void {
    this.#parts.sources.limit();
    this.#address[0] = vaddr;
    const low = this.#halves[0] as number;
    const high = this.#halves[1] as number;
    const page = low & PAGE_MASK;
    const place =
      kind === "fetch"
        ? this.#rememberFetch(page, high, ramOffset)
        : this.#rememberData(kind, page, high, ramOffset);
    if (place === NOWHERE) return;
    for (const source of sources) this.#parts.sources.watch(source, this, place);
  }

  #rememberData(kind: "load" | "store", page: number, high: number, ramOffset: number): number {
    const place = this.#dataPlace(page, kind === "load" ? 0 : STORES_IN_BANK);
    const addend = (RAM_OFFSET + (ramOffset & PAGE_MASK) - page) | 0;
    this.#data.fill(place, page, high, addend, 0);
    return place;
  }

  #rememberFetch(page: number, high: number, ramOffset: number): number {
    const { codePages, onFull, onLearn } = this.#parts;
    const codePage = codePages.open(ramOffset >>> PAGE_SHIFT);
    if (codePage < 0) {
      onFull();
      return NOWHERE;
    }
    const place = this.#fetchPlace(page);
    this.#unmap(place);
    this.#fetches.fill(place, page, high, codePageAddress(codePage), ramOffset & PAGE_MASK);
    const bit = this.codeBit;
    this.#contextsOf[codePage] = (this.#contextsOf[codePage] ?? 0) | bit;
    onLearn(codePage, bit);
    return place;
  }

  /** What regions assume of the page in an entry of the fetch banks ends with it. */
  #unmap(place: number): void {
    if (this.#fetches.isEmpty(place)) return;
    const bit = this.#bitOf(this.#fetches.bankAt(place * 4));
    this.#parts.onUnmap(codePageOf(this.#i32[place + 2] ?? 0), bit);
  }

  forgetAt(place: number): void {
    if (place * 4 >= DATA_BANK_AREA) {
      this.#data.clear(place);
      return;
    }
    this.#unmap(place);
    this.#fetches.clear(place);
  }

  forget(): void {
    this.#parts.counters.translationFlushes++;
    for (let bank = 0; bank < this.#data.openBanks; bank++) this.#data.empty(bank);
    this.forgetFetches();
  }

  /** Forgets where code is, and nothing else. */
  forgetFetches(): void {
    let bits = 0;
    for (let bank = 0; bank < this.#fetches.openBanks; bank++) {
      this.#fetches.empty(bank);
      bits |= this.#bitOf(bank);
    }
    this.#parts.onForget(bits);
  }

  /** Forgets all pages that are at this code page. */
  forgetCodePage(codePage: number): void {
    const address = codePageAddress(codePage);
    const contexts = this.#contextsOf[codePage] ?? 0;
    this.#contextsOf[codePage] = 0;
    for (let bank = 0; bank < this.#fetches.openBanks; bank++) {
      if ((contexts & this.#bitOf(bank)) === 0) continue;
      const start = this.#fetches.address(bank) >>> 2;
      for (let entry = 0; entry < FETCH_ENTRIES; entry++) {
        const place = start + entry * (FETCH_ENTRY_BYTES >>> 2);
        if (this.#i32[place + 2] === address) this.#fetches.clear(place);
      }
    }
  }

  /** Where a guest can see what is remembered, or somebody checks it, each use after a change must be looked at anew. */
  changeAddressSpace(): void {
    if (this.#parts.hart.remembered !== undefined) this.forget();
    this.#i32.fill(0, this.#dataBankOf, this.#dataBankOf + DATA_CONTEXTS);
    this.#i32.fill(0, this.#fetchBankOf, this.#fetchBankOf + FETCH_CONTEXTS);
    this.selectContext();
  }

  /** Notes which banks are in use. Must come whenever generated code has been left, for it turns to others by itself. */
  noteUse(): void {
    this.#data.touch(this.#data.bankAt(this.#i32[this.#dataBank] ?? 0));
    this.#fetches.touch(this.#fetches.bankAt(this.#i32[this.#fetchBank] ?? 0));
  }

  selectContext(): void {
    const data = dataContext(this.#state);
    const fetch = fetchContext(this.#state);
    const i32 = this.#i32;
    i32[this.#dataBank] =
      i32[this.#dataBankOf + data] || this.#open(this.#data, this.#dataBank, this.#dataBankOf, data);
    i32[this.#fetchBank] =
      i32[this.#fetchBankOf + fetch] || this.#open(this.#fetches, this.#fetchBank, this.#fetchBankOf, fetch);
  }

  /**
   * Finds the bank of a context in the present address space, or gives it one.
   *
   * @param present    Index of the word that says which bank is in use.
   * @param ofContext  Index of the words that say which bank each context has.
   * @returns          Address of the bank.
   */
  #open(banks: BankSet, present: number, ofContext: number, context: number): number {
    const space = this.#spaceOf(context, banks === this.#data ? GUEST_DATA : GUEST_FETCHES);
    let bank = banks.find(context, space);
    if (bank < 0) {
      bank = banks.next(banks.bankAt(this.#i32[present] ?? 0));
      if (banks.isOpen(bank)) this.#evict(banks, bank);
      banks.assign(bank, context, space);
    }
    const address = banks.address(bank);
    this.#i32[ofContext + context] = address;
    return address;
  }

  /** Takes a bank from its context. */
  #evict(banks: BankSet, bank: number): void {
    this.#parts.counters.bankEvictions++;
    banks.empty(bank);
    if (banks === this.#fetches) this.#parts.onForget(this.#bitOf(bank));
    const address = banks.address(bank);
    for (let at = this.#dataBankOf; at < this.#dataBankOf + DATA_CONTEXTS; at++)
      if (this.#i32[at] === address) this.#i32[at] = 0;
    for (let at = this.#fetchBankOf; at < this.#fetchBankOf + FETCH_CONTEXTS; at++)
      if (this.#i32[at] === address) this.#i32[at] = 0;
    forgetSpaces(this.#i32, this.#parts.hart.id);
  }

  /** The address space in which a context's accesses are translated. */
  #spaceOf(context: number, guestBit: number): SpaceWords {
    if ((context & guestBit) !== 0) return [...this.#halvesOf("vsatp"), ...this.#halvesOf("hgatp")];
    if ((context & LEVEL) === MODE_NUMBER.M) return NO_SPACE;
    return [...this.#halvesOf("satp"), 0, 0];
  }

  #halvesOf(name: "satp" | "vsatp" | "hgatp"): [low: number, high: number] {
    this.#address[0] = this.#state.stored(name);
    return [this.#halves[0] as number, this.#halves[1] as number];
  }

  #bitOf(bank: number): number {
    return 1 << (this.#firstFetchBank + bank);
  }

  /** Index of the word where the entry of a page is, in the present bank. */
  #fetchPlace(low: number): number {
    const entry = (low >>> PAGE_SHIFT) & (FETCH_ENTRIES - 1);
    return ((this.#i32[this.#fetchBank] as number) + entry * FETCH_ENTRY_BYTES) >>> 2;
  }

  #dataPlace(low: number, part: number): number {
    const entry = (low >>> PAGE_SHIFT) & (DATA_ENTRIES - 1);
    return ((this.#i32[this.#dataBank] as number) + part + entry * DATA_ENTRY_BYTES) >>> 2;
  }
}
