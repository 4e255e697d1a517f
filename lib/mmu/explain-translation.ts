/**
 * Why an address leads where it does, or nowhere: the walk level by level, as values. Looking changes nothing.
 */
import { getField } from "../bits/field.ts";
import { groupedHex } from "../bits/hex.ts";
import type { Bus } from "../bus/bus.ts";
import { type AccessKind, effectiveMode } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import { type Paddr, paddr, vaddr } from "../isa/address.ts";
import { decodeCsr } from "../isa/csr-map.ts";
import { isVirtual, MODE_NUMBER, type Mode, modeName } from "../isa/mode.ts";
import { type ExplainedPmp, explainPmp } from "./explain-pmp.ts";
import type { WalkFaultReason, WalkStep } from "./page-walk.ts";
import {
  type MemoryType,
  NAPOT_PAGE_BYTES,
  PTE,
  PTE_FIELDS,
  type PteFlag,
  pteFlagsText,
  pteHas,
  pteIsNapot,
  pteMemoryType,
  ptePpn,
} from "./pte.ts";
import { guestSchemeOf, pageBytesAt, type Scheme, schemeOf } from "./scheme.ts";
import { StageWalker } from "./stage-walker.ts";
import { resolve, translationScheme } from "./translate.ts";
import { type GuestWalk, pteReader, type RememberedUse, type TranslationFault } from "./translation.ts";
import { guestTableScheme, presentSecondStage, secondStageScheme } from "./two-stage.ts";
import {
  entryWords,
  type FailedBit,
  failedBitOf,
  reasonSentence,
  type Stage,
  type Wish,
} from "./walk-words.ts";

/** One level of a walk, decoded. */
export interface ExplainedLevel {
  /** 0 is the last; the root is 2, or 3 under Sv48. */
  readonly level: number;
  readonly vpnIndex: number;
  readonly pteAddress: bigint;
  /** The entry; 0 when it could not be read (then `verdict` says so). */
  readonly pte: bigint;
  readonly flags: { readonly [F in PteFlag]: boolean };
  /** The flags in one word, `DAGUXWRV` with `-` for clear bits. */
  readonly flagsText: string;
  readonly ppn: bigint;
  /** N=1: one of sixteen entries that map 64 KiB together. */
  readonly isNapot: boolean;
  /** What a leaf's PBMT says. */
  readonly memoryType: MemoryType;
  readonly verdict: "pointer" | "leaf" | WalkFaultReason;
  /** Whether the hart remembers the entry and does not read it. */
  readonly isRemembered: boolean;
  /** What the walk concludes from the entry. */
  readonly sentence: string;
  /** In a guest: where the second stage finds the entry. */
  readonly gStage: ExplainedGuestWalk | undefined;
}

/** A walk of the second stage: from a guest-physical address to a physical one. */
export interface ExplainedGuestWalk {
  /** The guest's table entry is read, or written to set A or D; or it is the address of the access itself. */
  readonly purpose: GuestWalk["purpose"];
  readonly gpa: bigint;
  readonly ok: boolean;
  /** Empty where `hgatp.MODE` is Bare. */
  readonly levels: readonly ExplainedLevel[];
  readonly paddr: bigint | undefined;
  readonly sentence: string;
}

/** What there is to see of a guest's translation beyond its own tables. */
export interface ExplainedGuest {
  readonly hgatp: { readonly MODE: "Bare" | Scheme["name"]; readonly VMID: bigint; readonly PPN: bigint };
  /** The guest-physical address of the access, if the guest's own stage gave one. */
  readonly gpa: bigint | undefined;
  /** The second stage for the access itself, if it came to that. */
  readonly access: ExplainedGuestWalk | undefined;
  /** The second stage for setting A or D in the guest's leaf. */
  readonly update: ExplainedGuestWalk | undefined;
}

/** An explained translation. */
export interface TranslationExplanation {
  readonly ok: boolean;
  readonly vaddr: bigint;
  readonly access: AccessKind;
  /** Whose rights counted; differs from the hart's mode under MPRV. */
  readonly mode: Mode;
  /** The root of the only stage: `satp`, or `vsatp` in a guest. */
  readonly satp: { readonly MODE: "Bare" | Scheme["name"]; readonly ASID: bigint; readonly PPN: bigint };
  /** In the order of the walk (in a guest, its own tables); empty where addresses are not translated. */
  readonly levels: readonly ExplainedLevel[];
  /** The second stage; `undefined` for accesses that are no guest's. */
  readonly guest: ExplainedGuest | undefined;
  /** The physical address, when the walk (or Bare mode) gave one, whatever PMP says about it. */
  readonly paddr: bigint | undefined;
  /** Which stage said no, if a page-table entry did. */
  readonly failedStage: Stage | undefined;
  /** Bytes that the leaf maps. */
  readonly pageBytes: bigint | undefined;
  /** The memory type of the page: a guest's own leaf overrides the second stage's, and both override the platform's. */
  readonly memoryType: MemoryType | undefined;
  /** The bit that said no. */
  readonly failedBit: FailedBit | undefined;
  readonly pmp: ExplainedPmp | undefined;
  /** Who answers at the physical address: `RAM`, a device's name, or `undefined` for nobody. */
  readonly reaches: string | undefined;
  /** The outcome in one sentence, which names the bit. */
  readonly sentence: string;
}

/**
 * Explains a translation with the tables and registers as they are now.
 *
 * @param mode  Whose rights; by default those that such an access of the hart has now. After a trap, give the mode that
 *              it came from.
 * @param lengthBytes  How many bytes the access touches; PMP refuses an access that an entry contains in part only.
 * @param needsExecute Whether it is HLVX's load, which needs X in place of R.
 */
export function explainTranslation(
  hart: Hart,
  address: bigint,
  access: AccessKind,
  mode: Mode = modeName(effectiveMode(hart.state, access)),
  lengthBytes = 1,
  needsExecute = false,
): TranslationExplanation {
  const virtual = vaddr(address);
  const number = MODE_NUMBER[mode];
  const stage = isVirtual(number) ? "VS" : "only";
  const scheme = stage === "VS" ? guestTableScheme(hart.state) : translationScheme(hart.state, number);
  const wish: Wish = { vaddr: virtual, access, mode, stage, scheme };
  const observed = observe(hart, wish, lengthBytes, needsExecute);
  const { levels, guestWalks, found } = observed;
  const guest = stage === "VS" ? explainGuest(hart, guestWalks, levels) : undefined;
  const pageBytes = leafBytes(levels);
  const memoryType = memoryTypeOf(levels, guest);
  const common = {
    vaddr: virtual,
    access,
    mode,
    satp: rootOf(hart, stage),
    levels,
    guest,
    pageBytes,
    memoryType,
  };
  if (found.kind !== "translation" && found.kind !== "pmp-fault") {
    const failure = failureOf(found, observed, wish);
    return { ...common, ...NOWHERE, ...failure };
  }
  const told = arrivalSentence(wish, found.paddr, pageBytes);
  const isRemembered = [...levels, ...(guest?.access?.levels ?? [])].some((level) => level.isRemembered);
  const sentence = isRemembered ? `${told} The hart remembers this; the tables were not asked.` : told;
  return { ...common, failedStage: undefined, ...arrival(hart, wish, found.paddr, lengthBytes, sentence) };
}

/** The register that roots the first stage. */
function rootOf(hart: Hart, stage: Stage): TranslationExplanation["satp"] {
  const { PPN, ASID, MODE } = decodeCsr("satp", hart.csr(stage === "VS" ? "vsatp" : "satp"));
  return { MODE: schemeOf(MODE)?.name ?? "Bare", ASID, PPN };
}

/** A translation as it went. */
interface Observed {
  readonly levels: readonly ExplainedLevel[];
  readonly guestWalks: readonly ExplainedGuestWalk[];
  readonly found: ReturnType<typeof resolve>;
}

function observe(hart: Hart, wish: Wish, lengthBytes: number, needsExecute: boolean): Observed {
  const levels: ExplainedLevel[] = [];
  const guestWalks: ExplainedGuestWalk[] = [];
  const observer = {
    step: (step: WalkStep): void => {
      const gStage = wish.stage === "VS" ? guestWalks.at(-1) : undefined;
      levels.push(explainLevel(step, wish, gStage));
    },
    guestWalk: (walk: GuestWalk): void => {
      const inner: Wish = { ...wish, stage: "G", scheme: secondStageScheme(hart.state) };
      guestWalks.push(explainGuestWalk(hart, walk, inner));
    },
    answered: (use: RememberedUse): void => {
      if (use.space.stage !== "G") levels.push(explainRemembered(hart, use, wish));
    },
  };
  const rights = { mode: MODE_NUMBER[wish.mode], needsExecute };
  const walker = new StageWalker(hart.remembered, observer);
  const address = vaddr(wish.vaddr);
  const found = resolve(hart.state, hart.bus, address, wish.access, lengthBytes, rights, observer, walker);
  return { levels, guestWalks, found };
}

/** A leaf that stands in for a walk. */
function explainRemembered(hart: Hart, use: RememberedUse, wish: Wish): ExplainedLevel {
  const { leaf, judged } = use;
  const { address: pteAddress, pte } = leaf.path.at(-1) ?? { address: 0n, pte: 0n };
  const step: WalkStep = {
    level: leaf.level,
    vpnIndex: Number((pteAddress >> 3n) & 511n),
    pteAddress: paddr(pteAddress),
    pte,
    verdict: judged.kind === "leaf" ? "leaf" : judged.reason,
  };
  const explained = explainLevel(step, wish, undefined);
  const now = entryNow(hart, use, pteAddress);
  const difference =
    now === pte ? "" : ` Memory has ${now === undefined ? "no entry" : groupedHex(now, 16)} there now.`;
  const sentence = `${explained.sentence} The hart remembers it from an earlier use, and no fence has covered it since: no table is read.${difference}`;
  return { ...explained, isRemembered: true, sentence };
}

/** What memory holds in place of a remembered entry. */
function entryNow({ state, bus }: Hart, { space }: RememberedUse, address: bigint): bigint | undefined {
  const at = space.stage === "VS" ? presentSecondStage(state, bus, paddr(address)) : paddr(address);
  const pte = at === undefined ? undefined : pteReader(state, bus)(at);
  return typeof pte === "bigint" ? pte : undefined;
}

function explainGuestWalk(
  hart: Hart,
  { purpose, gpa, remembered, steps, paddr: found }: GuestWalk,
  wish: Wish,
): ExplainedGuestWalk {
  const access = purpose === "access" ? wish.access : purpose === "pte-read" ? "load" : "store";
  const inner: Wish = { ...wish, access, vaddr: gpa };
  const levels =
    remembered === undefined
      ? steps.map((step) => explainLevel(step, inner, undefined))
      : [explainRemembered(hart, remembered, inner)];
  const sentence =
    found !== undefined
      ? `The guest's ${groupedHex(gpa, 8)} is ${groupedHex(found, 8)}${levels.length === 0 ? ": hgatp.MODE is Bare" : ""}.`
      : (levels.at(-1)?.sentence ?? reasonSentence("beyond-guest-space", undefined, inner));
  return { purpose, gpa, ok: found !== undefined, levels, paddr: found, sentence };
}

function explainGuest(
  hart: Hart,
  walks: readonly ExplainedGuestWalk[],
  levels: readonly ExplainedLevel[],
): ExplainedGuest {
  const { MODE, VMID, PPN } = decodeCsr("hgatp", hart.csr("hgatp"));
  const access = walks.find(({ purpose }) => purpose === "access");
  return {
    hgatp: { MODE: guestSchemeOf(MODE)?.name ?? "Bare", VMID, PPN },
    gpa: access?.gpa,
    access,
    update: levels.length === 0 ? undefined : walks.find(({ purpose }) => purpose === "pte-write"),
  };
}

function leafBytes(levels: readonly ExplainedLevel[]): bigint | undefined {
  const last = levels.at(-1);
  if (last?.verdict !== "leaf") return undefined;
  return last.isNapot ? NAPOT_PAGE_BYTES : pageBytesAt(last.level);
}

/** @spec norm:Svpbmt_hgatp_stage_override_rule @spec norm:Svpbmt_vsatp_stage_override_rule */
function memoryTypeOf(
  levels: readonly ExplainedLevel[],
  guest: ExplainedGuest | undefined,
): MemoryType | undefined {
  const types = [levels.at(-1), guest?.access?.levels.at(-1)].flatMap((level) =>
    level?.verdict === "leaf" ? [level.memoryType] : [],
  );
  return types.find((type) => type !== "PMA") ?? types[0];
}

/** Why there is no physical address. */
function failureOf(
  fault: Exclude<TranslationFault, { kind: "pmp-fault" }>,
  { levels, guestWalks }: Observed,
  wish: Wish,
): Pick<TranslationExplanation, "failedBit" | "failedStage" | "sentence"> {
  const refused = guestWalks.at(-1);
  const isSecondStage = refused?.ok === false;
  const failedBit = failedBitOf(fault.reason);
  if (isSecondStage) return { failedBit, failedStage: "G", sentence: refused.sentence };
  const sentence = levels.at(-1)?.sentence ?? reasonSentence(fault.reason, undefined, wish);
  return { failedBit, failedStage: wish.stage, sentence };
}

function arrivalSentence(
  { vaddr: address, mode, stage, scheme }: Wish,
  found: Paddr,
  pageBytes: bigint | undefined,
): string {
  const from = groupedHex(address);
  if (stage === "VS") {
    const own = scheme === undefined ? " (vsatp.MODE is Bare)" : "";
    return `The guest's ${from} leads to ${groupedHex(found)}${own}.`;
  }
  if (scheme === undefined) {
    const why = mode === "M" ? "machine mode uses physical addresses" : "satp.MODE is Bare";
    return `${from} is physical: ${why}.`;
  }
  return `${from} leads to ${groupedHex(found)}, in a ${pageSize(pageBytes ?? 0n)} page.`;
}

/** The part of an explanation that a failed walk does not have. */
const NOWHERE = {
  ok: false,
  paddr: undefined,
  pageBytes: undefined,
  memoryType: undefined,
  pmp: undefined,
  reaches: undefined,
} as const;

type Arrival = Pick<TranslationExplanation, "ok" | "paddr" | "failedBit" | "pmp" | "reaches" | "sentence">;

/** What happens at the physical address: PMP may refuse it, and somebody must answer there. */
function arrival(
  hart: Hart,
  { mode, access }: Wish,
  address: Paddr,
  lengthBytes: number,
  sentence: string,
): Arrival {
  const pmp = explainPmp(hart.state, mode, access, address, lengthBytes);
  const reaches = whoAnswers(hart.bus, Number(address));
  const found = { paddr: address, pmp, reaches };
  if (!pmp.allowed) return { ...found, ok: false, failedBit: "PMP", sentence: pmp.sentence };
  if (reaches !== undefined) return { ...found, ok: true, failedBit: undefined, sentence };
  return {
    ...found,
    ok: false,
    failedBit: "bus",
    sentence: `${sentence} Neither RAM nor a device answers there.`,
  };
}

function whoAnswers({ ram, regions }: Bus, address: number): string | undefined {
  if (address >= ram.base && address < ram.base + ram.sizeBytes) return "RAM";
  return regions.find(({ base, end }) => base <= address && address < end)?.device.name;
}

const pageSize = (bytes: bigint): string =>
  bytes >= 1n << 30n
    ? `${bytes >> 30n} GiB`
    : bytes >= 1n << 20n
      ? `${bytes >> 20n} MiB`
      : `${bytes >> 10n} KiB`;

function explainLevel(step: WalkStep, wish: Wish, gStage: ExplainedGuestWalk | undefined): ExplainedLevel {
  const pte = step.pte ?? 0n;
  const flags = Object.fromEntries(
    (Object.keys(PTE) as PteFlag[]).map((flag) => [flag, pteHas(pte, flag)]),
  ) as ExplainedLevel["flags"];
  return {
    level: step.level,
    vpnIndex: step.vpnIndex,
    pteAddress: step.pteAddress,
    pte,
    flags,
    flagsText: pteFlagsText(pte),
    ppn: getField(pte, PTE_FIELDS.PPN),
    isNapot: pteIsNapot(pte),
    memoryType: pteMemoryType(pte),
    verdict: step.verdict,
    isRemembered: false,
    sentence: levelSentence(step, wish),
    gStage,
  };
}

function levelSentence(step: WalkStep, wish: Wish): string {
  const { verdict, pte = 0n } = step;
  const name = entryWords(step, wish.stage);
  const page = groupedHex(ptePpn(pte) << 12n, 8);
  if (verdict === "leaf" && pteIsNapot(pte)) {
    const region = groupedHex((ptePpn(pte) << 12n) & -NAPOT_PAGE_BYTES, 8);
    return `${name} is a leaf: ${pteFlagsText(pte)}${typeWords(pte)}, with N=1 for the 64 KiB at ${region}.`;
  }
  if (verdict === "pointer") return `${name} points to the next table, at ${page}.`;
  if (verdict === "leaf")
    return `${name} is a leaf: ${pteFlagsText(pte)}${typeWords(pte)}, the page at ${page}.`;
  return reasonSentence(verdict, step, wish);
}

const typeWords = (pte: bigint): string => {
  const type = pteMemoryType(pte);
  return type === "PMA" ? "" : `, memory type ${type}`;
};
