/**
 * The breakpoints of a machine. They cost nothing where they are not: traps, modes and CSR writes are seen in the events
 * that the machine reports anyway; for addresses, the translation cache never remembers the pages that a breakpoint covers,
 * and RAM tells of stores to pages that are flagged.
 *
 * Breakpoints are the host's notes: no snapshot holds one, and a run with them is the same run.
 */

import type { Width } from "../bus/device.ts";
import { recordEach } from "../bus/event-record.ts";
import { type BatchSink, batchSink, EventKind, type EventSink } from "../bus/event-sink.ts";
import { PAGE_BYTES } from "../bus/machine-memory.ts";
import type { Ram } from "../bus/ram.ts";
import { PageFlag } from "../bus/ram.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import { type CsrName, csrAt, findCsr, visibleCsr } from "../isa/csr-map.ts";
import { isVirtual, type ModeNumber, modeName } from "../isa/mode.ts";
import { causeWords } from "../isa/trap.ts";
import type { AccessWatch } from "../mmu/access-watch.ts";
import {
  type Breakpoint,
  type BreakpointHit,
  type BreakpointSpec,
  breakpointText,
  type TouchedData,
} from "./breakpoint.ts";
import type { Machine } from "./machine.ts";
import { compareMoments, type Moment, momentOf } from "./moment.ts";

/** Breakpoints at a time. */
const MAX_BREAKPOINTS = 256;
/** Bytes of a watched range. */
const MAX_LENGTH = 1024 * 1024;
/** Values of longer ranges are not shown. */
const MAX_VALUE_BYTES = 8;
const TOP = 1n << 64n;

/** Why a breakpoint was not set, in one sentence. */
export interface BreakpointError {
  readonly kind: "breakpoint-error";
  readonly message: string;
}

type DataSpec = Extract<BreakpointSpec, { kind: "read" | "write" | "access" }>;

/** Something that may become a hit when the instruction has ended. */
interface Noticed {
  readonly breakpoint: Breakpoint;
  readonly hart: Hart;
  readonly pc: bigint;
  readonly data?: Omit<TouchedData, "after">;
  readonly why?: string;
  readonly csr?: { readonly name: CsrName; readonly before: bigint };
}

/** Sets breakpoints, and says which one was hit. */
export class Breakpoints implements BatchSink {
  readonly #next: EventSink;
  readonly #nextBatch: BatchSink | undefined;
  #machine: Machine | undefined;
  #set: readonly Breakpoint[] = [];
  #lastId = 0;
  #noticed: Noticed[] = [];
  #seesEvents = false;
  /** While true, nothing is noticed: the machine repeats its own past, or nobody runs it. */
  #isMuted = true;
  /** Where the present run began: an execute breakpoint there was hit by the run before. */
  #began: { readonly moment: Moment; readonly hart: number } | undefined;
  #watchedPages = new Set<number>();

  /** @param next  Who hears of all events. */
  constructor(next: EventSink) {
    this.#next = next;
    this.#nextBatch = batchSink(next);
  }

  /** Must be called once, when the machine is assembled. */
  attach(machine: Machine): void {
    this.#machine = machine;
    machine.ram.onStore(PageFlag.WATCHED, (_page, offset, length) =>
      this.#onStore(machine.ram, offset, length),
    );
  }

  /** What is set, in the order of setting. */
  get list(): readonly Breakpoint[] {
    return this.#set;
  }

  /** Sets a breakpoint. It holds until it is removed; runs stop with `breakpoint`, and say which. */
  add(spec: BreakpointSpec): Breakpoint | BreakpointError {
    const machine = this.#machine;
    const wrong = machine === undefined ? "there is no machine" : this.#mistakeIn(spec, machine.harts.length);
    if (wrong !== undefined || machine === undefined)
      return { kind: "breakpoint-error", message: `No breakpoint was set: ${wrong}.` };
    this.#lastId++;
    const breakpoint = { id: this.#lastId, spec, text: breakpointText(spec, machine.symbols) };
    this.#replace([...this.#set, breakpoint]);
    return breakpoint;
  }

  /** Removes a breakpoint. False: it was not set. */
  remove(breakpoint: Pick<Breakpoint, "id">): boolean {
    const rest = this.#set.filter(({ id }) => id !== breakpoint.id);
    const isFound = rest.length < this.#set.length;
    if (isFound) this.#replace(rest);
    return isFound;
  }

  /** Removes all. */
  clear(): void {
    this.#replace([]);
  }

  /** A run begins here: from now on hits count, but for one where the run begins unless they count everywhere. */
  begin(where: "everywhere" | "elsewhere" = "elsewhere"): void {
    const machine = this.#machine;
    if (machine === undefined || this.#set.length === 0) return;
    this.#noticed = [];
    const isHere = where === "elsewhere";
    this.#began = isHere ? { moment: momentOf(machine), hart: machine.turns.current } : undefined;
    this.#isMuted = false;
  }

  /** The run has ended; what happens to the machine from outside is no hit. */
  end(): void {
    this.#isMuted = true;
    this.#noticed = [];
  }

  /** What the instruction that has just ended was stopped for; taken back by asking. */
  takeHits(): readonly BreakpointHit[] {
    if (this.#noticed.length === 0) return [];
    const noticed = this.#noticed;
    this.#noticed = [];
    return noticed.map((one) => this.#hit(one));
  }

  record(
    kind: EventKind,
    hart: number,
    detail: number,
    retired: number,
    a: bigint,
    b: bigint,
    c: bigint,
  ): void {
    this.#next.record(kind, hart, detail, retired, a, b, c);
    if (this.#seesEvents && !this.#isMuted) this.#onEvent(kind, hart, detail, a);
  }

  /** A breakpoint on events wants each at once; others do not look at them. */
  get takesBatches(): boolean {
    return !this.#seesEvents && (this.#nextBatch?.takesBatches ?? false);
  }

  recordAll(records: Uint8Array): void {
    if (this.#nextBatch === undefined || this.#seesEvents) recordEach(this, records);
    else this.#nextBatch.recordAll(records);
  }

  #mistakeIn(spec: BreakpointSpec, hartCount: number): string | undefined {
    if (this.#set.length >= MAX_BREAKPOINTS) return `${MAX_BREAKPOINTS} are set already`;
    if (spec.hart !== undefined && !(spec.hart >= 0 && spec.hart < hartCount))
      return `there is no hart ${spec.hart}`;
    if ("address" in spec && (spec.address < 0n || spec.address >= TOP))
      return "addresses are unsigned, 64 bits";
    if ("length" in spec && !(Number.isInteger(spec.length) && spec.length >= 1 && spec.length <= MAX_LENGTH))
      return `a range has 1 to ${MAX_LENGTH} bytes`;
    return spec.kind === "csr" && findCsr(spec.csr) === undefined ? `there is no CSR ${spec.csr}` : undefined;
  }

  /** Pages of other breakpoints may be remembered again, those of the new ones no longer. */
  #replace(breakpoints: readonly Breakpoint[]): void {
    const machine = this.#machine;
    this.#set = breakpoints;
    this.#seesEvents = breakpoints.some(({ spec }) => ["csr", "mode", "trap"].includes(spec.kind));
    if (machine === undefined) return;
    const hasAddresses = breakpoints.some(({ spec }) => "address" in spec);
    for (const [index, engine] of machine.engines.entries()) {
      const hart = machine.harts[index];
      engine.watch(hasAddresses && hart !== undefined ? this.#watchOf(hart) : undefined);
    }
    this.#flagPages(machine.ram);
  }

  #flagPages(ram: Ram): void {
    for (const page of this.#watchedPages) ram.unflagPage(page, PageFlag.WATCHED);
    this.#watchedPages = new Set();
    for (const { spec } of this.#set) {
      if (!isPhysicalWrite(spec)) continue;
      const first = Number(spec.address) - ram.base;
      const last = first + (spec.length ?? 1) - 1;
      for (
        let at = Math.max(0, first);
        at <= Math.min(last, ram.sizeBytes - 1);
        at = (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES
      )
        this.#watchedPages.add(Math.floor(at / PAGE_BYTES));
    }
    for (const page of this.#watchedPages) ram.flagPage(page, PageFlag.WATCHED);
  }

  #watchOf(hart: Hart): AccessWatch {
    let stops = false;
    return {
      covers: (kind, vaddr, paddr) => this.#set.some(({ spec }) => coversPage(spec, kind, vaddr, paddr)),
      access: (kind, vaddr, paddr, length) => {
        if (this.#isMuted) return;
        if (kind === "fetch") stops = this.#onFetch(hart, vaddr, paddr);
        else this.#onAccess(hart, kind, vaddr, paddr, length);
      },
      takeStop: () => {
        const stopped = stops;
        stops = false;
        return stopped;
      },
    };
  }

  /** A fetch comes in parcels; only the first is at the hart's `pc`. */
  #onFetch(hart: Hart, vaddr: bigint, paddr: bigint): boolean {
    const machine = this.#machine;
    if (machine === undefined || vaddr !== hart.pc) return false;
    const found = this.#set.filter(
      ({ spec }) =>
        spec.kind === "execute" &&
        isFor(spec, hart) &&
        spec.address === (spec.space === "physical" ? paddr : vaddr),
    );
    if (found.length === 0 || this.#standsWhereItBegan(machine, hart)) return false;
    for (const breakpoint of found) this.#notice({ breakpoint, hart, pc: vaddr });
    return true;
  }

  #standsWhereItBegan(machine: Machine, hart: Hart): boolean {
    const began = this.#began;
    return began?.hart === hart.id && compareMoments(began.moment, momentOf(machine)) === 0;
  }

  #onAccess(hart: Hart, kind: AccessKind, vaddr: bigint, paddr: bigint, length: number): void {
    const verb = kind === "store" ? "write" : "read";
    for (const breakpoint of this.#set) {
      const { spec } = breakpoint;
      if (!isData(spec) || !isFor(spec, hart) || (spec.kind !== verb && spec.kind !== "access")) continue;
      if (verb === "write" && spec.space === "physical") continue; // RAM itself tells
      const at = spec.space === "physical" ? paddr : vaddr;
      if (!overlaps(spec, at, length)) continue;
      const data = { kind: verb, vaddr, paddr, length, before: this.#valueAt(paddr, length) } as const;
      this.#notice({ breakpoint, hart, pc: hart.pc, data });
    }
  }

  /** A store by anybody: a hart, a device that masters the bus, the page walk that sets A or D. */
  #onStore(ram: Ram, offset: number, length: number): void {
    const machine = this.#machine;
    const hart = machine?.harts[machine.turns.current];
    if (this.#isMuted || hart === undefined) return;
    const paddr = BigInt(ram.base + offset);
    for (const breakpoint of this.#set) {
      const { spec } = breakpoint;
      if (!isPhysicalWrite(spec) || !isFor(spec, hart) || !overlaps(spec, paddr, length)) continue;
      const before = this.#valueAt(paddr, length);
      const data = { kind: "write", vaddr: undefined, paddr, length, before } as const;
      this.#notice({ breakpoint, hart, pc: hart.pc, data });
    }
  }

  #onEvent(kind: EventKind, hartId: number, detail: number, word: bigint): void {
    const hart = this.#machine?.harts[hartId];
    if (hart === undefined) return;
    for (const breakpoint of this.#set) {
      if (!isFor(breakpoint.spec, hart)) continue;
      const { spec } = breakpoint;
      const why = reasonIn(spec, kind, detail, word);
      const csr = spec.kind === "csr" ? { csr: { name: spec.csr, before: hart.csr(spec.csr) } } : {};
      if (why !== undefined) this.#notice({ breakpoint, hart, pc: hart.pc, why, ...csr });
    }
  }

  /** The machine returns after the present instruction. */
  #notice(noticed: Noticed): void {
    const machine = this.#machine;
    const isKnown = this.#noticed.some(({ breakpoint }) => breakpoint === noticed.breakpoint);
    if (isKnown || machine === undefined) return;
    this.#noticed.push(noticed);
    machine.halt.set(machine.clock.now);
  }

  #hit({ breakpoint, hart, pc, data, why, csr }: Noticed): BreakpointHit {
    const symbols = this.#machine?.symbols;
    const base = { breakpoint, hart: hart.id, pc };
    const by = `hart ${hart.id} at ${symbols?.nameOf(pc) ?? `0x${pc.toString(16)}`}`;
    if (csr !== undefined) {
      const [before, after] = [csr.before, hart.csr(csr.name)].map((value) => `0x${value.toString(16)}`);
      return { ...base, text: `${by} wrote ${csr.name}: ${before} → ${after}` };
    }
    if (data === undefined) return { ...base, text: `${by}: ${why ?? breakpoint.text}` };
    const after = this.#valueAt(data.paddr, data.length);
    const touched = { ...data, after };
    return { ...base, data: touched, text: `${by} ${dataWords(touched)}` };
  }

  #valueAt(paddr: bigint, length: number): bigint | undefined {
    const ram = this.#machine?.ram;
    const offset = Number(paddr) - (ram?.base ?? 0);
    if (ram === undefined || length > MAX_VALUE_BYTES || offset < 0 || offset + length > ram.sizeBytes)
      return undefined;
    let value = 0n;
    for (let index = length - 1; index >= 0; index--)
      value = (value << 8n) | ram.load(offset + index, 1 satisfies Width);
    return value;
  }
}

const isData = (spec: BreakpointSpec): spec is DataSpec & { readonly hart?: number } =>
  spec.kind === "read" || spec.kind === "write" || spec.kind === "access";

const isPhysicalWrite = (spec: BreakpointSpec): spec is DataSpec & { readonly hart?: number } =>
  isData(spec) && spec.kind !== "read" && spec.space === "physical";

const isFor = (spec: BreakpointSpec, hart: Hart): boolean => spec.hart === undefined || spec.hart === hart.id;

const overlaps = ({ address, length = 1 }: DataSpec, at: bigint, bytes: number): boolean =>
  at < address + BigInt(length) && address < at + BigInt(bytes);

/** Whether accesses of this kind to this page must be seen one by one. */
function coversPage(spec: BreakpointSpec, kind: AccessKind, vaddr: bigint, paddr: bigint): boolean {
  if (!("address" in spec)) return false;
  if ((spec.kind === "execute") !== (kind === "fetch")) return false;
  if (spec.kind === "read" && kind === "store") return false;
  if (spec.kind === "write" && kind === "load") return false;
  const page = (spec.space === "physical" ? paddr : vaddr) & -BigInt(PAGE_BYTES);
  const length = isData(spec) ? (spec.length ?? 1) : 1;
  return page < spec.address + BigInt(length) && spec.address < page + BigInt(PAGE_BYTES);
}

/** Why an event is what a breakpoint waits for; undefined when it is not. */
function reasonIn(spec: BreakpointSpec, kind: EventKind, detail: number, word: bigint): string | undefined {
  const isTrap = kind === EventKind.EXCEPTION || kind === EventKind.INTERRUPT;
  if (spec.kind === "csr" && kind === EventKind.CSR_WRITE) {
    const name = csrAt(Number(word));
    const isGuest = isVirtual((detail & 7) as ModeNumber);
    const isSame = name !== undefined && visibleCsr(name, isGuest) === spec.csr;
    return isSame ? `${spec.csr} was written` : undefined;
  }
  if (spec.kind === "mode" && (isTrap || kind === EventKind.TRAP_RETURN)) {
    const [from, to] = [modeName((detail >>> 4) & 7), modeName(detail & 7)];
    const isIt = from !== to && (spec.from ?? from) === from && (spec.to ?? to) === to;
    return isIt ? `the mode changed from ${from} to ${to}` : undefined;
  }
  if (spec.kind !== "trap" || !isTrap) return undefined;
  const isInterrupt = kind === EventKind.INTERRUPT;
  const wanted = spec.interrupt ?? (spec.causes === undefined ? isInterrupt : false);
  const isIt = wanted === isInterrupt && (spec.causes?.includes(Number(word)) ?? true);
  return isIt ? `${causeWords({ isInterrupt, cause: Number(word) })} was taken` : undefined;
}

function dataWords({ kind, vaddr, paddr, length, before, after }: TouchedData): string {
  const at = vaddr === undefined ? `physical 0x${paddr.toString(16)}` : `0x${vaddr.toString(16)}`;
  const shown = (value: bigint | undefined): string =>
    value === undefined ? "?" : `0x${value.toString(16)}`;
  if (kind === "read") return `read ${length} bytes at ${at}: ${shown(before)}`;
  return `wrote ${length} bytes at ${at}: ${shown(before)} → ${shown(after)}`;
}
