/** `dom0 lockstep IMAGE`: the same machine on both engines, compared all the way. */
import process from "node:process";
import { parseArgs } from "node:util";
import type { Board } from "../../board/board.ts";
import { ENGINE_NAMES, type EngineName } from "../../board/engine-choice.ts";
import { lockstep } from "../../board/lockstep.ts";
import { openImage } from "../../board/open-image.ts";
import { type BoardConfig, buildBoard, type HartCount } from "../../board/virt.ts";
import { attachPresentFirmware } from "../../firmware/firmware.ts";
import { DEFAULT_RAM_BYTES, linuxMachine } from "../linux/machine.ts";
import { fetchLinux, readLinuxFiles } from "../linux/packages.ts";
import { bytesOfFile, MAX_RAM_MIB } from "./guest-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing, wholeNumber } from "./refusal.ts";

const MIB = 1024 * 1024;
const OPTIONS = {
  instructions: { type: "string", default: "10000000" },
  every: { type: "string", default: "1000000" },
  ram: { type: "string" },
  harts: { type: "string", default: "1" },
  turns: { type: "string" },
  seed: { type: "string", default: "0" },
  sticky: { type: "boolean", default: false },
} as const;

export const command: Command = {
  summary: "run a machine on both engines and show the first difference",
  usage: `Usage: dom0 lockstep FILE.elf|MACHINE|linux [OPTIONS]

Runs a program, a machine that dom0 linux --keep wrote, or the boot of Linux on both engines, and compares registers, CSRs,
devices, changed pages of RAM, time, console and trace hash after each piece. Where they differ, the first instruction after
which they do is found by halving, and shown with everything that differs and the last events of both.

  --instructions N     instructions to run (default: ${OPTIONS.instructions.default})
  --every N            instructions between comparisons (default: ${OPTIONS.every.default})
  --ram MEBIBYTES      RAM of the board (default: 16; Linux: ${DEFAULT_RAM_BYTES / MIB})
  --harts N            harts, 1 to 4 (default: 1)
  --turns MIN-MAX      how long a hart's turn is, in instructions; short ones show races
  --seed N             seed of the board
  --sticky             translations hold until a fence covers them

Exit code: 0 when there is no difference; 1 when the file is no program and no machine; 4 for a difference, which is a bug
of ours: please report it.`,
  run: (args) => refusing("lockstep", () => run(args)),
};

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parsed(() => parseArgs({ args, options: OPTIONS, allowPositionals: true }));
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new Refusal("name one program, one kept machine, or linux; --help tells more.", 2);
  const instructions = wholeNumber(values.instructions, "--instructions");
  const every = wholeNumber(values.every, "--every");
  const build =
    file === "linux" ? await linuxBuilder(configOf(values)) : await builderOf(file, configOf(values));
  const report = lockstep({
    build: () => [build("reference"), build("translator")],
    names: ENGINE_NAMES,
    instructions,
    every,
  });
  if (report.kind === "different") {
    process.stdout.write(`${report.message}\n`);
    return 4;
  }
  const { retired, stop, hash } = report;
  const end = stop.reason === "budget" ? "" : `; the guest ended with "${stop.reason}"`;
  process.stdout.write(`no difference in ${retired} instructions${end}; trace hash ${hash}\n`);
  return 0;
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
type Builder = (engine: EngineName) => Board;

function configOf({ ram, harts, turns, seed, sticky }: Values): BoardConfig {
  const match = /^(\d+)-(\d+)$/.exec(turns ?? "1-1");
  if (match === null) throw new Refusal(`--turns takes a range such as 1-64, not "${turns}".`, 2);
  const [min, max] = [match[1], match[2]].map((text) => wholeNumber(text ?? "", "--turns")) as [
    number,
    number,
  ];
  if (min > max) throw new Refusal(`--turns takes a range such as 1-64, not "${turns}".`, 2);
  return {
    ...(ram === undefined ? {} : { ramBytes: wholeNumber(ram, "--ram", { most: MAX_RAM_MIB }) * MIB }),
    harts: wholeNumber(harts, "--harts", { most: 4 }) as HartCount,
    seed: wholeNumber(seed, "--seed", { least: 0 }),
    ...(turns === undefined ? {} : { turns: { min, max } }),
    translations: sticky ? "sticky" : "coherent",
  };
}

const ELF_MAGIC = "\x7fELF";

async function builderOf(file: string, config: BoardConfig): Promise<Builder> {
  const bytes = await bytesOfFile(file);
  const isElf = String.fromCharCode(...bytes.subarray(0, ELF_MAGIC.length)) === ELF_MAGIC;
  return (engine) => {
    if (!isElf) {
      const opened = openImage(bytes, { engine, prepare: attachPresentFirmware });
      if ("kind" in opened) throw new Refusal(`${file}: ${opened.message}`);
      return opened;
    }
    const board = buildBoard({ ...config, engine });
    const loaded = board.loadElf(bytes);
    if (loaded.kind === "load-error") throw new Refusal(`${file}: ${loaded.message}`);
    return board;
  };
}

async function linuxBuilder({ ramBytes, harts, seed }: BoardConfig): Promise<Builder> {
  const fetched = await fetchLinux({ say: (line) => process.stderr.write(`${line}\n`) });
  if (fetched.kind === "refused") throw new Refusal(fetched.message);
  const files = readLinuxFiles(fetched.path);
  return (engine) => {
    const machine = linuxMachine(files, {
      engine,
      ...(ramBytes === undefined ? {} : { ramBytes }),
      ...(harts === undefined ? {} : { harts }),
      ...(seed === undefined ? {} : { seed }),
    });
    if (machine.kind === "refused") throw new Refusal(machine.message);
    return machine.board;
  };
}
