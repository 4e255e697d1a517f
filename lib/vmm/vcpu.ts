/**
 * Virtual CPUs: what a hart is to a guest. While one runs, its state is in the hart; else it is in RAM. Registers go there with
 * every trap (the vector saves them), floating-point registers and CSRs only when the hart goes on with another.
 */
import type { HPA } from "../hs/address.ts";
import { HsArea } from "../hs/hypervisor-vector.ts";
import type { ViewOf } from "../hs/struct.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import { EXCEPTION, INTERRUPT } from "../isa/trap.ts";
import type { Host } from "./host.ts";
import { DomainFlag, type DomainView, PAGE_SHIFT, Vcpu, VcpuState, type VcpuView, VsCsrs } from "./layout.ts";
import { NEVER } from "./time.ts";

const SV39X4 = 8;
const COUNTERS = 7n;
const SPP = encodeCsr("sstatus", { SPP: 1 });
/** Floating-point registers can be used, and nothing was written to them. */
const FLOATS_INITIAL = encodeCsr("vsstatus", { FS: 1 });

/** Exceptions that a guest's supervisor handles itself: all that its own programs can cause. */
export const GUEST_EXCEPTIONS: bigint = (
  [
    "instructionAddressMisaligned",
    "instructionAccessFault",
    "illegalInstruction",
    "breakpoint",
    "loadAddressMisaligned",
    "loadAccessFault",
    "storeAddressMisaligned",
    "storeAccessFault",
    "ecallFromU",
    "instructionPageFault",
    "loadPageFault",
    "storePageFault",
  ] as const
).reduce((mask, name) => mask | (1n << BigInt(EXCEPTION[name])), 0n);

/** A guest's own interrupts: its software, timer and external one. */
export const VSSI: bigint = 1n << BigInt(INTERRUPT.virtualSupervisorSoftware);
export const VSTI: bigint = 1n << BigInt(INTERRUPT.virtualSupervisorTimer);
export const VSEI: bigint = 1n << BigInt(INTERRUPT.virtualSupervisorExternal);

type Swapped = Exclude<keyof ViewOf<typeof VsCsrs>, "sstatus" | "address">;
/** Everything but `sstatus`, of which only `SPP` is the guest's. */
const SWAPPED = VsCsrs.fields.map(({ name }) => name).filter((name) => name !== "sstatus") as Swapped[];

/** `hgatp` for a domain: its root, and its number as VMID. */
export const hgatpOf = (root: HPA, domain: number): bigint =>
  encodeCsr("hgatp", { MODE: SV39X4, VMID: domain, PPN: root >> PAGE_SHIFT });

/** A virtual CPU as it is after reset: stopped, in supervisor mode, or in the machine mode that the domain brings. */
export function resetVcpu(vcpu: VcpuView, domain: DomainView, number: number): void {
  const { vs, machine } = vcpu;
  const isMachine = (domain.flags & DomainFlag.BEGINS_IN_MACHINE_MODE) !== 0;
  const isParavirtual = (domain.flags & DomainFlag.PARAVIRTUAL) !== 0;
  const hasTimer = (domain.flags & DomainFlag.TIMER_BY_CALL) === 0;
  vcpu.domain = domain.id;
  vcpu.number = number;
  vcpu.state = VcpuState.STOPPED;
  vs.vsstatus = isMachine ? 0n : FLOATS_INITIAL;
  vs.vstimecmp = NEVER;
  vs.hstatus = encodeCsr("hstatus", {
    SPV: 1,
    SPVP: 1,
    VTW: 1,
    VTVM: isMachine || isParavirtual ? 1 : 0,
    VTSR: isMachine ? 1 : 0,
  });
  vs.hedeleg = isMachine ? 0n : GUEST_EXCEPTIONS;
  vs.hideleg = isMachine ? 0n : VSSI | VSTI | VSEI;
  vs.hcounteren = COUNTERS;
  vs.scounteren = isMachine ? 0n : COUNTERS;
  vs.henvcfg = isMachine
    ? 0n
    : encodeCsr("henvcfg", { STCE: hasTimer ? 1 : 0, ADUE: 1, PBMTE: isParavirtual ? 0 : 1 });
  vs.hgatp = isParavirtual ? 0n : hgatpOf(domain.root, domain.id);
  vs.sstatus = SPP;
  machine.mode = isMachine ? 3n : 0n;
  machine.mtimecmp = isMachine ? 0n : NEVER;
  vcpu.timer = NEVER;
}

/** Makes a stopped virtual CPU ready to begin somewhere, `a0` being its number and `a1` an argument; `vsatp` is 0 where a second stage is. */
export function startVcpu(vcpu: VcpuView, entry: bigint, argument: bigint, vsatp = 0n): void {
  const { area, vs } = vcpu;
  area.saved.x.set(10, BigInt(vcpu.number));
  area.saved.x.set(11, argument);
  vs.sepc = entry;
  vs.sstatus = SPP;
  vs.vsatp = vsatp;
  vcpu.state = VcpuState.READY;
}

/** Puts what the hart holds of a guest into RAM. */
function save({ context: { csr } }: Host, { vs }: VcpuView): void {
  for (const name of SWAPPED) vs[name] = csr.read(name);
  vs.sstatus = csr.read("sstatus") & SPP;
}

/**
 * And back. No fence: each second stage has a VMID of its own and is fenced where it changes, and virtual CPUs without one have ASIDs
 * of their own and are fenced where their tables lose what they held, when one is started again, too (`paravirtual/roots.ts`).
 * `vsatp` is zero while the rest changes, for a hart may translate ahead at any time: the tables of the one guest must not be walked as
 * memory of the other.
 *
 * @spec priv §"Memory-Management Fences" (hypervisor), the note on world switches
 */
function load({ context: { csr } }: Host, { vs }: VcpuView): void {
  csr.write("vsatp", 0n);
  for (const name of SWAPPED) if (name !== "vsatp") csr.write(name, vs[name]);
  csr.write("vsatp", vs.vsatp);
  if (vs.sstatus === 0n) csr.clear("sstatus", SPP);
  else csr.set("sstatus", SPP);
}

function putAway(host: Host, vcpu: VcpuView): void {
  const { saveVcpu } = host.parts;
  if (saveVcpu === undefined) save(host, vcpu);
  else saveVcpu(host, vcpu, () => save(host, vcpu));
}

function bring(host: Host, vcpu: VcpuView): void {
  const { restoreVcpu } = host.parts;
  if (restoreVcpu === undefined) load(host, vcpu);
  else restoreVcpu(host, vcpu, () => load(host, vcpu));
}

/** The virtual CPU that a hart runs. */
export function currentVcpu({ context, state }: Host): VcpuView | undefined {
  const { current } = state.pcpu(context.hart);
  return current === 0n ? undefined : Vcpu.at(context, current);
}

/**
 * Goes on with another virtual CPU, or with none: then the hart idles. It happens when the handler has returned, in the vector's code:
 * `next` says whose area `sp` points to from then on.
 */
export function switchTo(host: Host, next: VcpuView | undefined): void {
  const { context, map, state } = host;
  const pcpu = state.pcpu(context.hart);
  const own = map.addressOf(`hart${context.hart}`);
  const current = currentVcpu(host);
  if (current?.address !== next?.address) {
    if (current !== undefined) putAway(host, current);
    if (next !== undefined) bring(host, next);
    pcpu.current = (next?.address ?? 0n) as HPA;
    pcpu.switches += 1n;
  }
  const area = HsArea.at(context, current?.address ?? own);
  area.next = next?.address ?? own;
  area.saved.resume = map.addressOf(next === undefined ? "idle" : "restore");
}
