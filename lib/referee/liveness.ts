/**
 * I11: an interrupt that is pending and that nothing masks is delivered within so many instructions: a hart's at once, a virtual CPU's when
 * the hypervisor comes to it. A hypervisor that loses one lets its guest sleep for ever.
 */
import type { Hart } from "../hart/hart.ts";
import { isVirtual, MODE_NUMBER } from "../isa/mode.ts";
import { causeWords } from "../isa/trap.ts";
import { DomainState, PLIC_SOURCES, VCPUS, VcpuState, type VcpuView, type VmmState } from "../vmm/layout.ts";
import type { Finding } from "./violation.ts";

const MIE = 1n << 3n;
const SIE = 1n << 1n;
const SPP = 1n << 8n;
const VSTIP = 1n << 6n;
const VSEIP = 1n << 10n;
const STCE = 1n << 63n;
const CODES = 16;

/** Interrupts that are due, each with a name under which it waits. */
export type Due = ReadonlyMap<string, string>;

/** Bits of the interrupts that a hart must take before its next instruction. @spec priv §"Machine Interrupt (mip and mie) Registers" */
export function dueOn(hart: Hart): bigint {
  const { state } = hart;
  const pending = hart.csr("mip") & state.stored("mie");
  if (pending === 0n) return 0n;
  const [mideleg, hideleg] = [state.stored("mideleg"), state.stored("hideleg")];
  const mode = state.modeNumber;
  const isGuest = isVirtual(mode);
  const forMachine = mode !== MODE_NUMBER.M || (state.stored("mstatus") & MIE) !== 0n;
  const forSupervisor =
    mode === MODE_NUMBER.S ? (state.stored("mstatus") & SIE) !== 0n : mode !== MODE_NUMBER.M;
  const forGuest = mode === MODE_NUMBER.VS ? (state.stored("vsstatus") & SIE) !== 0n : isGuest;
  return (
    (forMachine ? pending & ~mideleg : 0n) |
    (forSupervisor ? pending & mideleg & ~hideleg : 0n) |
    (forGuest ? pending & mideleg & hideleg : 0n)
  );
}

/** Whether a domain's PLIC has something for the supervisor mode of one of its virtual CPUs. */
function plicAsks(state: VmmState, { domain, number }: VcpuView): boolean {
  const { plic } = state.domain(domain);
  const context = 2 * number + 1;
  const pending = plic.pending & ~plic.claimed & plic.enable.get(context);
  if (pending === 0n) return false;
  const threshold = plic.threshold.get(context);
  for (let source = 1; source < PLIC_SOURCES; source++)
    if (((pending >> BigInt(source)) & 1n) === 1n && plic.priority.get(source) > threshold) return true;
  return false;
}

/** Bits of the interrupts that a virtual CPU, which does not run, waits for or would take if it ran. */
export function dueFor(state: VmmState, vcpu: VcpuView, time: bigint): bigint {
  const { vs } = vcpu;
  const isTimeUp = (vs.henvcfg & STCE) !== 0n && BigInt.asUintN(64, time + vs.htimedelta) >= vs.vstimecmp;
  const pending = vs.hvip | (isTimeUp ? VSTIP : 0n) | (plicAsks(state, vcpu) ? VSEIP : 0n);
  const enabled = pending & vs.hie & vs.hideleg;
  // WFI ends whatever the global enable says.
  const isOpen = vcpu.state === VcpuState.BLOCKED || (vs.vsstatus & SIE) !== 0n || (vs.sstatus & SPP) === 0n;
  return isOpen ? enabled : 0n;
}

const names = (bits: bigint): string =>
  Array.from({ length: CODES }, (_, cause) => cause)
    .filter((cause) => ((bits >> BigInt(cause)) & 1n) === 1n)
    .map((cause) => causeWords({ isInterrupt: true, cause }))
    .join(", ");

/** Remembers since when interrupts are due. */
export class Liveness {
  readonly #limit: number;
  readonly #since = new Map<string, number>();

  /** @param limit  Instructions of the machine within which an interrupt must be delivered. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A hart has taken an interrupt. */
  delivered(hart: number): void {
    this.#since.delete(`hart ${hart}`);
  }

  /** Looks at what is due now, and says what is late. */
  *late(due: Due, retired: number): Generator<Finding> {
    for (const object of this.#since.keys()) if (!due.has(object)) this.#since.delete(object);
    for (const [object, what] of due) {
      const since = this.#since.get(object) ?? retired;
      this.#since.set(object, since);
      if (retired - since <= this.#limit) continue;
      const sentence = `The ${what} of ${object} has been pending and not masked for ${retired - since} instructions, and was not delivered.`;
      yield { invariant: "I11", object, sentence };
    }
  }
}

/** All interrupts that are due: of harts, and of virtual CPUs that no hart runs. */
export function dueNow(harts: readonly Hart[], state: VmmState | undefined): Due {
  const due = new Map<string, string>();
  for (const hart of harts) {
    const bits = dueOn(hart);
    if (bits !== 0n) due.set(`hart ${hart.id}`, names(bits));
  }
  if (state === undefined) return due;
  const running = new Set(harts.map(({ id }) => state.pcpu(id).current as bigint));
  const time = harts[0]?.clock.mtime ?? 0n;
  for (let index = 0; index < VCPUS; index++) {
    const vcpu = state.vcpu(index);
    if (!isWaiting(state, vcpu) || running.has(vcpu.address)) continue;
    const bits = dueFor(state, vcpu, time);
    if (bits !== 0n) due.set(`virtual CPU ${index} (domain ${vcpu.domain})`, names(bits));
  }
  return due;
}

/** Whether a virtual CPU wants to run, or sleeps, and nobody holds it; in a machine mode of its own its interrupts are kept elsewhere. */
function isWaiting(state: VmmState, vcpu: VcpuView): boolean {
  const kind = vcpu.state;
  if (kind !== VcpuState.READY && kind !== VcpuState.RUNNING && kind !== VcpuState.BLOCKED) return false;
  return vcpu.machine.mode !== 3n && state.domain(vcpu.domain).state === DomainState.RUNNING;
}
