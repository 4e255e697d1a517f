/**
 * Goldfish real-time clock: nanoseconds since 1970, an alarm, an interrupt. It counts guest time from an epoch that the board
 * names, so the date is the same in every run.
 *
 * @spec GOLDFISH-VIRTUAL-HARDWARE.TXT "Goldfish RTC"; "hw/rtc/goldfish_rtc.c" of QEMU 7.2
 */
import { type Alarm, type Clock, INSNS_PER_SECOND } from "../bus/clock.ts";
import { ACCESS_FAULT, type AccessFault, type Device, type DeviceState, type Width } from "../bus/device.ts";
import { IrqLine } from "../bus/irq-line.ts";

/** Register offsets in bytes. */
export const RtcOffset = {
  /** Loads also latch the high half. */
  TIME_LOW: 0x00,
  TIME_HIGH: 0x04,
  /** Stores also set the alarm: the high half must have been stored before. */
  ALARM_LOW: 0x08,
  ALARM_HIGH: 0x0c,
  IRQ_ENABLED: 0x10,
  CLEAR_ALARM: 0x14,
  ALARM_STATUS: 0x18,
  CLEAR_INTERRUPT: 0x1c,
} as const;

const NS_PER_INSN = BigInt(1_000_000_000 / INSNS_PER_SECOND);
const LOW_MASK = 0xffff_ffffn;

/** The clock on the wall of the guest's world. */
export class GoldfishRtc implements Device {
  readonly name = "rtc";
  readonly sizeBytes = 0x24;
  readonly line = new IrqLine("rtc");
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #epochNs: bigint;
  /** Time at instruction 0: unsigned 64-bit nanoseconds. */
  #offsetNs: bigint;
  #latchedHigh = 0n;
  /** Unsigned 64-bit nanoseconds. */
  #alarmNs = 0n;
  /** When the alarm rings, in instruction times; −1: it is not set. Later changes of time or registers do not move it. */
  #ringsAtInsns = -1;
  #isPending = false;
  #isEnabled = false;

  /** @param epochSeconds  What the clock shows at power-on: whole seconds since 1970-01-01T00:00:00Z. */
  constructor(clock: Clock, epochSeconds: number) {
    this.#clock = clock;
    this.#epochNs = BigInt(epochSeconds) * 1_000_000_000n;
    this.#offsetNs = this.#epochNs;
    this.#alarm = clock.alarm(() => this.#ring());
  }

  /** Registers are words; eight bytes at once are two words, as on QEMU. */
  load(offset: number, width: Width): bigint | AccessFault {
    if (width < 4) return ACCESS_FAULT;
    return width === 4 ? this.#read(offset) : this.#read(offset) | (this.#read(offset + 4) << 32n);
  }

  store(offset: number, width: Width, value: bigint): AccessFault | undefined {
    if (width < 4) return ACCESS_FAULT;
    this.#write(offset, value & LOW_MASK);
    if (width === 8) this.#write(offset + 4, value >> 32n);
    return undefined;
  }

  reset(): void {
    this.#offsetNs = this.#epochNs;
    this.#latchedHigh = 0n;
    this.#alarmNs = 0n;
    this.#ringsAtInsns = -1;
    this.#isPending = false;
    this.#isEnabled = false;
    this.#plan();
    this.#drive();
  }

  save(): DeviceState {
    return {
      offsetNs: this.#offsetNs,
      latchedHigh: this.#latchedHigh,
      alarmNs: this.#alarmNs,
      ringsAtInsns: this.#ringsAtInsns,
      isPending: this.#isPending,
      isEnabled: this.#isEnabled,
    };
  }

  restore(state: DeviceState): void {
    this.#offsetNs = state["offsetNs"] as bigint;
    this.#latchedHigh = state["latchedHigh"] as bigint;
    this.#alarmNs = state["alarmNs"] as bigint;
    this.#ringsAtInsns = state["ringsAtInsns"] as number;
    this.#isPending = state["isPending"] as boolean;
    this.#isEnabled = state["isEnabled"] as boolean;
    this.#plan();
    this.#drive();
  }

  #read(offset: number): bigint {
    switch (offset) {
      case RtcOffset.TIME_LOW: {
        const now = this.#nowNs();
        this.#latchedHigh = now >> 32n;
        return now & LOW_MASK;
      }
      case RtcOffset.TIME_HIGH:
        return this.#latchedHigh;
      case RtcOffset.ALARM_LOW:
        return this.#alarmNs & LOW_MASK;
      case RtcOffset.ALARM_HIGH:
        return this.#alarmNs >> 32n;
      case RtcOffset.IRQ_ENABLED:
        return this.#isEnabled ? 1n : 0n;
      case RtcOffset.ALARM_STATUS:
        return this.#ringsAtInsns >= 0 ? 1n : 0n;
      default:
        return 0n;
    }
  }

  #write(offset: number, value: bigint): void {
    switch (offset) {
      case RtcOffset.TIME_LOW:
        this.#setTime((this.#nowNs() & ~LOW_MASK) | value);
        break;
      case RtcOffset.TIME_HIGH:
        this.#setTime((this.#nowNs() & LOW_MASK) | (value << 32n));
        break;
      case RtcOffset.ALARM_LOW:
        this.#alarmNs = (this.#alarmNs & ~LOW_MASK) | value;
        this.#appoint();
        break;
      case RtcOffset.ALARM_HIGH:
        this.#alarmNs = (this.#alarmNs & LOW_MASK) | (value << 32n);
        break;
      case RtcOffset.IRQ_ENABLED:
        this.#isEnabled = (value & 1n) !== 0n;
        break;
      case RtcOffset.CLEAR_ALARM:
        this.#ringsAtInsns = -1;
        this.#plan();
        break;
      case RtcOffset.CLEAR_INTERRUPT:
        this.#isPending = false;
        break;
      default: // The other registers take no stores.
    }
    this.#drive();
  }

  #nowNs(): bigint {
    return BigInt.asUintN(64, this.#offsetNs + BigInt(this.#clock.now) * NS_PER_INSN);
  }

  #setTime(ns: bigint): void {
    this.#offsetNs = BigInt.asUintN(64, this.#offsetNs + ns - this.#nowNs());
  }

  /** Sets the alarm; one that lies in the past rings at once. */
  #appoint(): void {
    const distanceNs = this.#alarmNs - this.#nowNs();
    if (distanceNs <= 0n) {
      this.#ring();
      return;
    }
    this.#ringsAtInsns = this.#clock.now + Number((distanceNs + NS_PER_INSN - 1n) / NS_PER_INSN);
    this.#plan();
  }

  #plan(): void {
    if (this.#ringsAtInsns >= 0) this.#alarm.set(this.#ringsAtInsns);
    else this.#alarm.cancel();
  }

  #ring(): void {
    this.#ringsAtInsns = -1;
    this.#plan();
    this.#isPending = true;
    this.#drive();
  }

  #drive(): void {
    this.line.set(this.#isPending && this.#isEnabled);
  }
}
