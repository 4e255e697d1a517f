/** The terminal at the other end of the serial line: what the guest printed, and who wants to hear of it. */

/** Text that came out of the serial port since power-on. */
export class Console {
  readonly #bytes: number[] = [];
  readonly #listeners: ((text: string) => void)[] = [];
  #decoder = new TextDecoder();
  #text = "";

  /** Everything printed so far. Bytes are UTF-8; broken ones read as U+FFFD. */
  get text(): string {
    return this.#text;
  }

  /** Number of bytes printed so far. */
  get length(): number {
    return this.#bytes.length;
  }

  /** The bytes themselves. */
  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** Tells `listener` of text as it comes. Returns how to stop. */
  onText(listener: (text: string) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      const index = this.#listeners.indexOf(listener);
      if (index >= 0) this.#listeners.splice(index, 1);
    };
  }

  /** A byte arrives from the serial port. */
  print(byte: number): void {
    this.#bytes.push(byte);
    const text = this.#decoder.decode(Uint8Array.of(byte), { stream: true });
    this.#text += text;
    if (text !== "") for (const listener of [...this.#listeners]) listener(text);
  }

  /** Forgets everything after the first `length` bytes: the machine went back to when it had printed no more. */
  truncate(length: number): void {
    if (length === this.#bytes.length) return;
    this.#bytes.length = length;
    this.#decoder = new TextDecoder();
    this.#text = this.#decoder.decode(this.bytes, { stream: true });
  }
}
