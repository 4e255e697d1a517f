/** A TypeScript handler that went wrong: the machine stops, as real firmware would after a panic, and says why. */

/** What ended the machine. It stays off until reset or revert. */
export interface HandlerFailure {
  readonly kind: "handler-error";
  /** Which handler failed, on which hart, and how: one sentence for the one who wrote it. */
  readonly message: string;
}
