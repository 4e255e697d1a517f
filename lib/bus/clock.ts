/**
 * Guest time. It is counted in retired instructions, so the same inputs give the same times on every host.
 * A hart that sleeps in WFI lets time jump to the next alarm: `sleptInsns` holds what was jumped over.
 *
 * Everything here is a `number`: counts stay exact up to 2^53 instructions (years of running), and none allocates.
 */

/** Ticks of `mtime` in a second of guest time: the timebase of QEMU's `virt`. */
export const TICKS_PER_SECOND = 10_000_000;
/** Retired instructions per tick of `mtime`: the guest sees a machine of 100 million instructions per second. */
export const INSNS_PER_TICK = 10;
/** Instruction times in a second of guest time. */
export const INSNS_PER_SECOND = TICKS_PER_SECOND * INSNS_PER_TICK;

/** An appointment that a device keeps with the clock. */
export interface Alarm {
  /** Asks to be called once, as soon as `now` reaches `atInsns`; replaces an earlier appointment. A past time is due at once. */
  set(atInsns: number): void;
  /** Takes the appointment back. */
  cancel(): void;
}

class ClockAlarm implements Alarm {
  atInsns = Number.POSITIVE_INFINITY;
  readonly ring: () => void;
  readonly #changed: () => void;

  constructor(ring: () => void, changed: () => void) {
    this.ring = ring;
    this.#changed = changed;
  }

  set(atInsns: number): void {
    this.atInsns = atInsns;
    this.#changed();
  }

  cancel(): void {
    this.set(Number.POSITIVE_INFINITY);
  }
}

/**
 * The one clock of a board.
 *
 * @invariant Engines keep `retired` exact before they call anything that may look at time (bus, CSR `time`, traps), and
 *            return to the board as soon as `retired >= alarmAtRetired`; they look at it again after each device
 *            access. The board calls `ringDue`. An alarm set for now is therefore also how a device stops the engine.
 */
export class Clock {
  /** Instructions retired by the machine (all harts together) since reset. Written by engines. */
  retired = 0;
  /** `retired` at which the next alarm is due; infinite when there is none. Read by engines. */
  alarmAtRetired = Number.POSITIVE_INFINITY;
  #sleptInsns = 0;
  #tickOffset = 0n;
  readonly #alarms: ClockAlarm[] = [];
  readonly #mtimeListeners: (() => void)[] = [];

  /** Machine time in instruction times: retired plus slept through. */
  get now(): number {
    return this.retired + this.#sleptInsns;
  }

  /** Instruction times spent in WFI with nothing to do. */
  get sleptInsns(): number {
    return this.#sleptInsns;
  }

  /** What guests added to `mtime` by writing it, in ticks. */
  get tickOffset(): bigint {
    return this.#tickOffset;
  }

  /** `mtime`, which the `time` CSR shows too: unsigned 64-bit, ticks since reset unless a guest wrote it. */
  get mtime(): bigint {
    return BigInt.asUintN(64, this.#ticks() + this.#tickOffset);
  }

  /** Writes `mtime`; `now` and the alarms stay as they are. */
  set mtime(value: bigint) {
    this.#tickOffset = BigInt.asUintN(64, value - this.#ticks());
    for (const listener of this.#mtimeListeners) listener();
  }

  /** Asks to be told when `mtime` was written, which changes every comparison with it. */
  onMtimeWrite(listener: () => void): void {
    this.#mtimeListeners.push(listener);
  }

  /**
   * When `mtime` will have reached a value.
   *
   * @param value  Unsigned 64-bit.
   * @returns      Instruction time for an alarm: `now` when it already has; infinite when no run can last so long.
   */
  whenMtimeReaches(value: bigint): number {
    if (this.mtime >= value) return this.now;
    const atInsns = (this.#ticks() + value - this.mtime) * BigInt(INSNS_PER_TICK);
    return atInsns <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(atInsns) : Number.POSITIVE_INFINITY;
  }

  /** Makes an alarm, unset. Alarms due at the same time ring in the order in which they were made. */
  alarm(ring: () => void): Alarm {
    const alarm = new ClockAlarm(ring, () => this.#plan());
    this.#alarms.push(alarm);
    return alarm;
  }

  /** Rings every alarm that is due; each is unset before it is called, and may set itself again. */
  ringDue(): void {
    while (this.retired >= this.alarmAtRetired) {
      const due = this.#earliest();
      if (due === undefined) return;
      due.cancel();
      due.ring();
    }
  }

  /**
   * Sleeps until the next alarm is due, as a machine does whose harts all wait for an interrupt.
   *
   * @param limitInsns  Sleep no longer than this many instruction times.
   * @returns           Whether an alarm is due now. False: the limit came first, or there is no alarm (then no time passed).
   */
  sleep(limitInsns = Number.POSITIVE_INFINITY): boolean {
    const distanceInsns = Math.max(0, this.alarmAtRetired - this.retired);
    const stepInsns = Math.min(distanceInsns, limitInsns);
    if (!Number.isFinite(stepInsns)) return false;
    this.#sleptInsns += stepInsns;
    this.#plan();
    return distanceInsns <= limitInsns;
  }

  /** What a snapshot keeps. Alarms are not in it: each device sets its own again in `restore`. */
  save(): ClockState {
    return { retired: this.retired, sleptInsns: this.#sleptInsns, tickOffset: this.#tickOffset };
  }

  /** Puts time back and forgets every appointment. */
  restore(state: ClockState): void {
    this.retired = state.retired;
    this.#sleptInsns = state.sleptInsns;
    this.#tickOffset = state.tickOffset;
    for (const alarm of this.#alarms) alarm.atInsns = Number.POSITIVE_INFINITY;
    this.#plan();
  }

  #ticks(): bigint {
    return BigInt(Math.floor(this.now / INSNS_PER_TICK));
  }

  #earliest(): ClockAlarm | undefined {
    let first: ClockAlarm | undefined;
    for (const alarm of this.#alarms) if (first === undefined || alarm.atInsns < first.atInsns) first = alarm;
    return first;
  }

  #plan(): void {
    this.alarmAtRetired = (this.#earliest()?.atInsns ?? Number.POSITIVE_INFINITY) - this.#sleptInsns;
  }
}

/** A point in guest time. */
export interface ClockState {
  readonly retired: number;
  readonly sleptInsns: number;
  readonly tickOffset: bigint;
}

/** The first instant: reset. */
export const CLOCK_AT_RESET: ClockState = { retired: 0, sleptInsns: 0, tickOffset: 0n };
