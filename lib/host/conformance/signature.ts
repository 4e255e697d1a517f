/** The signature of a riscv-arch-test program: bytes in memory against a text file of hexadecimal lines. */
import type { Board } from "../../board/board.ts";

/**
 * Bytes of a signature file: each line is one number in hexadecimal, the first line at the lowest address, each number
 * little-endian. Suites differ in how many bytes stand in a line. Undefined for a file that is not like that.
 */
export function signatureBytes(text: string): Uint8Array | undefined {
  const lines = text.split(/\s+/).filter((line) => line !== "");
  if (!lines.every((line) => /^(?:[0-9a-f]{2}){1,32}$/i.test(line))) return undefined;
  const bytes = lines.flatMap((line) => [...Buffer.from(line, "hex")].reverse());
  return Uint8Array.from(bytes);
}

/** What is in memory, as such a file writes it with four bytes a line. */
export function signatureText(bytes: Uint8Array): string {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const lines = Array.from({ length: bytes.length >> 2 }, (_, at) => words.getUint32(4 * at, true));
  return lines.map((word) => `${word.toString(16).padStart(8, "0")}\n`).join("");
}

/** The signature that the program left, or why there is none. */
export function signatureOf(board: Board): Uint8Array | string {
  const [begin, end] = [board.symbols.addressOf("begin_signature"), board.symbols.addressOf("end_signature")];
  if (begin === undefined || end === undefined) return "the program has no begin_signature or end_signature";
  const ram = board.bus.ram;
  const ramEnd = BigInt(ram.base + ram.sizeBytes);
  if (begin > end || begin < BigInt(ram.base) || end > ramEnd) return "its signature is not in RAM";
  const bytes = board.memory.bytes(begin, Number(end - begin));
  return bytes instanceof Uint8Array ? bytes : "its signature is not in RAM";
}

/** How the signature that the program left differs from the expected one; undefined when it does not. One line. */
export function signatureDifference(board: Board, expectedText: string): string | undefined {
  const expected = signatureBytes(expectedText);
  if (expected === undefined) return "the signature file is not lines of hexadecimal digits";
  const actual = signatureOf(board);
  if (typeof actual === "string") return actual;
  if (actual.length !== expected.length)
    return `signature has ${actual.length} bytes instead of ${expected.length}`;
  const at = actual.findIndex((byte, index) => byte !== expected[index]);
  if (at < 0) return undefined;
  const word = at & ~3;
  const hex = (bytes: Uint8Array): string =>
    Buffer.from(bytes.slice(word, word + 4))
      .reverse()
      .toString("hex");
  return `signature differs at byte ${word}: ${hex(actual)} instead of ${hex(expected)}`;
}
