/**
 * Core-local interruptor: software interrupts and the machine timer of each hart.
 * Time itself is the board's clock; this file compares it and drives the lines.
 *
 * @spec aclint-1.0 "ACLINT MTIMER Device" and "ACLINT MSWI Device"; register map of the SiFive CLINT
 */
import type { Alarm, Clock } from "../bus/clock.ts";
import { ACCESS_FAULT, type AccessFault, type Device, type DeviceState, type Width } from "../bus/device.ts";
import { IrqLine } from "../bus/irq-line.ts";

/** Offsets of the registers of hart 0, in bytes. `msip` has 4 bytes per hart, `mtimecmp` 8. */
export const ClintOffset = { MSIP: 0, MTIMECMP: 0x4000, MTIME: 0xbff8 } as const;

const UNSIGNED_64_MAX = 2n ** 64n - 1n;

/** The lines of one hart, and what drives them. */
interface HartTimer {
  /** `mip.MSIP` follows it. */
  readonly software: IrqLine;
  /** `mip.MTIP` follows it. */
  readonly timer: IrqLine;
  readonly alarm: Alarm;
  /** `mtimecmp`: unsigned 64-bit ticks. */
  compare: bigint;
}

/** CLINT for up to 4095 harts. */
export class Clint implements Device {
  readonly name = "clint";
  /** The last register is `mtime`; boards set aside more. */
  readonly sizeBytes = 0xc000;
  readonly #clock: Clock;
  readonly #harts: readonly HartTimer[];

  constructor(clock: Clock, hartCount: number) {
    this.#clock = clock;
    this.#harts = Array.from({ length: hartCount }, (_, hart) => ({
      software: new IrqLine(`clint.msip${hart}`),
      timer: new IrqLine(`clint.mtip${hart}`),
      alarm: clock.alarm(() => this.#compare(hart)),
      compare: 0n,
    }));
    this.reset();
  }

  /** Software-interrupt line of a hart. */
  softwareLine(hart: number): IrqLine {
    return this.#hart(hart).software;
  }

  /** Timer-interrupt line of a hart. */
  timerLine(hart: number): IrqLine {
    return this.#hart(hart).timer;
  }

  load(offset: number, width: Width): bigint | AccessFault {
    if (!isWide(offset, width)) return ACCESS_FAULT;
    const register = this.#register(offset);
    const shift = BigInt((offset & 7) * 8);
    return BigInt.asUintN(width * 8, (register?.read() ?? 0n) >> shift);
  }

  store(offset: number, width: Width, value: bigint): AccessFault | undefined {
    if (!isWide(offset, width)) return ACCESS_FAULT;
    const register = this.#register(offset);
    if (register === undefined) return undefined;
    if (width === 8) {
      register.write(value);
      return undefined;
    }
    const shift = BigInt((offset & 7) * 8);
    const mask = 0xffff_ffffn << shift; // norm:mtime_mtimecmp_rv64_wr
    register.write((register.read() & ~mask & UNSIGNED_64_MAX) | (value << shift));
    return undefined;
  }

  /** Clears `msip` and `mtimecmp`: as on QEMU, a timer interrupt is pending from the start, until a guest sets its time. */
  reset(): void {
    for (const [hart, lines] of this.#harts.entries()) {
      lines.software.set(false);
      lines.compare = 0n;
      this.#compare(hart);
    }
  }

  save(): DeviceState {
    const state: Record<string, bigint | boolean> = {};
    for (const [hart, lines] of this.#harts.entries()) {
      state[`msip${hart}`] = lines.software.level;
      state[`mtimecmp${hart}`] = lines.compare;
    }
    return state;
  }

  restore(state: DeviceState): void {
    for (const [hart, lines] of this.#harts.entries()) {
      lines.software.set(state[`msip${hart}`] === true);
      lines.compare = state[`mtimecmp${hart}`] as bigint;
      this.#compare(hart);
    }
  }

  /** The 64-bit register that holds this offset; undefined for holes, which read as zero and ignore stores. */
  #register(offset: number): { read(): bigint; write(value: bigint): void } | undefined {
    if (offset < ClintOffset.MTIMECMP) return this.#softwarePair(offset >> 3);
    if (offset >= ClintOffset.MTIME) {
      const write = (value: bigint): void => {
        this.#clock.mtime = value; // norm:mtime_acc norm:mtime_sz
        for (const hart of this.#harts.keys()) this.#compare(hart);
      };
      return { read: () => this.#clock.mtime, write }; // norm:mtime_enc_img
    }
    const hart = (offset - ClintOffset.MTIMECMP) >> 3;
    const lines = this.#harts[hart];
    if (lines === undefined) return undefined;
    const write = (value: bigint): void => {
      lines.compare = value; // norm:mtimecmp_sz
      this.#compare(hart);
    };
    return { read: () => lines.compare, write }; // norm:mtimecmp_enc_img
  }

  /** Two neighboring `msip` registers as one 64-bit word; only bit 0 of each exists. @spec norm:msip_enc @spec norm:msip_sz_acc */
  #softwarePair(pair: number): { read(): bigint; write(value: bigint): void } {
    const low = this.#harts[pair * 2]?.software;
    const high = this.#harts[pair * 2 + 1]?.software;
    return {
      read: () => (low?.level === true ? 1n : 0n) | (high?.level === true ? 1n << 32n : 0n),
      write: (value) => {
        low?.set((value & 1n) !== 0n);
        high?.set(((value >> 32n) & 1n) !== 0n);
      },
    };
  }

  /** Drives the timer line of a hart from the comparison, and plans the moment when it turns. */
  #compare(hart: number): void {
    const { timer, alarm, compare } = this.#hart(hart);
    const due = this.#clock.mtime >= compare; // norm:mtime_intr_pending
    timer.set(due);
    // norm:mtime_intr_mtip_visibility
    if (due) alarm.cancel();
    else alarm.set(this.#clock.whenMtimeReaches(compare));
  }

  #hart(hart: number): HartTimer {
    const lines = this.#harts[hart];
    if (lines === undefined) throw new RangeError(`the CLINT has no hart ${hart}`);
    return lines;
  }
}

/** Timer registers take 4- and 8-byte accesses, `msip` 4-byte ones; the rest are bus errors, as on QEMU. */
function isWide(offset: number, width: Width): boolean {
  return width === 4 || (width === 8 && offset >= ClintOffset.MTIMECMP);
}
