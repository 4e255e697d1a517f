/** The terminal at the other end of the serial line: what the guest printed, and who wants to hear of it. */

/** Bytes that are kept. A guest that prints without end must not fill the host's memory. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;
const FIRST_BYTES = 256;
/** A UTF-8 character has at most this many bytes after its first. */
const MAX_CONTINUATION_BYTES = 3;

/** What was printed on: several pasts of one machine may share their first bytes. */
interface Paper {
  readonly bytes: Uint8Array;
  /** So many of the bytes were printed by one past or another, and stay as they are. */
  used: number;
}

const newPaper = (): Paper => ({ bytes: new Uint8Array(FIRST_BYTES), used: 0 });

/** What had been printed at one moment: where a console may go back to, and forward again. */
export interface ConsoleMark {
  readonly paper: Paper;
  readonly kept: number;
  readonly length: number;
}

/** Text that came out of the serial port since power-on. */
export class Console {
  readonly #listeners: ((text: string) => void)[] = [];
  /** The first `#kept` bytes on it were printed. */
  #paper = newPaper();
  #kept = 0;
  #length = 0;
  /** Listeners have heard so many bytes: what a machine prints again while it repeats its past is not told twice. */
  #told = 0;
  #decoder = new TextDecoder();
  /** `text` as of `#kept` bytes; undefined when more was printed since. */
  #text: string | undefined = "";

  /** Everything printed so far, up to the first 8 MiB. Bytes are UTF-8; broken ones read as U+FFFD. */
  get text(): string {
    this.#text ??= new TextDecoder().decode(this.#paper.bytes.subarray(0, this.#kept), { stream: true });
    return this.#text;
  }

  /** The bytes themselves, up to the first 8 MiB. */
  get bytes(): Uint8Array {
    return this.#paper.bytes.slice(0, this.#kept);
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
    this.goTo({ paper: this.#paper, kept: Math.min(this.#kept, length), length });
  }

  /** Where the console stands now. Costs nothing: bytes are copied only when another past prints others in their place. */
  mark(): ConsoleMark {
    return { paper: this.#paper, kept: this.#kept, length: this.#length };
  }

  /** As `rewind`, to a mark of this console, whatever was printed since, and whether the mark lies before or behind. */
  goTo({ paper, kept, length }: ConsoleMark): void {
    if (paper === this.#paper && kept === this.#kept && length === this.#length) return;
    this.#paper = paper;
    this.#kept = kept;
    this.#length = length;
    this.#text = undefined;
    this.#decoder = new TextDecoder();
    this.#decoder.decode(this.#unfinishedCharacter(), { stream: true });
  }

  /** Replaces everything that was printed: the first bytes of `length`, at most 8 MiB of them. Listeners are not told. */
  refill(bytes: Uint8Array, length: number): void {
    const kept = Math.min(bytes.length, MAX_KEPT_BYTES);
    const paper = kept === 0 ? newPaper() : { bytes: bytes.slice(0, kept), used: kept };
    this.goTo({ paper, kept, length: Math.max(length, kept) });
    this.settle();
  }

  #keep(byte: number): void {
    if (this.#kept === MAX_KEPT_BYTES) return;
    this.#text = undefined;
    const { bytes, used } = this.#paper;
    const isPrintedAgain = this.#kept < used && bytes[this.#kept] === byte;
    if (!isPrintedAgain) {
      if (this.#kept < used || used === bytes.length) this.#takeNewPaper();
      this.#paper.bytes[this.#kept] = byte;
      this.#paper.used = this.#kept + 1;
    }
    this.#kept++;
  }

  /** The paper is full, or another past has printed something else here. */
  #takeNewPaper(): void {
    const { bytes } = this.#paper;
    const larger = new Uint8Array(this.#kept === bytes.length ? bytes.length * 2 : bytes.length);
    larger.set(bytes.subarray(0, this.#kept));
    this.#paper = { bytes: larger, used: this.#kept };
  }

  /** The last bytes, if they begin a character and do not end it. */
  #unfinishedCharacter(): Uint8Array {
    const { bytes } = this.#paper;
    const isContinuation = (at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;
    let start = this.#kept - 1;
    while (start > 0 && this.#kept - start <= MAX_CONTINUATION_BYTES && isContinuation(start)) start--;
    const isFirstOfMany = ((bytes[start] ?? 0) & 0xc0) === 0xc0;
    return bytes.slice(this.#kept > 0 && isFirstOfMany ? start : this.#kept, this.#kept);
  }
}
