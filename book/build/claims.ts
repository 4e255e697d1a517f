/**
 * The claims ledger: entries that the executed notebooks showed, under the sentences of the essay that they bear on.
 *
 * Nothing is typed by hand but the quotations; the entries are the data in the outputs of `ledger(…)`.
 */
import { CLAIMS, CLAIMS_MIME, type Claim, type ClaimId, type ClaimVerdict } from "../../lib/course/claim.ts";
import type { ExportDocument } from "../../lib/notebook/export/document.ts";

/** Sentences of "the essence of my presentation in the panel on virtualization at the 2008 CERIAS symposium". */
export const QUOTATIONS: Readonly<Record<ClaimId, string>> = {
  C1: "VMWare ESX Server runs its own OS with drivers. Xen and offerings based on it have a full, general purpose OS in domain 0, in control and command of the VMM",
  C2: "So what we’re doing is really exchanging an untrusted OS for another, that we should trust more for some reason.",
  C3: "(notwithstanding disaggregation)",
  C4: "I’m now not convinced that a virtualization solution + guest OS is significantly more secure or functional than just one well-designed OS could be, in theory.",
  C5: "I believe that all the special things that a virtualization solution does for functionality and security, as well as the “new” opportunities being researched, could be done as well by a trustworthy, properly designed OS",
  C6: "I don’t see why operating systems would be unable to be managed in a smart manner just like ESX is, migrating applications as necessary.",
  C7: "The practice of wiping and reinstalling an OS […] suggests that there is little trust in the depth provided by current OSes.",
  C8: "Of course, even with a better OS we’d still need virtualization for testbeds like ReAssure, and for legacy applications.",
};

/** One entry, and the cell that showed it. */
export interface LedgerEntry extends Claim {
  readonly chapter: number;
  readonly title: string;
  /** Address of the cell. */
  readonly address: string;
}

/** How a claim stands: what its entries say together. */
export type Standing = ClaimVerdict | "contested" | "open";

/** One claim with what there is about it. */
export interface LedgerClaim {
  readonly id: ClaimId;
  readonly words: string;
  readonly quotation: string;
  readonly standing: Standing;
  readonly entries: readonly LedgerEntry[];
}

/** Where the page reads the ledger, from the book's folder. */
export const LEDGER_FILE = ".cache/claims.json";

/**
 * The entries that one chapter showed, in its order.
 *
 * @throws  When an output that says it is a ledger is none: the book would lose evidence in silence.
 */
export function entriesOf(document: ExportDocument, chapter: number, page: string): LedgerEntry[] {
  return document.cells.flatMap((cell) =>
    cell.outputs.flatMap((output) => {
      const ledger = "data" in output ? output.data[CLAIMS_MIME] : undefined;
      if (ledger === undefined) return [];
      return claimsIn(ledger, `chapter ${chapter}, cell "${cell.id}"`).map((claim) => ({
        ...claim,
        chapter,
        title: document.title,
        address: `${page}#cell-${cell.id}`,
      }));
    }),
  );
}

function claimsIn(ledger: unknown, where: string): readonly Claim[] {
  const claims = (ledger as { claims?: unknown }).claims;
  if (!Array.isArray(claims)) throw new Error(`${where}: the ledger has no claims`);
  for (const claim of claims) {
    const mistake = mistakeIn(claim);
    if (mistake !== undefined) throw new Error(`${where}: ${mistake}`);
  }
  return claims as Claim[];
}

function mistakeIn(value: unknown): string | undefined {
  const { id, verdict, evidence, because } = value as Partial<Claim>;
  if (typeof id !== "string" || !(id in CLAIMS)) return `there is no claim ${id}`;
  if (verdict !== "supported" && verdict !== "refuted" && verdict !== "undecided")
    return `${id} has the verdict ${verdict}`;
  if (typeof because !== "string" || because === "") return `${id} says no reason`;
  if (!Array.isArray(evidence) || evidence.length === 0) return `${id} has no evidence`;
  const isCounted = evidence.every(
    ({ metric, count, trials }) =>
      typeof metric === "string" && Number.isFinite(count) && Number.isFinite(trials) && count <= trials,
  );
  return isCounted ? undefined : `${id} counts more than there was, or nothing`;
}

/** All claims, in the essay's order, with the chapters' entries in theirs. */
export const ledgerOf = (entries: readonly LedgerEntry[]): LedgerClaim[] =>
  (Object.keys(CLAIMS) as ClaimId[]).map((id) => {
    const own = entries.filter((entry) => entry.id === id);
    return { id, words: CLAIMS[id], quotation: QUOTATIONS[id], standing: standingOf(own), entries: own };
  });

/** One entry that decides, and none against it, decides; entries that decide otherwise contest it. */
export function standingOf(entries: readonly Pick<LedgerEntry, "verdict">[]): Standing {
  if (entries.length === 0) return "open";
  const isSupported = entries.some(({ verdict }) => verdict === "supported");
  const isRefuted = entries.some(({ verdict }) => verdict === "refuted");
  if (isSupported && isRefuted) return "contested";
  return isSupported ? "supported" : isRefuted ? "refuted" : "undecided";
}
