/** `dom0 replay FILE`: repeats a recorded run and says whether it was the same. */
import process from "node:process";
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { openReplay } from "../../board/open-replay.ts";
import type { Replay, ReplayReport } from "../../board/replay.ts";
import { attachPresentFirmware } from "../../firmware/firmware.ts";
import { ENGINE_OPTION, ENGINE_WORDS, engineOf } from "./engine-option.ts";
import { recordingOfFile } from "./guest-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing } from "./refusal.ts";

/** Instructions between two lines of progress. */
const SLICE = 20_000_000;

const OPTIONS = {
  console: { type: "boolean", default: false },
  ...ENGINE_OPTION,
} as const;

export const command: Command = {
  summary: "repeat a recorded run and compare it with the recording",
  usage: `Usage: dom0 replay RECORDING [--console] [--engine NAME]

Repeats a run that dom0 boot --record wrote, with the same input at the same instructions, and compares the trace hash at
each checkpoint and at the end. Exit code: 0 for the same run; 1 when the file is no recording; 4 for another run.

  --console            print what the guest prints
  --engine NAME        ${ENGINE_WORDS}`,
  run: (args) => refusing("replay", () => replay(args)),
};

async function replay(args: string[]): Promise<number> {
  const { values, positionals } = parsed(() => parseArgs({ args, options: OPTIONS, allowPositionals: true }));
  const [file] = positionals;
  if (file === undefined || positionals.length > 1)
    throw new Refusal("name one recording; --help tells more.", 2);
  const options = { prepare: attachPresentFirmware, ...engineOf(values.engine) };
  const opened = openReplay(await recordingOfFile(file), options);
  if ("kind" in opened) throw new Refusal(`${file}: ${opened.message}`);
  if (values.console) opened.board.console.onText((text) => process.stdout.write(text));
  const report = await repeat(opened);
  process.stdout.write(`${report.message}\n`);
  return report.kind === "same" ? 0 : 4;
}

/** Repeats a run in slices; a line of progress goes to a terminal. */
export async function repeat(opened: Replay, title = "replay"): Promise<ReplayReport> {
  for (;;) {
    const report = opened.advance(SLICE);
    const { retired, of } = opened.progress;
    if (process.stderr.isTTY)
      process.stderr.write(`\r${title}: ${retired} of ${of} instructions\x1b[K${report ? "\n" : ""}`);
    if (report !== undefined) return report;
    await setImmediate();
  }
}
