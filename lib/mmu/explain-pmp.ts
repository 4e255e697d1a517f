/** What PMP says about an access, in a sentence that names the entry and the bit. */
import { groupedHex } from "../bits/hex.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { HartState } from "../hart/state.ts";
import type { Paddr } from "../isa/address.ts";
import { MODE_NUMBER, MODE_WORDS, type Mode } from "../isa/mode.ts";
import { checkPmp, containsAll, PMP_BIT, type PmpEntry } from "./pmp.ts";

/** What PMP says about the physical address. */
export interface ExplainedPmp {
  readonly allowed: boolean;
  /** Number of the entry that decided; `undefined` when none matched. */
  readonly entry: number | undefined;
  readonly sentence: string;
}

/** Asks PMP about an access of some bytes, by the rights of a mode. */
export function explainPmp(
  state: HartState,
  mode: Mode,
  access: AccessKind,
  address: Paddr,
  lengthBytes: number,
): ExplainedPmp {
  const { allowed, entry } = checkPmp(state, MODE_NUMBER[mode], access, address, lengthBytes);
  const isSplit = entry !== undefined && !containsAll(entry, address, lengthBytes);
  const sentence = isSplit
    ? `${entryName(entry)} contains only some of the ${lengthBytes} bytes at ${groupedHex(address, 8)}: the access is refused.`
    : verdictSentence(allowed, entry, mode, access, address);
  return { allowed, entry: entry?.index, sentence };
}

const RIGHT = { fetch: "X", load: "R", store: "W" } as const satisfies Record<AccessKind, string>;

function verdictSentence(
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
  if (allowed) return `${entryName(entry)} allows ${place} to ${who}.`;
  return `${entryName(entry)} matches ${place} with ${RIGHT[access]}=0: ${who} is refused.`;
}

const entryName = ({ index, matching, config }: PmpEntry): string =>
  `PMP entry ${index} (${matching}, ${rightsText(config)})`;

const rightsText = (config: number): string =>
  (["L", "X", "W", "R"] as const).map((bit) => ((config & PMP_BIT[bit]) !== 0 ? bit : "-")).join("");
