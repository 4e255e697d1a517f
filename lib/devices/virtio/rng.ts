/**
 * Virtio entropy device. Its "entropy" is a stream drawn from a seed: the same on every host, unlike anything else it is
 * used for, and no secret.
 *
 * @spec virtio-1.2 §5.4 "Entropy Device"
 */
import { sha256 } from "@noble/hashes/sha2.js";
import type { DeviceState } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import type { VirtioModel } from "./model.ts";
import { bytesOf, type Chain, type RingError, ringError, scatter } from "./split-queue.ts";

/** A request gets no more than this; drivers ask again. */
const MAX_REQUEST_BYTES = 256;
const BLOCK_BYTES = 32;
const DELAY_INSNS = 500;
const MAX_CHAIN_BYTES = 4 * 1024 * 1024;

/** A source of numbers drawn by lot. */
export class VirtioRng implements VirtioModel {
  readonly deviceId = 4;
  readonly queueCount = 1;
  readonly features = 0n;
  readonly maxChainBytes = MAX_CHAIN_BYTES;
  readonly delayInsns = DELAY_INSNS;
  readonly #seed: number;
  /** Blocks of the stream used up. */
  #blocks = 0;

  /** @param seed  Names the stream: block n is SHA-256 of seed and n, each as 64 bits, little-endian. */
  constructor(seed: number) {
    this.#seed = seed;
  }

  connect(): void {}

  config(): Uint8Array {
    return new Uint8Array(0);
  }

  configure(): void {}

  serve(_queue: number, chain: Chain, dma: DmaPort): number | RingError {
    const wanted = Math.min(bytesOf(chain.writable), MAX_REQUEST_BYTES);
    if (wanted === 0) return ringError("a request without a buffer to fill");
    const bytes = new Uint8Array(wanted);
    for (let at = 0; at < wanted; at += BLOCK_BYTES) bytes.set(this.#next().subarray(0, wanted - at), at);
    return scatter(dma, chain.writable, bytes) ?? wanted;
  }

  reset(): void {}

  powerOn(): void {
    this.#blocks = 0;
  }

  save(): DeviceState {
    return { blocks: this.#blocks };
  }

  restore(state: DeviceState): void {
    this.#blocks = state["blocks"] as number;
  }

  #next(): Uint8Array {
    const input = new DataView(new ArrayBuffer(16));
    input.setBigUint64(0, BigInt.asUintN(64, BigInt(this.#seed)), true);
    input.setBigUint64(8, BigInt(this.#blocks++), true);
    return sha256(new Uint8Array(input.buffer));
  }
}
