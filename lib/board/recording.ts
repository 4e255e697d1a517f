/**
 * A recorded run: the machine as it was at the beginning, what came in and when, and what the trace said on the way and at
 * the end. Whoever replays it gets the same run, or learns where it parted.
 */
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import {
  type ArchiveError,
  type ArchiveFormat,
  archiveError,
  packArchive,
  unpackArchive,
} from "./archive.ts";
import type { Input } from "./input.ts";
import type { Moment } from "./moment.ts";
import { decodePlain, encodePlain, type Plain } from "./plain-data.ts";
import { PlainFields, readFields } from "./plain-fields.ts";

/** An input and when it came. */
export interface RecordedInput {
  readonly moment: Moment;
  readonly input: Input;
}

/** What the trace hash was where the machine first had retired so many instructions. */
export interface RecordedCheckpoint {
  readonly retired: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

/** A run that can be repeated. */
export interface Recording {
  /** The board at the beginning: an image file of its own. */
  readonly start: Uint8Array;
  readonly inputs: readonly RecordedInput[];
  readonly checkpoints: readonly RecordedCheckpoint[];
  /** The last moment, and the trace hash there. */
  readonly end: { readonly moment: Moment; readonly hash: string };
}

const FORMAT: ArchiveFormat = { name: "dom0 recording", version: 3, maxContentBytes: 2 ** 30 };
/** Inputs of one recording. */
export const MAX_INPUTS = 200_000;
/** Checkpoints of one recording. */
export const MAX_CHECKPOINTS = 1024;
const HASH_BYTES = 32;
/** More traps than this without an instruction between them are a loop, and a run ends in one. */
const MAX_TRAPS = 1_000_000;

/** A recording as a file. */
export function packRecording({ start, inputs, checkpoints, end }: Recording): Uint8Array {
  const content = encodePlain({
    start,
    inputs: inputs.map(({ moment, input }) => ({ ...momentFields(moment), ...input })),
    checkpoints: checkpoints.map(({ retired, hash }) => ({ retired, hash: hexToBytes(hash) })),
    end: { ...momentFields(end.moment), hash: hexToBytes(end.hash) },
  });
  return packArchive(FORMAT, content);
}

const momentFields = ({ retired, traps, now }: Moment) => ({ retired, traps, now });

/** The recording in a file; whatever the bytes are, the answer is a recording or a sentence. */
export function unpackRecording(file: Uint8Array): Recording | ArchiveError {
  const content = unpackArchive(FORMAT, file);
  if (!(content instanceof Uint8Array)) return content;
  const plain = decodePlain(content);
  if (plain.kind === "plain-error") return damaged(plain.message);
  const read = readFields(plain.value, "recording", recordingOf);
  return read.kind === "read" ? read.result : damaged(read.message);
}

const damaged = (how: string): ArchiveError =>
  archiveError("damaged", `The file is no recording: ${how}. Record it again.`);

function recordingOf(fields: PlainFields): Recording {
  const inputs = fields.list("inputs");
  const checkpoints = fields.list("checkpoints");
  if (inputs.length > MAX_INPUTS) fields.refuse("inputs", `at most ${MAX_INPUTS} inputs`);
  if (checkpoints.length > MAX_CHECKPOINTS)
    fields.refuse("checkpoints", `at most ${MAX_CHECKPOINTS} checkpoints`);
  const end = fields.fields("end");
  return {
    start: fields.bytes("start"),
    inputs: inputs.map((input, index) => inputOf(input, index)),
    checkpoints: checkpoints.map((checkpoint, index) => checkpointOf(checkpoint, index)),
    end: { moment: momentOf(end), hash: hashOf(end) },
  };
}

const momentOf = (fields: PlainFields): Moment => ({
  retired: fields.whole("retired"),
  traps: fields.whole("traps", 0, MAX_TRAPS),
  now: fields.whole("now"),
});

const hashOf = (fields: PlainFields): string => bytesToHex(fields.bytes("hash", HASH_BYTES));

function checkpointOf(value: Plain, index: number): RecordedCheckpoint {
  const fields = new PlainFields(value, `recording.checkpoints[${index}]`);
  return { retired: fields.whole("retired"), hash: hashOf(fields) };
}

function inputOf(value: Plain, index: number): RecordedInput {
  const fields = new PlainFields(value, `recording.inputs[${index}]`);
  const moment = momentOf(fields);
  const kind = fields.text("kind");
  if (kind === "port")
    return { moment, input: { kind, port: fields.text("port"), bytes: fields.bytes("bytes") } };
  if (kind === "memory")
    return { moment, input: { kind, paddr: fields.whole("paddr"), bytes: fields.bytes("bytes") } };
  if (kind === "state") return { moment, input: { kind, block: fields.bytes("block") } };
  return fields.refuse("kind", "a kind of input");
}
