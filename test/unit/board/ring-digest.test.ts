import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../lib/bits/seeded-numbers.ts";
import { ringDigest } from "../../../lib/board/ring-digest.ts";
import { murmur3 } from "../../support/murmur3.ts";

/** SMHasher's verification value: hashes of the keys {}, {0}, {0, 1}, … with seeds 256, 255, …; and the hash of those. */
function verificationValue(): number {
  const hashes = Array.from({ length: 256 }, (_, length) =>
    murmur3(
      Uint8Array.from({ length }, (_, index) => index),
      BigInt(256 - length),
    ),
  );
  return new DataView(murmur3(Buffer.concat(hashes), 0n).buffer).getUint32(0, true);
}

describe("the digest of a ring", () => {
  it("has an oracle with the verification value that SMHasher publishes for MurmurHash3_x64_128", () => {
    expect(verificationValue()).toBe(0x6384ba69);
  });

  it("is MurmurHash3_x64_128 with seed 0", () => {
    const numbers = new SeededNumbers(5);
    for (const blocks of [0, 1, 2, 3, 100, 2560]) {
      const input = Uint8Array.from({ length: 16 * blocks }, () => numbers.between(0, 255));
      expect(ringDigest(input), `${blocks} blocks`).toEqual(murmur3(input, 0n));
    }
  });

  it("refuses what it was not made for", () => {
    expect(() => ringDigest(new Uint8Array(15))).toThrow(RangeError);
    expect(() => ringDigest(new Uint8Array(65_536))).toThrow(RangeError);
  });
});
