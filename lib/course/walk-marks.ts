/** What the pictures of page walks share: the address cut into indexes, the outcome, and lines of text. */
import { groupedHex } from "../bits/hex.ts";
import type { TranslationExplanation } from "../mmu/explain-translation.ts";
import { box, FIGURE_WIDTH, label } from "./marks/svg.ts";
import { paperPaint, partPaint } from "./palette.ts";

/** Where the address strip begins and ends. */
export const STRIP = 198;
const STRIP_WIDTH = FIGURE_WIDTH - 24 - STRIP;
const CELL = 30;
const VPN_BITS = 9;
const OFFSET_BITS = 12;

/** Levels of the tables of `satp` or `vsatp`; under Bare those of Sv39. */
const levelsOf = ({ satp }: TranslationExplanation): number => (satp.MODE === "Sv48" ? 4 : 3);

/** The virtual address, cut into the indexes of each level and the offset; indexes that nobody used are dashed. */
export function addressMarks(view: TranslationExplanation, register: "satp" | "vsatp"): string {
  const paint = partPaint("memory");
  const levels = levelsOf(view);
  const vpns = Array.from({ length: levels }, (_, index) => {
    const level = levels - 1 - index;
    const low = OFFSET_BITS + VPN_BITS * level;
    const used = view.levels.some((step) => step.level === level);
    const value = String((view.vaddr >> BigInt(low)) & 511n);
    return { name: `VPN[${level}]`, bits: `${low + VPN_BITS - 1}\u2013${low}`, value, used };
  });
  const offset = { name: "offset", bits: "11\u20130", value: groupedHex(view.vaddr & 4095n, 3), used: true };
  const width = STRIP_WIDTH / (levels + 1);
  const cells = [...vpns, offset].map((part, index) => {
    const x = STRIP + index * width;
    return [
      box(x, 62, width, CELL, {
        fill: paperPaint("paper"),
        stroke: paint,
        "stroke-width": 1.25,
        "stroke-dasharray": part.used ? undefined : "3 3",
      }),
      label(x + width / 2, 82, part.value, { size: 13, mono: true, anchor: "middle", bold: true }),
      label(x + width / 2, 56, `${part.name}  ${part.bits}`, {
        size: 10.5,
        anchor: "middle",
        paint: paperPaint("quiet"),
      }),
    ].join("");
  });
  return (
    label(24, 76, `${view.access} at`, { size: 12, paint: paperPaint("quiet") }) +
    label(24, 92, groupedHex(view.vaddr, 8), { size: 12, mono: true, bold: true }) +
    cells.join("") +
    label(24, 112, rootWords(view, register), { size: 11, paint: paperPaint("quiet") })
  );
}

function rootWords({ satp }: TranslationExplanation, register: "satp" | "vsatp"): string {
  if (satp.MODE === "Bare") return `${register}: Bare, no translation`;
  const whose = register === "vsatp" ? "guest-physical " : "";
  return `${register}: ${satp.MODE}, root table at ${whose}${groupedHex(satp.PPN << 12n, 8)}`;
}

/** Longest line of a sentence below an entry, in characters. */
const LINE = 90;

/** Breaks a sentence into lines at spaces. */
export function wrap(sentence: string, most = LINE): string[] {
  if (sentence.length <= most) return [sentence];
  const at = sentence.lastIndexOf(" ", most);
  return at <= 0 ? [sentence] : [sentence.slice(0, at), ...wrap(sentence.slice(at + 1), most)];
}

/** Where it led, or what kind of fault ended it. */
export function outcomeOf(view: TranslationExplanation): string {
  if (view.ok) return `\u2192 physical address ${groupedHex(view.paddr ?? view.vaddr, 8)}`;
  if (view.failedBit === "PMP") return "\u2715 PMP refuses";
  if (view.failedBit === "bus") return "\u2715 access fault: nobody answers there";
  return `\u2715 the walk ends here: ${view.failedStage === "G" ? "guest-page" : "page"} fault`;
}
