/** Exercise 03.4, build: what goes into the shadow. The oracle is the hart's own judgement of the guest's leaf and of the shadow's. */
import fc from "fast-check";
import { groupedHex } from "../../bits/hex.ts";
import type { Answer, Outcome } from "../../checks/answer.ts";
import { type Check, type CheckRun, defineCheck, type Finding, type Property } from "../../checks/check.ts";
import { describeInert, type Inert, member } from "../../checks/inert.ts";
import { fails } from "../../checks/property.ts";
import { vaddr } from "../../isa/address.ts";
import { judgeLeaf, type WalkRequest } from "../../mmu/page-walk.ts";
import { pteFlagsText } from "../../mmu/pte.ts";
import { SCHEMES } from "../../mmu/scheme.ts";
import { forAllAtWork, type Work } from "./work-share.ts";

type Kind = "fetch" | "load" | "store";
const KINDS: readonly Kind[] = ["fetch", "load", "store"];

/** A page fault of the guest, as the monitor meets it. */
export interface ShadowFault {
  readonly kind: Kind;
  /** Virtual address of the access, unsigned 64-bit. */
  readonly va: bigint;
  /** Whether the guest believes to be in U-mode; otherwise it is in S-mode. */
  readonly user: boolean;
  /** `sstatus.SUM` of the guest. */
  readonly sum: boolean;
  /** The guest's own leaf for the address, and the size of its page in bytes; 0 where it has none. */
  readonly leaf: bigint;
  readonly bytes: bigint;
}

/** What the monitor does: an entry for the shadow, a device's address, or an exception for the guest. */
export type ShadowAnswer =
  | { readonly entry: bigint }
  | { readonly device: bigint }
  | { readonly deliver: number };

/** The guest's RAM as it believes it to be, and how far above it really is. */
export const GUEST_MEMORY = { base: 0x8000_0000n, end: 0x8040_0000n, shift: 0x20_0000n } as const;

const CODES = { fetch: 12, load: 13, store: 15 } as const;
const MIB2 = 1n << 21n;

function judged(leaf: bigint, level: number, kind: Kind, user: boolean, sum: boolean, va: bigint) {
  const request: WalkRequest = {
    scheme: SCHEMES.Sv39,
    rootPpn: 0n,
    vaddr: vaddr(va),
    kind,
    asUser: user,
    sum,
    mxr: false,
    setsAccessedDirty: false,
    allowsMemoryTypes: false,
    needsExecute: false,
  };
  const verdict = judgeLeaf(request, { pte: leaf, level, pteAddress: 0n as never, isGlobal: false });
  return verdict.kind === "leaf" ? { paddr: BigInt(verdict.paddr) } : undefined;
}

/** What the guest may do at that address, by its own leaf. */
const guestMay = ({ leaf, bytes, user, sum, va }: ShadowFault, kind: Kind) =>
  (leaf & 1n) === 0n ? undefined : judged(leaf, bytes === MIB2 ? 1 : 0, kind, user, sum, va);
/** What the hart, in U-mode, may do with an entry of the shadow. */
const hartMay = (entry: bigint, va: bigint, kind: Kind) =>
  (entry & 1n) === 0n ? undefined : judged(entry, 0, kind, true, false, va);

const FLAGS = {
  own: [0n, 0xc3n, 0xd3n, 0x4bn, 0x47n, 0xd7n, 0x83n, 0x5bn],
  place: [0xd7n, 0xdfn, 0xd3n],
  rights: [0xc7n, 0xd7n, 0x47n, 0x57n, 0xcbn, 0xdbn, 0xc3n, 0xd3n, 0xcfn, 0xdfn, 0xc7n],
} as const;
type Family = keyof typeof FLAGS;

const faultsOf = (family: Family): fc.Arbitrary<ShadowFault> =>
  fc
    .record({
      kind: fc.constantFrom<Kind>("load", "store", "fetch"),
      page: fc.nat(1023),
      place: fc.nat(1023),
      offset: fc.nat(511),
      user: fc.boolean(),
      sum: fc.boolean(),
      flags: fc.constantFrom(...FLAGS[family]),
      isLarge: fc.boolean(),
      isDevice: fc.boolean(),
    })
    .map(({ kind, page, place, offset, user, sum, flags, isLarge, isDevice }) => {
      const bytes = isLarge ? MIB2 : 4096n;
      const va = 0x4000_0000n + BigInt(page) * 4096n + 8n * BigInt(offset);
      const device = family === "place" && isDevice && kind !== "fetch";
      const start = device ? 0x1000_0000n : GUEST_MEMORY.base;
      const at = isLarge ? start + (BigInt(place) & 1n) * MIB2 : start + BigInt(place) * 4096n;
      const owner = family === "place" ? (user ? 0x10n : 0n) : flags & 0x10n;
      const leaf = flags === 0n ? 0n : ((at >> 12n) << 10n) | (flags & ~0x10n) | owner;
      return { kind, va, user, sum, leaf, bytes: leaf === 0n ? 0n : bytes };
    })
    .filter((fault) => {
      const may = guestMay(fault, fault.kind) !== undefined;
      return family === "own" ? !may : may;
    });

const faultWords = ({ kind, va, user, sum, leaf, bytes }: ShadowFault): string =>
  `${kind} at ${groupedHex(va, 8)} in ${user ? "U" : "S"}-mode${sum ? ", SUM 1" : ""}, the guest\u2019s leaf ${
    leaf === 0n
      ? "none"
      : `${groupedHex(leaf)} (${pteFlagsText(leaf)}), a page of ${bytes === MIB2 ? "2 MiB" : "4 KiB"}`
  }`;

type Question = (fault: ShadowFault, value: Inert) => string | undefined;

const ownFaults: Question = (fault, value) => {
  const { kind, leaf } = fault;
  const code = CODES[kind];
  const deliver = member(value, "deliver");
  if (deliver === code) return undefined;
  if (typeof deliver === "number") return `The code is ${code} for a ${kind}.`;
  if ((leaf & 1n) === 0n) return "The guest has no page there: it must get its page fault.";
  const forgotten =
    (leaf & 0x40n) === 0n ? "A is 0" : kind === "store" && (leaf & 0x84n) === 4n ? "D is 0" : undefined;
  return forgotten === undefined
    ? "The guest\u2019s own leaf forbids that: its kernel must get the page fault, as on a bare machine."
    : `${forgotten} in the guest\u2019s leaf, and its kernel waits for the page fault that says so.`;
};

const rightPlace: Question = (fault, value) => {
  const place = guestMay(fault, fault.kind)?.paddr ?? 0n;
  const isRam = place >= GUEST_MEMORY.base && place < GUEST_MEMORY.end;
  if (!isRam) {
    const device = member(value, "device");
    if (device === place) return undefined;
    return typeof device === "bigint"
      ? "device must be the guest-physical address of the access, offset included."
      : "That is not the guest\u2019s RAM but a device: { device }. Whoever maps it gives the machine\u2019s device away.";
  }
  const entry = member(value, "entry");
  if (typeof entry !== "bigint") return "The page is in the guest\u2019s RAM: return { entry }.";
  const wanted = (place + GUEST_MEMORY.shift) >> 12n;
  const got = (entry >> 10n) & ((1n << 44n) - 1n);
  if (got === wanted) return undefined;
  if (got === place >> 12n)
    return "That is where the guest believes its page to be. Really it is GUEST_MEMORY.shift higher: this page is the monitor\u2019s.";
  return fault.bytes === MIB2
    ? "The guest\u2019s page has 2 MiB; the shadow gets the piece of 4 KiB with this address: keep bits 20 to 12 of va."
    : "The entry leads to another page.";
};

const noMore: Question = (fault, value) => {
  const entry = member(value, "entry");
  if (typeof entry !== "bigint")
    return fault.sum && !fault.user && (fault.leaf & 0x10n) !== 0n
      ? "With SUM the guest\u2019s S-mode may load and store on a page with U."
      : "The guest may do that, and its page is in RAM: return { entry }.";
  const may = (kind: Kind): boolean => hartMay(entry, fault.va, kind) !== undefined;
  if ((entry & 0x10n) === 0n)
    return "The hart runs the guest in U-mode, whatever it believes: U must be 1 in the shadow.";
  if ((entry & 0x40n) === 0n) return "A must be 1 in the shadow: the hart would fault, and nobody sets it.";
  if (!may(fault.kind)) return "With this entry the hart faults again at once, and the guest never goes on.";
  const gained = KINDS.find((kind) => may(kind) && guestMay(fault, kind) === undefined);
  if (gained === undefined) return undefined;
  if (gained === "store" && (fault.leaf & 0x84n) === 4n)
    return "D is 0 in the guest\u2019s leaf: leave W out, or its kernel never learns of the first store.";
  return fault.user
    ? `The shadow allows a ${gained} that the guest\u2019s leaf does not.`
    : `The shadow allows a ${gained} that the guest\u2019s S-mode may not: on a page with U it may load and store with SUM, and never fetch.`;
};

const SHAPE =
  "Return one of { deliver }, a number, { device }, a bigint, and { entry }, a bigint; neither negative nor longer than 64 bits.";
const isWord = (value: Inert): boolean => typeof value === "bigint" && value >= 0n && value >> 64n === 0n;

/** Whether an answer is one of the three that there are. Whoever gives two of them has not decided. */
const hasShape = (value: Inert): boolean => {
  const [deliver, device, entry] = ["deliver", "device", "entry"].map((name) => member(value, name));
  if ([deliver, device, entry].filter((each) => each !== undefined).length !== 1) return false;
  return typeof deliver === "number" || isWord(device) || isWord(entry);
};

const QUESTIONS: Readonly<Record<Family, Question>> = { own: ownFaults, place: rightPlace, rights: noMore };

/** Whoever hands every fault to the guest has decided nothing; which faults those are is not told by when they come. */
const KEPT = {
  least: 0.5,
  idle: "The guest may do that, and got a page fault: a page that only the shadow lacks is the monitor\u2019s to add.",
  isSaidFirst: true,
};

function judge(answer: Answer, run: CheckRun, family: Family, salt: number): Finding {
  if (!answer.isFunction) return fails("The answer must be a function of a fault.");
  const faults = family === "own" ? fc.oneof(faultsOf("own"), faultsOf("rights")) : faultsOf(family);
  const instances = (family === "own" ? 6 : 3) * run.instances;
  return forAllAtWork(faults, { ...run, instances }, salt, KEPT, (batch) => {
    const outcomes: readonly Outcome[] = answer.callEach(batch.map((fault) => [{ ...fault }]));
    return batch.map((fault, index) => workOf(fault, outcomes[index], family));
  });
}

/** What an answer made of a fault. One that is not the guest's own must not be delivered; what else it gets is the other properties' matter. */
function workOf(fault: ShadowFault, outcome: Outcome | undefined, family: Family): Work {
  if (outcome?.ok !== true) {
    const detail = `${outcome?.message ?? ""}; ${faultWords(fault)}`;
    return { broken: { hint: `fill ${outcome?.category ?? "did not answer"}.`, detail }, asked: 0, done: 0 };
  }
  const { value } = outcome;
  if (family === "own" && guestMay(fault, fault.kind) !== undefined) {
    const isHandedOver = member(value, "deliver") !== undefined && hasShape(value);
    return { broken: undefined, asked: 1, done: isHandedOver ? 0 : 1 };
  }
  const hint = hasShape(value) ? QUESTIONS[family](fault, value) : SHAPE;
  if (hint === undefined) return { broken: undefined, asked: 0, done: 0 };
  const detail = `${faultWords(fault)} \u2014 you return ${describeInert(value)}`;
  return { broken: { hint, detail }, asked: 0, done: 0 };
}

const property = (family: Family, says: string, salt: number): Property => ({
  id: family,
  says,
  weight: 1,
  run: (answer, run) => judge(answer, run, family, salt),
});

/** Check of exercise 03.4. */
export const fillCheck: Check = defineCheck({
  id: "03.4",
  title: "Fill the shadow",
  points: 3,
  properties: [
    property("own", "the guest\u2019s own faults are its own", 41),
    property("place", "an entry leads where the page really is, and devices stay the monitor\u2019s", 42),
    property("rights", "the hart may go on, and may do nothing that the guest may not", 43),
  ],
});
