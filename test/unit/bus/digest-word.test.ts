/** Words for events from many bytes: the host's own SHA-256 gives what ours does. */
import { createHash } from "node:crypto";
import { sha256 } from "@noble/hashes/sha2.js";
import { afterEach, describe, expect, it } from "vitest";
import { digestBy, digestWord } from "../../../lib/bus/digest-word.ts";
import { useNativeDigests } from "../../../lib/host/native-digest.ts";

const PARTS = [0, 1, 55, 56, 64, 1000, 100_000].map((length) =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + length) & 0xff),
);
const expected = (bytes: Uint8Array): bigint =>
  BigInt(`0x${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`);

describe("the word of many bytes", () => {
  afterEach(() => digestBy(sha256));

  it("is the beginning of their SHA-256", () => {
    for (const bytes of PARTS) expect(digestWord(bytes)).toBe(expected(bytes));
  });

  it("is the same when the host computes it", () => {
    useNativeDigests();
    for (const bytes of PARTS) expect(digestWord(bytes)).toBe(expected(bytes));
  });

  it("is what the function chosen last says", () => {
    digestBy(() => new Uint8Array(32).fill(1));
    expect(digestWord(new Uint8Array(5))).toBe(0x0101_0101_0101_0101n);
  });
});
