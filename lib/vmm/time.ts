/** Two clocks: the machine's, and each guest's, which differs from it by `htimedelta`. */
import type { Host, Visit } from "./host.ts";
import type { VcpuView } from "./layout.ts";

/** "Never", as a time. */
export const NEVER = 2n ** 64n - 1n;

/** The machine's `time`. */
export const hostTime = ({ context }: Pick<Host, "context">): bigint => context.csr.read("time");

/** `time` as a guest reads it: one that came from another machine goes on with the time that it had there. @spec norm:htimedelta_sz_acc_op */
export const guestTime = (visit: Pick<Visit, "context" | "vcpu">): bigint =>
  BigInt.asUintN(64, hostTime(visit) + visit.vcpu.vs.htimedelta);

/** When a guest's time is here. What has been at all times is due. */
export function whenHere({ vs: { htimedelta } }: VcpuView, deadline: bigint): bigint {
  const here = deadline - BigInt.asIntN(64, htimedelta);
  if (deadline === NEVER || here > NEVER) return NEVER;
  return here < 0n ? 0n : here;
}

export const earlier = (a: bigint, b: bigint): bigint => (a < b ? a : b);
