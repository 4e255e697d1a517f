/**
 * Sstc: supervisor mode's own timer, and a guest's. `mip.STIP` is the comparison of `time` with `stimecmp`, and nobody
 * writes it; VSTIP compares the guest's time with `vstimecmp`.
 */
import { asU64 } from "../bits/int64.ts";
import type { Alarm, Clock } from "../bus/clock.ts";
import { CSRS } from "../isa/csr-map.ts";
import { INTERRUPT } from "../isa/trap.ts";
import type { HartState } from "./state.ts";

const STCE = 1n << BigInt(CSRS.menvcfg.fields.STCE.lsb);

/** The bit in `mip`. */
export const STIP = 1n << BigInt(INTERRUPT.supervisorTimer);

/** Whether machine mode has given supervisor mode its timer. Otherwise STIP is software's. @spec norm:menvcfg_stce_op1 */
export const isTimerOn = (state: HartState): boolean => (state.stored("menvcfg") & STCE) !== 0n;

/** The guest's timer in `mip`. */
export const VSTIP = 1n << BigInt(INTERRUPT.virtualSupervisorTimer);

/** Whether the hypervisor has given its guest a timer, if machine mode has given any. @spec norm:henvcfg_stce */
export const isGuestTimerOn = (state: HartState): boolean =>
  isTimerOn(state) && (state.stored("henvcfg") & STCE) !== 0n;

/** Time as a guest sees it. @spec norm:htimedelta_sz_acc_op */
export const guestTime = (state: HartState, clock: Clock): bigint =>
  asU64(clock.mtime + state.stored("htimedelta"));

/** Drives STIP and VSTIP of one hart. */
export class SupervisorTimer {
  readonly #state: HartState;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #guestAlarm: Alarm;

  /** @param changed  Hears that STIP may have changed. */
  constructor(state: HartState, clock: Clock, changed: () => void) {
    this.#state = state;
    this.#clock = clock;
    const look = (): void => {
      this.compare();
      changed();
    };
    this.#alarm = clock.alarm(look);
    this.#guestAlarm = clock.alarm(look);
    clock.onMtimeWrite(look);
  }

  /** Compares now, and plans the moment when the answer turns. Switched off, it leaves STIP alone. @spec norm:mip_stip_stimecmp_op2 */
  compare(): void {
    this.#compareOwn();
    this.#compareGuest();
  }

  /** @spec norm:sstc_purpose */
  #compareOwn(): void {
    if (!isTimerOn(this.#state)) {
      this.#alarm.cancel();
      return;
    }
    const stimecmp = this.#state.stored("stimecmp");
    const isDue = this.#clock.mtime >= stimecmp; // norm:mip_sip_stip_op norm:mip_stip_stimecmp_clr
    const { wiresPending } = this.#state;
    this.#state.wiresPending = isDue ? wiresPending | STIP : wiresPending & ~STIP;
    if (isDue) this.#alarm.cancel();
    else this.#alarm.set(this.#clock.whenMtimeReaches(stimecmp));
  }

  /**
   * A guest's time wraps around where the machine's does not, so the answer turns back one day.
   * @spec norm:hip_vstip_op
   * @spec norm:sstc_vs_facility
   */
  #compareGuest(): void {
    const state = this.#state;
    if (!isGuestTimerOn(state)) {
      this.#guestAlarm.cancel();
      return;
    }
    const now = guestTime(state, this.#clock);
    const vstimecmp = state.stored("vstimecmp");
    const isDue = now >= vstimecmp; // norm:hip_vstip_vstie_acc_op
    state.wiresPending = isDue ? state.wiresPending | VSTIP : state.wiresPending & ~VSTIP;
    // norm:hip_vstip_clear
    const turnsAt = isDue ? 1n << 64n : vstimecmp;
    this.#guestAlarm.set(this.#clock.whenMtimeReaches(this.#clock.mtime + turnsAt - now));
  }
}
