/** Errors that hypercalls return: negative, with the numbers that Unix gave them. */
import type { Host } from "./host.ts";
import { DOMAINS, DomainState, type DomainView } from "./layout.ts";

/** Why a hypercall, or an operator's order, did nothing. */
export const Fault = {
  NOT_PERMITTED: -1n,
  NO_ENTRY: -2n,
  NO_DOMAIN: -3n,
  /** More work than a call may be; what was done of it stays done, so that calling again gets further. */
  TOO_MUCH: -7n,
  NO_MEMORY: -12n,
  BAD_ADDRESS: -14n,
  BUSY: -16n,
  INVALID: -22n,
  NO_SPACE: -28n,
  /** Said to an operator alone: nothing would wake the machine to look for the order. */
  ASLEEP: -112n,
} as const;

/** A domain that runs, by the number that a guest gives; `undefined` for any other number. */
export function runningDomain({ state }: Pick<Host, "state">, number: bigint): DomainView | undefined {
  if (number < 1n || number >= BigInt(DOMAINS)) return undefined;
  const domain = state.domain(Number(number));
  return domain.state === DomainState.RUNNING ? domain : undefined;
}
