/**
 * Handlers that are not at their end: those that let other harts run in between. Such a call is kept as what its operations
 * gave; whoever goes on with it runs the handler again, gives it the same values, and is where it was.
 *
 * This is state: it is part of snapshots and images. Handlers themselves are not, and no function is kept here.
 */
import { registerIndex } from "../isa/register.ts";
import type { Trap } from "../isa/trap.ts";
import type { Hart } from "./hart.ts";

/** One operation of a handler: the word of its instruction and what the handler got; or a place where it let others run. */
export type LoggedOperation =
  | { readonly kind: "value"; readonly word: number; readonly value: bigint }
  | { readonly kind: "trap"; readonly word: number; readonly trap: Trap }
  | { readonly kind: "yield" };

/** A call that is to be gone on with. */
export interface UnfinishedCall {
  readonly hart: number;
  /** Number of the handler. */
  readonly number: number;
  /** Where its `hx` stands: the hart executes it again. */
  readonly pc: bigint;
  readonly mode: number;
  /** `sp`, `t5` and `t6` as the call left them. Who comes back with others makes a new call. */
  readonly registers: readonly bigint[];
  /** What the handler has done, in order. */
  readonly log: readonly LoggedOperation[];
}

/** A hart has one call for each level that interrupts another: a hypervisor's and the firmware's. More have been left alone. */
const MOST_FOR_A_HART = 8;
const TELLING = (["sp", "t5", "t6"] as const).map(registerIndex);

/** Registers that tell a call from another at the same place. */
export const tellingRegisters = ({ state }: Hart): readonly bigint[] =>
  TELLING.map((index) => state.x[index] ?? 0n);

/** The unfinished calls of a board. */
export class UnfinishedCalls {
  #calls: UnfinishedCall[] = [];

  /** How many there are. */
  get count(): number {
    return this.#calls.length;
  }

  /** Keeps a call. Where a hart has too many, its oldest has been left alone and is forgotten. */
  put(call: UnfinishedCall): void {
    this.#calls.push(call);
    const own = this.#calls.filter(({ hart }) => hart === call.hart);
    if (own.length > MOST_FOR_A_HART) this.#calls = this.#calls.filter((other) => other !== own[0]);
  }

  /** The call that this hart goes on with when it executes `hx number` now, if it does; it is kept no longer. */
  take(hart: Hart, number: number): UnfinishedCall | undefined {
    if (this.#calls.length === 0) return undefined;
    const { pc, modeNumber } = hart.state;
    const registers = tellingRegisters(hart);
    const at = this.#calls.findLastIndex(
      (call) =>
        call.hart === hart.id &&
        call.pc === pc &&
        call.number === number &&
        call.mode === modeNumber &&
        call.registers.every((value, index) => value === registers[index]),
    );
    return at < 0 ? undefined : this.#calls.splice(at, 1)[0];
  }

  /** Forgets all. */
  clear(): void {
    this.#calls = [];
  }

  /** What a snapshot keeps. */
  save(): readonly UnfinishedCall[] {
    return this.#calls.map((call) => ({ ...call, log: [...call.log] }));
  }

  /** Back to what `save` gave. */
  restore(calls: readonly UnfinishedCall[]): void {
    this.#calls = calls.map((call) => ({ ...call, log: [...call.log] }));
  }
}
