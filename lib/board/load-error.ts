/** What is wrong with an image that somebody wants to run: a value, because images come from people. */

/** The ways in which an image can be wrong. */
export type LoadErrorReason =
  | "not-elf"
  | "truncated"
  | "wrong-class"
  | "wrong-byte-order"
  | "wrong-machine"
  | "wrong-type"
  | "malformed"
  | "not-assembled"
  | "nothing-to-load"
  | "outside-ram"
  | "larger-than-ram"
  | "overlap"
  | "bad-entry"
  | "not-linux"
  | "unsupported"
  | "bad-device-tree"
  | "bad-overlay"
  | "no-room";

/** Why an image was not loaded. Nothing in RAM has changed. */
export interface LoadError {
  readonly kind: "load-error";
  readonly reason: LoadErrorReason;
  /** One line: what is wrong, then what to do about it. */
  readonly message: string;
}

/** Makes a {@link LoadError}. */
export function loadError(reason: LoadErrorReason, message: string): LoadError {
  return { kind: "load-error", reason, message };
}
