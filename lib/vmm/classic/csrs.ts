/** The guest's CSRs: what an instruction that names one reads and leaves. Values follow the rules of the hart's own. */
import { isReadOnlyCsr, legalize, lowestMode, writableMask } from "../../isa/csr.ts";
import { CSRS, type CsrName, csrAt, encodeCsr } from "../../isa/csr-map.ts";
import { lacksCsr, presentBits } from "../../isa/variant.ts";
import { Mode, type Monitor } from "./host.ts";
import type { ClassicView } from "./layout.ts";
import { pmpAddressCsr, pmpConfigCsr } from "./pmp.ts";
import { pending, SUPERVISOR_STATUS, setVirtualStatus, virtualStatus } from "./virtual-traps.ts";

/** A CSR: how it is read, and what a write does. */
export interface VirtualCsr {
  read(monitor: Monitor): bigint;
  write(monitor: Monitor, value: bigint): void;
  /** What CSRRS and CSRRC start from, where it differs from what they return. */
  readToModify?(monitor: Monitor): bigint;
}

type Words = ClassicView["csrs"];
type Word = { [K in keyof Words]: Words[K] extends bigint ? K : never }[keyof Words] & CsrName;

/** The guest's hart has no hypervisor extension, whatever the real one has. */
const WITHOUT_H = { hypervisor: false, leaks: [] } as const;
const STCE = encodeCsr("menvcfg", { STCE: 1 });
const SSI = encodeCsr("mip", { SSIP: 1 });
const STI = encodeCsr("mip", { STIP: 1 });
const SEI = encodeCsr("mip", { SEIP: 1 });
const SUPERVISOR_INTERRUPTS = SSI | STI | SEI;

const legal = (name: CsrName, old: bigint, value: bigint): bigint =>
  legalize(CSRS[name], old, value & presentBits(WITHOUT_H, name), writableMask(CSRS[name]));

/** Replaces the bits of `mask`. */
const through = (old: bigint, value: bigint, mask: bigint): bigint => (old & ~mask) | (value & mask);

/** A word that nothing else depends on. */
const stored = (name: Word): VirtualCsr => ({
  read: ({ state }) => state.csrs[name],
  write: ({ state: { csrs } }, value) => {
    csrs[name] = legal(name, csrs[name], value);
  },
});

/** The real hart's: the guest has it to itself. */
const real = (name: CsrName): VirtualCsr => ({
  read: ({ context }) => context.csr.read(name) & presentBits(WITHOUT_H, name),
  write: ({ context }, value) => context.csr.write(name, value),
});

/** Nothing is there, and nothing can be put there. */
const ZERO: VirtualCsr = { read: () => 0n, write: () => {} };

const mstatus: VirtualCsr = {
  read: virtualStatus,
  write: (monitor, value) => setVirtualStatus(monitor, legal("mstatus", virtualStatus(monitor), value)),
};
const sstatus: VirtualCsr = {
  read: (monitor) => virtualStatus(monitor) & SUPERVISOR_STATUS,
  write: (monitor, value) =>
    mstatus.write(monitor, through(virtualStatus(monitor), value, SUPERVISOR_STATUS)),
};

const sie: VirtualCsr = {
  read: ({ state: { csrs } }) => csrs.mie & csrs.mideleg & SUPERVISOR_INTERRUPTS,
  write: ({ state: { csrs } }, value) => {
    csrs.mie = through(csrs.mie, value, csrs.mideleg & SUPERVISOR_INTERRUPTS);
  },
};

/** Bits of `mip` that software owns: with Sstc the timer's is not among them. @spec norm:mip_stip_no_stimecmp_acc */
const ownedPending = ({ state: { csrs } }: Monitor): bigint =>
  (csrs.menvcfg & STCE) === 0n ? SUPERVISOR_INTERRUPTS : SSI | SEI;
const mip: VirtualCsr = {
  read: pending,
  readToModify: (monitor) => (pending(monitor) & ~SEI) | (monitor.state.csrs.mip & SEI), // norm:mip_seip_rdcsr
  write: (monitor, value) => {
    const { csrs } = monitor.state;
    csrs.mip = through(csrs.mip, value, ownedPending(monitor));
  },
};
const sip: VirtualCsr = {
  read: (monitor) => pending(monitor) & monitor.state.csrs.mideleg & SUPERVISOR_INTERRUPTS,
  write: ({ state: { csrs } }, value) => {
    csrs.mip = through(csrs.mip, value, SSI & csrs.mideleg);
  },
};

/** With STCE the timer's pending bit changes hands. The comparison is the real hart's. @spec norm:mip_stip_stimecmp_acc */
const menvcfg: VirtualCsr = {
  read: ({ state }) => state.csrs.menvcfg,
  write: ({ context, state: { csrs } }, value) => {
    csrs.menvcfg = legal("menvcfg", csrs.menvcfg, value);
    if ((csrs.menvcfg & STCE) !== 0n) csrs.mip &= ~STI;
    context.csr.write("menvcfg", csrs.menvcfg & STCE);
  },
};

const mideleg: VirtualCsr = {
  read: ({ state }) => state.csrs.mideleg,
  write: ({ state: { csrs } }, value) => {
    csrs.mideleg = legal("mideleg", csrs.mideleg, value) & SUPERVISOR_INTERRUPTS;
  },
};

const REAL = [
  ...["fflags", "frm", "fcsr", "cycle", "time", "instret", "mcycle", "minstret", "mcountinhibit", "stimecmp"],
  ...["misa", "mvendorid", "marchid", "mimpid", "mconfigptr", "mhartid", "tselect", "tdata1", "tdata2"],
] as CsrName[];
const STORED = [
  ...["medeleg", "mie", "mtvec", "mcounteren", "mscratch", "mepc", "mcause", "mtval", "stvec", "scounteren"],
  ...["senvcfg", "sscratch", "sepc", "scause", "stval", "satp"],
] as Word[];

const VIRTUAL: ReadonlyMap<CsrName, VirtualCsr> = new Map<CsrName, VirtualCsr>([
  ...REAL.map((name): [CsrName, VirtualCsr] => [name, real(name)]),
  ...STORED.map((name): [CsrName, VirtualCsr] => [name, stored(name)]),
  ...Object.entries({ mstatus, sstatus, sie, mip, sip, menvcfg, mideleg }).map(
    ([name, csr]): [CsrName, VirtualCsr] => [name as CsrName, csr],
  ),
  ["pmpcfg0", pmpConfigCsr("pmpcfg0", 0)],
  ["pmpcfg2", pmpConfigCsr("pmpcfg2", 1)],
  ...Array.from({ length: 16 }, (_, entry): [CsrName, VirtualCsr] => [
    `pmpaddr${entry}` as CsrName,
    pmpAddressCsr(entry),
  ]),
]);

/** The CSR at an address as the guest's hart has it; `undefined`: it has none. */
export function virtualCsrAt(address: number): VirtualCsr | undefined {
  const name = csrAt(address);
  if (name === undefined || lacksCsr(WITHOUT_H, address)) return undefined;
  return VIRTUAL.get(name) ?? (/hpm/.test(name) ? ZERO : undefined);
}

const [FIRST_COUNTER, LAST_COUNTER] = [CSRS.cycle.address, CSRS.hpmcounter31.address];
const TIME = 1n << BigInt(CSRS.time.address - FIRST_COUNTER);

/** Whether the guest may use a CSR in its present mode. @spec priv §"CSR Address Mapping Conventions" */
export function mayUse(monitor: Monitor, address: number, writes: boolean): boolean {
  const { mode, csrs } = monitor.state;
  if (mode < BigInt(lowestMode(address)) || (writes && isReadOnlyCsr(address))) return false;
  if (address <= CSRS.fcsr.address) return (virtualStatus(monitor) & encodeCsr("mstatus", { FS: 3 })) !== 0n;
  if (mode === Mode.M) return true;
  // norm:mstatus_tvm_warl_op
  if (address === CSRS.satp.address) return (csrs.mstatus & encodeCsr("mstatus", { TVM: 1 })) === 0n;
  // norm:menvcfg_stce_op2
  if (address === CSRS.stimecmp.address)
    return (csrs.menvcfg & STCE) !== 0n && (csrs.mcounteren & TIME) !== 0n;
  if (address < FIRST_COUNTER || address > LAST_COUNTER) return true;
  const bit = 1n << BigInt(address - FIRST_COUNTER);
  // norm:mcounteren_op norm:scounteren_op
  return (csrs.mcounteren & bit) !== 0n && (mode !== Mode.U || (csrs.scounteren & bit) !== 0n);
}
