/** Exercise 04.1, read: tables of both stages as hexadecimal words, one guest-virtual address, and the question where it leads. */
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { seedOf, wholeNumber } from "../exercises/countdown.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { entryTo, hgatpFor, TwoStageMachine, type TwoStageOutcome, vsatpFor } from "./two-stage-machine.ts";

/** The instance of exercise 04.1. */
export interface HandWalk {
  readonly hgatp: bigint;
  readonly vsatp: bigint;
  readonly gva: bigint;
  readonly memory: ReadonlyMap<bigint, bigint>;
  /** The dump, to be shown. */
  readonly dump: FigureBundle;
}

const ROOT = 0x8004_0000n;
const MIDDLES = [0x8004_5000n, 0x8004_6000n] as const;
/** Two pieces of 2 MiB: the guest's tables lie in one, its data in the other. */
const PLACES = [0x8020_0000n, 0x8040_0000n, 0x8060_0000n] as const;
const ALLOWED = 0xdfn;
/** What the two leaves say: both allow a store, or one of them does not. */
const LEAVES = [
  [0xd7n, ALLOWED],
  [0xd3n, ALLOWED],
  [0x57n, ALLOWED],
  [0xd7n, 0xdbn],
] as const;

/** The dump of a seed. */
export function handWalk(seed: number): HandWalk {
  const word = seededWords(seed ^ 0x0401);
  const below = (most: number): number => 2 + (word() % (most - 4));
  const [top, middle] = [below(256), below(512)];
  // The guest keeps its tables where a board has RAM, and its data so high that the wide root is needed.
  const tables = { top: 2, middle: below(512) };
  const data = { top: 512 + below(1_536), middle: below(512) };
  const gpaOf = (place: { readonly top: number; readonly middle: number }): bigint =>
    (BigInt(place.top) << 30n) | (BigInt(place.middle) << 21n);
  const swap = word() & 1;
  const [tablesMiddle, dataMiddle] = [MIDDLES[swap] ?? MIDDLES[0], MIDDLES[1 - swap] ?? MIDDLES[1]];
  const first = word() % 3;
  const tablesAt = PLACES[first] ?? PLACES[0];
  const dataAt = PLACES[(first + 1 + (word() & 1)) % 3] ?? PLACES[1];
  const [guestRoot, guestTable] = [BigInt(below(200)) << 12n, BigInt(256 + below(200)) << 12n];
  const [guestLeaf, hostLeaf] = LEAVES[word() % LEAVES.length] ?? LEAVES[0];
  const memory = new Map<bigint, bigint>();
  const put = (table: bigint, index: number, entry: bigint) => memory.set(table + 8n * BigInt(index), entry);
  const guest = gpaOf(tables);
  put(ROOT, tables.top, entryTo(tablesMiddle, 1n));
  put(ROOT, data.top, entryTo(dataMiddle, 1n));
  put(ROOT, data.top - 512, entryTo(tablesMiddle, 1n)); // what a root of 512 entries would give
  put(tablesMiddle, tables.middle, entryTo(tablesAt, ALLOWED));
  put(dataMiddle, data.middle, entryTo(dataAt, hostLeaf));
  put(dataMiddle, data.middle + 1, entryTo(tablesAt, ALLOWED));
  put(tablesAt + guestRoot, top, entryTo(guest + guestTable, 1n));
  put(tablesAt + guestRoot, top + 1, entryTo(guest, 1n));
  put(tablesAt + guestTable, middle - 1, entryTo(guest, ALLOWED));
  put(tablesAt + guestTable, middle, entryTo(gpaOf(data), guestLeaf));
  const gva = (BigInt(top) << 30n) | (BigInt(middle) << 21n) | BigInt(word() & 0x1f_fff8);
  const [hgatp, vsatp] = [hgatpFor(ROOT, 1 + (word() % 6)), vsatpFor(guest + guestRoot)];
  return { hgatp, vsatp, gva, memory, dump: dumpTable(hgatp, vsatp, gva, memory) };
}

function dumpTable(
  hgatp: bigint,
  vsatp: bigint,
  gva: bigint,
  memory: ReadonlyMap<bigint, bigint>,
): FigureBundle {
  const sorted = [...memory].sort(([left], [right]) => (left < right ? -1 : 1));
  const table: Table = {
    caption: `A user of the guest stores to ${groupedHex(gva, 8)}. hgatp is ${groupedHex(hgatp, 16)}, vsatp ${groupedHex(vsatp, 16)}`,
    columns: ["host-physical address", "eight bytes there"],
    rows: sorted.map(([at, entry]) => [
      { text: groupedHex(at, 8), code: true },
      { text: groupedHex(entry, 16), code: true },
    ]),
  };
  return markupBundle(tableHtml(table), tableText(table));
}

/** What the machine says of an instance, for a load (which every instance allows) or a store. */
function machineSays({ memory, vsatp, hgatp, gva }: HandWalk, kind: "load" | "store"): TwoStageOutcome {
  const access = { kind, user: true, sum: false, mxr: false };
  return new TwoStageMachine().ask({ memory, vsatp, hgatp, gva, access });
}

/** Values that an answer to 04.1 must have. */
export function handWalkValues(seed: number) {
  const load = machineSays(handWalk(seed), "load");
  const leaf = load.explanation.levels.at(-1);
  return {
    leafAt: leaf?.gStage?.paddr ?? 0n,
    leafGpa: leaf?.gStage?.gpa ?? 0n,
    gpa: load.explanation.guest?.gpa ?? 0n,
    paddr: load.paddr ?? 0n,
    reads: load.reads,
    store: machineSays(handWalk(seed), "store").cause,
  };
}

/** Judges one number of the answer. */
const judged =
  (
    name: string,
    judge: (given: bigint, wanted: ReturnType<typeof handWalkValues>) => Finding,
  ): ((answer: Answer) => Finding) =>
  (answer) => {
    const seed = seedOf(answer);
    if (typeof seed !== "number") return seed;
    const given = wholeNumber(answer, name);
    return given === undefined
      ? fails(`${name} must be a whole number.`)
      : judge(given, handWalkValues(seed));
  };

const judgeLeaf = judged("leafAt", (given, { leafAt, leafGpa }) => {
  if (given === leafAt) return HOLDS;
  if (given === leafGpa)
    return fails(
      "That is where the guest believes its entry to be. Send this address through the second stage, too.",
    );
  return fails(
    "vsatp names a guest-physical page. Translate the address of each of the guest's entries through hgatp's tables before you read it.",
  );
});

const judgePlace = judged("paddr", (given, { paddr, gpa }) => {
  if (given === paddr) return HOLDS;
  if (given === gpa)
    return fails("That is the guest-physical address. The second stage has not had its turn.");
  if (given === (paddr & ~0x1f_ffffn))
    return fails(
      "That is where the large page begins. Below a leaf of level 1 the address has 21 bits of offset.",
    );
  if ((given & 0xfffn) === (paddr & 0xfffn))
    return fails(
      "Something is cut off. A leaf of level 1 leaves 21 bits of offset; the root of the second stage takes eleven bits of index, 40 to 30.",
    );
  return fails(
    "Two leaves, two translations: the guest's gives a guest-physical address, the second stage's a host-physical one.",
  );
});

const judgeReads = judged("reads", (given, { reads }) => {
  if (given === BigInt(reads)) return HOLDS;
  if (given === BigInt(reads - 2))
    return fails(
      "Two are missing: count the whole walk, that of the data\u2019s address included, as if the store were allowed.",
    );
  if (given === 4n)
    return fails(
      "Two stages of two entries are not 4: the guest's entries themselves have guest-physical addresses.",
    );
  if (given === 15n)
    return fails("15 is the most, with pages of 4 KiB in both stages. These pages are larger.");
  return fails("Count the entries read for each of three guest-physical addresses, and the guest's own two.");
});

const judgeStore = judged("store", (given, { store }) => {
  if (given === BigInt(store)) return HOLDS;
  if (given === 21n || given === 13n)
    return fails("Those are codes for loads. A store: 15 by the guest's table, 23 by the second stage.");
  return fails(
    "Spell out the last byte of both leaves as D A G U X W R V. The guest's is asked first; a store needs W and D in both, and U.",
  );
});

/** Check of exercise 04.1. */
export const handWalkCheck: Check = defineCheck({
  id: "04.1",
  title: "Walk through both stages",
  points: 4,
  properties: [
    { id: "leaf", says: "you found where the guest's leaf really lies", weight: 1, run: judgeLeaf },
    { id: "place", says: "the address leads to the right place", weight: 1, run: judgePlace },
    { id: "reads", says: "the entries are counted right", weight: 1, run: judgeReads },
    { id: "store", says: "you know what the store meets", weight: 1, run: judgeStore },
  ],
});
