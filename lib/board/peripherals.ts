/**
 * What can be plugged into a board's eight virtio slots. Each kind has its slot, so that guests find it at the same address
 * on every board: disk 0, network 1, console 2, entropy 3. QEMU puts them there when told `bus=virtio-mmio-bus.N`.
 */
import type { Clock } from "../bus/clock.ts";
import { VirtioBlock } from "../devices/virtio/block.ts";
import { BlockStore } from "../devices/virtio/block-store.ts";
import { VirtioConsole } from "../devices/virtio/console.ts";
import type { VirtioModel } from "../devices/virtio/model.ts";
import { VirtioNet } from "../devices/virtio/net.ts";
import { VirtioRng } from "../devices/virtio/rng.ts";
import { Console } from "./console.ts";

/** Slots by what is in them. */
export const VIRTIO_SLOT = { disk: 0, network: 1, console: 2, entropy: 3 } as const;

/** Someone at the other end of the cable who answers each frame, at once, with any number of frames. */
export type NetworkPeer = (frame: Uint8Array) => readonly Uint8Array[];

/** A network card. */
export interface NetworkConfig {
  /** Six bytes: 52:54:00:12:34:56, QEMU's, when left out. Two boards on a wire need different ones. */
  readonly mac?: Uint8Array;
  /** Answers in place of another board. It must depend on the frame alone, or no run can be repeated. */
  readonly peer?: NetworkPeer;
}

/** What is plugged in; nothing of it when left out. */
export interface PeripheralConfig {
  /** A disk: its bytes, which nobody may change afterwards, or a store that no other board has. */
  readonly disk?: Uint8Array | BlockStore;
  readonly network?: NetworkConfig;
  /** A virtio console beside the serial port. */
  readonly virtioConsole?: boolean;
  /** An entropy device; the number names its stream. */
  readonly entropySeed?: number;
  /** What the real-time clock shows at power-on, in seconds since 1970: the first second of 2026 (UTC) when left out. */
  readonly rtcEpochSeconds?: number;
}

/** 2026-01-01T00:00:00Z. */
export const DEFAULT_RTC_EPOCH_SECONDS = 1_767_225_600;
/** From one end of a cable to the other: ten microseconds of guest time. */
export const CABLE_DELAY_INSNS = 1000;
const DEFAULT_MAC = Uint8Array.of(0x52, 0x54, 0x00, 0x12, 0x34, 0x56);

/** The peripherals of a board. */
export interface Peripherals {
  /** What was asked for. */
  readonly config: PeripheralConfig;
  readonly disk: BlockStore | undefined;
  readonly network: VirtioNet | undefined;
  /** The terminal at the other end of the virtio console. */
  readonly virtioConsole: Console | undefined;
  /** Models by slot. */
  readonly models: ReadonlyMap<number, VirtioModel>;
  /** Where bytes from outside arrive, by name. */
  readonly ports: ReadonlyMap<string, (bytes: Uint8Array) => void>;
  readonly rtcEpochSeconds: number;
}

/** Makes what a board was asked for. Throws `RangeError` for a MAC address or an epoch that is none. */
export function createPeripherals(config: PeripheralConfig, clock: Clock): Peripherals {
  const { rtcEpochSeconds = DEFAULT_RTC_EPOCH_SECONDS } = config;
  if (!(Number.isSafeInteger(rtcEpochSeconds) && rtcEpochSeconds >= 0))
    throw new RangeError(`an epoch is a whole number of seconds since 1970, not ${rtcEpochSeconds}`);
  const models = new Map<number, VirtioModel>();
  const ports = new Map<string, (bytes: Uint8Array) => void>();
  const disk = config.disk instanceof Uint8Array ? new BlockStore(config.disk) : config.disk;
  if (disk !== undefined) models.set(VIRTIO_SLOT.disk, new VirtioBlock(disk));
  const network = config.network === undefined ? undefined : networkCard(config.network, clock);
  if (network !== undefined) {
    models.set(VIRTIO_SLOT.network, network);
    ports.set("network", (frame) => network.deliver(frame, clock.now));
  }
  const virtioConsole = config.virtioConsole === true ? new Console() : undefined;
  if (virtioConsole !== undefined) {
    const model = new VirtioConsole({
      print: (byte) => virtioConsole.print(byte),
      truncate: (length) => virtioConsole.truncate(length),
    });
    models.set(VIRTIO_SLOT.console, model);
    ports.set("virtio-console", (bytes) => model.receive(bytes));
  }
  if (config.entropySeed !== undefined) models.set(VIRTIO_SLOT.entropy, new VirtioRng(config.entropySeed));
  return { config, disk, network, virtioConsole, models, ports, rtcEpochSeconds };
}

function networkCard({ mac = DEFAULT_MAC, peer }: NetworkConfig, clock: Clock): VirtioNet {
  const card = new VirtioNet(clock, mac);
  if (peer !== undefined)
    card.plug((frame, atInsns) => {
      for (const answer of peer(frame)) card.deliver(answer, atInsns + 2 * CABLE_DELAY_INSNS);
    });
  return card;
}

/** What of it a trace names, so that boards with different peripherals have different hashes; empty when there is nothing. */
export function peripheralNote({
  disk,
  network,
  virtioConsole,
  entropySeed,
  rtcEpochSeconds,
}: PeripheralConfig): string {
  const diskBytes = disk instanceof Uint8Array ? disk.length : disk?.sizeBytes;
  return [
    diskBytes === undefined ? "" : ` disk=${diskBytes}`,
    network === undefined ? "" : ` network=${[...(network.mac ?? DEFAULT_MAC)].join(":")}`,
    virtioConsole === true ? " virtio-console" : "",
    entropySeed === undefined ? "" : ` entropy=${entropySeed}`,
    rtcEpochSeconds === undefined ? "" : ` rtc=${rtcEpochSeconds}`,
  ].join("");
}
