/**
 * The claims ledger: the essay of 2008 cut into eight numbered claims, and what each notebook measured about them.
 *
 * A claim is a value with its evidence; the last notebook assembles them. The words are a paraphrase of the essay.
 */
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml } from "./marks/html.ts";

/** The essay, claim by claim. */
export const CLAIMS = {
  C1: "ESX runs its own OS with drivers; Xen\u2019s dom0 and Hyper-V\u2019s root are full operating systems in command of the hypervisor.",
  C2: "So we exchange one untrusted OS for another.",
  C3: "Notwithstanding disaggregation.",
  C4: "Virtualization plus guest OS is not significantly more secure than one well-designed OS could be.",
  C5: "Nor more functional: a trustworthy OS could do all the special things.",
  C6: "An OS can be managed as smartly as ESX, migrating applications as necessary.",
  C7: "Wiping and reinstalling shows how little we trust the depth of our operating systems.",
  C8: "Virtualization is still needed for testbeds and for legacy applications.",
} as const;

export type ClaimId = keyof typeof CLAIMS;

/** How far the evidence carries. One notebook rarely decides. */
export type ClaimVerdict = "supported" | "refuted" | "undecided";

/** One piece of evidence: what was counted, out of how many trials. */
export interface Evidence {
  readonly metric: string;
  readonly count: number;
  readonly trials: number;
  /** Seed or trace hash that repeats the measurement. */
  readonly seed: number;
}

/** An entry of the ledger; `show` displays it. */
export interface Claim {
  readonly id: ClaimId;
  readonly verdict: ClaimVerdict;
  readonly evidence: readonly Evidence[];
  readonly because: string;
}

/** Enters evidence into the ledger. @param because  One sentence: why the evidence carries so far and no further. */
export const claim = (
  id: ClaimId,
  verdict: ClaimVerdict,
  evidence: readonly Evidence[],
  because: string,
): Claim => ({
  id,
  verdict,
  evidence,
  because,
});

/** Under this MIME type a ledger's bundle holds its entries as data, `{ claims: Claim[] }`; the book collects them. */
export const CLAIMS_MIME = "application/vnd.dom0.claims+json";

/** Shows entries of the ledger. */
export function ledger(claims: readonly Claim[]): FigureBundle {
  const table: Table = {
    caption: "The claims ledger",
    columns: ["claim", "verdict", "evidence", "why"],
    namesRows: true,
    rows: claims.map((entry) => [
      { text: `${entry.id} ${CLAIMS[entry.id]}` },
      { text: entry.verdict, strong: true },
      entry.evidence
        .map((item) => `${item.metric}: ${item.count} of ${item.trials} (seed ${item.seed})`)
        .join("; "),
      entry.because,
    ]),
  };
  const text = claims.map((entry) =>
    [
      `${entry.id} ${CLAIMS[entry.id]}`,
      `   ${entry.verdict}: ${entry.because}`,
      ...entry.evidence.map(
        (item) => `   ${item.metric}: ${item.count} of ${item.trials} (seed ${item.seed})`,
      ),
    ].join("\n"),
  );
  return {
    ...markupBundle(tableHtml(table), [table.caption, ...text].join("\n")),
    [CLAIMS_MIME]: { claims },
  };
}
