/** Random page tables and accesses on our board and on QEMU: same causes, same values, same tables afterwards. */
import { expect, it } from "vitest";
import { describeWith } from "../support/optional.ts";
import { seededNumbers } from "../support/random.ts";
import { RAM_START, RESULTS, runTwice, wordsAt } from "../support/twice.ts";

const CASES = process.env["DOM0_TEST_FULL"] === "1" ? 800 : 250;

const TABLES = 0x8020_0000;
/** The page under test: on a 2 MiB border, so that leaves of every level can map it. Filled with ECALLs, to be executed. */
const PAGE = 0x80c0_0000;
const PAGE_BYTES = 4096;
const TABLE_BYTES = 3 * PAGE_BYTES;
const ECALL = 0x73;

const [V, R, W, X, U, A, D] = [1n, 2n, 4n, 8n, 16n, 64n, 128n];

interface Case {
  readonly text: string;
  readonly code: string[];
  readonly tables: BigUint64Array;
}

/** A table walk to PAGE that is right more often than not, with damage of every kind. */
function randomCase(index: number, below: (limit: number) => number): Case {
  const oneIn = (times: number) => below(times) === 0;
  const leafLevel = below(3);
  const access = ["load", "store", "fetch"][below(3)] as "load" | "store" | "fetch";
  const mode = below(2); // 0 U, 1 S
  const [sum, mxr] = [below(2), below(2)];
  const vpn2 = below(512);
  const signed = (BigInt(vpn2 >= 256 ? vpn2 - 512 : vpn2) << 30n) | BigInt((PAGE - RAM_START) | 8);
  const vaddr =
    BigInt.asUintN(64, oneIn(12) ? signed ^ (1n << BigInt(39 + below(25))) : signed) +
    (access === "store" ? 0x800n : 0n);

  const tables = new BigUint64Array(TABLE_BYTES / 8);
  const tableAt = (level: number) => BigInt(TABLES + index * TABLE_BYTES + (2 - level) * PAGE_BYTES);
  const indexAt = [0, (PAGE - RAM_START) >> 21, vpn2];
  for (let level = 2; level >= leafLevel; level--) {
    const isLeaf = level === leafLevel;
    const target = isLeaf ? BigInt(level === 2 ? RAM_START : PAGE) : tableAt(level - 1);
    let flags = isLeaf ? leafFlags(below, mode) : V;
    if (!isLeaf && oneIn(10)) flags |= BigInt(1 << below(8));
    let pte = ((target >> 12n) << 10n) | flags;
    if (isLeaf && level > 0 && oneIn(6)) pte |= 1n << BigInt(10 + below(9 * level));
    if (oneIn(20)) pte |= 1n << BigInt(54 + below(10));
    if (oneIn(25)) pte &= ~V;
    tables[(2 - level) * 512 + (indexAt[level] ?? 0)] = pte;
  }
  const satp = (8n << 60n) | (tableAt(2) >> 12n);
  return {
    text: `${access} in ${mode === 0 ? "U" : "S"}, level ${leafLevel}, SUM ${sum}, MXR ${mxr}, at ${vaddr.toString(16)}`,
    tables,
    code: accessCode(index, access, mode, (sum << 18) | (mxr << 19), vaddr, satp),
  };
}

/** Any eight bits, but mostly such that an access may succeed, so that not every case ends at the first check. */
function leafFlags(below: (limit: number) => number, mode: number): bigint {
  let flags = BigInt(below(256));
  if (below(8) !== 0) flags |= V;
  if (below(2) !== 0) flags |= A | D;
  if (below(3) !== 0) flags |= R | W | X;
  if (below(3) !== 0) flags = mode === 0 ? flags | U : flags & ~U;
  return flags;
}

/** Loads and stores borrow the mode's rights through MPRV; a fetch goes there by MRET and comes back by ECALL. */
function accessCode(
  index: number,
  access: string,
  mode: number,
  bits: number,
  vaddr: bigint,
  satp: bigint,
): string[] {
  const MPRV = 1 << 17;
  const mstatus = bits | (mode << 11) | (access === "fetch" ? 0 : MPRV);
  const doIt = {
    load: ["csrw mstatus, t0", "ld a0, 0(t1)"],
    store: ["csrw mstatus, t0", "sd t0, 0(t1)"],
    fetch: ["csrw mstatus, t0", "csrw mepc, t1", "mret"],
  }[access] as string[];
  return [
    `li t2, ${satp}`,
    "csrw satp, t2",
    "sfence.vma",
    "li a0, 0",
    "li a1, 0",
    "li a2, 0",
    `li t1, ${vaddr}`,
    `la s5, next${index}`,
    `li t0, ${mstatus}`,
    ...doIt,
    `next${index}: csrw mstatus, zero`,
    "sd a0, 0(s1)",
    "sd a1, 8(s1)",
    "sd a2, 16(s1)",
    "addi s1, s1, 24",
  ];
}

/** PMP open; and ADUE, so that hardware sets A and D, as this QEMU always does. */
const OPEN = [
  "li t0, -1",
  "csrw pmpaddr0, t0",
  "li t0, 0x1f",
  "csrw pmpcfg0, t0",
  "li t0, 1",
  "slli t0, t0, 61",
  "csrw menvcfg, t0",
];

describeWith(["qemu"], "QEMU and our board", () => {
  it(`agree on ${CASES} random translations: cause, address, value, and A and D bits`, () => {
    const seed = 39;
    const below = seededNumbers(seed);
    const cases = Array.from({ length: CASES }, (_, index) => randomCase(index, below));
    const page = new Uint8Array(new Uint32Array(PAGE_BYTES / 4).fill(ECALL).buffer);
    const tables = cases.map(({ tables: words }, index) => ({
      paddr: BigInt(TABLES + index * TABLE_BYTES),
      bytes: new Uint8Array(words.buffer),
    }));
    const code = [...OPEN, ...cases.flatMap(({ code }) => code)];
    const { ours, theirs } = runTwice(code, [...tables, { paddr: BigInt(PAGE), bytes: page }]);
    const named = (ram: Uint8Array) =>
      cases.map(({ text }, index) => `${index}: ${text}: ${resultsAt(ram, index)}`);
    expect(named(ours), `seed ${seed}`).toEqual(named(theirs));
    const causes = new Set(cases.map((_, index) => resultsAt(theirs, index).split(" ")[0]));
    expect(causes.size, "kinds of endings seen").toBeGreaterThanOrEqual(6);
  });
});

/** Cause plus one, tval, loaded value, then the entries of the walk. */
function resultsAt(ram: Uint8Array, index: number): string {
  const [value, cause, tval] = wordsAt(ram, RESULTS + 24 * index, 3);
  const entries = wordsAt(ram, TABLES + index * TABLE_BYTES, TABLE_BYTES / 8).filter((word) => word !== "0");
  return [cause, tval, value, ...entries].join(" ");
}
