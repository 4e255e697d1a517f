/**
 * `dom0 doctor --replay FILE`: is it my bug or the emulator's? The recorded run is repeated on both engines and
 * without accelerations, where it must be the same to the last bit, and on QEMU, where it must print the same.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import type { OpenOptions } from "../../board/open-image.ts";
import { openReplay } from "../../board/open-replay.ts";
import type { Recording } from "../../board/recording.ts";
import type { ReplayReport } from "../../board/replay.ts";
import { attachPresentFirmware } from "../../firmware/firmware.ts";
import { DOCTOR_USAGE, OPTIONAL_PARTS } from "../bootstrap-modules.ts";
import { type ConsoleDifference, consoleDifference } from "./console-difference.ts";
import { type OtherRun, promptOf, runOnQemu, type Typed } from "./doctor-qemu.ts";
import { recordingOfFile } from "./guest-files.ts";
import type { Command } from "./main.ts";
import { parsed, Refusal, refusing } from "./refusal.ts";
import { repeat } from "./replay.ts";

/** Engines and accelerations change nothing that a guest sees: if they do, an engine is wrong. */
const SETTINGS: readonly (Pick<OpenOptions, "engine" | "accelerations"> & { readonly title: string })[] = [
  { title: "reference engine", engine: "reference" },
  { title: "translator", engine: "translator" },
  { title: "without decode memo", engine: "reference", accelerations: { decodeMemo: false } },
  { title: "without translation cache", engine: "reference", accelerations: { translationCache: false } },
  {
    title: "without either",
    engine: "reference",
    accelerations: { decodeMemo: false, translationCache: false },
  },
];
/** Lines of each side that are shown when the consoles differ. */
const SHOWN_LINES = 5;

export const command: Command = {
  summary: "say what is installed; with --replay FILE: is it my bug or the emulator's?",
  usage: DOCTOR_USAGE,
  run: (args) => refusing("doctor", () => diagnose(args)),
};

async function diagnose(args: string[]): Promise<number> {
  const { values } = parsed(() => parseArgs({ args, options: { replay: { type: "string" } } }));
  if (values.replay === undefined)
    throw new Refusal("name a recording with --replay; npx dom0 doctor lists what is installed.", 2);
  const recording = await recordingOfFile(values.replay);
  const reports: ReplayReport[] = [];
  const typed: Typed[] = [];
  let ours = "";
  for (const { title, ...setting } of SETTINGS) {
    const isFirst = reports.length === 0;
    const replay = openReplay(recording, { ...setting, prepare: attachPresentFirmware });
    if ("kind" in replay) throw new Refusal(`${values.replay}: ${replay.message}`);
    const { console } = replay.board;
    if (isFirst)
      replay.onInput = ({ input }) => {
        if (input.kind === "port") typed.push({ prompt: promptOf(console.text), bytes: input.bytes });
      };
    const report = await repeat(replay, title);
    if (isFirst) ours = console.text;
    process.stdout.write(`${title.padEnd(26)} ${report.kind === "same" ? "the same run" : report.message}\n`);
    reports.push(report);
  }
  const difference = await onQemu(recording, typed, ours);
  process.stdout.write(`\n${verdict(reports, difference)}\n`);
  return reports.every(({ kind }) => kind === "same") ? 0 : 4;
}

async function onQemu(
  recording: Recording,
  typed: readonly Typed[],
  ours: string,
): Promise<ConsoleDifference | undefined> {
  const program = OPTIONAL_PARTS.qemu.find();
  const other: OtherRun =
    program === undefined
      ? { kind: "impossible", why: `QEMU is missing (${OPTIONAL_PARTS.qemu.get})` }
      : await runOnQemu(program, recording, typed, ours);
  if (other.kind === "impossible") {
    process.stdout.write(`${"on QEMU".padEnd(26)} not compared: ${other.why}\n`);
    return undefined;
  }
  const difference = consoleDifference(ours, other.text);
  process.stdout.write(`${"on QEMU".padEnd(26)} ${differenceWords(difference, other.isWhole)}\n`);
  for (const [mark, lines] of [
    ["ours", difference.ours],
    ["QEMU", difference.theirs],
  ] as const)
    for (const line of lines.slice(0, SHOWN_LINES)) process.stdout.write(`  ${mark}: ${line}\n`);
  return difference;
}

function differenceWords(
  { equalLines, numbersOnly, ours, theirs }: ConsoleDifference,
  isWhole: boolean,
): string {
  const numbers = numbersOnly === 0 ? "" : `, ${numbersOnly} more but for numbers`;
  const others = ours.length + theirs.length;
  const more = others === 0 ? "" : `; ${others} lines are on one side only`;
  return `${equalLines} lines of the console are the same${numbers}${more}${isWhole ? "" : " (it did not come to the end)"}`;
}

/**
 * The answer, in plain words.
 *
 * @param reports     On the reference engine as it is, then on the other engine and without accelerations.
 * @param difference  What QEMU printed otherwise; undefined when it was not asked.
 */
export function verdict(reports: readonly ReplayReport[], difference: ConsoleDifference | undefined): string {
  const [first, ...others] = reports;
  if (first?.kind !== "same")
    return "The recording does not repeat on the reference engine. If it was made with this version of the kit, that is the\nemulator's bug: please report it, and send the recording.";
  if (others.some(({ kind }) => kind !== "same"))
    return "It is the emulator's bug: engines and accelerations must change nothing, and here they do. Please report it, and send\nthe recording.";
  if (difference === undefined)
    return "Nothing speaks against the emulator: every setting gives the same run to the last bit. Look at your program first.";
  if (difference.ours.length + difference.theirs.length === 0)
    return "It is very probably your program: every setting gives the same run to the last bit, and QEMU prints the same.";
  return "Every setting gives the same run to the last bit, but QEMU printed other lines. If they only name the machine (its\nextensions, its devices) or depend on time, it is your program; if not, please report it, and send the recording.";
}
