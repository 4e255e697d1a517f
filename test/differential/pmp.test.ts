/** Random PMP entries and accesses on our board and on QEMU. */
import { expect, it } from "vitest";
import { describeWith } from "../support/optional.ts";
import { seededNumbers } from "../support/random.ts";
import { RESULTS, runTwice, wordsAt } from "../support/twice.ts";

const CASES = process.env["DOM0_TEST_FULL"] === "1" ? 2000 : 300;
const ENTRIES = 4;

/** All accesses fall into 128 bytes here, and all entries are drawn close around them. */
const PAGE = 0x80c0_0000;
const WINDOW_BYTES = 128;
const ECALL = 0x73;

interface Case {
  readonly text: string;
  readonly code: string[];
}

/** Entries of every kind with borders inside and around the window; then one access. */
function randomCase(index: number, below: (limit: number) => number): Case {
  const mode = below(2); // 0 U, 1 S
  const access = ["load", "store", "fetch"][below(3)] as "load" | "store" | "fetch";
  const suffix = access === "fetch" ? "w" : (["b", "h", "w", "d"][below(4)] as string);
  // Code is fetched from the lower half and data lives in the upper one, so that no store makes new instructions.
  // QEMU looks at the first and last byte of an access only, and so misses an entry inside a misaligned double word.
  const alignment = { b: 1, h: 1, w: access === "fetch" ? 4 : 1, d: 4 }[suffix] as number;
  const half = access === "fetch" ? 0 : WINDOW_BYTES / 2;
  const address = PAGE + half + Math.floor(below(WINDOW_BYTES / 2 - 8) / alignment) * alignment;
  const entries = Array.from({ length: ENTRIES }, () => {
    // W without R is reserved: the manual lets a hart make of it what it likes, and the two differ.
    const rights = [0, 1, 3, 4, 5, 7][below(6)] as number;
    const config = rights | (below(4) << 3);
    const word = (PAGE >>> 2) + below(WINDOW_BYTES / 4) - (below(8) === 0 ? 64 : 0);
    const trailingOnes = (1 << below(6)) - 1;
    return { config, word: ((config >> 3) & 3) === 3 ? (word & ~trailingOnes) | trailingOnes : word };
  });
  // The last entry opens everything in half of the cases, so that not only denials are seen. With all entries off, QEMU
  // refuses the MRET itself.
  const isOff = entries.every(({ config }) => config < 8);
  if (isOff || below(2) === 0) entries[ENTRIES - 1] = { config: 0x1f, word: 0x3fff_ffff };
  const config = entries.reduce((sum, entry, at) => sum + entry.config * 2 ** (8 * at), 0);
  const MPRV = 1 << 17;
  const mstatus = (mode << 11) | (access === "fetch" ? 0 : MPRV);
  const doIt = {
    load: [`l${suffix} a0, 0(t1)`],
    store: [`s${suffix} t0, 0(t1)`],
    fetch: ["csrw mepc, t1", "mret"],
  }[access];
  const code = [
    ...entries.flatMap(({ word }, at) => [`li t0, ${word}`, `csrw pmpaddr${at}, t0`]),
    `li t0, ${config}`,
    "csrw pmpcfg0, t0",
    "sfence.vma",
    "li a0, 0",
    "li a1, 0",
    "li a2, 0",
    `li t1, ${address}`,
    `la s5, next${index}`,
    `li t0, ${mstatus}`,
    "csrw mstatus, t0",
    ...doIt,
    `next${index}: csrw mstatus, zero`,
    "sd a0, 0(s1)",
    "sd a1, 8(s1)",
    "sd a2, 16(s1)",
    "addi s1, s1, 24",
  ];
  const shape = entries
    .map((entry) => `${entry.config.toString(16)}@${(entry.word * 4).toString(16)}`)
    .join(" ");
  return {
    text: `${access} ${suffix} in ${mode === 0 ? "U" : "S"} at ${address.toString(16)}, ${shape}`,
    code,
  };
}

describeWith(["qemu"], "QEMU and our board", () => {
  it(`agree on ${CASES} random accesses under random PMP entries`, () => {
    const seed = 16;
    const below = seededNumbers(seed);
    const cases = Array.from({ length: CASES }, (_, index) => randomCase(index, below));
    const page = new Uint8Array(new Uint32Array(1024).fill(ECALL).buffer);
    const { ours, theirs } = runTwice(
      ["csrw satp, zero", ...cases.flatMap(({ code }) => code)],
      [{ paddr: BigInt(PAGE), bytes: page }],
    );
    const results = (ram: Uint8Array) =>
      cases.map(({ text }, index) => `${index}: ${text}: ${wordsAt(ram, RESULTS + 24 * index, 3).join(" ")}`);
    expect(results(ours), `seed ${seed}`).toEqual(results(theirs));
    const allowed = results(theirs).filter((line) => / [0-9a-f]+ (0|9|a) [0-9a-f]+$/.test(line)).length;
    expect(allowed, "accesses that were allowed").toBeGreaterThan(CASES / 5);
    expect(allowed).toBeLessThan((CASES * 4) / 5);
  });
});
