/** What an instruction wanted: out of `htinst` and out of the instruction itself it is the same. The oracles are the assembler and the hart. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HsContext } from "../../../lib/hs/context.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { decodeOrIllegal } from "../../../lib/isa/decode.ts";
import { REGISTER_NAMES } from "../../../lib/isa/register.ts";
import { transformedInstruction } from "../../../lib/isa/transformed.ts";
import { fetchedAccess, transformedAccess } from "../../../lib/vmm/access.ts";
import type { Visit } from "../../../lib/vmm/host.ts";

const LOADS = {
  lb: [1, true],
  lbu: [1, false],
  lh: [2, true],
  lhu: [2, false],
  lw: [4, true],
  lwu: [4, false],
  ld: [8, false],
} as const;
const STORES = { sb: 1, sh: 2, sw: 4, sd: 8 } as const;
const COMPRESSED = { "c.lw": [4, true], "c.ld": [8, false], "c.sw": [4, false], "c.sd": [8, false] } as const;

function wordOf(text: string): number {
  const built = assemble(text, { origin: 0x8000_0000n });
  if (built.kind !== "program") throw new Error(built.message);
  return built.bytes.reduce((word, byte, index) => (word | (byte << (8 * index))) >>> 0, 0);
}

/** A guest that stands at a word. */
function standingAt(word: number): Visit {
  const csr = { read: () => 0x1000n };
  const fetchAsGuest = (address: bigint): bigint => BigInt(address === 0x1000n ? word & 0xffff : word >>> 16);
  const context = { csr, fetchAsGuest, attempt: <T>(action: () => T): T => action() };
  return { context: context as unknown as HsContext } as Visit;
}

describe("the access of an instruction", () => {
  it("is what the instruction says, fetched or transformed", () => {
    const kinds = [...Object.entries(LOADS), ...Object.entries(STORES)];
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        fc.nat({ max: 31 }),
        fc.nat({ max: 31 }),
        fc.integer({ min: -2048, max: 2047 }),
        ([name, kind], register, base, offset) => {
          const word = wordOf(`${name} ${REGISTER_NAMES[register]}, ${offset}(${REGISTER_NAMES[base]})`);
          const [width, isSigned] = typeof kind === "number" ? [kind, false] : kind;
          const expected = { isStore: name in STORES, width, isSigned, register, sizeBytes: 4 };
          expect(fetchedAccess(standingAt(word))).toEqual(expected);
          expect(transformedAccess(transformedInstruction(decodeOrIllegal(word), 0))).toEqual(expected);
        },
      ),
      { seed: 1, numRuns: 200 },
    );
  });

  it.each(Object.entries(COMPRESSED))(
    "is that of %s, too, which has two bytes",
    (name, [width, isSigned]) => {
      for (const register of [8, 11, 15]) {
        const word = wordOf(`${name} ${REGISTER_NAMES[register]}, 0(a0)`);
        const expected = { isStore: name.startsWith("c.s"), width, isSigned, register, sizeBytes: 2 };
        expect(fetchedAccess(standingAt(word))).toEqual(expected);
        expect(transformedAccess(transformedInstruction(decodeOrIllegal(word), 0))).toEqual(expected);
      }
    },
  );

  it("is none for what the hart's walks did, for atomics, floating point and everything else", () => {
    for (const htinst of [0, 0x3000, 0x3020]) expect(transformedAccess(htinst)).toBeUndefined();
    for (const text of [
      "amoadd.d a0, a1, (a2)",
      "fld fa0, (a0)",
      "fsd fa0, (a0)",
      "add a0, a1, a2",
      "jalr a0",
    ])
      expect(fetchedAccess(standingAt(wordOf(text)))).toBeUndefined();
  });
});
