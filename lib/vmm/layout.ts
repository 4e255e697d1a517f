/**
 * What the hypervisor keeps, and where: the frame table, domains, virtual CPUs, second-stage roots. All of it lies in machine RAM and
 * has a published name (`vmm.frame_table`, `vmm.domains` and so on); nothing is anywhere else.
 *
 * Domain 0 is the hypervisor itself: entry 0 of the domain table is never used, and a frame that nobody has is owned by 0. Guests are
 * domains 1, 2 and so on, and a domain's number is its VMID.
 */
import { type HPA, hpa } from "../hs/address.ts";
import { aligned, array, type FieldType, type StructMemory, u32, u64 } from "../hs/struct.ts";
import { Balloon, MemoryWait } from "./layout/balloon.ts";
import { BootInfo } from "./layout/boot.ts";
import { Domain, type DomainView } from "./layout/domain.ts";
import {
  Frame,
  FramePool,
  type FrameView,
  PAGE_BYTES,
  PAGE_SHIFT,
  ROOT_ENTRIES,
  TABLE_BYTES,
} from "./layout/frames.ts";
import { Leaving, Migration, Remus } from "./layout/migration.ts";
import { Order } from "./layout/orders.ts";
import { PageHint, type PageHintView, PageSharing, pageHintsFor } from "./layout/page-sharing.ts";
import { FOREIGN_MAPPINGS, ForeignMapping } from "./layout/sharing.ts";
import { DOMAINS, VCPUS } from "./layout/sizes.ts";
import { Pcpu, Vcpu, type VcpuView } from "./layout/vcpu.ts";
import { VmLog } from "./layout/vm-log.ts";

export * from "./layout/balloon.ts";
export * from "./layout/boot.ts";
export * from "./layout/devices.ts";
export * from "./layout/domain.ts";
export * from "./layout/frames.ts";
export * from "./layout/migration.ts";
export * from "./layout/orders.ts";
export * from "./layout/page-sharing.ts";
export * from "./layout/paravirtual.ts";
export * from "./layout/sharing.ts";
export * from "./layout/sizes.ts";
export * from "./layout/vcpu.ts";
export * from "./layout/virtio.ts";
export * from "./layout/vm-log.ts";

/** Everything that the hypervisor keeps, by symbol name, for a machine with so much RAM. */
export const vmmLayout = (ramBytes: number) =>
  ({
    boot_info: BootInfo,
    frame_pool: FramePool,
    pcpus: array(Pcpu, 4),
    domains: array(Domain, DOMAINS),
    vcpus: array(Vcpu, VCPUS),
    foreign_mappings: array(ForeignMapping, FOREIGN_MAPPINGS),
    g_roots: aligned(array(array(u64, ROOT_ENTRIES), DOMAINS), 4 * TABLE_BYTES),
    migration: Migration,
    leaving: Leaving,
    remus: Remus,
    vm_log: VmLog,
    /** A bit for each page of the RAM of the domain that migrates: it changed since it was sent. */
    dirty_pages: array(u64, Math.ceil(ramBytes / PAGE_BYTES / 64)),
    /** For each domain and each page of its disk: number of the frame that holds it; 0: it was not used yet. */
    disk_pages: array(array(u32, diskPages(ramBytes)), DOMAINS),
    balloons: array(Balloon, DOMAINS),
    memory_waits: array(MemoryWait, VCPUS),
    page_sharing: PageSharing,
    page_hints: array(PageHint, pageHintsFor(ramBytes / PAGE_BYTES)),
    order: Order,
    frame_table: array(Frame, ramBytes / PAGE_BYTES),
  }) as const satisfies Record<string, FieldType<unknown>>;

/** Pages that a disk may have: all disks together as many as RAM has. */
export const diskPages = (ramBytes: number): number => Math.floor(ramBytes / PAGE_BYTES / DOMAINS);

/** Names of what the hypervisor keeps. */
export type VmmSymbol = keyof ReturnType<typeof vmmLayout>;

/** Where things lie; the hypervisor's map is one. */
export interface VmmPlaces {
  readonly ram: { readonly base: HPA; readonly sizeBytes: bigint };
  addressOf(symbol: string): HPA;
}

/** Address of an element of one of the tables. */
const elementOf = (
  places: VmmPlaces,
  table: VmmSymbol,
  { sizeBytes }: FieldType<unknown>,
  index: number,
): HPA => hpa(places.addressOf(table) + BigInt(index * sizeBytes));

/** The structures, through whoever looks: a handler or an onlooker. */
export const vmmState = (memory: StructMemory, places: VmmPlaces) => ({
  bootInfo: BootInfo.at(memory, places.addressOf("boot_info")),
  migration: Migration.at(memory, places.addressOf("migration")),
  leaving: Leaving.at(memory, places.addressOf("leaving")),
  remus: Remus.at(memory, places.addressOf("remus")),
  vmLog: VmLog.at(memory, places.addressOf("vm_log")),
  /** Words of the log of dirty pages, and how many there are. */
  dirtyPages: array(u64, Number(places.ram.sizeBytes >> 18n)).read(memory, places.addressOf("dirty_pages")),
  /** Frames of a domain's disk, by page. */
  diskPages: (id: number) => {
    const row = array(u32, diskPages(Number(places.ram.sizeBytes)));
    return row.read(memory, elementOf(places, "disk_pages", row, id));
  },
  pool: FramePool.at(memory, places.addressOf("frame_pool")),
  /** By number of the hart. */
  pcpu: (hart: number) => Pcpu.at(memory, elementOf(places, "pcpus", Pcpu, hart)),
  /** By number of the domain. */
  domain: (id: number): DomainView => Domain.at(memory, elementOf(places, "domains", Domain, id)),
  /** By place in the table, which has {@link VCPUS}. */
  vcpu: (index: number): VcpuView => Vcpu.at(memory, elementOf(places, "vcpus", Vcpu, index)),
  /** By place in the table, which has {@link FOREIGN_MAPPINGS}. */
  foreign: (index: number) =>
    ForeignMapping.at(memory, elementOf(places, "foreign_mappings", ForeignMapping, index)),
  /** By number of the domain. */
  balloon: (id: number) => Balloon.at(memory, elementOf(places, "balloons", Balloon, id)),
  /** By address of the virtual CPU that waits. */
  memoryWait: (vcpu: HPA) =>
    MemoryWait.at(
      memory,
      elementOf(
        places,
        "memory_waits",
        MemoryWait,
        Number(vcpu - places.addressOf("vcpus")) / Vcpu.sizeBytes,
      ),
    ),
  pageSharing: PageSharing.at(memory, places.addressOf("page_sharing")),
  /** The hint at the place that a hash says. */
  pageHint: (hash: bigint): PageHintView => {
    const hints = BigInt(pageHintsFor(Number(places.ram.sizeBytes >> PAGE_SHIFT)));
    return PageHint.at(memory, elementOf(places, "page_hints", PageHint, Number(hash % hints)));
  },
  order: Order.at(memory, places.addressOf("order")),
  /** By number of the frame. */
  frame: (number: number): FrameView => Frame.at(memory, elementOf(places, "frame_table", Frame, number)),
  /** Root of a domain's second stage. */
  root: (id: number): HPA => hpa(places.addressOf("g_roots") + BigInt(id * 8 * ROOT_ENTRIES)),
  /** Number of the frame that an address lies in. */
  frameNumber: (address: HPA): number => Number((address - places.ram.base) >> PAGE_SHIFT),
  /** First byte of a frame. */
  frameAddress: (number: number): HPA => hpa(places.ram.base + (BigInt(number) << PAGE_SHIFT)),
});
export type VmmState = ReturnType<typeof vmmState>;
