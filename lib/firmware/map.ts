/**
 * Where the firmware lies, and what it keeps there: nothing of its state is anywhere else. Addresses depend on the number of
 * harts alone, and `symbols` publishes them.
 */
import { RAM_BASE, VIRT_MAP } from "../board/memory-map.ts";
import { pointer, type StructMemory, struct, u64, type ViewOf } from "../hs/struct.ts";
import { SaveArea } from "../hs/vector.ts";
import { type Paddr, paddr } from "../isa/address.ts";

/** A fence that this hart asks of others. It waits until all of them have done it, so one request a hart is enough. */
export const FenceRequest = struct("fence-request", {
  /** One of `FenceKind`. */
  kind: u64,
  start: u64,
  size: u64,
  /** ASID or VMID, if the kind has one. */
  id: u64,
  /** `hgatp.VMID` of the asking hart, for fences of a guest's own tables. */
  vmid: u64,
  /** A bit for each hart that has not done it yet. */
  pending: u64,
});

/** What the firmware keeps for each hart. The save area comes first: `sp` points to both. */
export const HartArea = struct("hart-area", {
  saved: SaveArea,
  /** One of `HartStatus`. */
  status: u64,
  /** Where to begin in supervisor mode when the hart is started or resumes without its registers, and what `a1` is then. */
  startAddress: pointer,
  startArgument: u64,
  /** 1: the hart resumes at `startAddress`; 0: behind its call. */
  losesRegisters: u64,
  /** 1: another hart wants a supervisor software interrupt here. */
  wantsInterrupt: u64,
  fence: FenceRequest,
});
/** A hart's area. */
export type HartAreaView = ViewOf<typeof HartArea>;

/** What the one who boots tells the firmware. */
export const BootInfo = struct("payload-info", {
  /** Physical address of the first instruction in supervisor mode. */
  payload: pointer,
  /** Physical address of the device tree. */
  deviceTree: pointer,
  /** The hart that starts the payload; the others wait until it starts them. */
  bootHart: u64,
});

/** First byte of the firmware: where harts come out of the boot ROM. */
export const FIRMWARE_BASE: Paddr = paddr(BigInt(RAM_BASE));
/** Bytes that are the firmware's, a power of two: PMP closes them to everybody else. */
export const FIRMWARE_BYTES = 0x1_0000;
/** The first byte that supervisor mode may use. */
export const FIRMWARE_END: Paddr = paddr(FIRMWARE_BASE + BigInt(FIRMWARE_BYTES));
const CODE_BYTES = 0x1000;

/** Addresses of the firmware and of what it drives. */
export interface FirmwareMap {
  readonly harts: number;
  readonly ram: { readonly base: Paddr; readonly sizeBytes: bigint };
  readonly bootInfo: Paddr;
  /** Places of its code, by label. */
  readonly code: ReadonlyMap<string, Paddr>;
}

/** Device registers, by physical address. */
export const DEVICE = {
  clint: paddr(BigInt(VIRT_MAP.clint.base)),
  uart: paddr(BigInt(VIRT_MAP.uart.base)),
  testFinisher: paddr(BigInt(VIRT_MAP.testFinisher.base)),
} as const;

/** Boot information lies behind the code, and the harts' areas behind it. */
export const BOOT_INFO: Paddr = paddr(FIRMWARE_BASE + BigInt(CODE_BYTES));
const FIRST_AREA = paddr(BOOT_INFO + 0x100n);

/** Address of a hart's area. */
export const areaAddress = (hart: number): Paddr => paddr(FIRST_AREA + BigInt(hart * HartArea.sizeBytes));

/** A hart's area through whoever looks. */
export const areaOf = (memory: StructMemory, hart: number): HartAreaView =>
  HartArea.at(memory, areaAddress(hart));

/** Whether supervisor mode may use all bytes of a range: RAM, and not the firmware's. */
export function isCallersRam({ ram }: FirmwareMap, start: bigint, bytes: bigint): boolean {
  const end = start + bytes;
  const isRam = start >= ram.base && end <= ram.base + ram.sizeBytes;
  return isRam && (end <= FIRMWARE_BASE || start >= FIRMWARE_END);
}
