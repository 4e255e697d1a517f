/** What an operator, outside of the machine, wants of the hypervisor: one order at a time. */
import { array, struct, u8, u32, u64 } from "../../hs/struct.ts";
import { PAGE_BYTES } from "./frames.ts";

/** Orders. What `words` are is said where they are served (`orders.ts`). */
export const OrderKind = {
  /** The last one was carried out. */
  NONE: 0,
  CREATE: 1,
  WRITE: 2,
  START: 3,
  PAUSE: 4,
  UNPAUSE: 5,
  DESTROY: 6,
  TARGET: 7,
  LIMIT: 8,
  SHARE: 9,
  SCAN: 10,
} as const;
export type OrderNumber = (typeof OrderKind)[keyof typeof OrderKind];

/** An order. */
export const Order = struct("order", {
  /** One of {@link OrderKind}. The operator sets it last, the hypervisor makes it `NONE` when it is done. */
  kind: u32,
  domain: u32,
  words: array(u64, 4),
  /** What came of it: as a hypercall's value, negative for an error. */
  result: u64,
  /** When the hypervisor looks next for what is not its guests', in ticks of `time`: orders, mailboxes, a domain that leaves. */
  lookAt: u64,
  bytes: array(u8, PAGE_BYTES),
});
