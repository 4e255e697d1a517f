/** Records a run while it happens. */
import type { History, Sampler } from "./history.ts";
import { packImage } from "./image.ts";
import type { InputNode } from "./input.ts";
import type { Machine } from "./machine.ts";
import { momentOf } from "./moment.ts";
import {
  MAX_CHECKPOINTS,
  MAX_INPUTS,
  type RecordedCheckpoint,
  type RecordedInput,
  type Recording,
} from "./recording.ts";

/** Retired instructions between the first checkpoints; the distance doubles when there are too many. */
const FIRST_INTERVAL_INSNS = 1_000_000;

/** Why there is no recording, in one sentence. */
export interface RecordingError {
  readonly kind: "recording-error";
  readonly message: string;
}

/** A recording under way. Time travel and undo are part of what is recorded only as far as their result goes. */
export class Recorder {
  readonly #machine: Machine;
  readonly #history: History;
  readonly #start: Uint8Array;
  readonly #isOnLine: () => boolean;
  readonly #firstInput: InputNode | undefined;
  readonly #stopSampling: () => void;
  #checkpoints: RecordedCheckpoint[] = [];
  #intervalInsns = FIRST_INTERVAL_INSNS;

  /** Begins now. Use `board.record()`. */
  constructor(machine: Machine, history: History) {
    this.#machine = machine;
    this.#history = history;
    this.#isOnLine = history.pin();
    this.#firstInput = history.inputs;
    this.#start = packImage(machine);
    this.#stopSampling = history.addSampler(this.#sampler());
  }

  /** The run so far; recording goes on. An error when the machine was put back to before the beginning. */
  get recording(): Recording | RecordingError {
    this.#history.settle();
    if (!this.#isOnLine())
      return recordingError("The board was put back to before the recording began, or was reset.");
    const inputs = this.#inputs();
    if (inputs.length > MAX_INPUTS) return recordingError(`There were more than ${MAX_INPUTS} inputs.`);
    const moment = momentOf(this.#machine);
    return {
      start: this.#start,
      inputs,
      checkpoints: this.#checkpoints.filter(({ retired }) => retired <= moment.retired),
      end: { moment, hash: this.#machine.trace.hash() },
    };
  }

  /** Ends the recording. */
  stop(): Recording | RecordingError {
    const { recording } = this;
    this.#stopSampling();
    return recording;
  }

  #inputs(): RecordedInput[] {
    const inputs: RecordedInput[] = [];
    for (
      let node = this.#history.inputs;
      node !== undefined && node !== this.#firstInput;
      node = node.previous
    )
      inputs.push({ moment: node.moment, input: node.input });
    return inputs.reverse();
  }

  #sampler(): Sampler {
    const { clock, trace } = this.#machine;
    const next = (): number => {
      const last = this.#checkpoints.at(-1)?.retired ?? clock.retired;
      return (Math.floor(last / this.#intervalInsns) + 1) * this.#intervalInsns;
    };
    let nextAtRetired = next();
    return {
      get nextAtRetired(): number {
        return nextAtRetired;
      },
      sample: () => {
        // A run may end behind the count (a debugger's steps do); only its first arrival can be found again.
        if (clock.retired === nextAtRetired && momentOf(this.#machine).traps === 0)
          this.#checkpoints.push({ retired: clock.retired, hash: trace.hash() });
        if (this.#checkpoints.length > MAX_CHECKPOINTS) this.#thin();
        nextAtRetired = (Math.floor(clock.retired / this.#intervalInsns) + 1) * this.#intervalInsns;
      },
      cut: (retired) => {
        this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.retired <= retired);
        nextAtRetired = (Math.floor(retired / this.#intervalInsns) + 1) * this.#intervalInsns;
      },
    };
  }

  #thin(): void {
    this.#intervalInsns *= 2;
    this.#checkpoints = this.#checkpoints.filter(({ retired }) => retired % this.#intervalInsns === 0);
  }
}

const recordingError = (message: string): RecordingError => ({ kind: "recording-error", message });
