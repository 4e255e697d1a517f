/**
 * The smallest machine around the cold tier: one hart in machine mode, virtual addresses that are physical ones, and a
 * reference engine as the slow path.
 */
import { Bus } from "../../../../../lib/bus/bus.ts";
import { Clock } from "../../../../../lib/bus/clock.ts";
import { NO_EVENTS } from "../../../../../lib/bus/event-sink.ts";
import type { MachineMemory } from "../../../../../lib/bus/machine-memory.ts";
import { PageFlag, Ram } from "../../../../../lib/bus/ram.ts";
import { createReferenceEngines } from "../../../../../lib/engine/reference/create.ts";
import { SlotDecoder } from "../../../../../lib/engine/translator/interpreter/decode-slot.ts";
import {
  type InterpreterExports,
  type InterpreterImports,
  instantiateInterpreter,
} from "../../../../../lib/engine/translator/interpreter/generate.ts";
import type { InterpreterOptions } from "../../../../../lib/engine/translator/interpreter/loop-frame.ts";
import {
  CODE_PAGE_AREA,
  CODE_PAGE_BYTES,
  DATA_BANK_AREA,
  DATA_ENTRIES,
  DATA_ENTRY_BYTES,
  EMPTY_TAG,
  FETCH_BANK_AREA,
  FETCH_ENTRIES,
  FETCH_ENTRY_BYTES,
  FLAGS,
  HEAT_IN_PAGE,
  RAM_OFFSET,
  SLOT_BYTES,
  STORES_IN_BANK,
  TABLE_SLOTS,
  WORD,
} from "../../../../../lib/engine/translator/layout.ts";
import { Hart } from "../../../../../lib/hart/hart.ts";
import { HART_STATE_BYTES } from "../../../../../lib/hart/layout.ts";
import { decode } from "../../../../../lib/isa/decode.ts";
import { MODE_NUMBER } from "../../../../../lib/isa/mode.ts";

export const RAM_BASE = 0x8000_0000;
const PAGE_BYTES = 4096;
const MPRV = 1n << 17n;
const FS = 3n << 13n;
/** A fused op or a long instruction that begins so far before a store may reach into it. */
const LOOKBACK_BYTES = 6;

export class IdentityMachine {
  readonly memory: WebAssembly.Memory;
  readonly table = new WebAssembly.Table({ element: "anyfunc", initial: TABLE_SLOTS });
  readonly ram: Ram;
  readonly hart: Hart;
  readonly clock = new Clock();
  readonly wasm: InterpreterExports;
  readonly counts = { slow: 0, fetchMiss: 0, decode: 0, hot: 0, resolve: 0 };
  /** What to do when a heat word has reached the threshold. */
  onHot: (heatAddress: number) => void = () => {};
  onResolve: (tableSlot: number) => number = () => 0;
  readonly #engine: ReturnType<typeof createReferenceEngines>[number];
  readonly #decoder: SlotDecoder;
  readonly #codePages = new Map<number, number>();
  readonly #ramOffsets: number[] = [];
  readonly view: DataView;

  constructor(options: Partial<InterpreterOptions> & { readonly ramBytes?: number } = {}) {
    const { ramBytes = 1 << 20, flagMask = 255, heatThreshold = 1 << 20 } = options;
    const pages = Math.ceil((RAM_OFFSET + ramBytes) / 65_536);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = this.memory.buffer as ArrayBuffer;
    this.view = new DataView(buffer);
    const machine: MachineMemory = {
      memory: this.memory,
      buffer,
      stateBytes: HART_STATE_BYTES,
      flagsOffset: FLAGS,
      ramOffset: RAM_OFFSET,
      ramBytes,
    };
    this.ram = new Ram(machine, RAM_BASE);
    const bus = new Bus(this.ram, this.clock, NO_EVENTS);
    this.hart = new Hart({ buffer, clock: this.clock, bus, events: NO_EVENTS });
    [this.#engine] = createReferenceEngines([this.hart] as const, bus);
    this.#decoder = new SlotDecoder(buffer, this.ram.u16);
    this.ram.onStore(PageFlag.HOLDS_DECODED_CODE, (page, offset, length) =>
      this.#forget(page, offset, length),
    );
    this.#emptyBanks();
    const imports: InterpreterImports = {
      slow: (_h, budget) => this.#step("slow", budget),
      fetchMiss: (_h, budget) => this.#step("fetchMiss", budget),
      decode: (_h, slotAddress) => this.#decode(slotAddress),
      hot: (_h, heatAddress) => {
        this.counts.hot += 1;
        this.onHot(heatAddress);
      },
      resolve: (_h, tableSlot) => {
        this.counts.resolve += 1;
        return this.onResolve(tableSlot);
      },
    };
    this.wasm = instantiateInterpreter({ flagMask, heatThreshold }, this.memory, this.table, imports);
    const interpret = this.table.get(0) as () => void;
    for (let slot = 2; slot < TABLE_SLOTS; slot++) this.table.set(slot, interpret);
  }

  /** Runs so many steps, less if the hart falls asleep; the steps made. */
  run(budget: number): number {
    const { view, clock, hart } = this;
    this.#refresh();
    view.setFloat64(WORD.retiredBase, clock.retired + budget, true);
    view.setBigInt64(WORD.instretBase, hart.state.instret + BigInt(budget), true);
    const left = this.wasm.run(0, budget);
    clock.retired = view.getFloat64(WORD.retiredBase, true) - left;
    hart.state.instretWord[0] = view.getBigInt64(WORD.instretBase, true) - BigInt(left);
    return budget - left;
  }

  /** Forgets all translations of data. */
  forgetData(): void {
    for (let entry = 0; entry < 2 * DATA_ENTRIES; entry++)
      this.view.setBigInt64(DATA_BANK_AREA + entry * DATA_ENTRY_BYTES, EMPTY_TAG, true);
  }

  /** The heat word of an address. */
  heatOf(pc: number): number {
    const codePage = this.#codePages.get((pc - RAM_BASE) >>> 12) ?? 0;
    return codePage + HEAT_IN_PAGE + ((pc & 0xfff) >>> 1) * 4;
  }

  /** The slot of an address. */
  slotOf(pc: number): number {
    return (this.#codePages.get((pc - RAM_BASE) >>> 12) ?? 0) + ((pc & 0xfff) >>> 1) * SLOT_BYTES;
  }

  #emptyBanks(): void {
    for (let entry = 0; entry < FETCH_ENTRIES; entry++)
      this.view.setBigInt64(FETCH_BANK_AREA + entry * FETCH_ENTRY_BYTES, EMPTY_TAG, true);
    this.forgetData();
    this.view.setInt32(WORD.dataBank, DATA_BANK_AREA, true);
    this.view.setInt32(WORD.fetchBank, FETCH_BANK_AREA, true);
  }

  /** Translations hold in machine mode, where nothing protects memory; float needs its state as the words of the layout say. */
  #refresh(): void {
    const { state } = this.hart;
    const isPlain =
      state.modeNumber === MODE_NUMBER.M &&
      (state.stored("mstatus") & MPRV) === 0n &&
      state.stored("pmpcfg0") === 0n &&
      state.stored("pmpcfg2") === 0n;
    if (!isPlain) this.#emptyBanks();
    const isFloatOn = (state.stored("mstatus") & FS) === FS;
    const isFloatFast = isFloatOn && (state.stored("fcsr") & 0xe1n) === 1n;
    this.view.setInt32(WORD.codeBit, 1, true);
    this.view.setInt32(WORD.codeBitFloatOn, isFloatOn ? 1 : 0, true);
    this.view.setInt32(WORD.codeBitFloatFast, isFloatFast ? 1 : 0, true);
  }

  #step(kind: "slow" | "fetchMiss", budget: number): number {
    this.counts[kind] += 1;
    const { view, clock, hart } = this;
    clock.retired = view.getFloat64(WORD.retired, true);
    const { pc } = hart;
    this.#fillData(Number(pc));
    let left = budget;
    do {
      this.#engine.step();
      left -= 1;
    } while (hart.attention !== 0 && left > 0 && !hart.state.waiting);
    this.#fillFetch(Number(pc));
    this.#fillFetch(Number(pc) + 2);
    this.#refresh();
    view.setFloat64(WORD.retiredBase, clock.retired + left, true);
    view.setBigInt64(WORD.instretBase, hart.state.instret + BigInt(left), true);
    if (!hart.state.waiting) return left;
    view.setFloat64(WORD.retiredBase, clock.retired, true);
    view.setBigInt64(WORD.instretBase, hart.state.instret, true);
    return 0;
  }

  #fillFetch(pc: number): void {
    const offset = pc - RAM_BASE;
    if (offset < 0 || offset >= this.ram.sizeBytes || (pc & 1) !== 0) return;
    const page = offset >>> 12;
    const entry = FETCH_BANK_AREA + ((pc >>> 12) & (FETCH_ENTRIES - 1)) * FETCH_ENTRY_BYTES;
    this.view.setBigInt64(entry, BigInt(pc) & -4096n, true);
    this.view.setInt32(entry + 8, this.#codePage(page), true);
    this.view.setInt32(entry + 12, page * PAGE_BYTES, true);
  }

  #codePage(page: number): number {
    const known = this.#codePages.get(page);
    if (known !== undefined) return known;
    const address = CODE_PAGE_AREA + this.#codePages.size * CODE_PAGE_BYTES;
    this.#codePages.set(page, address);
    this.#ramOffsets.push(page * PAGE_BYTES);
    this.ram.flagPage(page, PageFlag.HOLDS_DECODED_CODE);
    return address;
  }

  /** The page that the instruction at an address accesses, if it accesses any. */
  #fillData(pc: number): void {
    const offset = pc - RAM_BASE;
    if (offset < 0 || offset + 4 > this.ram.sizeBytes || (pc & 1) !== 0) return;
    const decoded = decode(this.ram.view.getInt32(offset, true));
    if (decoded === undefined) return;
    const isAtomic = /^(amo|lr|sc)/.test(decoded.mnemonic);
    const base = this.hart.state.x[decoded.rs1] ?? 0n;
    const address = BigInt.asUintN(64, base + (isAtomic ? 0n : decoded.imm));
    const inRam = Number(address) - RAM_BASE;
    if (inRam < 0 || inRam >= this.ram.sizeBytes) return;
    const addend = RAM_OFFSET - RAM_BASE;
    for (const half of [0, STORES_IN_BANK]) {
      const index = Number(address >> 12n) & (DATA_ENTRIES - 1);
      const entry = DATA_BANK_AREA + half + index * DATA_ENTRY_BYTES;
      this.view.setBigInt64(entry, address & -4096n, true);
      this.view.setInt32(entry + 8, addend | 0, true);
    }
  }

  #decode(slotAddress: number): void {
    this.counts.decode += 1;
    const page = Math.floor((slotAddress - CODE_PAGE_AREA) / CODE_PAGE_BYTES);
    const inPage = (slotAddress - CODE_PAGE_AREA - page * CODE_PAGE_BYTES) / SLOT_BYTES;
    this.#decoder.decode(slotAddress, (this.#ramOffsets[page] ?? 0) + inPage * 2);
  }

  #forget(page: number, offset: number, length: number): void {
    const address = this.#codePages.get(page);
    if (address === undefined) return;
    const start = page * PAGE_BYTES;
    const first = Math.max(offset - LOOKBACK_BYTES, start) - start;
    const end = Math.min(offset + length - start, PAGE_BYTES);
    for (let at = first & ~1; at < end; at += 2)
      this.view.setBigInt64(address + at * (SLOT_BYTES / 2), 0n, true);
  }
}
