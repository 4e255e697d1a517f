/** Replays from recordings. */
import type { ArchiveError } from "./archive.ts";
import { type OpenOptions, openImage } from "./open-image.ts";
import type { Recording } from "./recording.ts";
import type { Replay, ReplayReport } from "./replay.ts";

/** Builds the board of a recording, ready to repeat it. */
export function openReplay(recording: Recording, options: OpenOptions = {}): Replay | ArchiveError {
  const board = openImage(recording.start, options);
  return "kind" in board ? board : board.replay(recording);
}

/** Repeats a recorded run to its end. A recording may be long: {@link openReplay} does it in pieces. */
export function replay(recording: Recording, options: OpenOptions = {}): ReplayReport | ArchiveError {
  const opened = openReplay(recording, options);
  return "kind" in opened ? opened : opened.toEnd();
}
