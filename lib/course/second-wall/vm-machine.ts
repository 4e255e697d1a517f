/** Hypervisors that map, unmap and let guests load, on a hart that remembers: a right one, and some that fence badly. */
import { buildBoard } from "../../board/virt.ts";
import { type Item, label } from "../../isa/assembler/item.ts";
import { program } from "../../isa/assembler/program.ts";
import { asm } from "../../isa/assembler/typed.ts";
import { entryTo, hgatpFor } from "./two-stage-machine.ts";

/** What a hypervisor is asked to do. VMs are 1 and 2, pages and frames 0 to 3; a VM's pages are its own. */
export type VmOp =
  | { readonly op: "map"; readonly vm: number; readonly page: number; readonly frame: number }
  | { readonly op: "unmap"; readonly vm: number; readonly page: number }
  | { readonly op: "load"; readonly vm: number; readonly page: number };

/** The same with what happened: a load saw a frame, or −1 for a guest-page fault. */
export type VmEvent = VmOp & { readonly saw?: number };

/** A fence that follows a change of an entry. */
interface Fence {
  readonly instruction: "hfence.gvma" | "hfence.vvma";
  /** What is in `rs1`. */
  readonly address: bigint;
  /** What is in `rs2` of HFENCE.GVMA. */
  readonly vmid: number;
}

/** How a hypervisor fences. */
export interface VmHabit {
  readonly name: string;
  /** What it does wrong, as a sentence; empty for the right one. */
  readonly says: string;
  /** VMID of a virtual machine. */
  vmid(vm: number): number;
  /** `undefined`: no fence. @param wasMapped  Whether the page was mapped before. */
  fence(op: VmOp, wasMapped: boolean): Fence | undefined;
}

/** Pages, frames and virtual machines of the scene. */
export const VM_PAGES = 4;
export const VMS = [1, 2] as const;
const GUEST_PAGES = 0x8000_0000n;
const gpaOf = ({ page }: VmOp): bigint => GUEST_PAGES + BigInt(page) * 4096n;

const rightFence = (op: VmOp): Fence => ({
  instruction: "hfence.gvma",
  address: gpaOf(op) >> 2n,
  vmid: op.vm,
});

/** The hypervisor that fences what it changed. */
export const RIGHT_HYPERVISOR: VmHabit = { name: "right", says: "", vmid: (vm) => vm, fence: rightFence };

/** Hypervisors with one bad habit each. */
export const CARELESS_HYPERVISORS: readonly VmHabit[] = [
  {
    ...RIGHT_HYPERVISOR,
    name: "unmap",
    says: "the hypervisor that gives no fence after unmap is caught",
    fence: (op) => (op.op === "unmap" ? undefined : rightFence(op)),
  },
  {
    ...RIGHT_HYPERVISOR,
    name: "shift",
    says: "the one that does not shift the address for hfence.gvma is caught",
    fence: (op) => ({ ...rightFence(op), address: gpaOf(op) }),
  },
  {
    ...RIGHT_HYPERVISOR,
    name: "stage",
    says: "the one that fences the guest's own stage is caught",
    fence: (op) => ({ ...rightFence(op), instruction: "hfence.vvma", address: gpaOf(op) }),
  },
  {
    ...RIGHT_HYPERVISOR,
    name: "other",
    says: "the one that fences the other VM is caught",
    fence: (op) => ({ ...rightFence(op), vmid: 3 - op.vm }),
  },
  {
    name: "shared",
    says: "the one that gives both VMs the same VMID is caught",
    vmid: () => 1,
    fence: (op) => ({ ...rightFence(op), vmid: 1 }),
  },
];

const ROOTS = [0n, 0x8004_0000n, 0x8004_4000n] as const;
const MIDDLES = [0n, 0x8004_8000n, 0x8004_9000n] as const;
const LEAVES = [0n, 0x8004_a000n, 0x8004_b000n] as const;
const FRAMES = 0x8005_0000n;
const LOG = 0x8006_0000n;
const LEAF = 0xdfn;
const INSTRUCTIONS_PER_OP = 40;

const BOOT: readonly Item[] = [
  asm.li("t0", -1n),
  asm.csrw("pmpaddr0", "t0"),
  asm.li("t0", 0x1f),
  asm.csrw("pmpcfg0", "t0"),
  asm.li("t0", 1n << 21n),
  asm.csrw("medeleg", "t0"),
  asm.li("t0", 1n << 11n),
  asm.csrs("mstatus", "t0"), // MPP: HS-mode
  asm.la("t0", "fault"),
  asm.csrw("stvec", "t0"),
  asm.la("t0", "hypervisor"),
  asm.csrw("mepc", "t0"),
  asm.li("t0", 1n << 8n),
  asm.csrw("hstatus", "t0"), // SPVP: HLV has the rights of the guest's kernel
  asm.li("s0", LOG),
  asm.mret(),
  asm.align(4),
  label("fault"), // a load found no page: it saw -1
  asm.li("a0", -1),
  asm.csrr("t0", "sepc"),
  asm.addi("t0", "t0", 4),
  asm.csrw("sepc", "t0"),
  asm.sret(),
  label("hypervisor"),
];

function fenceItems({ instruction, address, vmid }: Fence): Item[] {
  const operand = asm.li("t1", address);
  return instruction === "hfence.vvma"
    ? [operand, asm.hfence_vvma("t1", "zero")]
    : [operand, asm.li("t2", vmid), asm.hfence_gvma("t1", "t2")];
}

/** The hypervisor's instructions for a list of requests. */
function hypervisorItems(ops: readonly VmOp[], habit: VmHabit): Item[] {
  const mapped = new Set<string>();
  return ops.flatMap((op): Item[] => {
    const name = `${op.vm} ${op.page}`;
    // Each request is about one guest: its tables are put in front of the hart first.
    const select = [asm.li("t1", hgatpFor(ROOTS[op.vm] ?? 0n, habit.vmid(op.vm))), asm.csrw("hgatp", "t1")];
    if (op.op === "load")
      return [
        ...select,
        asm.li("t1", gpaOf(op)),
        asm.hlv_d("a0", "t1"),
        asm.sd("a0", 0, "s0"),
        asm.addi("s0", "s0", 8),
      ];
    const entry = op.op === "map" ? entryTo(FRAMES + BigInt(op.frame) * 4096n, LEAF) : 0n;
    const fence = habit.fence(op, mapped.has(name));
    if (op.op === "map") mapped.add(name);
    else mapped.delete(name);
    return [
      ...select,
      asm.li("t1", (LEAVES[op.vm] ?? 0n) + 8n * BigInt(op.page)),
      asm.li("t2", entry),
      asm.sd("t2", 0, "t1"),
      ...(fence === undefined ? [] : fenceItems(fence)),
    ];
  });
}

/** Runs requests on the machine and returns them with what each load saw. */
export function runHypervisor(ops: readonly VmOp[], habit: VmHabit): VmEvent[] {
  const board = buildBoard({ ramBytes: 1 << 20, translations: "sticky" });
  const made = program({ origin: 0x8000_0000n }, [...BOOT, ...hypervisorItems(ops, habit), asm.wfi()]);
  const refused = board.load(made);
  if (refused !== undefined) throw new Error(refused.message);
  const words: readonly (readonly [bigint, bigint])[] = [
    ...VMS.flatMap((vm): [bigint, bigint][] => [
      [ROOTS[vm] + 16n, entryTo(MIDDLES[vm], 1n)],
      [MIDDLES[vm], entryTo(LEAVES[vm], 1n)],
    ]),
    ...Array.from(
      { length: VM_PAGES },
      (_, frame) => [FRAMES + BigInt(frame) * 4096n, BigInt(frame)] as const,
    ),
  ];
  for (const [paddr, word] of words) board.memory.store(paddr, 8, word);
  board.run({ instructions: 64 + INSTRUCTIONS_PER_OP * ops.length });
  let loads = 0n;
  return ops.map((op): VmEvent => {
    if (op.op !== "load") return op;
    const saw = board.memory.load(LOG + 8n * loads, 8);
    loads += 1n;
    return { ...op, saw: typeof saw === "bigint" ? Number(BigInt.asIntN(64, saw)) : -1 };
  });
}

/** The first load that saw what a hypervisor without mistakes would not have shown; −1 for none. */
export function firstLieIn(history: readonly VmEvent[]): number {
  const frames = new Map<string, number>();
  return history.findIndex((event) => {
    const name = `${event.vm} ${event.page}`;
    if (event.op === "map") frames.set(name, event.frame);
    if (event.op === "unmap") frames.delete(name);
    return event.op === "load" && event.saw !== (frames.get(name) ?? -1);
  });
}

/** A history in words. */
export const vmWords = (history: readonly VmEvent[]): string =>
  history
    .map((event) => {
      const where = `VM ${event.vm} page ${event.page}`;
      if (event.op === "map") return `map ${where} to frame ${event.frame}`;
      if (event.op === "unmap") return `unmap ${where}`;
      return `load ${where} saw ${event.saw === -1 ? "a fault" : `frame ${event.saw}`}`;
    })
    .join("; ");
