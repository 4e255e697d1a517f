/** Frames between the grader's processes: four bytes of length, little-endian, then that many bytes. */
import { readSync, writeSync } from "node:fs";
import { CODEC_LIMITS } from "../checks/codec-format.ts";

/** Longest frame that is accepted; one more than the longest value with its tag. */
export const FRAME_LIMIT = CODEC_LIMITS.bytes + 64;

/** Puts the length in front. */
export function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(payload.length + 4);
  new DataView(bytes.buffer).setUint32(0, payload.length, true);
  bytes.set(payload, 4);
  return bytes;
}

/** Collects chunks of a stream into frames. `feed` answers "refused" once a frame is too long. */
export class FrameReader {
  #pending: Uint8Array = new Uint8Array(0);
  readonly #onFrame: (payload: Uint8Array) => void;
  readonly #limit: number;

  constructor(onFrame: (payload: Uint8Array) => void, limit: number = FRAME_LIMIT) {
    this.#onFrame = onFrame;
    this.#limit = limit;
  }

  /** Takes the next chunk and hands out every frame that is complete. */
  feed(chunk: Uint8Array): "ok" | "refused" {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
      if (length > this.#limit) return "refused";
      if (bytes.length - at - 4 < length) break;
      this.#onFrame(bytes.slice(at + 4, at + 4 + length));
      at += 4 + length;
    }
    this.#pending = bytes.slice(at);
    return "ok";
  }
}

/** Blocks until a whole frame came; `undefined` at the end of the stream. */
export function readFrameSync(fd: number, limit: number = FRAME_LIMIT): Uint8Array | undefined {
  const head = readFullySync(fd, 4);
  if (head === undefined) return undefined;
  const length = new DataView(head.buffer).getUint32(0, true);
  return length > limit ? undefined : readFullySync(fd, length);
}

function readFullySync(fd: number, length: number): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = readSync(fd, bytes, at, length - at, null);
    if (count === 0) return undefined;
    at += count;
  }
  return bytes;
}

/** Blocks until the whole frame is written. */
export function writeFrameSync(fd: number, payload: Uint8Array): void {
  const bytes = frame(payload);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at);
}
