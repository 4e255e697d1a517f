/**
 * Packets of the GDB remote protocol: bytes in, packets out, and back. Nothing here knows what a packet means.
 *
 * @spec GDB "Remote Serial Protocol: Overview"
 */

/** Bytes of a packet that we take: announced to GDB as `PacketSize`. */
export const MAX_PACKET_BYTES = 16_384;

/** What came in. `interrupt` is Ctrl-C at the debugger; `damaged` is a packet with a wrong checksum or too long. */
export type Received =
  | { readonly kind: "packet"; readonly data: Uint8Array }
  | { readonly kind: "interrupt" | "damaged" | "resend" };

const [DOLLAR, HASH, ESCAPE, STAR, MINUS, CTRL_C] = [0x24, 0x23, 0x7d, 0x2a, 0x2d, 3];
const ESCAPE_BIT = 0x20;
const HEX_DIGITS = "0123456789abcdef";

const text = new TextEncoder();

/** Finds packets in what arrives, in pieces of any size. Keeps at most one packet's bytes. */
export class PacketReader {
  #state: "outside" | "data" | "first digit" | "second digit" = "outside";
  #data: number[] = [];
  #sum = 0;
  #digit = 0;
  #isTooLong = false;

  /** Packets and signals that these bytes complete. */
  read(bytes: Uint8Array): Received[] {
    const received: Received[] = [];
    for (const byte of bytes) {
      const one = this.#take(byte);
      if (one !== undefined) received.push(one);
    }
    return received;
  }

  #take(byte: number): Received | undefined {
    switch (this.#state) {
      case "outside":
        return this.#outside(byte);
      case "data":
        if (byte === DOLLAR) this.#begin();
        else if (byte === HASH) this.#state = "first digit";
        else this.#keep(byte);
        return undefined;
      case "first digit":
        this.#digit = digitOf(byte);
        this.#state = "second digit";
        return undefined;
      case "second digit":
        this.#state = "outside";
        return this.#end(digitOf(byte));
    }
  }

  #outside(byte: number): Received | undefined {
    if (byte === DOLLAR) this.#begin();
    if (byte === CTRL_C) return { kind: "interrupt" };
    return byte === MINUS ? { kind: "resend" } : undefined;
  }

  #begin(): void {
    this.#state = "data";
    this.#data = [];
    this.#sum = 0;
    this.#isTooLong = false;
  }

  #keep(byte: number): void {
    this.#sum = (this.#sum + byte) & 0xff;
    if (this.#data.length < MAX_PACKET_BYTES) this.#data.push(byte);
    else this.#isTooLong = true;
  }

  #end(digit: number): Received {
    const isRight = this.#digit * 16 + digit === this.#sum && !this.#isTooLong;
    return isRight ? { kind: "packet", data: unescaped(this.#data) } : { kind: "damaged" };
  }
}

function digitOf(byte: number): number {
  const digit = HEX_DIGITS.indexOf(String.fromCharCode(byte).toLowerCase());
  return digit < 0 ? Number.NaN : digit;
}

function unescaped(data: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < data.length; at++) {
    const byte = data[at] ?? 0;
    bytes.push(byte === ESCAPE ? (data[++at] ?? 0) ^ ESCAPE_BIT : byte);
  }
  return Uint8Array.from(bytes);
}

/** A packet around ASCII text, ready to send. */
export function packet(content: string): Uint8Array {
  const bytes: number[] = [];
  for (const byte of text.encode(content)) {
    if (byte === DOLLAR || byte === HASH || byte === ESCAPE || byte === STAR)
      bytes.push(ESCAPE, byte ^ ESCAPE_BIT);
    else bytes.push(byte);
  }
  const sum = bytes.reduce((total, byte) => (total + byte) & 0xff, 0);
  return Uint8Array.from([DOLLAR, ...bytes, HASH, ...text.encode(sum.toString(16).padStart(2, "0"))]);
}

/** Bytes as pairs of hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes from pairs of digits; undefined when it is something else. */
export function bytesOf(digits: string): Uint8Array | undefined {
  if (digits.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(digits)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}
