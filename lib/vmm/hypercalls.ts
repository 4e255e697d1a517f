/**
 * Hypercalls: what a guest that knows of the hypervisor may ask of it. `a7` names one, arguments are in `a0` to `a4`, and `a0` returns
 * a value or, negative, an error. The table of their handlers lies in RAM.
 */
import { Fault } from "./errors.ts";
import { allocatePort, bindPort, closePort, maskPort, sendEvent, takeEvents } from "./events.ts";
import { copyGrant, grantPage, mapGrant, revokeGrant, unmapGrant } from "./grants.ts";
import type { Visit } from "./host.ts";
import { VcpuState } from "./layout.ts";
import { MEMORY_HYPERCALLS } from "./memory-hypercalls.ts";
import { PARAVIRTUAL_HYPERCALLS } from "./paravirtual/hypercalls.ts";
import type { Hypercall, VmmParts } from "./parts.ts";

/** `a7` of the first: where the SBI leaves numbers to the firmware. @spec SBI 2.0 "Firmware Specific Extension Space" */
export const FIRST_HYPERCALL = 0x0a00_0000n;

/** Everybody else that is ready goes first. */
function yieldHart({ vcpu, state, context }: Visit): bigint {
  state.pcpu(context.hart).sliceEnd = 0n;
  vcpu.state = VcpuState.READY;
  return 0n;
}

const ONE = 1n;
const arguments5 = ({ context: { registers } }: Visit) =>
  [registers.a0, registers.a1, registers.a2, registers.a3, registers.a4] as const;

/** By name; the number of each is its place here. */
export const HYPERCALLS: Readonly<Record<string, Hypercall>> = {
  version: () => ONE,
  domain: ({ domain }) => BigInt(domain.id),
  yield: yieldHart,
  /** (domain): a port that it may bind. */
  event_allocate: (visit) => allocatePort(visit, arguments5(visit)[0]),
  /** (domain, port): a port of one's own, whose other end that is. */
  event_bind: (visit) => bindPort(visit, arguments5(visit)[0], arguments5(visit)[1]),
  /** (port) */
  event_send: (visit) => sendEvent(visit, arguments5(visit)[0]),
  /** (): a bit for each port to which an event has come since the last call. */
  event_take: takeEvents,
  /** (port, 1 or 0) */
  event_mask: (visit) => maskPort(visit, arguments5(visit)[0], arguments5(visit)[1]),
  /** (port) */
  event_close: (visit) => closePort(visit, arguments5(visit)[0]),
  /** (domain, page, 1: writable): the grant's number. */
  grant: (visit) => {
    const [domain, page, writable] = arguments5(visit);
    return writable > ONE ? Fault.INVALID : grantPage(visit, domain, page, writable === ONE);
  },
  /** (domain, grant, where to, 1: writable): the mapping's number. */
  grant_map: (visit) => {
    const [domain, grant, page, writable] = arguments5(visit);
    return writable > ONE ? Fault.INVALID : mapGrant(visit, domain, grant, page, writable === ONE);
  },
  /** (mapping) */
  grant_unmap: (visit) => unmapGrant(visit, arguments5(visit)[0]),
  /** (domain, grant, address of one's own, bytes, 1: to the other's page) */
  grant_copy: (visit) => {
    const [domain, grant, address, bytes, isStore] = arguments5(visit);
    return isStore > ONE
      ? Fault.INVALID
      : copyGrant(visit, { domain, grant, address, bytes, isStore: isStore === ONE });
  },
  /** (grant) */
  grant_revoke: (visit) => revokeGrant(visit, arguments5(visit)[0]),
  ...PARAVIRTUAL_HYPERCALLS,
  ...MEMORY_HYPERCALLS,
};

/** The same with a reader's in their places, and those that are new behind them. */
export function hypercallsWith({ hypercalls: parts = {} }: VmmParts): Readonly<Record<string, Hypercall>> {
  const replaced = Object.entries(parts).map(([name, part]): [string, Hypercall] => {
    const reference = HYPERCALLS[name] ?? (() => Fault.NO_ENTRY);
    return [name, (visit) => part(visit, () => reference(visit))];
  });
  return { ...HYPERCALLS, ...Object.fromEntries(replaced) };
}
