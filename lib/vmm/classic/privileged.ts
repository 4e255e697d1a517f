/** Instructions that trap because the hart runs all of the guest in user mode: done for the guest, or handed back as illegal. */
import { statusBit } from "../../hart/status.ts";
import { gva } from "../../hs/address.ts";
import { csrAt } from "../../isa/csr-map.ts";
import { EXCEPTION } from "../../isa/trap.ts";
import { guestRegister, setGuestRegister } from "../access.ts";
import { mayUse, type VirtualCsr, virtualCsrAt } from "./csrs.ts";
import { count, Mode, type Monitor, skip } from "./host.ts";
import { Exit } from "./layout.ts";
import { fenceShadows } from "./shadow.ts";
import { deliver, pending, returnFromMachine, returnFromSupervisor } from "./virtual-traps.ts";

const SYSTEM = 0x73;
const OPCODE = 0x7f;
const INSTRUCTION_BYTES = 4;

/** An instruction that is illegal in user mode; the guest may believe to be in another. */
export function privileged(monitor: Monitor, word: number): void {
  if (perform(monitor, word)) {
    count(monitor, Exit.PRIVILEGED);
    return;
  }
  count(monitor, Exit.EXCEPTION);
  deliver(monitor, EXCEPTION.illegalInstruction, BigInt(word));
}

/** Whether the guest's mode may do what a bit of `mstatus` can take from its supervisor. */
function may({ state: { mode, csrs } }: Monitor, taken: "TVM" | "TW" | "TSR"): boolean {
  return mode === Mode.M || (mode === Mode.S && !statusBit(csrs.mstatus, taken));
}

/** Those that are no CSR instructions: who may execute each, and what it does. */
const INSTRUCTIONS: readonly {
  readonly mask: number;
  readonly match: number;
  readonly isAllowed: (monitor: Monitor) => boolean;
  readonly perform: (monitor: Monitor, word: number) => void;
}[] = [
  {
    mask: -1,
    match: 0x3020_0073,
    isAllowed: ({ state }) => state.mode === Mode.M,
    perform: returnFromMachine,
  },
  {
    mask: -1,
    match: 0x1020_0073,
    isAllowed: (monitor) => may(monitor, "TSR"),
    perform: returnFromSupervisor,
  },
  { mask: -1, match: 0x1050_0073, isAllowed: (monitor) => may(monitor, "TW"), perform: wait },
  { mask: 0xfe00_7fff, match: 0x1200_0073, isAllowed: (monitor) => may(monitor, "TVM"), perform: fence },
];

/** Does it. False: in the guest's mode there is no such instruction. */
function perform(monitor: Monitor, word: number): boolean {
  const found = INSTRUCTIONS.find(({ mask, match }) => (word & mask) === match);
  if (found === undefined) return (word & OPCODE) === SYSTEM && operateCsr(monitor, word);
  if (!found.isAllowed(monitor)) return false;
  found.perform(monitor, word);
  return true;
}

/** WFI: the hart sleeps until something is pending that the guest has enabled, whether or not it would take it. @spec norm:wfi_op */
function wait(monitor: Monitor): void {
  const { state, context } = monitor;
  context.csr.write("mie", state.csrs.mie);
  if ((pending(monitor) & state.csrs.mie) === 0n) context.waitForInterrupt();
  skip(monitor, INSTRUCTION_BYTES);
}

function fence(monitor: Monitor, word: number): void {
  const [rs1, rs2] = [(word >>> 15) & 31, (word >>> 20) & 31];
  const address = rs1 === 0 ? undefined : gva(guestRegister(monitor, rs1));
  fenceShadows(monitor, address, rs2 === 0 ? undefined : guestRegister(monitor, rs2));
  skip(monitor, INSTRUCTION_BYTES);
}

/** On a machine whose CSRs leak, the guest's programs do not trap either: they read, and their writes are ignored. */
function leaks({ isa, state: { mode } }: Monitor, address: number): boolean {
  const name = csrAt(address);
  return mode === Mode.U && name !== undefined && isa.leaks.includes(name);
}

/** CSRRW, CSRRS, CSRRC and their immediate forms. @spec norm:csrrw_op @spec norm:csrrs_op @spec norm:csrrc_op */
function operateCsr(monitor: Monitor, word: number): boolean {
  const operation = (word >>> 12) & 3;
  const address = word >>> 20;
  const csr = virtualCsrAt(address);
  if (csr === undefined || operation === 0) return false;
  const rs1 = (word >>> 15) & 31;
  const isImmediate = ((word >>> 14) & 1) === 1;
  const writes = operation === 1 || rs1 !== 0;
  const isLeak = leaks(monitor, address);
  if (!isLeak && !mayUse(monitor, address, writes)) return false;
  const operand = isImmediate ? BigInt(rs1) : guestRegister(monitor, rs1);
  const old = csr.read(monitor);
  if (writes && !isLeak) csr.write(monitor, changed(monitor, csr, operation, operand));
  setGuestRegister(monitor, (word >>> 7) & 31, old);
  skip(monitor, INSTRUCTION_BYTES);
  return true;
}

function changed(monitor: Monitor, csr: VirtualCsr, operation: number, operand: bigint): bigint {
  if (operation === 1) return operand;
  const old = (csr.readToModify ?? csr.read)(monitor);
  return operation === 2 ? old | operand : old & ~operand;
}
