/** `dom0 boot FILE`: runs a RISC-V program on the board, with the terminal as its serial line. */
import { readFile, stat } from "node:fs/promises";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Board } from "../../board/board.ts";
import type { Stop } from "../../board/stop.ts";
import { eventText } from "../../board/trace-event.ts";
import { buildBoard } from "../../board/virt.ts";
import { MAX_RAM_BYTES } from "../../bus/machine-memory.ts";
import type { Command } from "./main.ts";

const MIB = 1024 * 1024;
const MAX_RAM_MIB = MAX_RAM_BYTES / MIB;
/** No program file is larger than the largest RAM, debug information included. */
const MAX_FILE_BYTES = MAX_RAM_BYTES;
/** Instructions between two looks at the keyboard. */
const SLICE = 1_000_000;
/** Events that `--trace` prints. */
const LAST_EVENTS = 20;

const OPTIONS = {
  ram: { type: "string", default: "16" },
  instructions: { type: "string", default: "1000000000000" },
  seed: { type: "string", default: "0" },
  trace: { type: "boolean", default: false },
} as const;

/** A mistake of the person at the keyboard: one line, and the exit code that goes with it. */
class Refusal extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export const command: Command = {
  summary: "run a RISC-V program on the board, with the terminal as its serial line",
  usage: `Usage: dom0 boot FILE.elf [OPTIONS]

Options
  --ram MEBIBYTES      RAM of the board (default: 16, at most ${MAX_RAM_MIB})
  --instructions N     stop after so many instructions
  --seed N             seed of the board; part of the trace hash
  --trace              at the end, print the last ${LAST_EVENTS} events and the trace hash to standard error

What is typed (or piped in) goes to the guest. Exit code: the guest's own when it switches the machine off; 1 when the
file is not a program for this board; 2 for wrong use; 3 when the run ended in any other way, which is then named.`,
  async run(args) {
    try {
      return await boot(args);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      process.stderr.write(`dom0 boot: ${error.message}\n`);
      return error.exitCode;
    }
  },
};

async function boot(args: string[]): Promise<number> {
  const { values, file } = parse(args);
  const board = buildBoard({
    ramBytes: number(values.ram, "--ram", MAX_RAM_MIB) * MIB,
    seed: number(values.seed, "--seed"),
  });
  const image = board.loadElf(await readProgram(file));
  if (image.kind === "load-error") {
    const advice = image.reason === "larger-than-ram" ? " Here that is --ram MEBIBYTES." : "";
    throw new Refusal(`${file}: ${image.message}${advice}`);
  }
  board.console.onText((text) => process.stdout.write(text));
  const stop = await runWithKeyboard(board, number(values.instructions, "--instructions"));
  if (values.trace) printTrace(board);
  if (stop.reason === "poweroff") return stop.exitCode & 0xff;
  process.stderr.write(`dom0 boot: ${words(stop, board)}\n`);
  return 3;
}

function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1)
      throw new Refusal("name one program file; --help tells more.", 2);
    return { values, file };
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${(error as Error).message.split(". ")[0]}; --help tells more.`, 2);
  }
}

function number(text: string, option: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most && (value > 0 || option === "--seed")) return value;
  throw new Refusal(`${option} takes a whole number from 1 to ${most}, not "${text}".`, 2);
}

async function readProgram(file: string): Promise<Uint8Array> {
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

/** Runs in slices and gives the guest what was typed between them. */
async function runWithKeyboard(board: Board, instructions: number): Promise<Stop> {
  const deadline = board.clock.retired + instructions;
  const onKeys = (keys: Buffer): void => board.type(keys.toString("utf8"));
  process.stdin.on("data", onKeys);
  try {
    for (;;) {
      const stop = board.run({ instructions: Math.min(SLICE, deadline - board.clock.retired) });
      if (stop.reason !== "budget" || board.clock.retired >= deadline) return stop;
      await setImmediate();
    }
  } finally {
    process.stdin.off("data", onKeys);
    process.stdin.pause();
  }
}

function words(stop: Stop, board: Board): string {
  const place = board.symbols.nameOf(board.hart.pc) ?? `0x${board.hart.pc.toString(16)}`;
  const after = `after ${stop.retired} instructions, at ${place}`;
  switch (stop.reason) {
    case "budget":
      return `stopped ${after}: the instructions allowed by --instructions are used up.`;
    case "reset":
      return `the guest asked for a reset ${after}.`;
    case "wfi":
      return `the guest waits ${after}, and nothing will ever wake it.`;
    case "handler-error":
      return `stopped ${after}: ${stop.message}`;
    case "trap-loop":
      return `the guest's trap handler traps for ever ${after}.`;
    default:
      return `stopped ${after}.`;
  }
}

function printTrace(board: Board): void {
  const lines = board.trace.events.slice(-LAST_EVENTS).map((event) => eventText(event, board.symbols));
  process.stderr.write(
    `${lines.join("\n")}\n${board.trace.count} events, trace hash ${board.trace.hash()}\n`,
  );
}
