/**
 * The hypervisor with parts replaced: what a reader has built does the work of the reference's own, and the reference does the rest. A part
 * sees what a handler sees and no more, and what it must remember lies in RAM. Each is also given `reference`, which does what would have
 * been done without it: a part may look, change something and leave the rest to that.
 */
import type { GPA } from "../hs/address.ts";
import type { Access } from "./access.ts";
import type { Host, Visit } from "./host.ts";
import type { VcpuView } from "./layout.ts";
import type { VirtualDevice } from "./mmio.ts";
import type { Meaning } from "./paravirtual/entries.ts";

/** What a guest wanted of an address. */
export type Wish = "fetch" | "load" | "store";

/** What the scheduler knows when it has to choose. */
export interface Turn {
  /** All virtual CPUs that exist. Whoever is chosen must be `READY`. */
  readonly vcpus: readonly VcpuView[];
  /** The one that ran last. */
  readonly current: VcpuView | undefined;
  /** The machine's `time`. */
  readonly now: bigint;
}

/** What a hypercall does. It returns a value or, negative, an error. */
export type Hypercall = (visit: Visit) => bigint;

/** Parts of the hypervisor. What is left out is the reference's own. */
export interface VmmParts {
  /** A guest-page fault: memory that the guest should have is given to it. False: no memory is there, and a device may be. */
  readonly guestPageFault?: (visit: Visit, address: GPA, wish: Wish, reference: () => boolean) => boolean;
  /** What load or store trapped, out of `htinst` or the instruction itself; `undefined`: nothing that is done for a guest. */
  readonly decodeAccess?: (visit: Visit, reference: () => Access | undefined) => Access | undefined;
  /** A device's register is loaded or stored, and the guest goes on behind the instruction. False: the device refuses it. */
  readonly emulateMmio?: (
    visit: Visit,
    device: VirtualDevice,
    address: GPA,
    access: Access,
    reference: () => boolean,
  ) => boolean;
  /** CSRs and floating-point registers of a guest go from the hart to RAM. */
  readonly saveVcpu?: (host: Host, vcpu: VcpuView, reference: () => void) => void;
  /** And from RAM to the hart. */
  readonly restoreVcpu?: (host: Host, vcpu: VcpuView, reference: () => void) => void;
  /** Who runs next; `undefined`: nobody. */
  readonly choose?: (host: Host, turn: Turn, reference: () => VcpuView | undefined) => VcpuView | undefined;
  /** A virtual CPU has run for so many ticks. */
  readonly charge?: (host: Host, vcpu: VcpuView, ran: bigint, reference: () => void) => void;
  /** A period of accounting begins. */
  readonly pay?: (host: Host, turn: Turn, reference: () => void) => void;
  /** A guest asks for a timer's interrupt at a time of its own (`set_timer` of the SBI). */
  readonly setTimer?: (visit: Visit, deadline: bigint, reference: () => void) => void;
  /** Looks whether a virtual CPU's timer is due: then it is interrupted, or woken. */
  readonly answerTimer?: (host: Host, vcpu: VcpuView, now: bigint, reference: () => void) => void;
  /** Interrupts of a guest's supervisor, bits of `hvip`, are raised or taken back. */
  readonly inject?: (
    host: Host,
    vcpu: VcpuView,
    bits: bigint,
    isPending: boolean,
    reference: () => void,
  ) => void;
  /**
   * What an entry says in a table of a level of a paravirtualized guest's; `undefined`: no guest may have it. It is asked when an entry
   * comes and when it goes, and must say the same both times.
   */
  readonly meaningOf?: (
    entry: bigint,
    level: number,
    reference: (entry: bigint, level: number) => Meaning | undefined,
  ) => Meaning | undefined;
  /** Hypercalls by name. One that the reference has not is a new one behind all others; its `reference` refuses. */
  readonly hypercalls?: Readonly<Record<string, (visit: Visit, reference: () => bigint) => bigint>>;
}
