/** `npm run linux`: a stock Debian kernel on the board, to a shell on the terminal or through commands given beforehand. */
import { readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { parseArgs } from "node:util";
import type { Board } from "../../board/board.ts";
import type { FileEntry } from "../../board/disk/file-tree.ts";
import type { Recorder } from "../../board/recorder.ts";
import { packRecording } from "../../board/recording.ts";
import type { Stop } from "../../board/stop.ts";
import type { HartCount } from "../../board/virt.ts";
import { OUTPUT_BEGINS, OUTPUT_ENDS, WELCOME } from "../linux/file-systems.ts";
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
import { Session } from "../linux/session.ts";
import { listenToKeys } from "../linux/terminal.ts";
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
} as const;

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
  --log                     show all that the machine prints from its first instruction on
  --hash                    at the end, print the trace hash to standard error
  --record FILE             write a recording of the run: dom0 replay repeats it

Exit code: 0 when the machine was switched off or left; 1 when it could not be started or ended in any other way; 2 for
wrong use.`,
  run: (args) => refusing("linux", () => linux(parse(args))),
};

interface Wishes extends LinuxOptions {
  readonly log: boolean;
  readonly hash: boolean;
  readonly record?: string;
}

function parse(args: string[]): Wishes {
  const { values } = parsed(() =>
    parseArgs({ args: args.filter((argument) => argument !== "--"), options: OPTIONS }),
  );
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
    log: values.log,
    hash: values.hash,
    ...(values.record === undefined ? {} : { record: values.record }),
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
  const fetched = await fetchLinux({ say: (line) => progress.stage(line) });
  if (fetched.kind === "refused") throw new Refusal(fetched.message);
  progress.stage("making the root disk");
  const machine = linuxMachine(readLinuxFiles(fetched.path), wishes);
  if (machine.kind === "refused") throw new Refusal(machine.message);
  const { board } = machine;
  progress.stage("booting (Ctrl-A x leaves)");
  const recorder = wishes.record === undefined ? undefined : board.record();
  const screen = new Screen(board, wishes, progress);
  const stop = await runWithKeyboard(board, screen, progress);
  progress.done();
  if (recorder !== undefined && wishes.record !== undefined) await save(recorder, wishes.record);
  if (wishes.hash) process.stderr.write(`trace hash ${board.trace.hash()}\n`);
  if (stop === undefined || (stop.reason === "poweroff" && screen.isReached)) return 0;
  throw new Refusal(failureWords(stop, board, screen));
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

async function runWithKeyboard(board: Board, screen: Screen, progress: Progress): Promise<Stop | undefined> {
  const session = new Session(board);
  screen.onReached = () => {
    progress.done();
    session.pace();
  };
  const stopListening = listenToKeys({
    onText: (text) => session.type(text),
    onQuit: () => session.end(),
  });
  try {
    return await session.run(BOOT_LIMIT, () => {
      if (!screen.isReached) progress.boot(board.clock.retired, screen.lastLine);
    });
  } finally {
    stopListening();
  }
}

/**
 * What the person sees: nothing of the boot, then all (a shell), or what stands between two marks (commands).
 */
class Screen {
  isReached = false;
  onReached: () => void = () => {};
  readonly #opens: string;
  readonly #closes: string | undefined;
  readonly #showsAll: boolean;
  #line = "";
  #lastLine = "";
  #isClosed = false;

  constructor(board: Board, { command, log }: Wishes, progress: Progress) {
    this.#opens = command === undefined ? WELCOME : OUTPUT_BEGINS;
    this.#closes = command === undefined ? undefined : OUTPUT_ENDS;
    this.#showsAll = log;
    board.console.onText((text) => {
      if (log) {
        progress.done();
        process.stdout.write(text);
      }
      this.#take(text);
    });
  }

  /** The last whole line that the machine printed. */
  get lastLine(): string {
    return this.#lastLine;
  }

  #take(text: string): void {
    for (const char of text) {
      if (this.#shows && this.#closes === undefined) this.#show(char);
      if (char !== "\n") {
        this.#line += char;
        continue;
      }
      this.#endLine(this.#line.trimEnd());
      this.#line = "";
    }
  }

  get #shows(): boolean {
    return this.isReached && !this.#isClosed;
  }

  #endLine(line: string): void {
    if (line !== "") this.#lastLine = line;
    if (line === this.#opens) {
      this.isReached = true;
      this.onReached();
      if (this.#closes === undefined) this.#show(`${line}\n`);
    } else if (line === this.#closes) this.#isClosed = true;
    else if (this.#closes !== undefined && this.#shows) this.#show(`${line}\n`);
  }

  #show(text: string): void {
    if (!this.#showsAll) process.stdout.write(text);
  }
}

function failureWords(stop: Stop, board: Board, screen: Screen): string {
  const lines = board.console.text.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const where = screen.isReached ? "" : " before it reached the shell";
  return `the machine ended with "${stop.reason}"${where}, after ${stop.retired} instructions. It had printed:\n${lines}`;
}
