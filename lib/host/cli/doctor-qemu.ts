/** A recorded run on the other machine: the same bytes in RAM, the same text typed at the same prompts. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Board } from "../../board/board.ts";
import { RAM_BASE } from "../../board/memory-map.ts";
import { openImage } from "../../board/open-image.ts";
import type { Recording } from "../../board/recording.ts";
import { PAGE_BYTES } from "../../bus/machine-memory.ts";
import { attachPresentFirmware } from "../../firmware/firmware.ts";

/** Milliseconds that QEMU gets for each prompt, and for the end. */
const PROMPT_LIMIT_MS = 20_000;
/** Characters before an input that must have been printed when it is typed. */
const PROMPT_CHARACTERS = 24;
const POLL_MS = 20;
/** Milliseconds for what else it prints. */
const LAST_WORDS_MS = 500;

/** What was typed, and what stood on the console just before. */
export interface Typed {
  readonly prompt: string;
  readonly bytes: Uint8Array;
}

/** What a run on QEMU printed, or why there is none to compare with. */
export type OtherRun =
  | { readonly kind: "ran"; readonly text: string; readonly isWhole: boolean }
  | { readonly kind: "impossible"; readonly why: string };

/** The end of what is on a console: enough of it to know the place again. */
export const promptOf = (text: string): string => text.slice(-PROMPT_CHARACTERS);

/**
 * Runs a recording's start on QEMU.
 *
 * @param typed  What was typed and where.
 * @param ours   What our board printed: QEMU may stop when it has come so far.
 */
export async function runOnQemu(
  program: string,
  recording: Recording,
  typed: readonly Typed[],
  ours: string,
): Promise<OtherRun> {
  let isOurFirmware = false;
  const prepare = (opened: Board): void => {
    isOurFirmware = attachPresentFirmware(opened);
  };
  const board = openImage(recording.start, { prepare });
  if ("kind" in board) return { kind: "impossible", why: board.message };
  const why = isOurFirmware
    ? "the firmware is ours, and its hx instruction is legal here alone"
    : obstacle(board, recording);
  if (why !== undefined) return { kind: "impossible", why };
  const folder = mkdtempSync(path.join(os.tmpdir(), "dom0-doctor-"));
  try {
    return await converse(program, machineArguments(board, folder), typed, promptOf(ours));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What QEMU cannot begin with, or cannot be given. */
function obstacle(board: Board, { inputs }: Recording): string | undefined {
  const isPowerOn =
    board.clock.retired === 0 && board.harts.every(({ pc, mode }) => pc === BigInt(RAM_BASE) && mode === "M");
  if (!isPowerOn) return "the recording does not begin at power-on, with the program at the start of RAM";
  if (inputs.some(({ input }) => input.kind !== "port" || input.port !== "uart"))
    return "more came in than typed text: registers, memory or network frames";
  return board.disk === undefined && board.network === undefined
    ? undefined
    : "the board has a disk or a network";
}

function machineArguments(board: Board, folder: string): string[] {
  const { ram } = board.bus;
  const machine = ["-M", "virt", "-cpu", "rv64,h=true", "-bios", "none", "-smp", String(board.harts.length)];
  const terminal = [
    "-display",
    "none",
    "-monitor",
    "none",
    "-serial",
    "stdio",
    "-m",
    `${ram.sizeBytes / 1024}k`,
  ];
  const loaders = usedRanges(board).flatMap(([start, end], index) => {
    const file = path.join(folder, `${index}.bin`);
    writeFileSync(file, ram.u8.subarray(start, end));
    return ["-device", `loader,file=${file},addr=0x${(ram.base + start).toString(16)},force-raw=on`];
  });
  return [...machine, ...terminal, ...loaders];
}

/** Runs of pages that are not zero, as offsets in RAM; without our device tree, for QEMU brings its own. */
function usedRanges(board: Board): [number, number][] {
  const { ram } = board.bus;
  const ranges: [number, number][] = [];
  for (let start = 0; start < ram.sizeBytes; start += PAGE_BYTES) {
    const words = ram.i64.subarray(start / 8, (start + PAGE_BYTES) / 8);
    if (words.every((word) => word === 0n)) continue;
    const last = ranges.at(-1);
    if (last?.[1] === start) last[1] = start + PAGE_BYTES;
    else ranges.push([start, start + PAGE_BYTES]);
  }
  const tree = board.deviceTree;
  return ranges.filter(([start]) => !tree.every((byte, at) => ram.u8[start + at] === byte));
}

/** Waits for each prompt and types the answer. */
async function converse(
  program: string,
  args: readonly string[],
  typed: readonly Typed[],
  last: string,
): Promise<OtherRun> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const over = once(child, "close");
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });
  const decoder = new TextDecoder();
  let text = "";
  child.stdout.on("data", (bytes: Buffer) => {
    text += decoder.decode(bytes, { stream: true });
  });
  child.stdin.on("error", () => {});
  try {
    let from = 0;
    for (const { prompt, bytes } of typed) {
      const at = await waitFor(
        () => text.indexOf(prompt, from),
        () => isOver,
      );
      if (at < 0) return { kind: "ran", text, isWhole: false };
      from = at + prompt.length;
      child.stdin.write(bytes);
    }
    const end = await waitFor(
      () => text.indexOf(last, from),
      () => isOver,
    );
    await Promise.race([over, pause(LAST_WORDS_MS)]);
    return { kind: "ran", text, isWhole: end >= 0 || isOver };
  } finally {
    child.kill("SIGKILL");
    await over;
  }
}

async function waitFor(find: () => number, isOver: () => boolean): Promise<number> {
  for (let waitedMs = 0; waitedMs < PROMPT_LIMIT_MS; waitedMs += POLL_MS) {
    const at = find();
    if (at >= 0 || isOver()) return at;
    await pause(POLL_MS);
  }
  return -1;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
