/** The events that the fast path reported and nobody has heard of yet. */
import { type BatchSink, batchSink, type EventSink } from "../../../bus/event-sink.ts";
import type { Hart } from "../../../hart/hart.ts";
import { isStandardIsa } from "../../../isa/variant.ts";
import { EVENT_BYTES, EVENT_RING, WORD } from "../layout.ts";

/**
 * The ring of one machine. Harts take turns, and it is empty between two turns; the count of what waits is in the words of the
 * hart that runs.
 */
export class EventRing {
  readonly #batch: BatchSink | undefined;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;

  /**
   * @param buffer  The machine's memory.
   * @param sink    Where the engine's other events go: the board's, so that order is kept.
   */
  constructor(buffer: ArrayBuffer, sink: EventSink) {
    this.#batch = batchSink(sink);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer, 0, EVENT_RING / 4);
  }

  /**
   * Whether nobody wants to hear of traps and CSR writes when they happen, and the machine is the manual's: what the word
   * `fastPrivileged` says. A variant's privileged instructions all take the slow path.
   */
  isWelcome(hart: Hart): boolean {
    return isStandardIsa(hart.isa) && !hart.hasTrapObservers && (this.#batch?.takesBatches ?? false);
  }

  /**
   * Reports what waits. Must come before anything else reports: before each step of the slow path, before the engine calls
   * anybody who may look at the trace, and at the end of each run.
   *
   * @param h  Address of the state block of the hart that runs.
   */
  drain(h: number): void {
    const at = (h + WORD.waitingEvents) >>> 2;
    const count = this.#words[at] ?? 0;
    if (count === 0) return;
    this.#words[at] = 0;
    this.#batch?.recordAll(this.#bytes.subarray(EVENT_RING, EVENT_RING + count * EVENT_BYTES));
  }
}
