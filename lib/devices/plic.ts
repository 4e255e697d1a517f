/**
 * Platform-level interrupt controller: which device wants attention, whose it gets, and who is already at it.
 *
 * Every source has a level-triggered gateway: while its wire is high and nobody serves it, it keeps one request pending.
 * A claim takes the request, a completion opens the gateway again. Every context (a hart in one mode) has its own enables
 * and threshold. The register map is SiFive's, as on QEMU's `virt`.
 *
 * @spec riscv-plic-1.0.0, chapters named at each register
 */
import { ACCESS_FAULT, type AccessFault, type Device, type DeviceState, type Width } from "../bus/device.ts";
import { IrqLine } from "../bus/irq-line.ts";

/** Offsets in bytes: one word a source, one bit a source, a row of bits a context, a page a context. */
export const PlicOffset = {
  PRIORITY: 0,
  PENDING: 0x1000,
  ENABLE: 0x2000,
  ENABLE_STRIDE: 0x80,
  CONTEXT: 0x20_0000,
  CONTEXT_STRIDE: 0x1000,
  /** In a context's page: requests up to this priority do not interrupt. */
  THRESHOLD: 0,
  /** In a context's page: a load claims, a store completes. */
  CLAIM: 4,
} as const;

/** Sources have numbers 1 to this; 0 means "none". The device tree says the same. */
export const PLIC_SOURCES = 96;
/** Priorities are 0 (never interrupts) to 7: three bits of each register exist. */
const PRIORITY_MASK = 7;
/** Words of a row of bits, bit 0 of the first being no source. */
const WORDS = Math.floor(PLIC_SOURCES / 32) + 1;

/** What decides and what is decided for a hart in one mode. */
interface Context {
  readonly line: IrqLine;
  readonly enabled: Uint32Array;
  threshold: number;
}

/** PLIC. Context 2·h is hart h in M-mode, context 2·h + 1 the same hart in S-mode. */
export class Plic implements Device {
  readonly name = "plic";
  readonly sizeBytes = 0x60_0000;
  readonly #contexts: readonly Context[];
  readonly #sources: (IrqLine | undefined)[] = [];
  readonly #priorities = new Uint8Array(PLIC_SOURCES + 1);
  readonly #pending = new Uint32Array(WORDS);
  /** Claimed and not yet completed: the gateway is closed. */
  readonly #claimed = new Uint32Array(WORDS);

  constructor(hartCount: number) {
    this.#contexts = Array.from({ length: 2 * hartCount }, (_, context) => ({
      line: new IrqLine(`plic.context${context}`),
      enabled: new Uint32Array(WORDS),
      threshold: 0,
    }));
  }

  /** Connects a device's wire to a source. */
  connect(source: number, line: IrqLine): void {
    if (!isSource(source)) throw new RangeError(`the PLIC has no source ${source}`);
    this.#sources[source] = line;
    line.connect(() => {
      this.#forward(source);
      this.#notify();
    });
  }

  /** The interrupt line of a hart's machine mode. */
  machineLine(hart: number): IrqLine {
    return this.#contextLine(2 * hart);
  }

  /** The interrupt line of a hart's supervisor mode. */
  supervisorLine(hart: number): IrqLine {
    return this.#contextLine(2 * hart + 1);
  }

  /** Registers are words. What does not exist reads as zero. */
  load(offset: number, width: Width): bigint | AccessFault {
    if (width !== 4) return ACCESS_FAULT;
    if (offset < PlicOffset.PENDING) return BigInt(this.#priorities[offset >> 2] ?? 0);
    if (offset < PlicOffset.ENABLE) return BigInt(this.#pending[(offset - PlicOffset.PENDING) >> 2] ?? 0);
    if (offset < PlicOffset.CONTEXT) {
      const { context, word } = this.#enables(offset);
      return BigInt(context?.enabled[word] ?? 0);
    }
    const { context, register } = this.#contextRegister(offset);
    if (context === undefined) return 0n;
    if (register === PlicOffset.THRESHOLD) return BigInt(context.threshold);
    return register === PlicOffset.CLAIM ? BigInt(this.#claim(context)) : 0n;
  }

  store(offset: number, width: Width, value: bigint): AccessFault | undefined {
    if (width !== 4) return ACCESS_FAULT;
    const word = Number(value);
    if (offset < PlicOffset.PENDING) this.#setPriority(offset >> 2, word);
    else if (offset < PlicOffset.ENABLE)
      return undefined; // Pending bits are the gateways'.
    else if (offset < PlicOffset.CONTEXT) this.#setEnabled(offset, word);
    else this.#setContext(offset, word);
    this.#notify();
    return undefined;
  }

  reset(): void {
    this.#priorities.fill(0);
    this.#pending.fill(0);
    this.#claimed.fill(0);
    for (const context of this.#contexts) {
      context.enabled.fill(0);
      context.threshold = 0;
    }
    this.#notify();
  }

  save(): DeviceState {
    return {
      priorities: [...this.#priorities],
      pending: [...this.#pending],
      claimed: [...this.#claimed],
      enabled: this.#contexts.flatMap(({ enabled }) => [...enabled]),
      thresholds: this.#contexts.map(({ threshold }) => threshold),
    };
  }

  restore(state: DeviceState): void {
    this.#priorities.set(state["priorities"] as number[]);
    this.#pending.set(state["pending"] as number[]);
    this.#claimed.set(state["claimed"] as number[]);
    const enabled = state["enabled"] as number[];
    const thresholds = state["thresholds"] as number[];
    for (const [index, context] of this.#contexts.entries()) {
      context.enabled.set(enabled.slice(index * WORDS, (index + 1) * WORDS));
      context.threshold = thresholds[index] ?? 0;
    }
    this.#notify();
  }

  /** Registers of three bits; there is none for "source 0". @spec riscv-plic-1.0.0 "Interrupt Priorities" */
  #setPriority(source: number, word: number): void {
    if (isSource(source)) this.#priorities[source] = word & PRIORITY_MASK;
  }

  /** @spec riscv-plic-1.0.0 "Interrupt Enables" */
  #setEnabled(offset: number, bits: number): void {
    const { context, word } = this.#enables(offset);
    if (context !== undefined && word < WORDS) context.enabled[word] = bits & existingBits(word);
  }

  #setContext(offset: number, word: number): void {
    const { context, register } = this.#contextRegister(offset);
    if (context === undefined) return;
    if (register === PlicOffset.THRESHOLD) context.threshold = word & PRIORITY_MASK;
    if (register === PlicOffset.CLAIM) this.#complete(context, word);
  }

  /** The threshold has no say in a claim: it only holds interrupts back. @spec riscv-plic-1.0.0 "Interrupt Claim Process" */
  #claim(context: Context): number {
    const source = this.#best(context);
    if (source === 0) return 0;
    setBit(this.#pending, source, false);
    setBit(this.#claimed, source, true);
    this.#notify();
    return source;
  }

  /**
   * Opens the gateway of a source that the context has enabled; another number is ignored. A wire that is still high
   * makes a new request at once. @spec riscv-plic-1.0.0 "Interrupt Completion"
   */
  #complete(context: Context, source: number): void {
    if (!isSource(source) || !bitOf(context.enabled, source)) return;
    setBit(this.#claimed, source, false);
    this.#forward(source);
  }

  /** A gateway: a request once made stays, even if the wire falls before somebody claims it. @spec riscv-plic-1.0.0 "Interrupt Gateways" */
  #forward(source: number): void {
    if (this.#sources[source]?.level === true && !bitOf(this.#claimed, source))
      setBit(this.#pending, source, true);
  }

  /** The pending enabled source of highest priority, the lowest number among equals; 0 when there is none. */
  #best({ enabled }: Context): number {
    let best = 0;
    let bestPriority = 0;
    for (let word = 0; word < WORDS; word++) {
      let bits = (this.#pending[word] ?? 0) & (enabled[word] ?? 0);
      while (bits !== 0) {
        const source = 32 * word + 31 - Math.clz32(bits & -bits);
        const priority = this.#priorities[source] ?? 0;
        if (priority > bestPriority) {
          best = source;
          bestPriority = priority;
        }
        bits &= bits - 1;
      }
    }
    return best;
  }

  /** Drives the line of each context. @spec riscv-plic-1.0.0 "Priority Thresholds" */
  #notify(): void {
    for (const context of this.#contexts) {
      const priority = this.#priorities[this.#best(context)] ?? 0;
      context.line.set(priority > context.threshold);
    }
  }

  #enables(offset: number): { context: Context | undefined; word: number } {
    const place = offset - PlicOffset.ENABLE;
    const context = this.#contexts[Math.floor(place / PlicOffset.ENABLE_STRIDE)];
    return { context, word: (place % PlicOffset.ENABLE_STRIDE) >> 2 };
  }

  #contextRegister(offset: number): { context: Context | undefined; register: number } {
    const place = offset - PlicOffset.CONTEXT;
    const context = this.#contexts[Math.floor(place / PlicOffset.CONTEXT_STRIDE)];
    return { context, register: place % PlicOffset.CONTEXT_STRIDE };
  }

  #contextLine(context: number): IrqLine {
    const found = this.#contexts[context];
    if (found === undefined) throw new RangeError(`the PLIC has no context ${context}`);
    return found.line;
  }
}

function isSource(source: number): boolean {
  return source >= 1 && source <= PLIC_SOURCES;
}

/** Which bits of a row's word stand for a source. */
function existingBits(word: number): number {
  const last = Math.min(31, PLIC_SOURCES - 32 * word);
  const upToLast = last === 31 ? -1 : (2 << last) - 1;
  return word === 0 ? upToLast & ~1 : upToLast;
}

function bitOf(row: Uint32Array, source: number): boolean {
  return ((row[source >> 5] ?? 0) & (1 << (source & 31))) !== 0;
}

function setBit(row: Uint32Array, source: number, value: boolean): void {
  const bit = 1 << (source & 31);
  const word = row[source >> 5] ?? 0;
  row[source >> 5] = value ? word | bit : word & ~bit;
}
