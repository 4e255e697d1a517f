/** What is in the slots: the disk and the console, apart from their registers and rings. */
import {
  BLOCK_DEVICE,
  BlockFeature,
  type BlockLimits,
  blockConfig,
  serveBlock,
} from "../../devices/virtio/block.ts";
import { CONSOLE_DEVICE, ConsoleFeature, ConsoleQueue, consoleConfig } from "../../devices/virtio/console.ts";
import {
  bytesOf,
  type Chain,
  gather,
  type RingError,
  ringError,
  scatter,
} from "../../devices/virtio/split-queue.ts";
import { VirtioSlot } from "../layout.ts";
import { printBytes, readTyped, typedCount } from "../terminal.ts";
import { Disk } from "./disk.ts";
import type { GuestMemory, Owner } from "./guest-memory.ts";

/** A kind of device. */
export interface Model {
  readonly deviceId: number;
  readonly queueCount: number;
  readonly features: bigint;
  /** A longer chain is the driver's mistake: a request must be one handler's work. */
  readonly maxChainBytes: number;
  config(owner: Owner): Uint8Array;
  /** Does what a chain asks for: bytes written to its buffers; "later": there is nothing for it yet; or why it is no chain for this queue. */
  serve(owner: Owner, queue: number, chain: Chain, memory: GuestMemory): number | "later" | RingError;
}

const LIMITS: BlockLimits = { segments: 14, segmentBytes: 4096 };
/** A header, the data, a status. */
const MOST_DISK_BYTES = 16 + LIMITS.segments * 4096 + 1;
const MOST_CONSOLE_BYTES = 16 * 1024;

const disk: Model = {
  deviceId: BLOCK_DEVICE,
  queueCount: 1,
  features: BlockFeature.SIZE_MAX | BlockFeature.SEG_MAX | BlockFeature.BLK_SIZE | BlockFeature.FLUSH,
  maxChainBytes: MOST_DISK_BYTES,
  config: (owner) => blockConfig(new Disk(owner), LIMITS),
  serve: (owner, _queue, chain, memory) => serveBlock(new Disk(owner), chain, memory),
};

const console: Model = {
  deviceId: CONSOLE_DEVICE,
  queueCount: 2,
  features: ConsoleFeature.SIZE,
  maxChainBytes: MOST_CONSOLE_BYTES,
  config: consoleConfig,
  serve: (owner, queue, chain, memory) =>
    queue === ConsoleQueue.RECEIVE ? receive(owner, chain, memory) : transmit(owner, chain, memory),
};

/** By slot. */
export const MODELS: readonly (Model | undefined)[] = Object.assign([], {
  [VirtioSlot.DISK]: disk,
  [VirtioSlot.CONSOLE]: console,
});

/** What was typed, as much as there is room for. */
function receive(owner: Owner, chain: Chain, memory: GuestMemory): number | "later" | RingError {
  const room = bytesOf(chain.writable);
  if (room === 0) return ringError("a receive buffer that cannot be written");
  const count = Math.min(room, typedCount(owner.domain));
  if (count === 0) return "later";
  const bytes = Uint8Array.from({ length: count }, () => readTyped(owner.domain) ?? 0);
  return scatter(memory, chain.writable, bytes) ?? bytes.length;
}

function transmit(owner: Owner, chain: Chain, memory: GuestMemory): number | RingError {
  const bytes = gather(memory, chain.readable);
  if (!(bytes instanceof Uint8Array)) return bytes;
  printBytes(owner, bytes);
  memory.cost += 2 * bytes.length;
  return 0;
}
