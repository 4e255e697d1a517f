/** `npm run linux`: a stock Debian kernel on the board, to a shell on the terminal or through commands given beforehand. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Board } from "../../board/board.ts";
import type { FileEntry } from "../../board/disk/file-tree.ts";
import { openImage } from "../../board/open-image.ts";
import type { Recorder } from "../../board/recorder.ts";
import { packRecording } from "../../board/recording.ts";
import type { Stop } from "../../board/stop.ts";
import type { HartCount } from "../../board/virt.ts";
import { attachPresentFirmware } from "../../firmware/firmware.ts";
import { PROMPT } from "../linux/file-systems.ts";
import { folderFiles } from "../linux/folder-files.ts";
import {
  DEFAULT_RAM_BYTES,
  FIRMWARES,
  type FirmwareName,
  type LinuxOptions,
  linuxMachine,
} from "../linux/machine.ts";
import { fetchLinux, readLinuxFiles } from "../linux/packages.ts";
import { Progress } from "../linux/progress.ts";
import { Screen } from "../linux/screen.ts";
import { Session } from "../linux/session.ts";
import { listenToKeys } from "../linux/terminal.ts";
import { ENGINE_OPTION, ENGINE_WORDS, engineOf } from "./engine-option.ts";
import { MAX_RAM_MIB } from "./guest-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing, wholeNumber } from "./refusal.ts";

const MIB = 1024 * 1024;
const MIN_RAM_MIB = 96;
const MAX_HARTS = 4;
/** Console lines that are shown when a boot fails. */
const LAST_LINES = 25;
/** A boot that has not shown its shell by then never will. */
const BOOT_LIMIT = 20e9;

const OPTIONS = {
  firmware: { type: "string", default: "opensbi" },
  harts: { type: "string", default: "1" },
  ram: { type: "string", default: String(DEFAULT_RAM_BYTES / MIB) },
  seed: { type: "string", default: "0" },
  command: { type: "string" },
  folder: { type: "string" },
  overlay: { type: "string", multiple: true },
  "kernel-arguments": { type: "string" },
  log: { type: "boolean", default: false },
  hash: { type: "boolean", default: false },
  record: { type: "string" },
  keep: { type: "string" },
  from: { type: "string" },
  ...ENGINE_OPTION,
} as const;
/** With `--from` the machine is what it was: only these still mean something. */
const WITH_FROM: readonly string[] = ["engine", "from", "hash", "log", "record"];

export const command: Command = {
  summary: "boot a stock Debian kernel to a shell on the terminal",
  usage: `Usage: npm run linux [-- OPTIONS]

Fetches a Debian riscv64 kernel, busybox and OpenSBI by exact version (115 MB, once, into .cache/debian), makes a root disk,
and boots to a shell. Keys go to the guest, Ctrl-C too. Ctrl-A x leaves at any time; Ctrl-A Ctrl-A sends one Ctrl-A.
poweroff or exit-by-Ctrl-A ends the machine, and what it wrote to its disk is gone: the disk lives in memory.

Options
  --command TEXT            run shell commands instead: prints what they print, switches off
  --firmware NAME           ${FIRMWARES.join(" or ")}: who runs in machine mode (default: opensbi)
  --harts N                 1 to ${MAX_HARTS} (default: 1)
  --ram MEBIBYTES           ${MIN_RAM_MIB} to ${MAX_RAM_MIB} (default: ${DEFAULT_RAM_BYTES / MIB})
  --folder DIR              a folder of yours, on the root disk as /host
  --overlay FILE.dtbo       a device tree overlay; may be given several times
  --kernel-arguments TEXT   added to the kernel's command line
  --seed N                  seed of the board; part of the trace hash
  --engine NAME             ${ENGINE_WORDS}
  --log                     show all that the machine prints from its first instruction on
  --hash                    at the end, print the trace hash to standard error
  --record FILE             write a recording of the run: dom0 replay repeats it
  --keep FILE               when the shell is reached, write the whole machine into a file
  --from FILE               go on from such a file, in a second or two, instead of booting

Exit code: 0 when the machine was switched off or left; 1 when it could not be started or ended in any other way; 2 for
wrong use.`,
  run: (args) => refusing("linux", () => linux(parse(args))),
};

interface Wishes extends LinuxOptions {
  readonly log: boolean;
  readonly hash: boolean;
  readonly record?: string;
  readonly keep?: string;
  readonly from?: string;
}

function parse(args: string[]): Wishes {
  const { values, tokens } = parsed(() =>
    parseArgs({ args: args.filter((argument) => argument !== "--"), options: OPTIONS, tokens: true }),
  );
  const given = tokens.flatMap((token) => (token.kind === "option" ? [token.name] : []));
  const lost = given.find((name) => !WITH_FROM.includes(name));
  if (values.from !== undefined && lost !== undefined)
    throw new Refusal(`--${lost} is for a new boot; --from goes on with a machine that has booted.`, 2);
  const harts = wholeNumber(values.harts, "--harts", { most: MAX_HARTS }) as HartCount;
  const ramBytes = wholeNumber(values.ram, "--ram", { least: MIN_RAM_MIB, most: MAX_RAM_MIB }) * MIB;
  const seed = wholeNumber(values.seed, "--seed", { least: 0 });
  if (!(FIRMWARES as readonly string[]).includes(values.firmware))
    throw new Refusal(`--firmware is ${FIRMWARES.join(" or ")}, not "${values.firmware}".`, 2);
  return {
    firmware: values.firmware as FirmwareName,
    harts,
    ramBytes,
    seed,
    ...engineOf(values.engine),
    log: values.log,
    hash: values.hash,
    ...(values.record === undefined ? {} : { record: values.record }),
    ...(values.keep === undefined ? {} : { keep: values.keep }),
    ...(values.from === undefined ? {} : { from: values.from }),
    ...(values.command === undefined ? {} : { command: values.command }),
    ...(values.folder === undefined ? {} : { files: folderOf(values.folder) }),
    ...(values.overlay === undefined ? {} : { overlays: values.overlay.map(fileOf) }),
    ...(values["kernel-arguments"] === undefined ? {} : { kernelArguments: values["kernel-arguments"] }),
  };
}

function folderOf(folder: string): readonly FileEntry[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Refusal(`--folder: there is no folder ${folder}.`, 2);
  const files = folderFiles(folder, "host");
  if ("kind" in files) throw new Refusal(files.message);
  return files;
}

function fileOf(file: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(file));
  } catch (error) {
    throw new Refusal(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`, 2);
  }
}

async function linux(wishes: Wishes): Promise<number> {
  const progress = new Progress();
  const board =
    wishes.from === undefined ? await newBoard(wishes, progress) : keptBoard(wishes.from, wishes.engine);
  const recorder = wishes.record === undefined ? undefined : board.record();
  const screen = new Screen(board, wishes, progress);
  const stop = await runWithKeyboard(board, screen, progress, wishes.keep);
  progress.done();
  if (recorder !== undefined && wishes.record !== undefined) await save(recorder, wishes.record);
  if (wishes.hash) process.stderr.write(`trace hash ${board.trace.hash()}\n`);
  if (stop === undefined || (stop.reason === "poweroff" && screen.isReached)) return 0;
  throw new Refusal(failureWords(stop, board, screen));
}

/** Everything from nothing: packages, disk, board. */
async function newBoard(wishes: Wishes, progress: Progress): Promise<Board> {
  const fetched = await fetchLinux({ say: (line) => progress.stage(line) });
  if (fetched.kind === "refused") throw new Refusal(fetched.message);
  progress.stage("making the root disk");
  const machine = linuxMachine(readLinuxFiles(fetched.path), wishes);
  if (machine.kind === "refused") throw new Refusal(machine.message);
  progress.stage("booting (Ctrl-A x leaves)");
  return machine.board;
}

/** A machine that was kept. Which firmware it runs is in its RAM; ours needs its handlers. */
function keptBoard(file: string, engine: LinuxOptions["engine"]): Board {
  const opened = openImage(fileOf(file), {
    prepare: attachPresentFirmware,
    ...(engine === undefined ? {} : { engine }),
  });
  if ("kind" in opened) throw new Refusal(`${file}: ${opened.message}`);
  return opened;
}

function keep(board: Board, file: string): void {
  try {
    writeFileSync(file, board.saveImage());
  } catch (error) {
    throw new Refusal(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}.`);
  }
}

async function save(recorder: Recorder, file: string): Promise<void> {
  const recording = recorder.stop();
  if ("kind" in recording) throw new Refusal(recording.message);
  try {
    await writeFile(file, packRecording(recording));
  } catch (error) {
    throw new Refusal(`${file} cannot be written: ${(error as Error).message}.`);
  }
}

async function runWithKeyboard(
  board: Board,
  screen: Screen,
  progress: Progress,
  keepAs: string | undefined,
): Promise<Stop | undefined> {
  const session = new Session(board);
  let isKept = keepAs === undefined;
  screen.onReached = () => {
    progress.done();
    session.pace();
  };
  if (screen.isReached) screen.onReached();
  // A booting kernel throws away what is typed; a person sees that, a pipe does not.
  let held: string | undefined = process.stdin.isTTY ? undefined : "";
  const stopListening = listenToKeys({
    onText: (text) => {
      if (held === undefined) session.type(text);
      else held += text;
    },
    onQuit: () => session.end(),
  });
  try {
    return await session.run(BOOT_LIMIT, () => {
      if (!screen.isReached) progress.boot(board.clock.retired, screen.lastLine);
      if (keepAs !== undefined && !isKept && screen.isReached) {
        isKept = true;
        keep(board, keepAs);
      }
      if (held !== undefined && screen.isReached && board.console.text.endsWith(PROMPT)) {
        if (held !== "") session.type(held);
        held = undefined;
      }
    });
  } finally {
    stopListening();
  }
}

function failureWords(stop: Stop, board: Board, screen: Screen): string {
  const lines = board.console.text.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const where = screen.isReached ? "" : " before it reached the shell";
  return `the machine ended with "${stop.reason}"${where}, after ${stop.retired} instructions. It had printed:\n${lines}`;
}
