/** Why the dispatch loop ends, and where it leaves what there is to say about it. */
import { HART_LAYOUT } from "../../../hart/layout.ts";
import { WORD } from "../layout.ts";

/** Reasons. The pc is in the state block whatever the reason. */
export const Ending = {
  /** The budget is used up. */
  BUDGET: 0,
  /** The function that was called returns. */
  RETURN: 1,
  /** The slow path is to execute the instruction. */
  SLOW: 2,
  /** The fetch bank does not know the page. */
  FETCH_MISS: 3,
  /** The slot at the datum was never decoded. */
  DECODE: 4,
  /** The heat word at the datum has reached a multiple of the threshold. */
  HOT: 5,
  /** The heat word at the datum says that a region begins here. */
  REGION: 6,
  /** A privileged instruction: its word is the datum. */
  PRIVILEGED: 7,
} as const;
/** One of them. */
export type Ending = (typeof Ending)[keyof typeof Ending];
/** Bits of a reason; the count of frames stands above them. */
export const ENDING_BITS = 4;

/** Byte offset of the pc from a state block. */
export const PC = HART_LAYOUT.pc.offset;
/** Working word: what an ending is about, i32. */
export const DATUM = WORD.spare + 8 * 15;
/**
 * Working word: slot and budget when a region was last entered, i64. If both are the same again, the region did nothing, as
 * one does whose floating-point state is not there; then the cold tier executes the instruction.
 */
export const ENTERED = WORD.spare + 8 * 14;
/** Working word: steps that the dispatch loop has made for this hart, i64, until the runtime counts them. Nothing but reports depends on it. */
export const INTERPRETED = WORD.spare + 8 * 13;
