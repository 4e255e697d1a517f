/** `dom0 boot FILE`: runs a RISC-V program on the board, with the terminal as its serial line. */
import { writeFile } from "node:fs/promises";
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Board } from "../../board/board.ts";
import type { Recorder } from "../../board/recorder.ts";
import { packRecording } from "../../board/recording.ts";
import type { Stop } from "../../board/stop.ts";
import { eventText } from "../../board/trace-event.ts";
import { BOARD_HELP, BOARD_OPTIONS, boardWithFiles } from "./guest-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing, wholeNumber } from "./refusal.ts";

/** Instructions between two looks at the keyboard. */
const SLICE = 1_000_000;
/** Events that `--trace` prints. */
const LAST_EVENTS = 20;

const OPTIONS = {
  ...BOARD_OPTIONS,
  instructions: { type: "string", default: "1000000000000" },
  trace: { type: "boolean", default: false },
  record: { type: "string" },
} as const;

export const command: Command = {
  summary: "run a RISC-V program on the board, with the terminal as its serial line",
  usage: `Usage: dom0 boot FILE.elf [OPTIONS]

Options
${BOARD_HELP}
  --instructions N     stop after so many instructions
  --trace              at the end, print the last ${LAST_EVENTS} events and the trace hash to standard error
  --record FILE        at the end, or at Ctrl-C, write a recording of the run: dom0 replay and dom0 doctor --replay repeat it

What is typed (or piped in) goes to the guest. Exit code: the guest's own when it switches the machine off; 1 when the
file is not a program for this board; 2 for wrong use; 3 when the run ended in any other way, which is then named.`,
  run: (args) => refusing("boot", () => boot(args)),
};

async function boot(args: string[]): Promise<number> {
  const { values, file } = parsed(() => parse(args));
  const instructions = wholeNumber(values.instructions, "--instructions");
  const board = await boardWithFiles(file, values);
  const recorder = values.record === undefined ? undefined : board.record();
  board.console.onText((text) => process.stdout.write(text));
  const stop = await runWithKeyboard(board, instructions, recorder !== undefined);
  if (values.trace) printTrace(board);
  if (recorder !== undefined && values.record !== undefined) await save(recorder, values.record);
  if (stop.reason === "poweroff") return stop.exitCode & 0xff;
  process.stderr.write(`dom0 boot: ${words(stop, board)}\n`);
  return 3;
}

function parse(args: string[]) {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new Refusal("name one program file; --help tells more.", 2);
  return { values, file };
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

/**
 * Runs in slices and gives the guest what was typed between them.
 *
 * @param endsAtInterrupt  Ctrl-C ends the run as if its instructions were used up, so that its recording can be kept.
 */
async function runWithKeyboard(board: Board, instructions: number, endsAtInterrupt: boolean): Promise<Stop> {
  let isInterrupted = false;
  const onInterrupt = (): void => {
    isInterrupted = true;
  };
  if (endsAtInterrupt) process.once("SIGINT", onInterrupt);
  const deadline = board.clock.retired + instructions;
  const onKeys = (keys: Buffer): void => board.type(keys.toString("utf8"));
  process.stdin.on("data", onKeys);
  try {
    for (;;) {
      const stop = board.run({ instructions: Math.min(SLICE, deadline - board.clock.retired) });
      if (stop.reason !== "budget" || board.clock.retired >= deadline || isInterrupted) return stop;
      await setImmediate();
    }
  } finally {
    process.off("SIGINT", onInterrupt);
    process.stdin.off("data", onKeys);
    process.stdin.pause();
  }
}

function words(stop: Stop, board: Board): string {
  const place = board.symbols.nameOf(board.hart.pc) ?? `0x${board.hart.pc.toString(16)}`;
  const after = `after ${stop.retired} instructions, at ${place}`;
  switch (stop.reason) {
    case "budget":
      return `stopped ${after}: the instructions allowed by --instructions are used up, or Ctrl-C was pressed.`;
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
