/** The words of a hart that only its privileged instructions need, and who keeps them true. */
import { type Clock, INSNS_PER_TICK } from "../../../bus/clock.ts";
import type { Hart } from "../../../hart/hart.ts";
import { WORD } from "../layout.ts";
import type { EventRing } from "./event-ring.ts";

/** Places in a hart's spare words, in bytes from its state block. */
export const PRIVILEGED_WORD = {
  /** i32. `mhartid`, for events. */
  hartId: WORD.spare,
  /** i32. 1: translations never outlive the entries that they were read from, so a fence has nothing to do. */
  fencesAreIdle: WORD.spare + 4,
  /** i32. Set by the fast path when mode or rights have changed: the slow path must select its context anew, then clear it. */
  contextChanged: WORD.spare + 8,
  /** i64. Instruction times that the machine has slept. */
  sleptInsns: WORD.spare + 16,
  /** i64. What guests added to `mtime` by writing it, in ticks. */
  tickOffset: WORD.spare + 24,
} as const;

/** Writes a hart's words. One for each hart. */
export class PrivilegedWords {
  readonly #hart: Hart;
  readonly #ring: EventRing;
  readonly #view: DataView;
  readonly #h: number;

  /** @param h  Address of the hart's state block in `buffer`. */
  constructor(buffer: ArrayBuffer, h: number, hart: Hart, ring: EventRing) {
    this.#hart = hart;
    this.#ring = ring;
    this.#view = new DataView(buffer);
    this.#h = h;
    this.#set("hartId", hart.id);
    this.#set("fencesAreIdle", hart.remembered === undefined ? 1 : 0);
  }

  /**
   * Must come before generated code runs: at the beginning of each run and after each slow step. (That the last trap was now is
   * careful and enough: the fast path takes a trap only if an instruction has retired since; so a loop of traps is counted by
   * the slow path, trap by trap, as it always was.)
   */
  refresh(): void {
    const { clock } = this.#hart;
    const view = this.#view;
    view.setInt32(this.#h + WORD.fastPrivileged, this.#ring.isWelcome(this.#hart) ? 1 : 0, true);
    view.setFloat64(this.#h + WORD.retiredAtTrap, clock.retired, true);
    view.setBigInt64(this.#h + PRIVILEGED_WORD.sleptInsns, BigInt(clock.sleptInsns), true);
    view.setBigInt64(this.#h + PRIVILEGED_WORD.tickOffset, tickOffset(clock), true);
  }

  /** Whether the fast path has changed mode or rights since this was asked last. */
  takeContextChange(): boolean {
    const at = this.#h + PRIVILEGED_WORD.contextChanged;
    const hasChanged = this.#view.getInt32(at, true) !== 0;
    if (hasChanged) this.#view.setInt32(at, 0, true);
    return hasChanged;
  }

  #set(name: keyof typeof PRIVILEGED_WORD, value: number): void {
    this.#view.setInt32(this.#h + PRIVILEGED_WORD[name], value, true);
  }
}

const tickOffset = (clock: Clock): bigint =>
  BigInt.asIntN(64, clock.mtime - BigInt(Math.floor(clock.now / INSNS_PER_TICK)));
