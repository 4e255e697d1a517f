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
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { guestBytes, vmmScene } from "./vmm-scene.ts";

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

describe("a guest that has its page tables where a device is", () => {
  /** Its root is memory: this code, and at address 0 what the serial port's registers say as a table. */
  const GUEST = `li t0, 50000\n spin: addi t0, t0, -1\n bnez t0, spin\n la t0, handler\n csrw stvec, t0\n li t0, 0x80010000\n li t1, 0x200000cf\n sd t1, 16(t0)\n li t1, 0x4000001\n sd t1, (t0)
    li t1, 0x8000000000080010\n csrw satp, t1\n sfence.vma\n li t1, 0\n lbu a0, (t1)\n sb a0, (t1)
    li a7, 2\n ecall\n li a7, 1\n ecall\n li a7, 8\n ecall\n j .
    .align 2\n handler: csrr a0, scause\n addi a0, a0, 97\n li a7, 1\n ecall\n csrr t2, sepc\n addi t2, t2, 4\n csrw sepc, t2\n sret`;

  it("gets access faults of its own, as from memory that has no tables, and the device is not touched", () => {
    const { board, vmm } = vmmScene({ guests: [{ image: guestBytes(GUEST) }] });
    board.run({ instructions: 60_000 });
    board.type("x");
    board.run({ instructions: 500_000 });
    // Causes 5 and 7, and what was typed is still there.
    expect(printedBy(vmm, 1)).toBe("fhx");
  });
});
