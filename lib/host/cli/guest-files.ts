/** Files that commands put into a board: programs, more bytes at an address, recordings. */
import { readFile, stat } from "node:fs/promises";
import type { Board } from "../../board/board.ts";
import { type Recording, unpackRecording } from "../../board/recording.ts";
import { type BoardConfig, buildBoard, type HartCount } from "../../board/virt.ts";
import { MAX_RAM_BYTES } from "../../bus/machine-memory.ts";
import { ENGINE_OPTION, ENGINE_WORDS, engineOf } from "./engine-option.ts";
import { Refusal, wholeNumber } from "./refusal.ts";

const MIB = 1024 * 1024;
/** The largest RAM in mebibytes. */
export const MAX_RAM_MIB: number = MAX_RAM_BYTES / MIB;
/** No file of ours is larger than the largest RAM. */
const MAX_FILE_BYTES = MAX_RAM_BYTES;

/** Options with which a board is built, as `parseArgs` takes them. */
export const BOARD_OPTIONS = {
  ram: { type: "string", default: "16" },
  seed: { type: "string", default: "0" },
  harts: { type: "string", default: "1" },
  load: { type: "string", multiple: true, default: [] as string[] },
  ...ENGINE_OPTION,
} as const;

/** The lines of help for them. */
export const BOARD_HELP = `  --ram MEBIBYTES      RAM of the board (default: 16, at most ${MAX_RAM_MIB})
  --harts N            harts, 1 to 4 (default: 1)
  --seed N             seed of the board; part of the trace hash
  --load FILE@ADDRESS  put a file's bytes into RAM besides, at a physical address; may be repeated
  --engine NAME        ${ENGINE_WORDS}`;

/** What was given for them. */
export interface BoardValues {
  readonly ram: string;
  readonly seed: string;
  readonly harts: string;
  readonly load: readonly string[];
  readonly engine?: string | undefined;
}

/** Builds a board and loads a program and whatever comes besides. `more` is configuration that no option says. */
export async function boardWithFiles(
  file: string,
  { ram, seed, harts, load, engine }: BoardValues,
  more: BoardConfig = {},
): Promise<Board> {
  const board = buildBoard({
    ...more,
    ...engineOf(engine),
    ramBytes: wholeNumber(ram, "--ram", { most: MAX_RAM_MIB }) * MIB,
    seed: wholeNumber(seed, "--seed", { least: 0 }),
    harts: wholeNumber(harts, "--harts", { most: 4 }) as HartCount,
  });
  const image = board.loadElf(await bytesOfFile(file));
  if (image.kind === "load-error") {
    const advice = image.reason === "larger-than-ram" ? " Here that is --ram MEBIBYTES." : "";
    throw new Refusal(`${file}: ${image.message}${advice}`);
  }
  for (const placed of load) await loadPlaced(board, placed);
  return board;
}

async function loadPlaced(board: Board, placed: string): Promise<void> {
  const match = /^(.+)@(0x[0-9a-f]{1,16})$/i.exec(placed);
  if (match === null)
    throw new Refusal(`--load takes FILE@ADDRESS with an address such as 0x80200000, not "${placed}".`, 2);
  const [, file = "", address = "0"] = match;
  if (board.memory.write(BigInt(address), await bytesOfFile(file)) !== undefined)
    throw new Refusal(
      `${file} does not fit into RAM at ${address}. Choose another address, or more RAM: --ram MEBIBYTES.`,
    );
}

/** A file's bytes, or one line that says why not. */
export async function bytesOfFile(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES)
      throw new Refusal(`${file} has ${size} bytes, more than the largest RAM. Strip it or check the name.`);
    return new Uint8Array(await readFile(file));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const known = {
      ENOENT: "there is no such file",
      EISDIR: "this is a folder",
      EACCES: "this file may not be read",
    };
    throw new Refusal(`${file}: ${known[code as keyof typeof known] ?? (error as Error).message}.`);
  }
}

/** A recording from a file, or one line that says why not. */
export async function recordingOfFile(file: string): Promise<Recording> {
  const recording = unpackRecording(await bytesOfFile(file));
  if ("kind" in recording) throw new Refusal(`${file}: ${recording.message}`);
  return recording;
}
