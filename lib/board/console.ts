/** The terminal at the other end of the serial line: what the guest printed, and who wants to hear of it. */

/** Bytes that are kept. A guest that prints without end must not fill the host's memory. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
const FIRST_BYTES = 256;
/** A UTF-8 character has at most this many bytes after its first. */
const MAX_CONTINUATION_BYTES = 3;

/** Text that came out of the serial port since power-on. */
export class Console {
  readonly #listeners: ((text: string) => void)[] = [];
  /** The first `#kept` of these bytes were printed. */
  #bytes = new Uint8Array(FIRST_BYTES);
  #kept = 0;
  #length = 0;
  /** Listeners have heard so many bytes: what a machine prints again while it repeats its past is not told twice. */
  #told = 0;
  #decoder = new TextDecoder();
  /** `text` as of `#kept` bytes; undefined when more was printed since. */
  #text: string | undefined = "";

  /** Everything printed so far, up to the first 8 MiB. Bytes are UTF-8; broken ones read as U+FFFD. */
  get text(): string {
    this.#text ??= new TextDecoder().decode(this.#bytes.subarray(0, this.#kept), { stream: true });
    return this.#text;
  }

  /** The bytes themselves, up to the first 8 MiB. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#kept);
  }

  /** Number of bytes printed so far, kept or not. */
  get length(): number {
    return this.#length;
  }

  /** Tells `listener` of text as it comes, all of it. Returns how to stop. */
  onText(listener: (text: string) => void): () => void {
    this.#listeners.push(listener);
    return () => {
      const index = this.#listeners.indexOf(listener);
      if (index >= 0) this.#listeners.splice(index, 1);
    };
  }

  /** A byte arrives from the serial port. */
  print(byte: number): void {
    this.#length++;
    this.#keep(byte);
    const text = this.#decoder.decode(Uint8Array.of(byte), { stream: true });
    if (this.#length <= this.#told) return;
    this.#told = this.#length;
    if (text !== "") for (const listener of [...this.#listeners]) listener(text);
  }

  /** Forgets everything after the first `length` bytes: the machine went back to when it had printed no more. */
  truncate(length: number): void {
    this.rewind(length);
    this.settle();
  }

  /** From now on, listeners hear of everything again: what comes may differ from what came before. */
  settle(): void {
    this.#told = this.#length;
  }

  /** As `truncate`, but the machine will print the same again, and listeners hear only of what goes beyond. */
  rewind(length: number): void {
    if (length === this.#length) return;
    this.#length = length;
    this.#kept = Math.min(this.#kept, length);
    this.#text = undefined;
    this.#decoder = new TextDecoder();
    this.#decoder.decode(this.#unfinishedCharacter(), { stream: true });
  }

  /** Replaces everything that was printed: the first bytes of `length`, at most 8 MiB of them. Listeners are not told. */
  refill(bytes: Uint8Array, length: number): void {
    this.#bytes = bytes.slice(0, MAX_KEPT_BYTES);
    this.#kept = this.#bytes.length;
    if (this.#kept === 0) this.#bytes = new Uint8Array(FIRST_BYTES);
    this.#length = Number.POSITIVE_INFINITY;
    this.truncate(Math.max(length, this.#kept));
  }

  #keep(byte: number): void {
    if (this.#kept === MAX_KEPT_BYTES) return;
    if (this.#kept === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#kept++] = byte;
    this.#text = undefined;
  }

  /** The last bytes, if they begin a character and do not end it. */
  #unfinishedCharacter(): Uint8Array {
    const isContinuation = (at: number): boolean => ((this.#bytes[at] ?? 0) & 0xc0) === 0x80;
    let start = this.#kept - 1;
    while (start > 0 && this.#kept - start <= MAX_CONTINUATION_BYTES && isContinuation(start)) start--;
    const isFirstOfMany = ((this.#bytes[start] ?? 0) & 0xc0) === 0xc0;
    return this.#bytes.slice(this.#kept > 0 && isFirstOfMany ? start : this.#kept, this.#kept);
  }
}
