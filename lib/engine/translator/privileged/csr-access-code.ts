/** What the pieces of a CSR access in code share. */
import type { Label, Local } from "../wasm/code.ts";
import type { Parts } from "./parts.ts";
import type { StateCode } from "./state-code.ts";

/** One access, in the middle of its function. */
export interface Access {
  readonly parts: Parts;
  readonly state: StateCode;
  /** Branched to, before the first effect, by whoever is not sure. */
  readonly slow: Label;
  /** i32: privilege mode. */
  readonly mode: Local;
  /** i32: address of the CSR as the instruction names it. */
  readonly csr: Local;
  /** i32: address in memory of the word that is read, and written. */
  readonly at: Local;
  /** i64: what the instruction reads, or writes. */
  readonly old: Local;
  readonly value: Local;
  /** i64: what the word becomes. */
  readonly next: Local;
}

/** Pushes the word, i64. */
export function pushWord({ state: { code }, at }: Access): void {
  code.get(at);
  code.load("i64.load", 0);
}
