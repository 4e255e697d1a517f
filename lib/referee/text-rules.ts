/** I4: code is what was loaded. */
import { hex } from "../bits/hex.ts";
import { sha256Hex } from "../board/trace.ts";
import type { Ram } from "../bus/ram.ts";
import type { Finding } from "./violation.ts";

/** A piece of memory that must never change. */
export interface Text {
  readonly name: string;
  readonly begin: bigint;
  readonly end: bigint;
}

/** A text as it was when the referee came. */
export class SealedText {
  readonly text: Text;
  readonly #sealed: Uint8Array;
  readonly #ram: Ram;

  constructor(ram: Ram, text: Text) {
    this.#ram = ram;
    this.text = text;
    this.#sealed = this.#now().slice();
  }

  /** What has changed, if anything has. */
  *changes(): Generator<Finding> {
    const now = this.#now();
    const at = now.findIndex((byte, index) => byte !== this.#sealed[index]);
    if (at < 0) return;
    const { name, begin } = this.text;
    const word = at & ~7;
    const [before, after] = [this.#sealed, now].map((bytes) =>
      [...bytes.subarray(word, word + 8)]
        .reverse()
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join(""),
    );
    yield {
      invariant: "I4",
      object: name,
      sentence: `The ${name} has changed: at ${hex(begin + BigInt(word))} was 0x${before}, now 0x${after}. SHA-256 was ${sha256Hex(this.#sealed)}, now ${sha256Hex(now.slice())}.`,
    };
  }

  #now(): Uint8Array {
    const { begin, end } = this.text;
    const offset = Number(begin) - this.#ram.base;
    return this.#ram.u8.subarray(offset, offset + Number(end - begin));
  }
}
