/** Exercise 02.1, read: three tables as hexadecimal words, one address, and the question where it leads. */
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { seedOf, wholeNumber } from "../exercises/countdown.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { machineWalk, PAGE_FAULT } from "./walk-cases.ts";

/** The instance of exercise 02.1. */
export interface HexDump {
  readonly root: bigint;
  readonly va: bigint;
  readonly memory: ReadonlyMap<bigint, bigint>;
  /** The dump, to be shown. */
  readonly dump: FigureBundle;
}

const ROOT = 0x8004_0000n;
const MIDDLES = [0x8004_2000n, 0x8004_5000n] as const;
const LAST = 0x8004_7000n;
/** D A, then rights: what a store in user mode meets. */
const LEAVES = [0xd7n, 0xd3n, 0xc7n, 0x57n] as const;

const pointer = (table: bigint): bigint => ((table >> 12n) << 10n) | 1n;

/** The dump of a seed: the path, and entries beside it that are not on the way. */
export function hexDump(seed: number): HexDump {
  const word = seededWords(seed ^ 0x0201);
  const index = () => 2 + (word() % 500);
  const [top, middle, last] = [index() & 255, index(), index()];
  const va = (BigInt(top) << 30n) | (BigInt(middle) << 21n) | (BigInt(last) << 12n) | BigInt(word() & 0xff8);
  const swapped = word() & 1;
  const path = MIDDLES[swapped] ?? MIDDLES[0];
  const other = MIDDLES[1 - swapped] ?? MIDDLES[1];
  const memory = new Map<bigint, bigint>();
  const put = (table: bigint, at: number, entry: bigint) => memory.set(table + 8n * BigInt(at), entry);
  const page = () => BigInt(0x80100 + (word() & 0xfff)) << 10n;
  const flags = LEAVES[word() % LEAVES.length] ?? 0xd7n;
  put(ROOT, top - 1, pointer(other));
  put(ROOT, top, pointer(path));
  put(path, middle - 1, 0n);
  put(path, middle, pointer(LAST));
  put(path, middle + 1, pointer(other));
  for (let near = -2; near <= 2; near += 1) if (near !== 0) put(LAST, last + near, page() | 0xd7n);
  put(LAST, last, page() | flags);
  return { root: ROOT, va, memory, dump: dumpTable(va, memory) };
}

function dumpTable(va: bigint, memory: ReadonlyMap<bigint, bigint>): FigureBundle {
  const sorted = [...memory].sort(([left], [right]) => (left < right ? -1 : 1));
  const table: Table = {
    caption: `Where does ${groupedHex(va, 8)} lead? The root table is at ${groupedHex(ROOT, 8)}`,
    columns: ["physical address", "eight bytes there"],
    rows: sorted.map(([at, entry]) => [
      { text: groupedHex(at, 8), code: true },
      { text: groupedHex(entry, 16), code: true },
    ]),
  };
  return markupBundle(tableHtml(table), tableText(table));
}

function judgeIndexes(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const { value } = answer.at("indexes");
  const { va } = hexDump(seed);
  if (!Array.isArray(value) || value.length !== 3)
    return fails("indexes must be a list of three numbers, root first.");
  const given = value.map((each) => Number(each));
  const wanted = [30n, 21n, 12n].map((shift) => Number((va >> shift) & 511n));
  if (given.every((each, at) => each === wanted[at])) return HOLDS;
  if (given.every((each, at) => each === wanted[2 - at]))
    return fails("The right indexes in the wrong order: the root's comes first, from the highest bits.");
  return fails(
    "Cut the address from the right: 12 bits of offset, then nine bits for each level. The highest nine belong to the root.",
  );
}

function judgePlace(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const given = wholeNumber(answer, "paddr");
  if (given === undefined) return fails("paddr must be a whole number.");
  const { memory, root, va } = hexDump(seed);
  const access = { kind: "load", user: true, sum: true, mxr: false } as const;
  const { last } = machineWalk({ memory, root, va, access, scheme: "Sv39" });
  const page = ((last?.pte ?? 0n) >> 10n) << 12n;
  if (given === (page | (va & 4095n))) return HOLDS;
  if (given === page)
    return fails("That is where the page begins. Add the offset, the low 12 bits of the address.");
  if (given === (last?.pte ?? 0n))
    return fails("That is the entry. Its page number is bits 53 to 10: shift right by 10, then left by 12.");
  return fails(
    "Follow the pointers: index times 8 is the distance into a table; an entry shifted right by 10 and left by 12 is the address of the next.",
  );
}

function judgeStore(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const given = wholeNumber(answer, "store");
  if (given === undefined || given < 0n)
    return fails("store must be 15 for a page fault, or 0 if the store is allowed.");
  const access = { kind: "store", user: true, sum: false, mxr: false } as const;
  const walk = machineWalk({ ...hexDump(seed), access, scheme: "Sv39" });
  const wanted = typeof walk.result === "number" ? PAGE_FAULT.store : 0;
  if (given === BigInt(wanted)) return HOLDS;
  return fails(
    "Spell out the last byte of the leaf as D A G U X W R V. A store in user mode needs V, R, W, U, A and D.",
  );
}

/** Check of exercise 02.1. */
export const hexDumpCheck: Check = defineCheck({
  id: "02.1",
  title: "Walk by hand",
  points: 3,
  properties: [
    { id: "indexes", says: "the address is cut into the right indexes", weight: 1, run: judgeIndexes },
    { id: "place", says: "it leads to the right physical address", weight: 1, run: judgePlace },
    { id: "store", says: "you know what a store in user mode meets", weight: 1, run: judgeStore },
  ],
});
