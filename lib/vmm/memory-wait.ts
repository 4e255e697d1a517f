/**
 * When memory is overcommitted: guests have more RAM together than the machine has frames, and one day the pool is empty. A virtual CPU
 * whose access needs a frame then waits until others have given some back. If none come in time, its domain is stopped as crashed, with
 * the access that could not be made. A domain that has all the frames it may have is not helped by others, and is stopped at once.
 */
import { crash, crashAt } from "./domain.ts";
import type { Host, Visit } from "./host.ts";
import { VcpuState, type VcpuView } from "./layout.ts";

/** So many ticks of `time` it waits. */
export const MEMORY_TICKS = 100_000n;
/** A page, and two tables for it: with fewer free, an access might be repeated for ever. */
const ENOUGH_FRAMES = 3;

/** An access of the guest needed a frame, and there was none. It will be made again. */
export function waitForMemory(visit: Visit, now: bigint): void {
  const { context, domain, state, vcpu } = visit;
  if (domain.frames >= domain.maxFrames || state.pool.free >= ENOUGH_FRAMES) {
    crash(visit);
    return;
  }
  const wait = state.memoryWait(vcpu.address);
  wait.deadline = now + MEMORY_TICKS;
  wait.cause = context.csr.read("scause");
  wait.pc = context.csr.read("sepc");
  wait.value = context.csr.read("stval");
  vcpu.state = VcpuState.STARVED;
}

/** Lets a virtual CPU go on that waits for memory, if some has come back; or stops its domain, if it has waited too long. */
export function serveMemoryWait(host: Host, vcpu: VcpuView, now: bigint): void {
  const { state } = host;
  const wait = state.memoryWait(vcpu.address);
  if (state.pool.free >= ENOUGH_FRAMES) vcpu.state = VcpuState.READY;
  else if (wait.deadline <= now) crashAt(host, state.domain(vcpu.domain), wait);
}
