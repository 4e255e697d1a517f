/**
 * Why an address leads where it does, or nowhere: the walk level by level, as values. Looking changes nothing.
 */
import { getField } from "../bits/field.ts";
import { groupedHex } from "../bits/hex.ts";
import { type AccessKind, effectiveMode } from "../hart/effective-mode.ts";
import type { Hart } from "../hart/hart.ts";
import { type Paddr, paddr, vaddr } from "../isa/address.ts";
import { decodeCsr } from "../isa/csr-map.ts";
import { MODE_NUMBER, MODE_WORDS, type Mode, modeName } from "../isa/mode.ts";
import { checkPmp, containsAll, PMP_BIT, type PmpEntry } from "./pmp.ts";
import { PTE, PTE_FIELDS, type PteFlag, pteFlagsText, pteHas, ptePpn } from "./pte.ts";
import { pageBytesAt, type WalkFaultReason, type WalkStep, walkSv39 } from "./sv39.ts";
import { isTranslated, pteReader, walkRequest } from "./translate.ts";
import { type FailedBit, failedBitOf, reasonSentence } from "./walk-words.ts";

/** One level of a walk, decoded. */
export interface ExplainedLevel {
  /** 2 is the root, 0 the last. */
  readonly level: number;
  readonly vpnIndex: number;
  readonly pteAddress: bigint;
  /** The entry; 0 when it could not be read (then `verdict` says so). */
  readonly pte: bigint;
  readonly flags: { readonly [F in PteFlag]: boolean };
  /** The flags in one word, `DAGUXWRV` with `-` for clear bits. */
  readonly flagsText: string;
  readonly ppn: bigint;
  readonly verdict: "pointer" | "leaf" | WalkFaultReason;
  /** What the walk concludes from the entry. */
  readonly sentence: string;
}

/** What PMP says about the physical address. */
export interface ExplainedPmp {
  readonly allowed: boolean;
  /** Number of the entry that decided; `undefined` when none matched. */
  readonly entry: number | undefined;
  readonly sentence: string;
}

/** An explained translation. */
export interface TranslationExplanation {
  readonly ok: boolean;
  readonly vaddr: bigint;
  readonly access: AccessKind;
  /** Whose rights counted; differs from the hart's mode under MPRV. */
  readonly mode: Mode;
  readonly satp: { readonly MODE: "Bare" | "Sv39"; readonly ASID: bigint; readonly PPN: bigint };
  /** In the order of the walk; empty where addresses are not translated. */
  readonly levels: readonly ExplainedLevel[];
  /** The physical address, when the walk (or Bare mode) gave one, whatever PMP says about it. */
  readonly paddr: bigint | undefined;
  /** Bytes of the page that the leaf maps. */
  readonly pageBytes: bigint | undefined;
  /** The bit that said no. */
  readonly failedBit: FailedBit | undefined;
  readonly pmp: ExplainedPmp | undefined;
  /** The outcome in one sentence, which names the bit. */
  readonly sentence: string;
}

/**
 * Explains a translation with the tables and registers as they are now.
 *
 * @param mode  Whose rights; by default those that such an access of the hart has now. After a trap, give the mode that
 *              it came from.
 * @param lengthBytes  How many bytes the access touches; PMP refuses an access that an entry contains in part only.
 */
export function explainTranslation(
  hart: Hart,
  address: bigint,
  access: AccessKind,
  mode: Mode = modeName(effectiveMode(hart.state, access)),
  lengthBytes = 1,
): TranslationExplanation {
  const { state } = hart;
  const virtual = vaddr(address);
  const { PPN, ASID, MODE } = decodeCsr("satp", state.stored("satp"));
  const satp = { MODE: MODE === 0n ? ("Bare" as const) : ("Sv39" as const), ASID, PPN };
  const common = { vaddr: virtual, access, mode, satp } as const;
  const who = { mode, access, vaddr: virtual };
  if (!isTranslated(state, MODE_NUMBER[mode])) {
    const pmp = explainPmp(hart, mode, access, paddr(virtual), lengthBytes);
    const why = mode === "M" ? "machine mode uses physical addresses" : "satp.MODE is Bare";
    const sentence = pmp.allowed ? `${groupedHex(virtual)} is physical: ${why}.` : pmp.sentence;
    return {
      ...common,
      ok: pmp.allowed,
      levels: [],
      paddr: virtual,
      pageBytes: undefined,
      failedBit: pmpBit(pmp),
      pmp,
      sentence,
    };
  }
  const steps: WalkStep[] = [];
  const found = walkSv39(
    walkRequest(state, virtual, access, MODE_NUMBER[mode]),
    pteReader(state, hart.bus),
    (step) => steps.push(step),
  );
  const levels = steps.map((step) => explainLevel(step, who));
  if (found.kind === "walk-fault") {
    const sentence = levels.at(-1)?.sentence ?? reasonSentence(found.reason, undefined, who);
    const failedBit = failedBitOf(found.reason);
    return {
      ...common,
      ok: false,
      levels,
      paddr: undefined,
      pageBytes: undefined,
      failedBit,
      pmp: undefined,
      sentence,
    };
  }
  const pmp = explainPmp(hart, mode, access, found.paddr, lengthBytes);
  const pageBytes = pageBytesAt(found.level);
  const reached = `${groupedHex(virtual)} leads to ${groupedHex(found.paddr)}, in a ${pageSize(pageBytes)} page.`;
  return {
    ...common,
    ok: pmp.allowed,
    levels,
    paddr: found.paddr,
    pageBytes,
    failedBit: pmpBit(pmp),
    pmp,
    sentence: pmp.allowed ? reached : pmp.sentence,
  };
}

const pageSize = (bytes: bigint): string =>
  bytes >= 1n << 30n
    ? `${bytes >> 30n} GiB`
    : bytes >= 1n << 20n
      ? `${bytes >> 20n} MiB`
      : `${bytes >> 10n} KiB`;

function explainLevel(
  step: WalkStep,
  who: { mode: Mode; access: AccessKind; vaddr: bigint },
): ExplainedLevel {
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
    verdict: step.verdict,
    sentence: levelSentence(step, who),
  };
}

function levelSentence(step: WalkStep, who: { mode: Mode; access: AccessKind; vaddr: bigint }): string {
  const { verdict, level, pteAddress, pte = 0n } = step;
  const name = `PTE ${level} at ${groupedHex(pteAddress, 8)}`;
  const page = groupedHex(ptePpn(pte) << 12n, 8);
  if (verdict === "pointer") return `${name} points to the next table, at ${page}.`;
  if (verdict === "leaf") return `${name} is a leaf: ${pteFlagsText(pte)}, the page at ${page}.`;
  return reasonSentence(verdict, step, who);
}

const RIGHT = { fetch: "X", load: "R", store: "W" } as const satisfies Record<AccessKind, string>;

const pmpBit = ({ allowed }: ExplainedPmp): FailedBit | undefined => (allowed ? undefined : "PMP");

function explainPmp(
  { state }: Hart,
  mode: Mode,
  access: AccessKind,
  address: Paddr,
  lengthBytes: number,
): ExplainedPmp {
  const { allowed, entry } = checkPmp(state, MODE_NUMBER[mode], access, address, lengthBytes);
  const isSplit = entry !== undefined && !containsAll(entry, address, lengthBytes);
  const sentence = isSplit
    ? `${pmpName(entry)} contains only some of the ${lengthBytes} bytes at ${groupedHex(address, 8)}: the access is refused.`
    : pmpSentence(allowed, entry, mode, access, address);
  return { allowed, entry: entry?.index, sentence };
}

function pmpSentence(
  allowed: boolean,
  entry: PmpEntry | undefined,
  mode: Mode,
  access: AccessKind,
  address: bigint,
): string {
  const place = groupedHex(address, 8);
  const who = `${MODE_WORDS[mode]} (${access})`;
  if (entry === undefined) {
    return allowed
      ? `No PMP entry matches ${place}; machine mode needs none.`
      : `No PMP entry matches ${place}, and ${who} needs one.`;
  }
  const name = pmpName(entry);
  if (allowed) return `${name} allows ${place} to ${who}.`;
  return `${name} matches ${place} with ${RIGHT[access]}=0: ${who} is refused.`;
}

const pmpName = ({ index, matching, config }: PmpEntry): string =>
  `PMP entry ${index} (${matching}, ${rightsText(config)})`;

const rightsText = (config: number): string =>
  (["L", "X", "W", "R"] as const).map((bit) => ((config & PMP_BIT[bit]) !== 0 ? bit : "-")).join("");
