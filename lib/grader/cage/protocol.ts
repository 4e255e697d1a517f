/** Requests to a cage and the shape of its replies. Both are values of the codec; a reply is never trusted. */

/** First element of a request. */
export const REQUEST = {
  /** `["cell", EmittedCell as JSON]` → `{ status, category, message, output, survivors }` */
  cell: "cell",
  /** `["values", [[cell, name], …]]` → one value each */
  values: "values",
  /** `["call", handle, [arguments, …]]` → one `{ ok, value }` or `{ ok, category, message }` each */
  call: "call",
} as const;

/** Milliseconds that a promise of the student's may take to settle. */
export const SETTLE_MS = 4_000;

/** UTF-16 units of printed text kept per cell. */
export const OUTPUT_KEPT = 16_384;
