/** How bytes too many for an event enter the trace. */
import { sha256 } from "@noble/hashes/sha2.js";

/** The first eight bytes of a SHA-256 as a word for an event. */
export function digestWord(bytes: Uint8Array): bigint {
  const digest = sha256(bytes);
  return new DataView(digest.buffer, digest.byteOffset).getBigUint64(0);
}
