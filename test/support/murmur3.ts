/**
 * MurmurHash3_x64_128 as its author wrote it, in slow and plain integers. The test beside it compares it with the value that he
 * published for it.
 * @spec https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp
 */

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotl64 = (value: bigint, by: bigint): bigint => u64((value << by) | (value >> (64n - by)));

const c1 = 0x87c37b91114253d5n;
const c2 = 0x4cf5ad432745937fn;

function fmix64(value: bigint): bigint {
  let k = value;
  k ^= k >> 33n;
  k = u64(k * 0xff51afd7ed558ccdn);
  k ^= k >> 33n;
  k = u64(k * 0xc4ceb9fe1a85ec53n);
  return k ^ (k >> 33n);
}

/** Little-endian, as many bytes as there are. */
const word = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** 16 bytes about any number of bytes. */
export function murmur3(key: Uint8Array, seed: bigint): Uint8Array {
  const blocks = Math.floor(key.length / 16);
  let [h1, h2] = [seed, seed];
  for (let at = 0; at < blocks * 16; at += 16) {
    const k1 = u64(word(key.subarray(at, at + 8)) * c1);
    const k2 = u64(word(key.subarray(at + 8, at + 16)) * c2);
    h1 ^= u64(rotl64(k1, 31n) * c2);
    h1 = u64(u64(rotl64(h1, 27n) + h2) * 5n + 0x52dce729n);
    h2 ^= u64(rotl64(k2, 33n) * c1);
    h2 = u64(u64(rotl64(h2, 31n) + h1) * 5n + 0x38495ab5n);
  }
  const tail = key.subarray(blocks * 16);
  h2 ^= u64(rotl64(u64(word(tail.subarray(8)) * c2), 33n) * c1);
  h1 ^= u64(rotl64(u64(word(tail.subarray(0, 8)) * c1), 31n) * c2);
  h1 ^= BigInt(key.length);
  h2 ^= BigInt(key.length);
  h1 = u64(h1 + h2);
  h2 = u64(h2 + h1);
  h1 = fmix64(h1);
  h2 = fmix64(h2);
  h1 = u64(h1 + h2);
  h2 = u64(h2 + h1);
  const digest = new Uint8Array(16);
  const view = new DataView(digest.buffer);
  view.setBigUint64(0, h1, true);
  view.setBigUint64(8, h2, true);
  return digest;
}
