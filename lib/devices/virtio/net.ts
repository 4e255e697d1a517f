/**
 * Virtio network card without offloads: one frame a chain, both ways.
 *
 * @spec virtio-1.2 §5.1 "Network Device"
 */
import type { Alarm, Clock } from "../../bus/clock.ts";
import type { DeviceState, StateValue } from "../../bus/device.ts";
import type { DmaPort } from "../../bus/dma.ts";
import type { VirtioModel, Waker } from "./model.ts";
import { bytesOf, type Chain, gather, type RingError, ringError, scatter } from "./split-queue.ts";

const Queue = { RECEIVE: 0, TRANSMIT: 1 } as const;
/** @spec virtio-1.2 §5.1.3 "Feature bits" */
const Feature = { MAC: 1n << 5n, STATUS: 1n << 16n } as const;
const LINK_UP = 1;
/** In front of each frame; all zero but for `num_buffers`. @spec virtio-1.2 §5.1.6 */
const HEADER_BYTES = 12;
const NUM_BUFFERS_OFFSET = 10;
/** Ethernet: addresses and type, 1500 bytes, a VLAN tag. */
export const MAX_FRAME_BYTES = 1518;
/** Frames that wait for the guest; more are lost, as on any network. */
const MAX_WAITING_FRAMES = 256;
const MAC_BYTES = 6;
const DELAY_INSNS = 500;
const MAX_CHAIN_BYTES = 128 * 1024;

/** A network card. */
export class VirtioNet implements VirtioModel {
  readonly deviceId = 1;
  readonly queueCount = 2;
  readonly features = Feature.MAC | Feature.STATUS;
  readonly maxChainBytes = MAX_CHAIN_BYTES;
  readonly delayInsns = DELAY_INSNS;
  /** Six bytes. */
  readonly mac: Uint8Array;
  readonly #clock: Clock;
  #send: (frame: Uint8Array, atInsns: number) => void = () => {};
  readonly #arrival: Alarm;
  #waker: Waker | undefined;
  /** On the wire, the earliest first, and when each arrives. */
  #coming: readonly Uint8Array[] = [];
  #arrivals: readonly number[] = [];
  /** In the card. */
  #waiting: readonly Uint8Array[] = [];

  constructor(clock: Clock, mac: Uint8Array) {
    if (mac.length !== MAC_BYTES)
      throw new RangeError(`a MAC address has ${MAC_BYTES} bytes, not ${mac.length}`);
    this.mac = mac;
    this.#clock = clock;
    this.#arrival = clock.alarm(() => this.#admit());
  }

  /** Plugs the cable in. @param send  Hears of each frame that leaves the card, and of the time in instructions. */
  plug(send: (frame: Uint8Array, atInsns: number) => void): void {
    this.#send = send;
  }

  connect(waker: Waker): void {
    this.#waker = waker;
  }

  /** Puts a frame on the wire to this card. @param atInsns  When it arrives; a past time is now. Frames of one time keep their order. */
  deliver(frame: Uint8Array, atInsns: number): void {
    if (frame.length > MAX_FRAME_BYTES || this.#coming.length >= MAX_WAITING_FRAMES) return;
    const later = this.#arrivals.findIndex((arrival) => arrival > atInsns);
    const place = later < 0 ? this.#coming.length : later;
    this.#coming = this.#coming.toSpliced(place, 0, frame.slice());
    this.#arrivals = this.#arrivals.toSpliced(place, 0, atInsns);
    this.#plan();
  }

  config(): Uint8Array {
    const bytes = new Uint8Array(MAC_BYTES + 2);
    bytes.set(this.mac);
    bytes[MAC_BYTES] = LINK_UP;
    return bytes;
  }

  configure(): void {}

  serve(queue: number, chain: Chain, dma: DmaPort): number | "later" | RingError {
    return queue === Queue.RECEIVE ? this.#receive(chain, dma) : this.#transmit(chain, dma);
  }

  reset(): void {
    this.#waiting = [];
  }

  powerOn(): void {
    this.#waiting = [];
    this.#coming = [];
    this.#arrivals = [];
    this.#plan();
  }

  save(): DeviceState {
    return { coming: this.#coming, arrivals: this.#arrivals, waiting: this.#waiting };
  }

  restore(state: DeviceState): void {
    this.#coming = framesOf(state["coming"]);
    this.#arrivals = (state["arrivals"] as number[]).slice(0, this.#coming.length);
    this.#waiting = framesOf(state["waiting"]);
    this.#plan();
  }

  #plan(): void {
    const [first] = this.#arrivals;
    if (first === undefined) this.#arrival.cancel();
    else this.#arrival.set(first);
  }

  /** Frames whose time has come are in the card. */
  #admit(): void {
    const { now } = this.#clock;
    const here = this.#coming.slice(0, this.#arrivals.filter((arrival) => arrival <= now).length);
    this.#coming = this.#coming.slice(here.length);
    this.#arrivals = this.#arrivals.slice(here.length);
    this.#waiting = [...this.#waiting, ...here].slice(0, MAX_WAITING_FRAMES);
    this.#plan();
    this.#waker?.wake(Queue.RECEIVE);
  }

  /** A frame that is too long for the driver's buffer is lost. */
  #receive(chain: Chain, dma: DmaPort): number | "later" | RingError {
    const room = bytesOf(chain.writable) - HEADER_BYTES;
    if (room < 0) return ringError("a receive buffer without room for the header");
    const place = this.#waiting.findIndex((frame) => frame.length <= room);
    const frame = this.#waiting[place];
    this.#waiting = place < 0 ? [] : this.#waiting.slice(place + 1);
    if (frame === undefined) return "later";
    const packet = new Uint8Array(HEADER_BYTES + frame.length);
    packet[NUM_BUFFERS_OFFSET] = 1;
    packet.set(frame, HEADER_BYTES);
    return scatter(dma, chain.writable, packet) ?? packet.length;
  }

  #transmit(chain: Chain, dma: DmaPort): number | RingError {
    const packet = gather(dma, chain.readable);
    if (!(packet instanceof Uint8Array)) return packet;
    if (packet.length < HEADER_BYTES) return ringError("a packet without a whole header");
    const frame = packet.subarray(HEADER_BYTES);
    if (frame.length > 0 && frame.length <= MAX_FRAME_BYTES) this.#send(frame.slice(), this.#clock.now);
    return 0;
  }
}

/** Frames of a saved state. */
function framesOf(value: StateValue): Uint8Array[] {
  return Array.isArray(value) ? value.filter((frame) => frame instanceof Uint8Array) : [];
}
