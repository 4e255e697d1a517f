/** The oracle of emulation: the real instruction, on a real hart, in the mode that the guest believes in. */
import type { Board } from "../../board/board.ts";
import { buildBoard } from "../../board/virt.ts";
import { readCsr } from "../../hart/csr-read.ts";
import { writeCsr } from "../../hart/csr-write.ts";
import { CSRS, type CsrName } from "../../isa/csr-map.ts";
import { MODE_NUMBER } from "../../isa/mode.ts";
import { registerName } from "../../isa/register.ts";

/** Privilege modes by number. */
export type GuestMode = 0 | 1 | 3;

/** A virtual CPU as exercises hand it over. */
export interface Vcpu {
  /** The mode that the guest believes in: 0 U, 1 S, 3 M. */
  readonly mode: GuestMode;
  readonly pc: bigint;
  /** x0 to x31, unsigned 64-bit each. */
  readonly x: readonly bigint[];
  /** CSRs by number. One that is not here, the machine does not have. */
  readonly csrs: ReadonlyMap<number, bigint>;
}

/** CSRs of the exercises. All their bits can be written, but bit 0 of `sepc` and `mepc`; `mhartid` cannot at all. */
export const VCPU_CSRS: readonly CsrName[] = [
  "sscratch",
  "sepc",
  "stval",
  "mscratch",
  "mepc",
  "mtval",
  "mhartid",
];

/** Number of a CSR. */
export const csrNumber = (name: CsrName): number => CSRS[name].address;

const BASE = 0x8000_0000n;
const BARE: Board[] = [];

/** One board, made when it is first needed; every step sets all of it that matters. */
function bareBoard(): Board {
  const board = BARE[0] ?? buildBoard({ ramBytes: 1 << 20, isa: { hypervisor: false }, engine: "reference" });
  BARE[0] = board;
  return board;
}

/** Executes one instruction in the guest's mode, with the guest's registers and CSRs. `undefined`: it trapped. */
export function stepOnHart(word: number, { mode, x, csrs }: Vcpu): Vcpu | undefined {
  const board = bareBoard();
  const { hart } = board;
  hart.reset(BASE);
  board.memory.store(BASE, 4, BigInt(word >>> 0));
  writeCsr(hart, "pmpaddr0", (1n << 54n) - 1n);
  writeCsr(hart, "pmpcfg0", 0x1fn);
  for (const name of VCPU_CSRS) {
    const value = csrs.get(csrNumber(name));
    if (value !== undefined && name !== "mhartid") writeCsr(hart, name, value);
  }
  for (const [index, value] of x.entries()) hart.write(registerName(index), value);
  hart.state.modeNumber = mode;
  hart.stateReplaced();
  if (board.step().trap !== undefined) return undefined;
  const after = new Map([...csrs.keys()].map((number) => [number, 0n]));
  for (const name of VCPU_CSRS)
    if (csrs.has(csrNumber(name))) after.set(csrNumber(name), readCsr(hart, name));
  return {
    mode,
    pc: hart.pc,
    x: x.map((_, index) => BigInt.asUintN(64, hart.read(registerName(index)))),
    csrs: after,
  };
}

/** SRET in supervisor mode: what `sstatus` and the mode are behind it. */
export function sretOnHart(sstatus: bigint): { readonly mode: number; readonly sstatus: bigint } {
  const board = bareBoard();
  const { hart } = board;
  hart.reset(BASE);
  board.memory.store(BASE, 4, 0x1020_0073n);
  writeCsr(hart, "pmpaddr0", (1n << 54n) - 1n);
  writeCsr(hart, "pmpcfg0", 0x1fn);
  writeCsr(hart, "sepc", BASE);
  writeCsr(hart, "sstatus", sstatus);
  hart.state.modeNumber = MODE_NUMBER.S;
  hart.stateReplaced();
  board.step();
  return { mode: hart.state.modeNumber, sstatus: readCsr(hart, "sstatus") };
}

/** What `sstatus` holds when these bits are written to it, on this machine. */
export function legalSstatus(value: bigint): bigint {
  const { hart } = bareBoard();
  hart.reset(BASE);
  writeCsr(hart, "sstatus", value);
  return readCsr(hart, "sstatus");
}
