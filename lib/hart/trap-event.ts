/** What an observer learns of a trap. */
import type { Mode } from "../isa/mode.ts";
import type { Trap } from "../isa/trap.ts";

/** The delegation bit that decided where a trap went. */
export interface Delegation {
  readonly register: "medeleg" | "mideleg";
  /** Number of the bit: the cause. */
  readonly bit: number;
  readonly isSet: boolean;
  /** False in machine mode: traps never go to a less privileged mode, so the bit was not asked. */
  readonly wasAsked: boolean;
  /** The hypervisor's word, where machine mode's bit is set and a guest was running. */
  readonly toGuest: { readonly register: "hedeleg" | "hideleg"; readonly isSet: boolean } | undefined;
}

/** A trap that was taken. */
export interface TrapEvent {
  readonly trap: Trap;
  readonly hart: number;
  /** Instructions that the machine had retired before it. */
  readonly retired: number;
  readonly from: Mode;
  readonly to: Mode;
  /** Address of the instruction that trapped, or that was about to run when the interrupt came. */
  readonly epc: bigint;
  /** First instruction of the handler. */
  readonly target: bigint;
  readonly delegation: Delegation;
  /** The mode whose rights the access had: differs from `from` under MPRV. */
  readonly effectiveMode: Mode;
}
