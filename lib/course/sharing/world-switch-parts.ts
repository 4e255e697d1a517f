/** A reader's world switch in the hypervisor: two functions on plain records do what `lib/vmm/vcpu.ts` does to the hart. */
import type { Host } from "../../vmm/host.ts";
import type { VcpuView } from "../../vmm/layout.ts";
import type { VmmParts } from "../../vmm/parts.ts";

/** CSRs by name. */
export type Csrs = Readonly<Record<string, bigint>>;
/** A CSR, and what is written to it. */
export type CsrWrite = readonly [name: string, value: bigint];

/** A reader's two functions. */
export interface WorldSwitch {
  /** What is to be kept of the guest that leaves; `hart` has all CSRs. */
  readonly save: (hart: Csrs) => Csrs;
  /** What is to be written, in order, so that the guest goes on of which `saved` was kept. */
  readonly restore: (saved: Csrs, hart: Csrs) => readonly CsrWrite[];
}

/** CSRs that belong to a guest, or say how it runs: all that the hart holds of it, but one bit of `sstatus`. */
export const GUEST_CSRS = [
  "vsstatus",
  "vstvec",
  "vsscratch",
  "vsepc",
  "vscause",
  "vstval",
  "vsatp",
  "vstimecmp",
  "hie",
  "hvip",
  "hstatus",
  "hedeleg",
  "hideleg",
  "hcounteren",
  "scounteren",
  "henvcfg",
  "senvcfg",
  "htimedelta",
  "hgatp",
  "sepc",
] as const;
/** CSRs of the hypervisor itself. A guest has no part in them. */
export const HOST_CSRS = ["stvec", "sscratch", "sie", "stimecmp", "satp", "scause", "stval"] as const;
/** The bit of `sstatus` that is the guest's: the mode it goes on in. */
export const SPP = 0x100n;

/** Every CSR that `hart` shows. */
export const SHOWN_CSRS = [...GUEST_CSRS, "sstatus", ...HOST_CSRS] as const;
type ShownCsr = (typeof SHOWN_CSRS)[number];
const isShown = (name: string): name is ShownCsr => (SHOWN_CSRS as readonly string[]).includes(name);
const isKept = (name: string): name is Exclude<ShownCsr, (typeof HOST_CSRS)[number]> =>
  isShown(name) && !(HOST_CSRS as readonly string[]).includes(name);

const hartOf = ({ context: { csr } }: Host): Csrs =>
  Object.fromEntries(SHOWN_CSRS.map((name) => [name, csr.read(name)]));

const savedOf = ({ vs }: VcpuView): Csrs =>
  Object.fromEntries([...GUEST_CSRS, "sstatus" as const].map((name) => [name, vs[name]]));

/** The hypervisor with this world switch. */
export const switchParts = ({ save, restore }: WorldSwitch): VmmParts => ({
  saveVcpu: (host, { vs }) => {
    for (const [name, value] of Object.entries(save(hartOf(host)))) if (isKept(name)) vs[name] = value;
  },
  restoreVcpu: (host, vcpu) => {
    for (const [name, value] of restore(savedOf(vcpu), hartOf(host)))
      if (isShown(name)) host.context.csr.write(name, value);
  },
});
