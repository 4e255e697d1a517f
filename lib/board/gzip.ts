/** Unpacks gzip with a limit, and checks what came out: a damaged or hostile file is a value. */
import { Gunzip } from "fflate";
import { crc32 } from "../bits/crc32.ts";
import { type LoadError, loadError } from "./load-error.ts";

const FIRST_BYTES = [0x1f, 0x8b];
/** The last eight bytes: CRC-32 and length modulo 2³². @spec RFC 1952 §2.3.1 */
const TRAILER_BYTES = 8;
/** So much is fed at a time, so that a small file that grows without end is stopped early. */
const PIECE_BYTES = 1 << 16;

/** Whether a file says that it is gzip. */
export const isGzip = (file: Uint8Array): boolean => FIRST_BYTES.every((byte, index) => file[index] === byte);

/** Thrown and caught in this file: the stream has no other way to stop. */
class TooLarge extends Error {}

/**
 * What a gzip file holds: one member, as compilers and kernels make them.
 *
 * @param what   What the file is, for the message.
 * @param limit  Most bytes that it may have unpacked.
 */
export function gunzipped(file: Uint8Array, what: string, limit: number): Uint8Array | LoadError {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const stream = new Gunzip((piece) => {
    length += piece.length;
    if (length > limit) throw new TooLarge();
    pieces.push(piece);
  });
  try {
    for (let at = 0; at < file.length; at += PIECE_BYTES) {
      stream.push(file.subarray(at, at + PIECE_BYTES), at + PIECE_BYTES >= file.length);
    }
  } catch (error) {
    return error instanceof TooLarge
      ? loadError("larger-than-ram", `The ${what} unpacks to more than ${limit} bytes, which no board holds.`)
      : damaged(what);
  }
  const bytes = joined(pieces, length);
  if (file.length < TRAILER_BYTES) return damaged(what);
  const trailer = new DataView(file.buffer, file.byteOffset + file.length - TRAILER_BYTES, TRAILER_BYTES);
  const isWhole = trailer.getUint32(4, true) === length && trailer.getUint32(0, true) === crc32(bytes);
  return isWhole ? bytes : damaged(what);
}

const damaged = (what: string): LoadError =>
  loadError("malformed", `The compressed ${what} is damaged or cut off. Fetch or build it again.`);

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
