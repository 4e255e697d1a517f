/** How bytes too many for an event enter the trace. */
import { sha256 } from "@noble/hashes/sha2.js";

/** Computes the SHA-256 of bytes: 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Host configuration, not machine state: all of them give the same. */
let chosen: Sha256 = sha256;

/** From now on, digests are computed by this function, where the host has a faster one than ours. */
export function digestBy(faster: Sha256): void {
  chosen = faster;
}

/** The first eight bytes of a SHA-256 as a word for an event. */
export function digestWord(bytes: Uint8Array): bigint {
  const digest = chosen(bytes);
  return new DataView(digest.buffer, digest.byteOffset).getBigUint64(0);
}
