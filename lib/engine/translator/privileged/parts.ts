/** The functions that the fast path consists of, by number in the module. */

/** What bodies call. */
export interface Parts {
  /** `(h, budget) → budget`: one step of the slow path. */
  readonly slow: number;
  /** See `context-code.ts`. */
  readonly selectContext: number;
  /** See `space-code.ts`. */
  readonly switchSpace: number;
  /** See `event-code.ts`. */
  readonly recordEvent: number;
}
