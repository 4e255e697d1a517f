/** What cells of assignment 06 get as plain data: copies, which they may change and return. */
import type { FrameUse, PaperEntry } from "../../xen-core/paper.ts";
import type { Draft } from "../../xen-core/reader-parts.ts";
import type { HandOffice } from "./hand-office.ts";

/** Frames and grants of exercise A6.2. */
export type Hands = Draft<HandOffice>;

/** Frames and page tables of exercise A6.1. */
export interface TypedMachine {
  readonly frames: Map<number, { owner: number; use: FrameUse; refs: number; typed: number }>;
  /** Four entries each; `null`: nothing. */
  readonly tables: Map<number, (PaperEntry | null)[]>;
}
