/**
 * A hypervisor's machine code: where harts enter HS-mode, the trap vector with its way through the hypercall table, and the switch
 * from one virtual CPU to another. All of it is in RAM, and the hart runs it instruction by instruction.
 *
 * Outside handlers `sscratch` holds the address of the running virtual CPU's save area; inside it holds zero.
 */

import { type Item, label } from "../isa/assembler/item.ts";
import { asm } from "../isa/assembler/typed.ts";
import { FLOAT_REGISTER_NAMES } from "../isa/float-register.ts";
import { REGISTER_NAMES } from "../isa/register.ts";
import { EXCEPTION } from "../isa/trap.ts";
import { array, pointer, struct, u64 } from "./struct.ts";
import { SaveArea } from "./vector.ts";

/**
 * What a virtual CPU leaves behind when handlers run. `sp` points here. The hypervisor's structures begin with it: one for each
 * virtual CPU, and one for each hart, where it begins and idles.
 */
export const HsArea = struct("hs_area", {
  saved: SaveArea,
  /** The area to go on with. The vector sets it to the one that it saved; a handler that puts another one here switches. */
  next: pointer,
  /** Floating-point registers, which are saved and loaded only when virtual CPUs are switched. */
  f: array(u64, 32),
  fcsr: u64,
});

/** Numbers of a hypervisor's handlers: what `hx` calls. The firmware's own are smaller. */
export const HypervisorHandler = {
  /** Once on each hart, before anything else. */
  INIT: 16,
  /** For each trap that is no hypercall. */
  TRAP: 17,
  /** For a trap of the hypervisor itself. */
  NESTED: 18,
  /** Behind each WFI of a hart that has nothing to run. */
  IDLE: 19,
  /** The first hypercall's; the others follow. */
  HYPERCALL: 64,
} as const;

/** What the code has to know. */
export interface HypervisorCode {
  /** Physical address of the hypercall table. */
  readonly table: bigint;
  readonly hypercalls: number;
  /** What `a7` is for the first hypercall. */
  readonly firstHypercall: bigint;
  /** Whether the vector looks if there is such a hypercall before it loads the entry. */
  readonly checksBounds: boolean;
  /** Hart 0's area; the others follow. */
  readonly areas: bigint;
  readonly satp: bigint;
}

const SAVED = REGISTER_NAMES.map((name, index) => ({
  name,
  offset: SaveArea.offsetOf("x") + 8 * index,
})).filter(({ name }) => name !== "zero" && name !== "sp");
const SAVED_SP = SaveArea.offsetOf("x") + 8 * REGISTER_NAMES.indexOf("sp");
const RESUME = SaveArea.offsetOf("resume");
const NEXT = HsArea.offsetOf("next");
const FLOATS = FLOAT_REGISTER_NAMES.map((name, index) => ({
  name,
  offset: HsArea.offsetOf("f") + 8 * index,
}));
const FCSR = HsArea.offsetOf("fcsr");

/** Where a hart comes from machine mode, with its number in `a0`. From the third line on it is under its own page tables. */
const start = ({ satp, areas }: HypervisorCode): Item[] => [
  label("start"),
  asm.li("t0", satp),
  asm.csrw("satp", "t0"),
  asm.sfence_vma("zero", "zero"),
  asm.csrw("sscratch", "zero"),
  asm.la("t0", "vector"),
  asm.csrw("stvec", "t0"),
  asm.li("t0", HsArea.sizeBytes),
  asm.mul("t0", "t0", "a0"),
  asm.li("sp", areas),
  asm.add("sp", "sp", "t0"),
  asm.sd("sp", NEXT, "sp"),
  asm.la("t0", "idle"),
  asm.sd("t0", RESUME, "sp"),
  asm.hx(HypervisorHandler.INIT),
  asm.j("leave"),

  label("idle"),
  asm.wfi(),
  asm.hx(HypervisorHandler.IDLE),
  asm.j("leave"),
];

/** A guest's call: the entry of the table is where the hart goes. Whoever has changed the entry has changed that. */
const dispatch = ({ table, hypercalls, firstHypercall, checksBounds }: HypervisorCode): Item[] => [
  asm.csrr("t0", "scause"),
  asm.li("t1", EXCEPTION.ecallFromVs),
  asm.bne("t0", "t1", "trapped"),
  asm.li("t0", firstHypercall),
  asm.sub("t1", "a7", "t0"),
  ...(checksBounds ? [asm.li("t0", hypercalls), asm.bgeu("t1", "t0", "trapped")] : []),
  asm.slli("t1", "t1", 3),
  asm.li("t0", table),
  asm.add("t0", "t0", "t1"),
  asm.ld("t0", 0, "t0"),
  asm.jr("t0"),
];

/** The name of the place that an entry of the table points to. */
export const stubLabel = (hypercall: number): string => `hypercall${hypercall}`;

const stubs = ({ hypercalls }: HypervisorCode): Item[] =>
  Array.from({ length: hypercalls }, (_, number) => [
    label(stubLabel(number)),
    asm.hx(HypervisorHandler.HYPERCALL + number),
    asm.j("leave"),
  ]).flat();

const leave: readonly Item[] = [
  label("leave"),
  asm.ld("t0", RESUME, "sp"),
  asm.ld("t1", NEXT, "sp"),
  asm.bne("t1", "sp", "switch"),
  asm.jr("t0"),

  label("switch"),
  ...FLOATS.map(({ name, offset }) => asm.fsd(name, offset, "sp")),
  asm.frcsr("t2"),
  asm.sd("t2", FCSR, "sp"),
  asm.mv("sp", "t1"),
  ...FLOATS.map(({ name, offset }) => asm.fld(name, offset, "sp")),
  asm.ld("t2", FCSR, "sp"),
  asm.fscsr("t2"),
  asm.jr("t0"),
];

/**
 * The code. Labels: `start`, `vector`, `leave` (goes where the area's `resume` says, with the area that `next` says), `restore`
 * (into the guest), `idle`, `switch`, `nested`, and a stub for each hypercall.
 */
export const hypervisorCode = (code: HypervisorCode): Item[] => [
  ...start(code),
  asm.align(4),
  label("vector"),
  asm.csrrw("sp", "sscratch", "sp"),
  asm.beqz("sp", "nested"),
  ...SAVED.map(({ name, offset }) => asm.sd(name, offset, "sp")),
  asm.csrrw("t0", "sscratch", "zero"), // the interrupted sp; zero marks that handlers run
  asm.sd("t0", SAVED_SP, "sp"),
  asm.sd("sp", NEXT, "sp"),
  asm.la("t0", "restore"),
  asm.sd("t0", RESUME, "sp"),
  ...dispatch(code),

  label("trapped"),
  asm.hx(HypervisorHandler.TRAP),
  ...leave,
  ...stubs(code),

  label("restore"),
  asm.csrw("sscratch", "sp"),
  ...SAVED.map(({ name, offset }) => asm.ld(name, offset, "sp")),
  asm.ld("sp", SAVED_SP, "sp"),
  asm.sret(),

  label("nested"),
  asm.csrrw("sp", "sscratch", "sp"),
  asm.hx(HypervisorHandler.NESTED),
  asm.j("nested"),
];
