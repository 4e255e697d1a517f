import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseElf } from "../../../lib/board/elf.ts";
import { elf, type Load } from "../../support/elf-file.ts";

const RAM = { base: 0x8000_0000, sizeBytes: 0x10_0000 };

const code = Uint8Array.of(0x13, 0, 0, 0, 0x73, 0, 0, 0);
const good: Load = { paddr: 0x8000_0000n, bytes: code };

describe("a good ELF file", () => {
  it("gives its segments by address, its entry, and zeros to fill", () => {
    const image = parseElf(
      elf([
        { paddr: 0x8000_2000n, bytes: Uint8Array.of(9), memoryBytes: 100n },
        good,
        { type: 6, paddr: 0n, bytes: code },
      ]),
      RAM,
    );
    if (image.kind !== "elf") return expect.unreachable(image.message);
    expect(image.entry).toBe(0x8000_0000);
    expect(image.segments.map(({ paddr, bytes, memoryBytes }) => [paddr, [...bytes], memoryBytes])).toEqual([
      [0x8000_0000, [...code], 8],
      [0x8000_2000, [9], 100],
    ]);
  });

  it("may be linked high: the physical entry follows from the segment that holds the virtual one", () => {
    const image = parseElf(elf([{ ...good, vaddr: 0xffff_ffff_8000_0000n }], 0xffff_ffff_8000_0004n), RAM);
    expect(image).toMatchObject({ kind: "elf", entry: 0x8000_0004 });
  });
});

describe("a bad ELF file is refused with a reason and one line that says what to do", () => {
  const cases: [what: string, file: Uint8Array, reason: string, message: RegExp][] = [
    ["nothing", new Uint8Array(0), "not-elf", /empty/],
    ["text", new TextEncoder().encode("#!/bin/sh\n"), "not-elf", /starts with 23 21 2f 62/],
    ["only the magic", elf([good]).slice(0, 4), "truncated", /4 of 64/],
    ["half a header", elf([good]).slice(0, 40), "truncated", /40 of 64/],
    ["a 32-bit file", elf([good], undefined, (view) => view.setUint8(4, 1)), "wrong-class", /32-bit.*lp64/],
    [
      "a big-endian file",
      elf([good], undefined, (view) => view.setUint8(5, 2)),
      "wrong-byte-order",
      /big-endian/,
    ],
    [
      "an x86-64 file",
      elf([good], undefined, (view) => view.setUint16(18, 62, true)),
      "wrong-machine",
      /x86-64.*riscv64/,
    ],
    [
      "an unknown machine",
      elf([good], undefined, (view) => view.setUint16(18, 999, true)),
      "wrong-machine",
      /machine 999/,
    ],
    [
      "an object file",
      elf([good], undefined, (view) => view.setUint16(16, 1, true)),
      "wrong-type",
      /Link it/,
    ],
    [
      "a position-independent program",
      elf([good], undefined, (view) => view.setUint16(16, 3, true)),
      "wrong-type",
      /-no-pie/,
    ],
    ["a core dump", elf([good], undefined, (view) => view.setUint16(16, 4, true)), "wrong-type", /type 4/],
    ["no segment", elf([]), "nothing-to-load", /no loadable/],
    [
      "odd program headers",
      elf([good], undefined, (view) => view.setUint16(54, 32, true)),
      "malformed",
      /32 bytes/,
    ],
    [
      "program headers far away",
      elf([good], undefined, (view) => view.setBigUint64(32, 2n ** 60n, true)),
      "truncated",
      /headers end/,
    ],
    ["a cut-off segment", elf([good]).slice(0, -1), "truncated", /Segment 0 ends at byte 128 of 127/],
    [
      "more bytes in file than in memory",
      elf([{ ...good, memoryBytes: 4n }]),
      "malformed",
      /more bytes in the file/,
    ],
    [
      "a segment below RAM",
      elf([{ ...good, paddr: 0x1000n }], 0x1000n),
      "outside-ram",
      /0x1000–0x1007, outside RAM/,
    ],
    [
      "a segment past the end",
      elf([{ ...good, paddr: 0x800f_fffcn }], 0x800f_fffcn),
      "outside-ram",
      /Link for RAM/,
    ],
    [
      "a segment larger than RAM",
      elf([{ ...good, memoryBytes: 0x20_0000n }]),
      "larger-than-ram",
      /2 MiB.*1 MiB.*ramBytes/,
    ],
    [
      "a segment of 2^64 − 1 bytes",
      elf([{ ...good, memoryBytes: 2n ** 64n - 1n }]),
      "larger-than-ram",
      /ramBytes/,
    ],
    [
      "two segments in one place",
      elf([good, { ...good, paddr: 0x8000_0004n }]),
      "overlap",
      /Segments 0 and 1 both want 0x80000004/,
    ],
    ["an entry in no segment", elf([good], 0x8000_0008n), "bad-entry", /0x80000008/],
    ["an odd entry", elf([good], 0x8000_0001n), "bad-entry", /odd/],
  ];
  for (const [what, file, reason, message] of cases) {
    it(what, () => {
      const result = parseElf(file, RAM);
      expect(result).toMatchObject({ kind: "load-error", reason });
      if (result.kind !== "load-error") return;
      expect(result.message).toMatch(message);
      expect(result.message).not.toContain("\n");
      expect(result.message.endsWith(".")).toBe(true);
    });
  }

  it("never throws, whatever bytes change", () => {
    const damage = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(damage, fc.nat(200), (pokes, length) => {
        const file = elf([good, { ...good, paddr: 0x8000_1000n }]);
        for (const [at, byte] of pokes) if (at < file.length) file[at] = byte;
        expect(["elf", "load-error"]).toContain(parseElf(file, RAM).kind);
        expect(["elf", "load-error"]).toContain(parseElf(file.slice(0, length), RAM).kind);
      }),
      { seed: 1, numRuns: 2000 },
    );
  });
});
