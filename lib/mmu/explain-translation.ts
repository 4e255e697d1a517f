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
import { MODE_NUMBER, type Mode, modeName } from "../isa/mode.ts";
import { type ExplainedPmp, explainPmp } from "./explain-pmp.ts";
import { PTE, PTE_FIELDS, type PteFlag, pteFlagsText, pteHas, ptePpn } from "./pte.ts";
import { pageBytesAt, type WalkFaultReason, type WalkStep, walkSv39 } from "./sv39.ts";
import { isTranslated, pteReader, walkRequest } from "./translate.ts";
import { type FailedBit, failedBitOf, reasonSentence, type Wish } from "./walk-words.ts";

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
 */
export function explainTranslation(
  hart: Hart,
  address: bigint,
  access: AccessKind,
  mode: Mode = modeName(effectiveMode(hart.state, access)),
  lengthBytes = 1,
): TranslationExplanation {
  const virtual = vaddr(address);
  const { PPN, ASID, MODE } = decodeCsr("satp", hart.csr("satp"));
  const satp = { MODE: MODE === 0n ? ("Bare" as const) : ("Sv39" as const), ASID, PPN };
  const wish: Wish = { vaddr: virtual, access, mode };
  const common = { ...wish, satp };
  if (!isTranslated(hart.state, MODE_NUMBER[mode])) {
    const why = mode === "M" ? "machine mode uses physical addresses" : "satp.MODE is Bare";
    const sentence = `${groupedHex(virtual)} is physical: ${why}.`;
    return {
      ...common,
      levels: [],
      pageBytes: undefined,
      ...arrival(hart, wish, paddr(virtual), lengthBytes, sentence),
    };
  }
  const steps: WalkStep[] = [];
  const request = walkRequest(hart.state, virtual, access, MODE_NUMBER[mode]);
  const found = walkSv39(request, pteReader(hart.state, hart.bus), (step) => steps.push(step));
  const levels = steps.map((step) => explainLevel(step, wish));
  if (found.kind === "walk-fault") {
    const sentence = levels.at(-1)?.sentence ?? reasonSentence(found.reason, undefined, wish);
    return { ...common, ...NOWHERE, levels, failedBit: failedBitOf(found.reason), sentence };
  }
  const pageBytes = pageBytesAt(found.level);
  const sentence = `${groupedHex(virtual)} leads to ${groupedHex(found.paddr)}, in a ${pageSize(pageBytes)} page.`;
  return { ...common, levels, pageBytes, ...arrival(hart, wish, found.paddr, lengthBytes, sentence) };
}

/** The part of an explanation that a failed walk does not have. */
const NOWHERE = {
  ok: false,
  paddr: undefined,
  pageBytes: undefined,
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

function explainLevel(step: WalkStep, wish: Wish): ExplainedLevel {
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
    sentence: levelSentence(step, wish),
  };
}

function levelSentence(step: WalkStep, wish: Wish): string {
  const { verdict, level, pteAddress, pte = 0n } = step;
  const name = `PTE ${level} at ${groupedHex(pteAddress, 8)}`;
  const page = groupedHex(ptePpn(pte) << 12n, 8);
  if (verdict === "pointer") return `${name} points to the next table, at ${page}.`;
  if (verdict === "leaf") return `${name} is a leaf: ${pteFlagsText(pte)}, the page at ${page}.`;
  return reasonSentence(verdict, step, wish);
}
