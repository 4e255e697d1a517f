/** The words of a hart that only its privileged instructions need, and who keeps them true. */
import type { Clock } from "../../../bus/clock.ts";
import type { Hart } from "../../../hart/hart.ts";
import { WORD } from "../layout.ts";

/** Places in a hart's spare words, in bytes from its state block. */
export const PRIVILEGED_WORD = {
  /** i32. `mhartid`, for events. */
  hartId: WORD.spare,
  /** i32. 1: translations never outlive the entries that they were read from, so a fence has nothing to do. */
  fencesAreIdle: WORD.spare + 4,
  /** f64. Instruction times that the machine has slept. */
  sleptInsns: WORD.spare + 8,
  /** i64. What guests added to `mtime` by writing it, in ticks. */
  tickOffset: WORD.spare + 16,
} as const;

/** Writes a hart's words. One for each hart. */
export class PrivilegedWords {
  readonly #clock: Clock;
  readonly #f64: Float64Array;
  readonly #i64: BigInt64Array;
  /** Indices of words. */
  readonly #retiredAtTrap: number;
  readonly #sleptInsns: number;
  readonly #tickOffset: number;
  /** The bigint of which the word has the low bits. */
  #writtenOffset: bigint | undefined;

  /** @param h  Address of the hart's state block in `buffer`. */
  constructor(buffer: ArrayBuffer, h: number, hart: Hart) {
    this.#clock = hart.clock;
    this.#f64 = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    this.#i64 = new BigInt64Array(buffer, 0, this.#f64.length);
    this.#retiredAtTrap = (h + WORD.retiredAtTrap) / 8;
    this.#sleptInsns = (h + PRIVILEGED_WORD.sleptInsns) / 8;
    this.#tickOffset = (h + PRIVILEGED_WORD.tickOffset) / 8;
    const i32 = new Int32Array(buffer);
    i32[(h + PRIVILEGED_WORD.hartId) / 4] = hart.id;
    i32[(h + PRIVILEGED_WORD.fencesAreIdle) / 4] = hart.remembered === undefined ? 1 : 0;
  }

  /**
   * Must come before generated code runs: at the beginning of each run and after each slow step. (That the last trap was now is
   * careful and enough: the fast path takes a trap only if an instruction has retired since; so a loop of traps is counted by
   * the slow path, trap by trap, as it always was.)
   */
  refresh(): void {
    const { retired, sleptInsns, tickOffset } = this.#clock;
    this.#f64[this.#retiredAtTrap] = retired;
    this.#f64[this.#sleptInsns] = sleptInsns;
    if (tickOffset === this.#writtenOffset) return;
    this.#writtenOffset = tickOffset;
    this.#i64[this.#tickOffset] = tickOffset;
  }
}
