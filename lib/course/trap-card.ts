/** The trap card: one trap as the hart saw it, and why it went where it went. */
import { type FigureBundle, markupBundle } from "./figure.ts";
import { type Table, tableHtml, tableText } from "./marks/html.ts";
import type { LadderMode } from "./palette.ts";

/** A trap as an explainer returns it. */
export interface TrapView {
  /** The manual's words: "load page fault". */
  readonly name: string;
  readonly isInterrupt: boolean;
  /** Code without the interrupt bit. */
  readonly cause: number;
  readonly from: LadderMode;
  readonly to: LadderMode;
  /** Address of the instruction that trapped, or of the next one for an interrupt. */
  readonly epc: bigint;
  readonly tval: bigint;
  /** What tval means for this cause. */
  readonly tvalMeaning: string;
  /** Why this mode took it: what the delegation registers say. */
  readonly route: string;
  /** The whole story in one sentence. */
  readonly sentence: string;
}

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

function trapTable(trap: TrapView): Table {
  const csr = trap.to === "M" ? "m" : "s";
  return {
    caption: trap.sentence,
    columns: ["what", "value", "meaning"],
    rows: [
      ["from \u2192 to", { text: `${trap.from} \u2192 ${trap.to}`, strong: true }, trap.route],
      [
        { text: `${csr}cause`, code: true },
        { text: String(trap.cause), code: true, strong: true },
        `${trap.isInterrupt ? "interrupt" : "exception"}: ${trap.name}`,
      ],
      [
        { text: `${csr}epc`, code: true },
        { text: hex(trap.epc), code: true },
        trap.isInterrupt ? "the instruction that would have run next" : "the instruction that trapped",
      ],
      [{ text: `${csr}tval`, code: true }, { text: hex(trap.tval), code: true }, trap.tvalMeaning],
    ],
  };
}

/** Shows a trap: where from, where to, and what the hart left in the cause, epc and tval registers. */
export function trapCard(trap: TrapView): FigureBundle {
  const table = trapTable(trap);
  return markupBundle(tableHtml(table), tableText(table));
}
