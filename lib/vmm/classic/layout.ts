/**
 * What the monitor keeps, and where: the guest's CSRs, which shadows there are, and why the guest came. All of it lies in the first 2 MiB
 * of RAM, which the guest cannot reach; the guest's own RAM is behind it.
 *
 * ```
 * 0x8000_0000  machine code, one page
 * 0x8000_1000  state (structure `classic`)
 * 0x8001_0000  pages for shadow tables and for patched code
 * 0x8020_0000  the guest's RAM: its address 0x8000_0000
 * ```
 */
import { RAM_BASE } from "../../board/memory-map.ts";
import { type GPA, type HPA, hpa } from "../../hs/address.ts";
import { array, pointer, type StructMemory, struct, u64, type ViewOf } from "../../hs/struct.ts";
import { SaveArea } from "../../hs/vector.ts";

const BASE = BigInt(RAM_BASE);
export const PAGE_BYTES = 4096;
/** Machine code. */
export const CODE: HPA = hpa(BASE);
export const STATE: HPA = hpa(BASE + 0x1000n);
/** Pages for tables: from here, and so many. */
export const POOL: HPA = hpa(BASE + 0x1_0000n);
export const POOL_PAGES = 0x1c0;
/** Copies of pages of code; see `patching.ts`. */
export const COPIES: HPA = hpa(POOL + BigInt(POOL_PAGES * PAGE_BYTES));
export const PATCHED_PAGES = 32;
/** How far the guest's RAM lies above what the guest takes for its address. A power of two: PMP closes all below. */
export const GUEST_OFFSET = 0x20_0000n;

/** CSRs as the guest sees them: words that no instruction of the guest reaches by itself. */
export const VirtualCsrs = struct("virtual_csrs", {
  /** Without FS and SD, which are the real hart's while the guest runs. */
  mstatus: u64,
  medeleg: u64,
  mideleg: u64,
  mie: u64,
  /** The bits of `mip` that software has set; the wires are the real ones. */
  mip: u64,
  mtvec: u64,
  mcounteren: u64,
  menvcfg: u64,
  mscratch: u64,
  mepc: u64,
  mcause: u64,
  mtval: u64,
  stvec: u64,
  scounteren: u64,
  senvcfg: u64,
  sscratch: u64,
  sepc: u64,
  scause: u64,
  stval: u64,
  satp: u64,
  pmpcfg: array(u64, 2),
  pmpaddr: array(u64, 16),
});

/** A shadow: the page table with which the hart runs the guest in one context. `root` 0: there is none. */
export const Shadow = struct("shadow", {
  /** The guest's `satp`, 0 where its addresses are physical. */
  satp: u64,
  /** Whose rights count; see `context.ts`. */
  view: u64,
  root: pointer,
  /** Where some of its pages are pieces of the guest's large ones: a bit for each GiB of addresses, modulo 64. */
  pieces: u64,
});
export type ShadowView = ViewOf<typeof Shadow>;
export const SHADOWS = 8;

/** Why the guest came to the monitor. */
export const Exit = {
  /** A privileged instruction that was done for it. */
  PRIVILEGED: 0,
  /** A page that its own tables have and its shadow had not. */
  SHADOW: 1,
  /** A load or store of a device, or one that could not be left to the hart. */
  ACCESS: 2,
  /** An exception that is the guest's own. */
  EXCEPTION: 3,
  INTERRUPT: 4,
  /** Code that was looked through before it runs; see `patching.ts`. */
  PATCH: 5,
} as const;
export const EXITS = 6;

/** Everything. The save area comes first: `mscratch` points to both. */
export const Classic = struct("classic", {
  saved: SaveArea,
  /** Privilege mode of the guest: 3, 1 or 0. The hart itself runs it in user mode, whatever this says. */
  mode: u64,
  csrs: VirtualCsrs,
  /** What the loader says: bytes of RAM, where to begin, and where the device tree is (guest-physical). */
  ramBytes: u64,
  entry: u64,
  tree: u64,
  /** 1: code is patched before it runs. */
  patches: u64,
  shadows: array(Shadow, SHADOWS),
  /** The shadow in use, and the one that goes next when another is needed. */
  current: u64,
  oldest: u64,
  /** Pages of the pool that are used up. */
  used: u64,
  /** Pages of the guest's RAM whose code is patched, 0 for none; the n-th has the n-th copy. How many copies were made. */
  patched: array(pointer, PATCHED_PAGES),
  copies: u64,
  exits: array(u64, EXITS),
  /** A floating-point register of the guest, on its way to or from memory. */
  float: u64,
});
export type ClassicView = ViewOf<typeof Classic>;

/** The state, through whoever looks. */
export const classicState = (memory: StructMemory): ClassicView => Classic.at(memory, STATE);

/** Where the guest finds RAM, as on a bare board. */
export const GUEST_RAM = BASE as GPA;

/** Whether so many bytes are the guest's RAM. */
export const isGuestRam = (
  { ramBytes }: Pick<ClassicView, "ramBytes">,
  address: bigint,
  bytes = 1,
): boolean => address >= BASE && address + BigInt(bytes) <= BASE + ramBytes;

/** Where a byte of the guest's RAM really is. */
export const hostAddress = (address: bigint): HPA => hpa(address + GUEST_OFFSET);
