/**
 * Sstc: supervisor mode's own timer. `mip.STIP` is the comparison of `time` with `stimecmp`, and nobody writes it.
 *
 * @spec norm:sstc_purpose
 */
import type { Alarm, Clock } from "../bus/clock.ts";
import { CSRS } from "../isa/csr-map.ts";
import { INTERRUPT } from "../isa/trap.ts";
import type { HartState } from "./state.ts";

const STCE = 1n << BigInt(CSRS.menvcfg.fields.STCE.lsb);

/** The bit in `mip`. */
export const STIP = 1n << BigInt(INTERRUPT.supervisorTimer);

/** Whether machine mode has given supervisor mode its timer. Otherwise STIP is software's. @spec norm:menvcfg_stce_op1 */
export const isTimerOn = (state: HartState): boolean => (state.stored("menvcfg") & STCE) !== 0n;

/** Drives STIP of one hart. */
export class SupervisorTimer {
  readonly #state: HartState;
  readonly #clock: Clock;
  readonly #alarm: Alarm;

  /** @param changed  Hears that STIP may have changed. */
  constructor(state: HartState, clock: Clock, changed: () => void) {
    this.#state = state;
    this.#clock = clock;
    const look = (): void => {
      this.compare();
      changed();
    };
    this.#alarm = clock.alarm(look);
    clock.onMtimeWrite(look);
  }

  /** Compares now, and plans the moment when the answer turns. Switched off, it leaves STIP alone. @spec norm:mip_stip_stimecmp_op2 */
  compare(): void {
    if (!isTimerOn(this.#state)) {
      this.#alarm.cancel();
      return;
    }
    const stimecmp = this.#state.stored("stimecmp");
    const isDue = this.#clock.mtime >= stimecmp;
    const { wiresPending } = this.#state;
    this.#state.wiresPending = isDue ? wiresPending | STIP : wiresPending & ~STIP;
    if (isDue) this.#alarm.cancel();
    else this.#alarm.set(this.#clock.whenMtimeReaches(stimecmp));
  }
}
