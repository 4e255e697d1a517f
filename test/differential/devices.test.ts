/** Device registers, access by access, against QEMU's RAM afterwards. */
import { describe, expect, it } from "vitest";
import { describeWith } from "../support/optional.ts";
import { seededNumbers } from "../support/random.ts";
import { RESULTS, runTwice, wordsAt } from "../support/twice.ts";

const ROUNDS = process.env["DOM0_TEST_FULL"] === "1" ? 40 : 4;
/** Bases of CLINT and serial port in registers of their own. */
const BASES = ["li s2, 0x2000000", "li s3, 0x10000000", "li s5, 0"];

/** Runs `body` on both machines; the words that it stored through s1, from both. */
function onBoth(body: readonly string[], words: number): { ours: string[]; theirs: string[] } {
  const { ours, theirs } = runTwice([...BASES, ...body]);
  const results = { ours: wordsAt(ours, RESULTS, words), theirs: wordsAt(theirs, RESULTS, words) };
  expect(results.theirs.some((word) => word !== "0")).toBe(true);
  return results;
}

describeWith(["qemu"], "QEMU agrees with our board on", () => {
  it("which aligned accesses fault: every width, loads and stores, on and around each device", () => {
    const addresses = [
      ...[0x0, 0x800, 0xff8, 0x1000, 0x1008, 0x1ff8, 0xfff8, 0x10000, 0x10_0000, 0x10_0008, 0x10_0ff8],
      ...[0x200_0000, 0x200_0004, 0x200_0008, 0x200_3ff8, 0x200_4000, 0x200_4004, 0x200_4008, 0x200_7ff8],
      ...[0x200_8000, 0x200_bff0, 0x200_bff8, 0x200_bffc, 0x200_c000, 0x200_fff8, 0x201_0000],
      ...[0x1000_0000, 0x1000_0001, 0x1000_0002, 0x1000_0004, 0x1000_0007, 0x1000_0008, 0x1000_00f8],
      ...[0x8020_0001, 0x8020_0fff, 0x80ff_fff8, 0x80ff_ffff, 0x8100_0000, 0x9000_0000, 0x3f_f000_0000],
    ];
    const isRam = (address: number) => address >= 0x8000_0000 && address < 0x8100_0000;
    const widths = { b: 1, h: 2, w: 4, d: 8 };
    const cases = addresses.flatMap((address) =>
      Object.entries(widths).flatMap(([suffix, width]) =>
        isRam(address) || address % width === 0
          ? [
              { address, op: `l${suffix}` },
              { address, op: `s${suffix}` },
            ]
          : [],
      ),
    );
    const body = cases.map(
      ({ address, op }) =>
        `li t0, ${address}\n li a1, 0\n li t2, 0\n ${op} t2, 0(t0)\n sd a1, 0(s1)\n addi s1, s1, 8`,
    );
    const { ours, theirs } = onBoth(body, cases.length);
    const named = (words: string[]) =>
      words.map((word, index) => `${cases[index]?.op} ${cases[index]?.address.toString(16)} ${word}`);
    expect(named(ours)).toEqual(named(theirs));
  });

  it(`what ${ROUNDS} × 800 random accesses to the serial port read`, () => {
    // Left out, because QEMU does not follow the data sheet there: change bits of MSR (so neither they nor their
    // interrupt are looked at), and FIFO commands while FIFOs are off.
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const below = seededNumbers(seed);
      const body = ["li t2, 0"];
      let loads = 0;
      for (let step = 0; step < 800; step++) {
        const offset = below(8);
        if (below(2) === 0) {
          body.push(
            `lbu t2, ${offset}(s3)`,
            ...(offset === 6 ? ["andi t2, t2, 0xf0"] : []),
            "sd t2, 0(s1)",
            "addi s1, s1, 8",
          );
          loads++;
        } else {
          const byte = below(256);
          const isIdleFifo = offset === 2 && (byte & 1) === 0;
          body.push(`li t2, ${isIdleFifo ? 0 : offset === 1 ? byte & 0xf7 : byte}`, `sb t2, ${offset}(s3)`);
        }
      }
      const { ours, theirs } = onBoth(body, loads);
      expect(ours, `seed ${seed}`).toEqual(theirs);
    }
  });

  it(`what ${ROUNDS} × 300 random accesses to msip and mtimecmp read, and which interrupts they make pending`, () => {
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const below = seededNumbers(1000 + seed);
      const places = ["0(s2)", "4(s2)", "0(s4)", "4(s4)", "8(s4)"];
      const body = ["li s4, 0x2004000", "li t2, -1", "sd t2, 0(s4)"];
      for (let step = 0; step < 300; step++) {
        const place = places[below(places.length)] ?? "0(s2)";
        const isWide = place === "0(s4)" || place === "8(s4)";
        const width = isWide && below(2) === 0 ? "d" : "w";
        // Either long past or in thousands of years: nothing that depends on how fast a machine is.
        const value = below(2) === 0 ? 0 : 0x7000_0000 + below(0x0fff_ffff);
        body.push(`li t2, ${value}`, `s${width} t2, ${place}`);
        body.push(`l${width} t2, ${place}`, "sd t2, 0(s1)", "ld t2, 0(s4)", "sd t2, 8(s1)");
        body.push("csrr t2, mip", "sd t2, 16(s1)", "addi s1, s1, 24");
      }
      const { ours, theirs } = onBoth(body, 900);
      expect(ours, `seed ${seed}`).toEqual(theirs);
    }
  });
});

describe("the random numbers of these tests", () => {
  it("depend on the seed alone", () => {
    const [first, second] = [seededNumbers(7), seededNumbers(7)];
    expect(Array.from({ length: 5 }, () => first(1000))).toEqual(
      Array.from({ length: 5 }, () => second(1000)),
    );
  });
});
