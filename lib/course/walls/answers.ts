/** Hints and reference answers of notebook 02, as source text that a test puts in place of each stub. */
import type { Help } from "../exercises/landing-answers.ts";
import { hexDump } from "./hex-dump.ts";
import { machineWalk } from "./walk-cases.ts";
import { draftIsland } from "./write-xor-execute.ts";

const hexText = (value: bigint): string => `0x${value.toString(16)}n`;

function handWalk(seed: number): string {
  const dump = hexDump(seed);
  const access = { kind: "load", user: true, sum: true, mxr: false } as const;
  const { last } = machineWalk({ ...dump, access, scheme: "Sv39" });
  const pte = last?.pte ?? 0n;
  const indexes = [30n, 21n, 12n].map((shift) => (dump.va >> shift) & 511n);
  const store = (pte & 0xd7n) === 0xd7n ? 0 : 15;
  const paddr = ((pte >> 10n) << 12n) | (dump.va & 4095n);
  return `const mine = { seed: SEED, indexes: [${indexes.join(", ")}], paddr: ${hexText(paddr)}, store: ${store} };`;
}

function repair(seed: number): string {
  const { island, pages } = draftIsland(seed);
  const culprit = pages.find(({ flags }) => flags.includes("W") && flags.includes("X"));
  if (culprit === undefined) return "";
  const bit = culprit.name === "user code" ? 4n : 8n;
  return `const at = ${hexText(culprit.pteAddress)};\nconst entry = ${hexText(island.peek(culprit.pteAddress) & ~bit)};`;
}

/** Help for each exercise of notebook 02. */
export const WALLS_HELP = {
  "02.1": {
    hints: [
      "Write the address in binary, with 12 digits for the offset and nine for each index. An index times 8 is the distance of its entry from the beginning of the table.",
      "const page = (entry >> 10n) << 12n is the next table, or the page. The last byte of an entry is D A G U X W R V.",
    ],
    source: handWalk,
    because:
      "Each level spends nine bits of the address on one entry; the offset goes through unchanged. A user-mode store needs V, W, U, A and D in the leaf (and R, because W without R is reserved).",
  },
  "02.2": {
    hints: [
      "Find the row with W and X. Does the program execute that page, or store to it?",
      "entry is draft.island.peek(at) with one bit cleared: & ~4n clears W, & ~8n clears X.",
    ],
    source: repair,
    because:
      "Code keeps X and loses W, data keeps W and loses X. One cleared bit is enough, and no other bit of the entry changes.",
  },
  "02.3": {
    hints: [
      "First the address: bits 63 to 39 must equal bit 38. Then at most three rounds: read, malformed?, pointer?, leaf. Every refusal returns 12, 13 or 15.",
      "In a leaf, in this order: alignment, U, then R, W or X, then A, and D for a store. At level n the page has 12 + 9n bits of offset.",
    ],
    source:
      () => `function walkSv39(memory: ReadonlyMap<bigint, bigint>, root: bigint, va: bigint, access: Access): bigint | number {
  const { kind, user, sum, mxr } = access;
  const fault = { fetch: 12, load: 13, store: 15 }[kind];
  if (BigInt.asUintN(64, BigInt.asIntN(39, va)) !== va) return fault;
  let table = root;
  for (let shift = 30n; shift >= 12n; shift -= 9n) {
    const pte = memory.get(table + ((va >> shift) & 511n) * 8n) ?? 0n;
    const [v, r, w, x, u, , a, d] = Array.from({ length: 8 }, (_, i) => ((pte >> BigInt(i)) & 1n) === 1n);
    if (!v || (w && !r) || (pte >> 54n & 0x7fn) !== 0n) return fault;
    const next = ((pte >> 10n) & ((1n << 44n) - 1n)) << 12n;
    if (!r && !w && !x) {
      if (a || d || u) return fault;
      table = next;
      continue;
    }
    const offset = (1n << shift) - 1n;
    const ownerSaysNo = user ? !u : u && (kind === "fetch" || !sum);
    const allowed = { fetch: x, load: r || (mxr && x), store: w }[kind];
    if ((next & offset) !== 0n || ownerSaysNo || !allowed || !a || (kind === "store" && !d)) return fault;
    return next | (va & offset);
  }
  return fault;
}`,
    because:
      "The walk is a loop over three entries. Everything else is a list of reasons to say no, and each is one or two bits of an entry.",
  },
  "02.4": {
    hints: [
      "Keep copies of memory and free from the start: a refusal returns them. Check flags first, then walk; where an entry above is 0, shift() a frame off free and point to it.",
      "Pages of one range can lie in two tables: walk from the root for every page. A leaf that is not 0 is a refusal.",
    ],
    source:
      () => `function mapRange(memory: Map<bigint, bigint>, root: bigint, va: bigint, pa: bigint, pages: number, flags: bigint, free: bigint[]) {
  const refused = { ok: false, memory: new Map(memory), free: [...free] };
  if ((flags & 0xcn) === 0xcn) return refused;
  for (let i = 0n; i < BigInt(pages); i += 1n) {
    const page = va + i * 4096n;
    let table = root;
    for (let shift = 30n; shift > 12n; shift -= 9n) {
      const at = table + ((page >> shift) & 511n) * 8n;
      if (!memory.has(at)) {
        const frame = free.shift();
        if (frame === undefined) return refused;
        memory.set(at, ((frame >> 12n) << 10n) | 1n);
      }
      table = ((memory.get(at) ?? 0n) >> 10n) << 12n;
    }
    const leaf = table + ((page >> 12n) & 511n) * 8n;
    if (memory.has(leaf)) return refused;
    memory.set(leaf, (((pa >> 12n) + i) << 10n) | flags | 1n);
  }
  return { ok: true, memory, free };
}`,
    because:
      "A table is made where the entry above is empty and nowhere else, so no frame leaks. A refusal returns copies from before the first store, so nothing is half done.",
  },
  "02.5": {
    hints: [
      "isWrong needs a Map from page to frame: map sets it, unmap deletes it, and a load must have seen what the map holds, or -1.",
      "A trial finds a missing fence only if a load comes before the change (so that the hart remembers) and another behind it. Random requests over four pages do it, if there are enough of them.",
    ],
    source: () => `function trial(seed: number): PageOp[] {
  const word = seededWords(seed);
  const pick = () => (word() >>> 8) % 4;
  return Array.from({ length: 60 }, (): PageOp => {
    const what = pick();
    if (what === 0) return { op: "map", page: pick(), frame: pick() };
    return what === 1 ? { op: "unmap", page: pick() } : { op: "load", page: pick() };
  });
}
function isWrong(history: readonly PageEvent[]): boolean {
  const frames = new Map<number, number>();
  return history.some((event) => {
    if (event.op === "map") frames.set(event.page, event.frame);
    if (event.op === "unmap") frames.delete(event.page);
    return event.op === "load" && event.saw !== (frames.get(event.page) ?? -1);
  });
}`,
    because:
      "The property says what a load must see, whatever the hart remembers. The trial loads often, so that there is something to remember wrongly.",
  },
  "02.6": {
    hints: [
      "Go through the touches once, with a Set of page numbers that the hart remembers. A page number is vaddr >> 12n.",
      "M-mode touches cost nothing and are not remembered. A fence empties the set.",
    ],
    source: () => `function tableReads(touches: readonly Touch[]) {
  let afresh = 0, remembered = 0;
  let known = new Set<bigint>();
  for (const touch of touches) {
    if (touch.what === "fence") known = new Set();
    else if (touch.mode !== "M") {
      afresh += 3;
      if (!known.has(touch.vaddr >> 12n)) remembered += 3;
      known.add(touch.vaddr >> 12n);
    }
  }
  return { afresh, remembered };
}`,
    because:
      "Programs touch few pages, often. That is the whole case for remembering translations, and the reason why somebody must say when to forget.",
  },
} as const satisfies Readonly<Record<string, Help>>;

/** Exercises of notebook 02. */
export type WallsExercise = keyof typeof WALLS_HELP;
