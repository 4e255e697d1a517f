/**
 * What the hypervisor keeps, and where: the frame table, domains, virtual CPUs, second-stage roots. All of it lies in machine RAM and
 * has a published name (`vmm.frame_table`, `vmm.domains` and so on); nothing is anywhere else.
 *
 * Domain 0 is the hypervisor itself: entry 0 of the domain table is never used, and a frame that nobody has is owned by 0. Guests are
 * domains 1, 2 and so on, and a domain's number is its VMID.
 */
import { type HPA, hpa } from "../hs/address.ts";
import { HsArea } from "../hs/hypervisor-vector.ts";
import {
  aligned,
  array,
  type FieldType,
  guestPointer,
  pointer,
  type StructMemory,
  struct,
  u8,
  u16,
  u32,
  u64,
  type ViewOf,
} from "../hs/struct.ts";

/** Entries of the domain table; entry 0 is the hypervisor's. */
export const DOMAINS = 8;
/** Virtual CPUs of all domains together. */
export const VCPUS = 16;
/** Virtual CPUs of one domain. */
export const DOMAIN_VCPUS = 4;

/** What a frame is used for. It changes only while `typeCount` is 0. */
export const FrameType = {
  /** Nobody has it. Entries of frames that were never handed out are all zero, and this is what that means. */
  FREE: 0,
  /** A guest's memory. */
  RAM: 1,
  /** A table of some domain's second stage, below its root. */
  G_TABLE: 2,
  /** Page tables of a paravirtualized guest, by level: 0 has the leaves. */
  PAGE_TABLE_0: 3,
  PAGE_TABLE_1: 4,
  PAGE_TABLE_2: 5,
} as const;

/** Bits of a frame's `flags`. */
export const FrameFlag = {
  /** It holds bytes of its last owner, and is cleared before anybody gets it. */
  UNCLEAN: 1,
} as const;

/**
 * A frame: 4 KiB of machine RAM. Entry n is about the n-th of RAM.
 *
 * `refCount` counts who would miss it: 1 as long as it has an owner, and 1 for each entry that maps it, or that leads to it, in any
 * second stage. `typeCount` counts those uses that depend on its type: for RAM each entry that maps it writable; for a table
 * each entry that leads to it.
 */
export const Frame = struct("frame", {
  /** Number of a domain; 0: the hypervisor's. */
  owner: u16,
  /** One of {@link FrameType}. */
  type: u8,
  /** Bits of {@link FrameFlag}. */
  flags: u8,
  typeCount: u32,
  refCount: u32,
  /** While it is free: number of the next free frame, 0 for none. */
  next: u32,
});
export type FrameView = ViewOf<typeof Frame>;

/** Which frames can be handed out. Free ones are a list, the last freed first, and after it those from `untouched` on. */
export const FramePool = struct("frame_pool", {
  /** Numbers of frames: the first of the pool, and the first behind it. */
  first: u32,
  end: u32,
  /** The first that was never handed out. */
  untouched: u32,
  /** The free frame that is next, 0 for none. */
  head: u32,
  /** How many are free, listed or untouched. */
  free: u32,
});

/** What becomes of a virtual CPU. */
export const VcpuState = {
  NONE: 0,
  STOPPED: 1,
  READY: 2,
  RUNNING: 3,
  BLOCKED: 4,
  /** Its domain is being moved: it runs neither here nor there. `paused` says what it was. */
  PAUSED: 5,
} as const;

/** CSRs of VS-mode, and those of HS-mode that say how this guest runs: swapped when virtual CPUs are switched. */
export const VsCsrs = struct("vs_csrs", {
  vsstatus: u64,
  hie: u64,
  vstvec: u64,
  vsscratch: u64,
  vsepc: u64,
  vscause: u64,
  vstval: u64,
  vsatp: u64,
  vstimecmp: u64,
  hvip: u64,
  hstatus: u64,
  hedeleg: u64,
  hideleg: u64,
  hcounteren: u64,
  scounteren: u64,
  henvcfg: u64,
  senvcfg: u64,
  htimedelta: u64,
  hgatp: u64,
  /** Where the guest goes on, and in which of its modes. */
  sepc: u64,
  sstatus: u64,
});

/** Machine mode as a guest sees it that brings its own: it runs in VS-mode, and these are nobody's CSRs but its own. */
export const MachineCsrs = struct("machine_csrs", {
  /** 3 while the guest believes to be in machine mode; else 0, and `sstatus.SPP` says which of the other two. */
  mode: u64,
  /** The bits of `mstatus` that `vsstatus` does not hold. */
  mstatus: u64,
  medeleg: u64,
  mideleg: u64,
  mie: u64,
  /** Pending: software and timer of machine mode, and what the guest has set for supervisor mode. */
  mip: u64,
  mtvec: u64,
  mscratch: u64,
  mepc: u64,
  mcause: u64,
  mtval: u64,
  mcounteren: u64,
  menvcfg: u64,
  pmpcfg: array(u64, 2),
  pmpaddr: array(u64, 16),
  /** `satp` and pending interrupts of supervisor mode, while machine mode runs without them. */
  satp: u64,
  hvip: u64,
  /** CLINT: when the timer's interrupt is due. */
  mtimecmp: u64,
});

/** How a virtual CPU shares the hart, in ticks of `time`. */
export const Schedule = struct("schedule", {
  /** What it may still use, signed; it is charged for what it ran and paid by weight. */
  credit: u64,
  /** What it ran altogether, and in the present accounting period. */
  ran: u64,
  ranInPeriod: u64,
  /** When it was last put on the hart. */
  since: u64,
  /** Place in the round: the smallest runs first among equals. */
  turn: u64,
  /** 1: it has just woken, and may run before others whose credit is not used up. */
  boosted: u64,
});

/** Why guests come to the hypervisor. */
export const ExitKind = {
  SBI_CALL: 0,
  HYPERCALL: 1,
  DEMAND_PAGE: 2,
  MMIO: 3,
  VIRTUAL_INSTRUCTION: 4,
  MACHINE_MODE: 5,
  INTERRUPT: 6,
  WAIT: 7,
  FAULT: 8,
  DIRTY_PAGE: 9,
} as const;
const EXIT_KINDS = 10;

/** A virtual CPU. The trap vector saves registers at its beginning. */
export const Vcpu = struct("vcpu", {
  area: HsArea,
  /** Number of its domain; number among that domain's, which is the hart number that the guest sees. */
  domain: u16,
  number: u16,
  /** One of {@link VcpuState}. */
  state: u16,
  /** While it is paused: the state that it goes on with. */
  paused: u16,
  vs: VsCsrs,
  machine: MachineCsrs,
  schedule: Schedule,
  /** Where it begins when it is started, and what `a1` is then. @spec SBI 2.0 "HSM Hart Start Register State" */
  startAddress: guestPointer,
  startArgument: u64,
  /** How often it came here, by {@link ExitKind}. */
  exits: array(u64, EXIT_KINDS),
});
export type VcpuView = ViewOf<typeof Vcpu>;

/** A 16550 that is not there. */
export const Uart = struct("uart", {
  interruptEnable: u8,
  fifoControl: u8,
  lineControl: u8,
  modemControl: u8,
  scratch: u8,
  divisorLow: u8,
  divisorHigh: u8,
  /** 1: the transmitter's interrupt was not yet acknowledged. */
  transmitterPending: u8,
  /** Bytes typed and not yet read: a ring, counted from the beginning. */
  typed: u32,
  read: u32,
  received: array(u8, 64),
});

/** Sources of the virtual PLIC; 0 is none. */
export const PLIC_SOURCES = 64;
/** Contexts: two for each virtual CPU. */
export const PLIC_CONTEXTS = 2 * DOMAIN_VCPUS;
/** A PLIC that is not there: one context for each virtual CPU's machine mode and one for its supervisor mode. */
export const Plic = struct("plic", {
  priority: array(u32, PLIC_SOURCES),
  /** Level of each source's line, a bit each; those pending; those claimed and not completed. */
  level: u64,
  pending: u64,
  claimed: u64,
  enable: array(u64, PLIC_CONTEXTS),
  threshold: array(u32, PLIC_CONTEXTS),
});

/** What a domain has printed: a ring, `written` counted from the beginning. */
export const CONSOLE_BYTES = 16384;
export const ConsoleLog = struct("console_log", { written: u64, bytes: array(u8, CONSOLE_BYTES) });

/** What becomes of a domain. */
export const DomainState = {
  NONE: 0,
  RUNNING: 1,
  OFF: 2,
  CRASHED: 3,
  /** It runs on another machine now. */
  MOVED: 4,
  /** It has come from another machine, in part or whole, and does not run yet. */
  ARRIVING: 5,
} as const;
/** Bits of a domain's `flags`. */
export const DomainFlag = {
  /** Begins in a machine mode of its own, as on a bare board; else in supervisor mode, with the hypervisor's SBI. */
  BEGINS_IN_MACHINE_MODE: 1,
  /** What it prints goes to the board's serial port, too. */
  HAS_TERMINAL: 2,
} as const;

/** Event channels of a domain; port 0 is none. */
export const PORTS = 32;
export const PortState = { FREE: 0, UNBOUND: 1, BOUND: 2 } as const;
/** One end of an event channel. Unbound, it waits for the domain `remote`; bound, the other end is that domain's `remotePort`. */
export const Port = struct("port", { state: u16, remote: u16, remotePort: u16, reserved: u16 });

/** Grants of a domain. */
export const GRANTS = 32;
/** Bits of a grant's `flags`. */
export const GrantFlag = { VALID: 1, WRITABLE: 2 } as const;
/** A page that a domain lets another use. */
export const Grant = struct("grant", {
  /** The domain that may use it. */
  to: u16,
  flags: u16,
  /** How many mappings there are: while there is one it cannot be taken back. */
  mapped: u32,
  page: guestPointer,
});

/** Mappings of other domains' pages, all together. */
export const FOREIGN_MAPPINGS = 64;
/** A domain's mapping of a page that another has granted; `mapper` 0: the entry is free. */
export const ForeignMapping = struct("foreign_mapping", {
  mapper: u16,
  granter: u16,
  grant: u16,
  flags: u16,
  page: guestPointer,
});

/** A domain: a virtual machine. */
export const Domain = struct("domain", {
  id: u16,
  state: u16,
  flags: u32,
  /** Root of its second stage: 16 KiB. */
  root: pointer,
  /** Guest-physical RAM. */
  ramBase: guestPointer,
  ramBytes: u64,
  entry: guestPointer,
  tree: guestPointer,
  /** Frames that it owns, and may own. */
  frames: u32,
  maxFrames: u32,
  weight: u32,
  /** Hundredths of a hart that its virtual CPUs may use together; 0: no limit. */
  cap: u32,
  /** What it told the test finisher, or why it crashed: `scause`, `sepc` and `stval`. */
  exitCode: u64,
  crashCause: u64,
  crashPc: u64,
  crashValue: u64,
  uart: Uart,
  plic: Plic,
  ports: array(Port, PORTS),
  /** A bit for each port: an event has come; no interrupt is wanted for it. */
  eventsPending: u64,
  eventsMasked: u64,
  grants: array(Grant, GRANTS),
  console: ConsoleLog,
});
export type DomainView = ViewOf<typeof Domain>;

/** Bytes of a mailbox: more than the longest record. */
export const MAILBOX_BYTES = 4608;
/** One record on its way. Whoever takes it away makes `length` 0. */
export const Mailbox = struct("mailbox", { length: u64, bytes: array(u8, MAILBOX_BYTES) });

/** What a machine does in a migration. */
export const MigrationRole = {
  NONE: 0,
  /** Sends a domain. */
  SOURCE: 1,
  /** Waits for one. */
  DESTINATION: 2,
} as const;

/** How far a migration is. */
export const MigrationPhase = {
  IDLE: 0,
  /** Source: what the domain is was not sent yet. Destination: nothing has come. */
  WAITING: 1,
  /** Pages go while the guest runs. */
  ROUNDS: 2,
  /** The guest has been stopped: the pages that are left, then virtual CPUs and devices. */
  STOPPED: 3,
  /** Source: all is sent, and no answer has come. Destination: all has come, and nobody has said that it may begin. */
  PREPARED: 4,
  /** The domain runs on the other machine (source) or on this one (destination), or it was saved. */
  DONE: 5,
  /** It was given up; `reason` says why. The source's domain goes on. */
  GIVEN_UP: 6,
} as const;

/** Why a migration was given up or not begun. */
export const MigrationReason = {
  NONE: 0,
  /** There is no such running domain. */
  NO_DOMAIN: 1,
  /** It has grants, mappings of others' pages or event channels, and these do not move. */
  SHARES: 2,
  /** It has more RAM than the log of dirty pages, or the other machine, has room for. */
  TOO_LARGE: 3,
  /** Nothing was heard from the other machine for too long. */
  SILENCE: 4,
  /** A record that is none, is out of turn or has the wrong checksum. */
  CORRUPTED: 5,
  /** What a record says cannot be. */
  INVALID: 6,
  /** No frame, domain or virtual CPU is free. */
  NO_ROOM: 7,
  /** The guest has ended by itself. */
  ENDED: 8,
  /** The other machine has given up. */
  REFUSED: 9,
  /** The operator said so. */
  ORDERED: 10,
} as const;

/** What the operator wants of a machine that is in doubt. */
export const MigrationOrder = { NONE: 0, BEGIN: 1, GIVE_UP: 2 } as const;

/** A migration, as one of the two machines sees it. */
export const Migration = struct("migration", {
  /** Set by the operator, from outside; the other numbers of this line too. */
  role: u32,
  domain: u32,
  /** Rounds of copying while the guest runs; 0: it is stopped at once. */
  maxRounds: u32,
  /** So few dirty pages are left for when the guest is stopped. */
  fewPages: u32,
  /** 1: what is sent is kept by somebody, and the guest goes on here. */
  saves: u32,
  order: u32,
  /** One of {@link MigrationPhase}, one of {@link MigrationReason}. */
  phase: u32,
  reason: u32,
  /** Records sent or taken so far, and a checksum of all their checksums. */
  sequence: u64,
  digest: u64,
  /** Where this round is: number of a page, or of a piece of the state. */
  cursor: u64,
  rounds: u64,
  dirty: u64,
  pages: u64,
  bytes: u64,
  /** When something was last heard, when the guest was stopped, and when it went on, in ticks of `time`. */
  heardAt: u64,
  stoppedAt: u64,
  wentOnAt: u64,
  /** The source's `time` when it stopped the guest, and whether what comes is a saved domain. */
  sourceTime: u64,
  isSaved: u64,
  outbox: Mailbox,
  inbox: Mailbox,
});

/** A hart of the machine. */
export const Pcpu = struct("pcpu", {
  /** The virtual CPU that it runs; 0: it idles. */
  current: pointer,
  /** When the present slice ends, and when the scheduler wants the hart for whatever reason. */
  sliceEnd: u64,
  alarm: u64,
  /** When credits are handed out next, and when the next tick comes. */
  periodEnd: u64,
  tickEnd: u64,
  /** Turns handed out so far. */
  turns: u64,
  idled: u64,
  switches: u64,
});

/** How virtual CPUs share a hart. */
export const SchedulerKind = { ROUND_ROBIN: 0, CREDIT: 1, TICK_SAMPLING: 2 } as const;

/** Bytes that the loader left, in whole pages, and where a guest shall find them. The pages become the guest's own. */
export const BootPiece = struct("boot_piece", { from: pointer, bytes: u64, at: guestPointer });
/** Pieces of a guest: its image, its device tree, its initial file system. One of no bytes is none. */
export const BOOT_PIECES = 3;

/** What the loader left for the domain builder: one guest. */
export const BootDomain = struct("boot_domain", {
  pieces: array(BootPiece, BOOT_PIECES),
  tree: guestPointer,
  entry: guestPointer,
  ramBytes: u64,
  vcpus: u32,
  weight: u32,
  cap: u32,
  flags: u32,
});

/** What the loader tells the hypervisor. */
export const BootInfo = struct("boot_info", {
  domains: u32,
  /** One of {@link SchedulerKind}. */
  scheduler: u32,
  /** Length of a slice, and of an accounting period, in ticks of `time`. */
  slice: u64,
  period: u64,
  /** The first byte that is not the frame pool's: the loader's pieces begin here. */
  poolEnd: pointer,
  domain: array(BootDomain, DOMAINS),
});

/** Entries of a second stage's root, and of any other table. */
export const ROOT_ENTRIES = 2048;
export const TABLE_ENTRIES = 512;
const TABLE_BYTES = 8 * TABLE_ENTRIES;

/** Bytes of a page, and the number of bits below its number. */
export const PAGE_BYTES = 4096;
export const PAGE_SHIFT = 12n;

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
    /** A bit for each page of the RAM of the domain that migrates: it changed since it was sent. */
    dirty_pages: array(u64, Math.ceil(ramBytes / PAGE_BYTES / 64)),
    frame_table: array(Frame, ramBytes / PAGE_BYTES),
  }) as const satisfies Record<string, FieldType<unknown>>;

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
  /** Words of the log of dirty pages, and how many there are. */
  dirtyPages: array(u64, Number(places.ram.sizeBytes >> 18n)).read(memory, places.addressOf("dirty_pages")),
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
