/**
 * Notices a hart whose trap handler itself traps: trap after trap, and no instruction retired between them. Real hardware
 * would spin; time here is retired instructions, so it would stand still, and a run would never end. Of a guest in a virtual machine the
 * run loop lets time pass instead, as it does in WFI: its hypervisor's timer takes the hart away from it.
 */
import { RECORD, RECORD_BYTES, recordEach, retiredIn } from "../bus/event-record.ts";
import { type BatchSink, batchSink, EventKind, type EventSink } from "../bus/event-sink.ts";

/** So many traps with no instruction between them are a loop. */
const LIMIT = 1000;

const isTrap = (kind: number | undefined): boolean =>
  kind === EventKind.EXCEPTION || kind === EventKind.INTERRUPT;

/** Traps that were taken since the last instruction retired. */
export interface TrapLoopState {
  readonly retired: number;
  readonly traps: number;
}

/** Counts traps on their way to the trace. Where a run is cut makes no difference to it. */
export class TrapLoop implements BatchSink {
  readonly #next: EventSink;
  readonly #nextBatch: BatchSink | undefined;
  readonly #onLoop: () => void;
  #retired = 0;
  #traps = 0;

  /** @param onLoop  Called at the trap that makes it a loop, and again after as many. */
  constructor(next: EventSink, onLoop: () => void) {
    this.#next = next;
    this.#nextBatch = batchSink(next);
    this.#onLoop = onLoop;
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
    this.#count(kind, retired);
  }

  get takesBatches(): boolean {
    return this.#nextBatch?.takesBatches ?? false;
  }

  /**
   * Whoever reports late must not have run beyond the trap that makes it a loop: so a trap comes in a batch only if an
   * instruction retired between it and the trap before, and the last one is the first since.
   */
  recordAll(records: Uint8Array): void {
    if (this.#nextBatch === undefined) recordEach(this.#next, records);
    else this.#nextBatch.recordAll(records);
    let at = records.length - RECORD_BYTES;
    while (at >= 0 && !isTrap(records[at + RECORD.kind])) at -= RECORD_BYTES;
    if (at < 0) return;
    this.#retired = retiredIn(new DataView(records.buffer, records.byteOffset, records.length), at);
    this.#traps = 1;
  }

  #count(kind: EventKind, retired: number): void {
    if (!isTrap(kind)) return;
    this.#traps = retired === this.#retired ? this.#traps + 1 : 1;
    this.#retired = retired;
    if (this.#traps % LIMIT === 0) this.#onLoop();
  }

  /** Whether so many traps have come again without an instruction, given how many instructions have retired by now. */
  isLooping(retired: number): boolean {
    return this.#traps > 0 && this.#traps % LIMIT === 0 && retired === this.#retired;
  }

  /** Traps taken since the last instruction, given how many instructions have retired by now. */
  trapsAt(retired: number): number {
    return retired === this.#retired ? this.#traps : 0;
  }

  save(): TrapLoopState {
    return { retired: this.#retired, traps: this.#traps };
  }

  restore(state: TrapLoopState): void {
    this.#retired = state.retired;
    this.#traps = state.traps;
  }
}

/** No trap was taken yet. */
export const NO_TRAPS: TrapLoopState = { retired: 0, traps: 0 };
