/**
 * The output model: what one cell has printed and shown, merged as Jupyter would and kept within limits.
 */
import type { MimeBundle } from "./display.ts";
import type { CellOutput } from "./kernel-protocol.ts";

/** How much one cell may put out. */
export interface OutputLimits {
  /** UTF-16 units of all text streams of a cell. */
  readonly streamLength: number;
  /** UTF-16 units of one display bundle, as JSON. */
  readonly bundleLength: number;
  /** Outputs of a cell; consecutive pieces of one stream count once. */
  readonly outputCount: number;
}

/** Limits that no honest notebook meets. */
export const OUTPUT_LIMITS: OutputLimits = {
  streamLength: 1_000_000,
  bundleLength: 8_000_000,
  outputCount: 1_000,
};

/** Collects the outputs of one cell; what exceeds a limit is replaced by one note. */
export class CellOutputs {
  readonly #limits: OutputLimits;
  readonly #outputs: CellOutput[] = [];
  #streamLength = 0;
  #isFull = false;

  constructor(limits: OutputLimits = OUTPUT_LIMITS) {
    this.#limits = limits;
  }

  /** Outputs so far, in order. */
  get all(): readonly CellOutput[] {
    return this.#outputs;
  }

  /**
   * Adds an output, merging it into the last one when both belong to one stream.
   *
   * @returns What was really added, for whoever passes outputs on; `undefined` when a limit swallowed it.
   */
  add(output: CellOutput): CellOutput | undefined {
    if (output.type === "error") return this.#append(output);
    if (this.#isFull) return undefined;
    if (output.type === "stream") return this.#addStream(output.name, output.text);
    if (output.type === "display_data" && output.update) return this.#update(output);
    if (this.#outputs.length >= this.#limits.outputCount) {
      return this.#close(
        `[more than ${this.#limits.outputCount} outputs: the rest of this cell's output is left out]\n`,
      );
    }
    const data = plainBundle(output.data);
    const length = lengthOf(data);
    if (typeof length === "string")
      return this.add({ type: "stream", name: "stderr", text: `[an output cannot be sent: ${length}]\n` });
    if (length > this.#limits.bundleLength) {
      return this.add({
        type: "stream",
        name: "stderr",
        text: `[an output of ${length} characters is left out: the limit is ${this.#limits.bundleLength}]\n`,
      });
    }
    return this.#append({ ...output, data });
  }

  #addStream(name: "stdout" | "stderr", text: string): CellOutput | undefined {
    if (text === "") return undefined;
    const room = this.#limits.streamLength - this.#streamLength;
    if (text.length > room) {
      if (room > 0) this.#addStream(name, text.slice(0, room));
      return this.#close(
        `\n[more than ${this.#limits.streamLength} characters: the rest of this cell's output is left out]\n`,
      );
    }
    this.#streamLength += text.length;
    return this.#stream(name, text);
  }

  #stream(name: "stdout" | "stderr", text: string): CellOutput {
    const last = this.#outputs.at(-1);
    if (last?.type === "stream" && last.name === name) {
      this.#outputs[this.#outputs.length - 1] = { ...last, text: last.text + text };
    } else this.#outputs.push({ type: "stream", name, text });
    return { type: "stream", name, text };
  }

  #update(output: Extract<CellOutput, { type: "display_data" }>): CellOutput | undefined {
    const at = this.#outputs.findIndex(
      (each) =>
        each.type === "display_data" && each.displayId !== undefined && each.displayId === output.displayId,
    );
    if (at < 0) return undefined;
    const sent = { ...output, data: plainBundle(output.data) };
    const { update: _, ...shown } = sent;
    this.#outputs[at] = shown;
    return sent;
  }

  #append(output: CellOutput): CellOutput {
    this.#outputs.push(output);
    return output;
  }

  #close(note: string): CellOutput {
    this.#isFull = true;
    return this.#stream("stderr", note);
  }
}

/** Length of a bundle as JSON, or why it has none. */
function lengthOf(data: unknown): number | string {
  try {
    return JSON.stringify(data).length;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "") : "not JSON";
  }
}

/** Bytes become base64, as every notebook front end expects them. */
function plainBundle(bundle: MimeBundle): MimeBundle {
  return Object.fromEntries(
    Object.entries(bundle).map(([mime, value]) => [
      mime,
      value instanceof Uint8Array ? base64(value) : value,
    ]),
  );
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 0x8000)
    binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}
