/** Virtual CPUs, the harts that run them, and how they share. */
import { HsArea } from "../../hs/hypervisor-vector.ts";
import { array, guestPointer, pointer, struct, u16, u64, type ViewOf } from "../../hs/struct.ts";

/** What becomes of a virtual CPU. */
export const VcpuState = {
  NONE: 0,
  STOPPED: 1,
  READY: 2,
  RUNNING: 3,
  BLOCKED: 4,
  /** Its domain is being moved, or somebody has paused it. `paused` says what it goes on as. */
  PAUSED: 5,
  /** It needs a frame, and there is none; `MemoryWait` says until when it waits. */
  STARVED: 6,
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
  COPY_ON_WRITE: 10,
} as const;
const EXIT_KINDS = 11;

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
  /** When its timer is due, in its own time, if it has none in its hart (`TIMER_BY_CALL`). */
  timer: u64,
  /** How often it came here, by {@link ExitKind}. */
  exits: array(u64, EXIT_KINDS),
});
export type VcpuView = ViewOf<typeof Vcpu>;

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
