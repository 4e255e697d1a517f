/** Exercise 04.2, change: a second stage needs a root at the right place, and one leaf is a guest's no more than the vault was a user's. */
import { groupedHex } from "../../bits/hex.ts";
import type { Answer } from "../../checks/answer.ts";
import { type Check, defineCheck, type Finding } from "../../checks/check.ts";
import { fails, HOLDS } from "../../checks/property.ts";
import { seededWords } from "../../checks/seed.ts";
import { writeCsr } from "../../hart/csr-write.ts";
import { decodeCsr } from "../../isa/csr-map.ts";
import { pteFlagsText } from "../../mmu/pte.ts";
import { seedOf, wholeNumber } from "../exercises/countdown.ts";
import { type FigureBundle, markupBundle } from "../figure.ts";
import { type Table, tableHtml, tableText } from "../marks/html.ts";
import { entryTo, TwoStageMachine } from "./two-stage-machine.ts";

/** A page of the guest, and the entry that maps it. */
export interface DraftPage {
  readonly gpa: bigint;
  /** Host-physical address of the leaf. */
  readonly at: bigint;
  readonly entry: bigint;
  readonly name: string;
}

/** A second stage that somebody has begun. */
export interface RootDraft {
  readonly vmid: number;
  /** Free frames, first to last, in a row. */
  readonly free: readonly bigint[];
  readonly pages: readonly DraftPage[];
  readonly list: FigureBundle;
}

const MIDDLE = 0x8006_0000n;
const LAST = 0x8006_1000n;
const GUEST_RAM = 0x8000_0000n;
const U = 16n;
const NAMES = ["code", "constants", "data", "heap", "stack", "its page tables"] as const;
const FLAGS = [0xdbn, 0xd3n, 0xd7n, 0xd7n, 0xd7n, 0xd7n] as const;

/** The draft of a seed. */
export function rootDraft(seed: number): RootDraft {
  const word = seededWords(seed ^ 0x0402);
  const vmid = 1 + (word() % 60);
  // Seven frames in a row that begin off the border hold one place for a root, and only one.
  const firstFrame = 0x8_0040n + BigInt(4 * (word() % 4) + 1 + (word() % 3));
  const free = Array.from({ length: 7 }, (_, index) => (firstFrame + BigInt(index)) << 12n);
  const culprit = word() % NAMES.length;
  const pages = NAMES.map((name, index): DraftPage => {
    const number = BigInt(3 * index + (word() % 3));
    const flags = (FLAGS[index] ?? 0xd7n) & (index === culprit ? ~U : -1n);
    return {
      name,
      gpa: GUEST_RAM + (number << 12n),
      at: LAST + 8n * number,
      entry: entryTo(0x8010_0000n + BigInt((index * 5 + (word() % 4)) << 12), flags),
    };
  });
  return { vmid, free, pages, list: draftList(vmid, free, pages) };
}

function draftList(vmid: number, free: readonly bigint[], pages: readonly DraftPage[]): FigureBundle {
  const [first = 0n, last = 0n] = [free[0], free.at(-1)];
  const table: Table = {
    caption: `A second stage for VMID ${vmid}. Free frames: ${groupedHex(first, 8)} to ${groupedHex(last, 8)}, ${free.length} of them`,
    columns: ["guest-physical", "what the guest has there", "entry at", "entry", "flags"],
    rows: pages.map(({ gpa, name, at, entry }) => [
      { text: groupedHex(gpa, 8), code: true },
      name,
      { text: groupedHex(at, 8), code: true },
      { text: groupedHex(entry, 8), code: true },
      { text: pteFlagsText(entry), code: true },
    ]),
  };
  return markupBundle(tableHtml(table), tableText(table));
}

/** The one place where a root of four pages fits. */
export const rootPlace = ({ free }: RootDraft): bigint => free.find((frame) => frame % 0x4000n === 0n) ?? 0n;

function judgeRoot(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const hgatp = wholeNumber(answer, "hgatp");
  if (hgatp === undefined || hgatp < 0n || hgatp >> 64n !== 0n)
    return fails("hgatp must be a whole number of 64 bits.");
  const draft = rootDraft(seed);
  const asked = decodeCsr("hgatp", hgatp).PPN << 12n;
  // The register itself says what becomes of the low bits.
  const machine = new TwoStageMachine();
  writeCsr(machine.board.hart, "hgatp", hgatp | (8n << 60n));
  const root = decodeCsr("hgatp", machine.board.hart.csr("hgatp")).PPN << 12n;
  if (root === rootPlace(draft) && asked === root) return HOLDS;
  if (asked !== root)
    return fails(
      `The two low bits of hgatp's PPN always read as 0: the hart would take its root from ${groupedHex(root, 8)}. A root lies at a multiple of 16 KiB.`,
    );
  const needed = [0n, 1n, 2n, 3n].map((page) => root + (page << 12n));
  if (needed.every((page) => draft.free.includes(page))) return HOLDS;
  return fails(
    "The root has 2,048 entries, four pages. All four must be free, and the first a multiple of 16 KiB. PPN is the address shifted right by 12.",
  );
}

function judgeRegister(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const hgatp = wholeNumber(answer, "hgatp");
  if (hgatp === undefined || hgatp < 0n || hgatp >> 64n !== 0n)
    return fails("hgatp must be a whole number of 64 bits.");
  const { MODE, VMID } = decodeCsr("hgatp", hgatp);
  if (MODE !== 8n)
    return fails(
      "Bits 63 to 60 of hgatp select the scheme: 8 is Sv39x4, and 0 lets the guest reach all of memory.",
    );
  if (VMID !== BigInt(rootDraft(seed).vmid))
    return fails("VMID is bits 57 to 44 of hgatp: the caption says which number this guest has.");
  return HOLDS;
}

function judgeLeaf(answer: Answer): Finding {
  const seed = seedOf(answer);
  if (typeof seed !== "number") return seed;
  const [at, entry] = [wholeNumber(answer, "at"), wholeNumber(answer, "entry")];
  if (at === undefined || entry === undefined || entry < 0n || entry >> 64n !== 0n)
    return fails("at and entry must be whole numbers, entry of 64 bits.");
  const draft = rootDraft(seed);
  const page = draft.pages.find((each) => each.at === at);
  if (page === undefined) return fails("at must be the address of one of the entries in the list.");
  if (page.entry === entry) return fails("That entry says so already: nothing has changed.");
  return usable(draft, page, entry);
}

/** Whether every page can be used as its other bits say, in both of the guest's modes. */
function usable(draft: RootDraft, changed: DraftPage, entry: bigint): Finding {
  const root = rootPlace(draft);
  const memory = new Map([
    [root + 8n * 2n, entryTo(MIDDLE, 1n)],
    [MIDDLE, entryTo(LAST, 1n)],
    ...draft.pages.map((page) => [page.at, page === changed ? entry : page.entry] as const),
  ]);
  const machine = new TwoStageMachine();
  const hgatp = (8n << 60n) | (root >> 12n);
  for (const [index, page] of draft.pages.entries()) {
    const flags = (FLAGS[index] ?? 0n) | U;
    const wanted = { fetch: (flags & 8n) !== 0n, load: true, store: (flags & 4n) !== 0n };
    for (const kind of ["fetch", "load", "store"] as const) {
      const access = { kind, user: false, sum: false, mxr: false };
      const { paddr } = machine.ask({ memory, vsatp: 0n, hgatp, gva: page.gpa, access });
      const right = (page.entry >> 10n) << 12n;
      if (wanted[kind] && paddr !== right)
        return fails(
          paddr === undefined
            ? `The guest's kernel cannot use one of its pages: every access of a guest counts as user mode here, the kernel's too.`
            : "A page leads to another frame now: change the one bit alone.",
        );
      if (!wanted[kind] && paddr !== undefined)
        return fails(
          `A page has got a right that it did not have. One bit is missing, and it is not R, W or X.`,
        );
    }
  }
  return HOLDS;
}

/** Check of exercise 04.2. */
export const rootDraftCheck: Check = defineCheck({
  id: "04.2",
  title: "A root, and a bit",
  points: 3,
  properties: [
    { id: "root", says: "the root is four free pages at a multiple of 16 KiB", weight: 1, run: judgeRoot },
    { id: "register", says: "hgatp selects Sv39x4 and names the guest", weight: 1, run: judgeRegister },
    {
      id: "leaf",
      says: "the guest can use each of its pages, and no more than it could",
      weight: 1,
      run: judgeLeaf,
    },
  ],
});
