/** CSRs of a guest's machine mode: what an instruction that names one reads and leaves. Values follow the rules of the hart's own. */

import type { ViewOf } from "../hs/struct.ts";
import { legalize, writableMask } from "../isa/csr.ts";
import { CSRS, type CsrName, csrAt, encodeCsr } from "../isa/csr-map.ts";
import type { Visit } from "./host.ts";
import { setPending } from "./interrupts.ts";
import type { MachineCsrs } from "./layout.ts";
import { pendingInMachine, SUPERVISOR_INTERRUPTS } from "./machine-mode.ts";

/** A CSR: how it is read, and what a write does. */
interface EmulatedCsr {
  read(visit: Visit): bigint;
  write(visit: Visit, value: bigint): void;
}

type Machine = ViewOf<typeof MachineCsrs>;
type Word = { [K in keyof Machine]: Machine[K] extends bigint ? K : never }[keyof Machine] & CsrName;

const legal = (name: CsrName, old: bigint, value: bigint): bigint =>
  legalize(CSRS[name], old, value, writableMask(CSRS[name]));

/** One that is a word of the structure, and nothing happens when it is written. */
const stored = (name: Word): EmulatedCsr => ({
  read: ({ vcpu }) => vcpu.machine[name],
  write: ({ vcpu: { machine } }, value) => {
    machine[name] = legal(name, machine[name], value);
  },
});

/** One that never changes. */
const constant = (value: bigint | ((visit: Visit) => bigint)): EmulatedCsr => ({
  read: (visit) => (typeof value === "bigint" ? value : value(visit)),
  write: () => {},
});

const HYPERVISOR_LETTER = 1n << BigInt("H".charCodeAt(0) - "A".charCodeAt(0));
/** What `sstatus` shows of `mstatus`. */
const SUPERVISOR_PART = writableMask(CSRS.sstatus) | encodeCsr("mstatus", { SD: 1, UXL: 3, XS: 3, VS: 3 });
/** Fields of a hart with a hypervisor extension. */
const HYPERVISOR_PART = encodeCsr("mstatus", { MPV: 1, GVA: 1 });

const mstatus: EmulatedCsr = {
  read: ({ context, vcpu }) =>
    (context.csr.read("vsstatus") & SUPERVISOR_PART) |
    (vcpu.machine.mstatus & ~SUPERVISOR_PART) |
    (CSRS.mstatus.reset & ~SUPERVISOR_PART),
  write: ({ context, vcpu: { machine } }, value) => {
    const next = legal("mstatus", machine.mstatus, value & ~HYPERVISOR_PART);
    machine.mstatus = next & ~SUPERVISOR_PART;
    context.csr.write("vsstatus", value & SUPERVISOR_PART);
  },
};

/** What is delegated is what the supervisor's own CSRs show of its interrupts, and that the hart does. */
const mideleg: EmulatedCsr = {
  read: ({ vcpu }) => vcpu.machine.mideleg,
  write: ({ context, vcpu: { machine } }, value) => {
    machine.mideleg = legal("mideleg", machine.mideleg, value) & SUPERVISOR_INTERRUPTS;
    context.csr.write("hideleg", machine.mideleg << 1n);
  },
};

const mie: EmulatedCsr = {
  read: ({ context, vcpu }) => vcpu.machine.mie | ((context.csr.read("hie") >> 1n) & SUPERVISOR_INTERRUPTS),
  write: ({ context, vcpu: { machine } }, value) => {
    machine.mie = legal("mie", machine.mie, value) & MACHINE_INTERRUPTS;
    context.csr.write("hie", (value & SUPERVISOR_INTERRUPTS) << 1n);
  },
};
const MACHINE_INTERRUPTS = 0x888n;

/** Machine mode sets and clears what is pending for its supervisor; its own bits are wires. */
const mip: EmulatedCsr = {
  read: pendingInMachine,
  write: (visit, value) => {
    const wanted = (value & SUPERVISOR_INTERRUPTS) << 1n;
    setPending(visit, visit.vcpu, (SUPERVISOR_INTERRUPTS << 1n) & ~wanted, false);
    setPending(visit, visit.vcpu, wanted, true);
  },
};

const satp: EmulatedCsr = {
  read: ({ vcpu }) => vcpu.machine.satp,
  write: ({ vcpu: { machine } }, value) => {
    machine.satp = legal("satp", machine.satp, value);
  },
};

/** The supervisor's timer, which machine mode may set whether or not it has given it away. */
const stimecmp: EmulatedCsr = {
  read: ({ context }) => context.csr.read("vstimecmp"),
  write: ({ context }, value) => context.csr.write("vstimecmp", value),
};

const pmpaddr = (name: CsrName, entry: number): EmulatedCsr => ({
  read: ({ vcpu }) => vcpu.machine.pmpaddr.get(entry),
  write: ({ vcpu: { machine } }, value) =>
    machine.pmpaddr.set(entry, legal(name, machine.pmpaddr.get(entry), value)),
});
const pmpcfg = (name: CsrName, index: number): EmulatedCsr => ({
  read: ({ vcpu }) => vcpu.machine.pmpcfg.get(index),
  write: ({ vcpu: { machine } }, value) =>
    machine.pmpcfg.set(index, legal(name, machine.pmpcfg.get(index), value)),
});
const PMP_ENTRIES = 16;

const EMULATED: ReadonlyMap<CsrName, EmulatedCsr> = new Map<CsrName, EmulatedCsr>([
  ["mstatus", mstatus],
  ["misa", constant(CSRS.misa.reset & ~HYPERVISOR_LETTER)],
  ["mideleg", mideleg],
  ["mie", mie],
  ["mip", mip],
  ["satp", satp],
  ["stimecmp", stimecmp],
  ...(["medeleg", "mtvec", "mscratch", "mepc", "mcause", "mtval", "mcounteren", "menvcfg"] as const).map(
    (name): [CsrName, EmulatedCsr] => [name, stored(name)],
  ),
  ["mcountinhibit", constant(0n)],
  ["mcycle", constant(({ context }) => context.csr.read("cycle"))],
  ["minstret", constant(({ context }) => context.csr.read("instret"))],
  ["mvendorid", constant(CSRS.mvendorid.reset)],
  ["marchid", constant(CSRS.marchid.reset)],
  ["mimpid", constant(CSRS.mimpid.reset)],
  ["mconfigptr", constant(CSRS.mconfigptr.reset)],
  ["mhartid", constant(({ vcpu }) => BigInt(vcpu.number))],
  ["pmpcfg0", pmpcfg("pmpcfg0", 0)],
  ["pmpcfg2", pmpcfg("pmpcfg2", 1)],
  ...Array.from({ length: PMP_ENTRIES }, (_, entry): [CsrName, EmulatedCsr] => {
    const name = `pmpaddr${entry}` as CsrName;
    return [name, pmpaddr(name, entry)];
  }),
]);

/** The CSR at an address as the guest's machine mode has it; `undefined`: it has none, and the instruction is illegal. */
export function machineCsrAt(address: number): EmulatedCsr | undefined {
  const name = csrAt(address);
  return name === undefined ? undefined : (EMULATED.get(name) ?? counterAt(name));
}

/** Counters of events that never happen. */
const counterAt = (name: CsrName): EmulatedCsr | undefined =>
  /^mhpm(counter|event)/.test(name) ? constant(0n) : undefined;
