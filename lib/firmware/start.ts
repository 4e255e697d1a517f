/** What machine mode sets up before supervisor mode may run: protection, delegation, counters, timers. */

import { VIRT_MAP } from "../board/memory-map.ts";
import type { HsContext } from "../hs/context.ts";
import { type Paddr, paddr } from "../isa/address.ts";
import { encodeCsr } from "../isa/csr-map.ts";
import { MODE_NUMBER } from "../isa/mode.ts";
import { EXCEPTION, type ExceptionName, INTERRUPT, type InterruptName } from "../isa/trap.ts";
import { HartStatus } from "./hart-status.ts";
import { BootInfo, FIRMWARE_BASE, FIRMWARE_BYTES, type FirmwareMap, type HartAreaView } from "./map.ts";

/** Exceptions that stay with machine mode: supervisor mode's calls, and those that are machine mode's own. */
const KEPT: readonly ExceptionName[] = ["ecallFromS", "ecallFromM"];
const DELEGATED_INTERRUPTS: readonly InterruptName[] = [
  "supervisorSoftware",
  "supervisorTimer",
  "supervisorExternal",
];

const bitsOf = (numbers: readonly number[]): bigint =>
  numbers.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
const exceptionsBut = (kept: readonly ExceptionName[]): bigint =>
  bitsOf(
    (Object.keys(EXCEPTION) as ExceptionName[])
      .filter((name) => !kept.includes(name))
      .map((name) => EXCEPTION[name]),
  );

/** The software interrupt with which harts call one another. */
export const MSI = 1n << BigInt(INTERRUPT.machineSoftware);

/** `pmpcfg` byte of a naturally aligned power-of-two range, by what it allows. @spec norm:pmp_a_field_encoding */
const Napot = { NOTHING: 0x18n, ALL: 0x1fn } as const;
/** Every address: the one NAPOT range that has no size. */
const EVERYWHERE = (1n << 54n) - 1n;

/** A naturally aligned power-of-two range as `pmpaddr` encodes it. @spec norm:pmp_a_field_napot_na4 */
const napot = (base: bigint, sizeBytes: number): bigint => (base >> 2n) | (BigInt(sizeBytes >> 3) - 1n);

/**
 * Three rules, of which the first that matches decides: the firmware is nobody else's, nor is the CLINT, and the rest is open. They
 * are not locked, so machine mode itself may go everywhere.
 */
function protect({ csr }: HsContext): void {
  csr.write("pmpaddr0", napot(FIRMWARE_BASE, FIRMWARE_BYTES));
  csr.write("pmpaddr1", napot(BigInt(VIRT_MAP.clint.base), VIRT_MAP.clint.sizeBytes));
  csr.write("pmpaddr2", EVERYWHERE);
  csr.write("pmpcfg0", Napot.NOTHING | (Napot.NOTHING << 8n) | (Napot.ALL << 16n));
}

/** Supervisor mode handles its own traps, its user programs' and its guests'. All counters are open to it, and its timer is its own. */
function delegate({ csr }: HsContext): void {
  csr.write("medeleg", exceptionsBut(KEPT));
  csr.write("mideleg", bitsOf(DELEGATED_INTERRUPTS.map((name) => INTERRUPT[name])));
  csr.write("mcounteren", encodeCsr("mcounteren", { CY: 1, TM: 1, IR: 1 }));
  csr.write("scounteren", encodeCsr("scounteren", { CY: 1, TM: 1, IR: 1 }));
  csr.write("menvcfg", encodeCsr("menvcfg", { STCE: 1, ADUE: 1, PBMTE: 1 }));
}

/**
 * Makes a hart ready. The boot hart enters the payload; the others are parked until somebody starts them. They have been *stopped*
 * since power-on: the boot hart may be so fast that it has asked for them before they come here.
 */
export function startHart(context: HsContext, map: FirmwareMap, self: HartAreaView): void {
  protect(context);
  delegate(context);
  const boot = BootInfo.at(context, map.bootInfo);
  if (BigInt(context.hart) === boot.bootHart) {
    enterSupervisor(context, self, boot.payload, boot.deviceTree);
    return;
  }
  context.csr.write("mie", MSI);
  self.saved.resume = placeOf(map, "park");
}

/**
 * Prepares supervisor mode's first instruction: the vector's MRET goes there.
 *
 * @param argument  What `a1` is; `a0` is the hart's number.
 * @spec SBI 2.0 "HSM Hart Start Register State"
 */
export function enterSupervisor(
  context: HsContext,
  self: HartAreaView,
  start: Paddr,
  argument: bigint,
): void {
  const { csr, registers } = context;
  registers.a0 = BigInt(context.hart);
  registers.a1 = argument;
  csr.write("satp", 0n);
  csr.write("mie", MSI);
  csr.write("mepc", start);
  const status = { MPP: MODE_NUMBER.S, MPIE: 1, MPV: 0, SIE: 0, SPIE: 0, FS: 1 };
  csr.write("mstatus", encodeCsr("mstatus", status, csr.read("mstatus")));
  self.status = HartStatus.STARTED;
}

/** Address of a place of the firmware's code. */
export function placeOf({ code }: FirmwareMap, label: string): Paddr {
  const found = code.get(label);
  if (found === undefined) throw new RangeError(`the firmware has no place called ${label}`);
  return paddr(found);
}
