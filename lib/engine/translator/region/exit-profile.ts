/**
 * Counts why regions are left, in code that is made for a profile: each way out of a region tells its number first. That is
 * slower; runs are otherwise the same.
 */

/** Why generated code may leave a region. Returns to a caller are not counted, nor are calls. */
export const EXIT_REASONS = {
  budget: "no budget for the next piece: somebody else's turn, an alarm, or the end of a run",
  instruction: "an instruction gave up",
  context: "not valid in this address space or with these floats",
  outside: "goes on in other code",
  register: "jumps through a register to other code",
  privileged: "a privileged instruction went on elsewhere",
  call: "a call came back elsewhere, or the region had ended",
} as const;
/** One of them. */
export type ExitReason = keyof typeof EXIT_REASONS;

/** A place at which regions are left. */
export interface ExitPlace {
  /** Address of the region's first instruction. */
  readonly region: bigint;
  readonly reason: ExitReason;
  /** Address of the instruction at which the region is left. */
  readonly pc: bigint;
  /** Of the instruction that gave up; empty for other reasons. */
  readonly mnemonic: string;
}

/** A place and how often regions were left there. A region that was made again goes on counting. */
export interface ExitCount extends ExitPlace {
  count: number;
}

/** What generated code has counted. */
export class ExitProfile {
  readonly #counts: ExitCount[] = [];
  readonly #numbers = new Map<string, number>();

  /** All places, in the order of their numbers. */
  get counts(): readonly Readonly<ExitCount>[] {
    return this.#counts;
  }

  /** The number by which code tells that it leaves there. */
  numberOf(place: ExitPlace): number {
    const key = `${place.region} ${place.reason} ${place.pc}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#counts.length;
    this.#counts.push({ ...place, count: 0 });
    this.#numbers.set(key, number);
    return number;
  }

  /** What code calls. */
  readonly left = (number: number): void => {
    const place = this.#counts[number];
    if (place !== undefined) place.count += 1;
  };
}
