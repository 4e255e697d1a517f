/** Access to one hart's state block by name. It keeps nothing: whoever replaces the bytes has replaced the state. */
import { CSRS } from "../isa/csr-map.ts";
import { type FloatRegisterFile, type FloatRegisterName, floatRegisterIndex } from "../isa/float-register.ts";
import { MODE_NUMBER, type Mode, type ModeNumber, modeName } from "../isa/mode.ts";
import { type RegisterFile, type RegisterName, registerIndex } from "../isa/register.ts";
import {
  HART_LAYOUT,
  HART_STATE_BYTES,
  type LayoutField,
  STORED_CSRS,
  type StoredCsr,
  storedCsrSlot,
} from "./layout.ts";

/** Address of the first instruction after reset: the start of RAM on this board. */
export const RESET_PC = 0x8000_0000n;

/** Typed views of a state block. */
export class HartState {
  /** The block itself, for snapshots and digests. */
  readonly bytes: Uint8Array;
  /** x0…x31, signed. */
  readonly x: BigInt64Array;
  /** f0…f31, unsigned. */
  readonly f: BigUint64Array;
  /** One element: the address of the next instruction, unsigned. */
  readonly pcWord: BigUint64Array;
  /** The same as two 32-bit halves, low first. */
  readonly pcHalves: Int32Array;
  /** One element: instructions retired. */
  readonly instretWord: BigUint64Array;
  /** Stored CSRs, unsigned, by slot. */
  readonly csrs: BigUint64Array;
  /** The sixteen PMP configuration bytes. */
  readonly pmpConfig: Uint8Array;
  readonly #modeWord: Int32Array;
  readonly #waitingWord: Int32Array;
  readonly #biases: BigUint64Array;
  readonly #pending: BigUint64Array;
  readonly #reservation: BigUint64Array;
  readonly #guestExternal: BigUint64Array;

  /**
   * @param buffer  The machine's memory, never detached.
   * @param base    First byte of the block, a multiple of 8.
   */
  constructor(buffer: ArrayBuffer, base = 0) {
    const at = ({ offset }: LayoutField): number => base + offset;
    const {
      x,
      f,
      pc,
      instret,
      mcycleBias,
      softwarePending,
      csrs,
      reservation,
      guestExternal,
      mode,
      waiting,
    } = HART_LAYOUT;
    this.bytes = new Uint8Array(buffer, base, HART_STATE_BYTES);
    this.x = new BigInt64Array(buffer, at(x), x.count);
    this.f = new BigUint64Array(buffer, at(f), f.count);
    this.pcWord = new BigUint64Array(buffer, at(pc), 1);
    this.pcHalves = new Int32Array(buffer, at(pc), 2);
    this.instretWord = new BigUint64Array(buffer, at(instret), 1);
    this.#biases = new BigUint64Array(buffer, at(mcycleBias), 2);
    this.#pending = new BigUint64Array(buffer, at(softwarePending), 2);
    this.csrs = new BigUint64Array(buffer, at(csrs), csrs.count);
    this.pmpConfig = new Uint8Array(buffer, at(csrs) + 8 * slot("pmpcfg0"), 16);
    this.#reservation = new BigUint64Array(buffer, at(reservation), 1);
    this.#guestExternal = new BigUint64Array(buffer, at(guestExternal), 1);
    this.#modeWord = new Int32Array(buffer, at(mode), 1);
    this.#waitingWord = new Int32Array(buffer, at(waiting), 1);
  }

  /** Everything to its value after reset: machine mode, interrupts off, no PMP rule. @spec norm:M-mode_at_rst1 */
  reset(pc: bigint = RESET_PC): void {
    this.bytes.fill(0); // norm:ld_rsv_rst norm:pmp_A_L_rst norm:mstatus_mie_mprv_rst norm:hgatp_vsatp_mode_rst norm:mcause_rst_zero
    this.pc = pc; // norm:pc_rst
    this.modeNumber = MODE_NUMBER.M; // norm:M-mode_at_rst2
    for (const name of STORED_CSRS) this.setStored(name, CSRS[name].reset);
  }

  /** Registers by number. */
  get registers(): RegisterFile {
    return this.x as unknown as RegisterFile;
  }

  /** Floating-point registers by number. */
  get floatRegisters(): FloatRegisterFile {
    return this.f as unknown as FloatRegisterFile;
  }

  /** A register by name, unsigned. */
  register(name: RegisterName): bigint {
    return BigInt.asUintN(64, this.registers[registerIndex(name)]);
  }

  /** Sets a register by name; x0 stays zero. */
  setRegister(name: RegisterName, value: bigint): void {
    const index = registerIndex(name);
    if (index !== 0) this.registers[index] = value;
  }

  /** A floating-point register by name, unsigned. */
  floatRegister(name: FloatRegisterName): bigint {
    return this.floatRegisters[floatRegisterIndex(name)];
  }

  /** Sets a floating-point register by name. */
  setFloatRegister(name: FloatRegisterName, word: bigint): void {
    this.floatRegisters[floatRegisterIndex(name)] = word;
  }

  get pc(): bigint {
    return this.pcWord[0] ?? 0n;
  }
  set pc(address: bigint) {
    this.pcWord[0] = address;
  }

  get instret(): bigint {
    return this.instretWord[0] ?? 0n;
  }

  get modeNumber(): ModeNumber {
    return this.#modeWord[0] as ModeNumber;
  }
  set modeNumber(mode: ModeNumber) {
    this.#modeWord[0] = mode;
  }
  get mode(): Mode {
    return modeName(this.modeNumber);
  }

  /** Whether the hart sleeps in WFI. */
  get waiting(): boolean {
    return this.#waitingWord[0] === 1;
  }
  set waiting(waiting: boolean) {
    this.#waitingWord[0] = waiting ? 1 : 0;
  }

  /** What LR has reserved, as `reservationWord` makes it; 0 for nothing. */
  get reservation(): bigint {
    return this.#reservation[0] ?? 0n;
  }
  set reservation(reserved: bigint) {
    this.#reservation[0] = reserved;
  }

  get mcycleBias(): bigint {
    return this.#biases[0] ?? 0n;
  }
  set mcycleBias(bias: bigint) {
    this.#biases[0] = bias;
  }
  get minstretBias(): bigint {
    return this.#biases[1] ?? 0n;
  }
  set minstretBias(bias: bigint) {
    this.#biases[1] = bias;
  }

  /** Bits of `mip` set by software. */
  get softwarePending(): bigint {
    return this.#pending[0] ?? 0n;
  }
  set softwarePending(bits: bigint) {
    this.#pending[0] = bits;
  }
  /** Bits of `mip` that wires assert. */
  get wiresPending(): bigint {
    return this.#pending[1] ?? 0n;
  }
  set wiresPending(bits: bigint) {
    this.#pending[1] = bits;
  }

  /** Guest external interrupts that wires assert: `hgeip`. */
  get guestExternal(): bigint {
    return this.#guestExternal[0] ?? 0n;
  }
  set guestExternal(bits: bigint) {
    this.#guestExternal[0] = bits;
  }

  /** A stored CSR, unsigned. */
  stored(name: StoredCsr): bigint {
    return this.csrs[slot(name)] ?? 0n;
  }

  /** Sets a stored CSR as it is, with no rule applied. */
  setStored(name: StoredCsr, value: bigint): void {
    this.csrs[slot(name)] = value;
  }
}

/** Slots by name, for the many places that know the name. */
function slot(name: StoredCsr): number {
  const found = storedCsrSlot(name);
  if (found === undefined) throw new RangeError(`${name} is not stored`);
  return found;
}
