/**
 * Machine mode for a hypervisor that is booted without firmware: what must be set up before HS-mode may run, and nothing to call.
 * Another hart's software interrupt (CLINT) arrives in HS-mode as a supervisor software interrupt.
 */
import { RAM_BASE, VIRT_MAP } from "../board/memory-map.ts";
import { type Item, label } from "../isa/assembler/item.ts";
import { program } from "../isa/assembler/program.ts";
import { asm } from "../isa/assembler/typed.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import { MODE_NUMBER } from "../isa/mode.ts";
import { EXCEPTION, INTERRUPT } from "../isa/trap.ts";

/** Where harts come out of the boot ROM. */
export const STUB_BASE = BigInt(RAM_BASE);
/** Bytes that PMP closes to everybody else. */
export const STUB_BYTES = 0x1000;

const SLOT_BYTES = 16;
const HARTS = 4;
/** All exceptions but the calls that are machine mode's own to answer. */
const DELEGATED_EXCEPTIONS = Object.values(EXCEPTION)
  .filter((code) => code !== EXCEPTION.ecallFromS && code !== EXCEPTION.ecallFromM)
  .reduce((mask, code) => mask | (1n << BigInt(code)), 0n);
const DELEGATED_INTERRUPTS =
  (1n << BigInt(INTERRUPT.supervisorSoftware)) |
  (1n << BigInt(INTERRUPT.supervisorTimer)) |
  (1n << BigInt(INTERRUPT.supervisorExternal));
const SSIP = 1n << BigInt(INTERRUPT.supervisorSoftware);
const MSIE = 1n << BigInt(INTERRUPT.machineSoftware);
/** The stub's own page is closed, and everything else is open. @spec norm:pmp_a_field_encoding */
const STUB_RULE = (STUB_BASE >> 2n) | (BigInt(STUB_BYTES >> 3) - 1n);
const PMP_RULES = 0x1f18n;
const NOT_SUPPORTED = -2;

/** Sets a CSR to a number. */
const set = (csr: Parameters<typeof asm.csrw>[0], value: bigint): Item[] => [
  asm.li("t0", value),
  asm.csrw(csr, "t0"),
];

const setUp = (entry: bigint, deviceTree: bigint): Item[] => [
  ...set("pmpaddr0", STUB_RULE),
  ...set("pmpaddr1", -1n),
  ...set("pmpcfg0", PMP_RULES),
  ...set("medeleg", DELEGATED_EXCEPTIONS),
  ...set("mideleg", DELEGATED_INTERRUPTS),
  ...set("mcounteren", encodeCsr("mcounteren", { CY: 1, TM: 1, IR: 1 })),
  ...set("scounteren", encodeCsr("scounteren", { CY: 1, TM: 1, IR: 1 })),
  ...set("menvcfg", encodeCsr("menvcfg", { STCE: 1, ADUE: 1, PBMTE: 1 })),
  ...set("mie", MSIE),
  ...set("mstatus", encodeCsr("mstatus", { MPP: MODE_NUMBER.S, FS: 1 })),
  ...set("mepc", entry),
  asm.li("a1", deviceTree),
];

const stub = (entry: bigint, deviceTree: bigint): Item[] => [
  asm.la("t0", "trap"),
  asm.csrw("mtvec", "t0"),
  asm.csrr("a0", "mhartid"),
  asm.la("t0", "slots"),
  asm.slli("t1", "a0", Math.log2(SLOT_BYTES)),
  asm.add("t0", "t0", "t1"),
  asm.csrw("mscratch", "t0"),
  ...setUp(entry, deviceTree),
  asm.mret(),

  asm.align(4),
  label("trap"),
  asm.csrrw("t0", "mscratch", "t0"),
  asm.sd("t1", 0, "t0"),
  asm.sd("t2", 8, "t0"),
  asm.csrr("t1", "mcause"),
  asm.bltz("t1", "knock"),
  asm.li("a0", NOT_SUPPORTED), // there is nobody to call
  asm.li("a1", 0),
  asm.csrr("t1", "mepc"),
  asm.addi("t1", "t1", 4),
  asm.csrw("mepc", "t1"),
  label("back"),
  asm.ld("t1", 0, "t0"),
  asm.ld("t2", 8, "t0"),
  asm.csrrw("t0", "mscratch", "t0"),
  asm.mret(),

  label("knock"),
  asm.csrr("t1", "mhartid"),
  asm.slli("t1", "t1", 2),
  asm.li("t2", VIRT_MAP.clint.base),
  asm.add("t1", "t1", "t2"),
  asm.sw("zero", 0, "t1"),
  asm.li("t1", SSIP),
  asm.csrs("mip", "t1"),
  asm.j("back"),

  asm.align(8),
  label("slots"),
  asm.zero(SLOT_BYTES * HARTS),
];

/**
 * The stub's bytes.
 *
 * @param entry       Where each hart enters HS-mode, with its number in `a0` and the device tree's address in `a1`.
 * @param deviceTree  Physical address.
 */
export function machineStub(entry: bigint, deviceTree: bigint): Uint8Array {
  const built = program({ origin: STUB_BASE }, stub(entry, deviceTree));
  if (built.kind !== "program") throw new Error(built.message);
  return built.bytes;
}
