/** What the fence checker has to say: values, and a sentence for people. */
import { groupedHex } from "../bits/hex.ts";
import type { AccessKind } from "../hart/effective-mode.ts";
import type { Space } from "../hart/remembered-translations.ts";
import type { Mode } from "../isa/mode.ts";
import { mayFenceLater, type PteChange } from "./pte-change.ts";

/** Who changed an entry. */
export interface PteWriter {
  readonly hart: number;
  /** Virtual address of the instruction that stored. */
  readonly pc: bigint;
  readonly mode: Mode;
  /** Instructions that the machine had retired before it. */
  readonly retired: number;
}

/** The fence that should have come between, on the hart that used the translation. */
export interface MissingFence {
  /** A guest's own tables: SFENCE.VMA in the guest would do as well. */
  readonly instruction: "sfence.vma" | "hfence.vvma" | "hfence.gvma";
  readonly hart: number;
  /** An address in the page, in `rs1` (of HFENCE.GVMA a guest-physical one, shifted right by 2); `undefined`: `x0`, for all. */
  readonly address: bigint | undefined;
  /** ASID or VMID, in `rs2`; `undefined`: `x0`, for all, as global mappings need. */
  readonly id: bigint | undefined;
}

/** A use of a translation that no longer holds. */
export interface FenceReport {
  /** The hart that used it. */
  readonly hart: number;
  /** Instructions that the machine had retired at the first use. */
  readonly retired: number;
  readonly pc: bigint;
  readonly mode: Mode;
  readonly access: AccessKind;
  /** What was translated: a virtual address, or for `hgatp`'s stage a guest-physical one. */
  readonly address: bigint;
  readonly space: Space;
  readonly change: Exclude<PteChange, "none">;
  /** The first entry on the way that differs: its physical address; for a guest's own tables a guest-physical one. */
  readonly pteAddress: bigint;
  readonly oldPte: bigint;
  /** What it holds now; `undefined`: other tables are used now, from the root on. */
  readonly newPte: bigint | undefined;
  /** `undefined`: no hart's store, or it is not known. */
  readonly writer: PteWriter | undefined;
  readonly fence: MissingFence;
  /** Whether the writer is another hart, whose own fence reaches only itself. */
  readonly isRemote: boolean;
  /** Whether correct software may fence later: it gave rights and took none. */
  readonly mayFenceLater: boolean;
  /** How often it was used so. */
  readonly uses: number;
  readonly sentence: string;
}

type Told = Omit<FenceReport, "isRemote" | "mayFenceLater" | "uses" | "sentence" | "change"> & {
  readonly change: PteChange;
};

/** Puts a report together. */
export function fenceReport({ change, ...told }: Told): FenceReport {
  if (change === "none") throw new RangeError("nothing has changed");
  const isRemote = told.writer !== undefined && told.writer.hart !== told.hart;
  const report = { ...told, change, isRemote, mayFenceLater: mayFenceLater(change), uses: 1 };
  return { ...report, sentence: sentenceOf(report) };
}

const CHANGE_WORDS = {
  unmapped: "maps nothing now",
  remapped: "leads elsewhere now",
  "rights-taken": "allows less now",
  "rights-given": "allows more now",
  "accessed-dirty-cleared": "has A or D cleared",
  attributes: "has other attributes now",
} as const satisfies Record<FenceReport["change"], string>;

function sentenceOf(report: Omit<FenceReport, "sentence">): string {
  const { hart, pc, access, address, change, writer } = report;
  const use = `Hart ${hart} at ${groupedHex(pc, 8)} used a remembered translation (${access} at ${groupedHex(address, 8)})`;
  const what = `${entryWords(report)}: ${CHANGE_WORDS[change]}`;
  const who = writer === undefined ? "" : ` Hart ${writer.hart} wrote it at ${groupedHex(writer.pc, 8)}.`;
  return `${use}; ${what}.${who} ${fenceWords(report)}`;
}

function entryWords({ pteAddress, oldPte, newPte, space }: Omit<FenceReport, "sentence">): string {
  const place = `the ${space.stage === "only" ? "" : `${space.stage}-stage `}PTE at ${groupedHex(pteAddress, 8)}`;
  const held = `${place} was ${groupedHex(oldPte, 16)}`;
  return newPte === undefined
    ? `${held}, and other tables are in use`
    : `${held} and is ${groupedHex(newPte, 16)}`;
}

function fenceWords({ fence, isRemote, mayFenceLater: mayWait }: Omit<FenceReport, "sentence">): string {
  const { instruction, address, id, hart } = fence;
  const first =
    address === undefined ? "x0" : groupedHex(instruction === "hfence.gvma" ? address >> 2n : address, 8);
  const second = id === undefined ? "x0" : `${id}`;
  const missing = `Missing: ${instruction} ${first}, ${second} on hart ${hart}`;
  const remote = isRemote
    ? ", which the writing hart must ask for: a fence is heard by its own hart alone"
    : "";
  const later = mayWait ? "; correct software may wait with it for a fault" : "";
  return `${missing}${remote}${later}.`;
}
