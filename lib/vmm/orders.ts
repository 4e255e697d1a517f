/**
 * Orders of the operator, who is outside of the machine: one lies in RAM until the hypervisor looks there, which it does with each timer
 * interrupt. What is done here a privileged domain may ask for by hypercalls, with the same functions.
 */
import { setTarget } from "./balloon.ts";
import { Fault } from "./errors.ts";
import type { Host } from "./host.ts";
import { OrderKind } from "./layout.ts";
import {
  createDomain,
  destroyDomain,
  limitDomain,
  pauseDomain,
  startDomain,
  unpauseDomain,
  writeDomain,
} from "./lifecycle.ts";
import { scanPages } from "./page-sharing.ts";

/** Pages that one order looks at: each costs some two thousand loads when another has its hash. */
const MOST_SCANNED = 32n;

/** What an order says. */
interface Given {
  readonly domain: bigint;
  readonly words: readonly [bigint, bigint, bigint, bigint];
}

/** By kind, with what the words are. */
const ORDERS: ReadonlyMap<number, (host: Host, given: Given) => bigint> = new Map<
  number,
  (host: Host, given: Given) => bigint
>([
  /** Bytes of RAM, virtual CPUs, flags, frames that it may have (0: as many as it needs). */
  [
    OrderKind.CREATE,
    (host, { words: [ramBytes, vcpus, flags, maxFrames] }) =>
      createDomain(host, { ramBytes, vcpus, flags, maxFrames }),
  ],
  /** Address in the domain, number of bytes: they are in `bytes`. */
  [
    OrderKind.WRITE,
    (host, { domain, words: [address, bytes] }) =>
      writeDomain(host, domain, address, host.state.order.bytes.addressOf(0), bytes),
  ],
  /** Where it begins, and with which `a1`. */
  [
    OrderKind.START,
    (host, { domain, words: [entry, argument] }) => startDomain(host, domain, entry, argument),
  ],
  [OrderKind.PAUSE, (host, { domain }) => pauseDomain(host, domain)],
  [OrderKind.UNPAUSE, (host, { domain }) => unpauseDomain(host, domain)],
  [OrderKind.DESTROY, (host, { domain }) => destroyDomain(host, domain)],
  /** Frames that it should have. */
  [OrderKind.TARGET, (host, { domain, words: [frames] }) => setTarget(host, domain, frames)],
  /** Frames that it may have. */
  [OrderKind.LIMIT, (host, { domain, words: [frames] }) => limitDomain(host, domain, frames)],
  /** Pages that are looked at for equal ones with each timer interrupt, bits of their hashes. */
  [
    OrderKind.SHARE,
    ({ state }, { words: [pace, bits] }) => {
      state.pageSharing.pace = Number(BigInt.asUintN(16, pace));
      state.pageSharing.hashBits = Number(bits > 64n ? 0n : bits);
      return 0n;
    },
  ],
  /** Pages that are looked at once; at most 32 with one order. */
  [
    OrderKind.SCAN,
    (host, { words: [pages] }) => {
      scanPages(host, Number(pages > MOST_SCANNED ? MOST_SCANNED : pages));
      return 0n;
    },
  ],
]);

/** Looks for an order, and at some pages for equal ones. */
export function serveOperator(host: Host): void {
  const { order, pageSharing } = host.state;
  const { kind } = order;
  if (kind !== OrderKind.NONE) {
    const [first, second, third, fourth] = [0, 1, 2, 3].map((index) => order.words.get(index));
    const words = [first ?? 0n, second ?? 0n, third ?? 0n, fourth ?? 0n] as const;
    const result = ORDERS.get(kind)?.(host, { domain: BigInt(order.domain), words }) ?? Fault.INVALID;
    order.result = BigInt.asUintN(64, result);
    order.kind = OrderKind.NONE;
  }
  const { pace } = pageSharing;
  if (pace !== 0) scanPages(host, pace);
}
