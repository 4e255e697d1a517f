/** What an instruction sees of the hart when the reference engine executes it. */
import { getField } from "../../bits/field.ts";
import { asU64 } from "../../bits/int64.ts";
import type { Bus } from "../../bus/bus.ts";
import type { Alarm } from "../../bus/clock.ts";
import type { Width } from "../../bus/device.ts";
import { EventKind } from "../../bus/event-sink.ts";
import { PAGE_BYTES, PAGE_SHIFT } from "../../bus/machine-memory.ts";
import { Attention } from "../../hart/attention.ts";
import { csrDenied, isLeak } from "../../hart/csr-access.ts";
import { readCsr, readCsrToModify, readVisibleCsr } from "../../hart/csr-read.ts";
import { writeVisibleCsr } from "../../hart/csr-write.ts";
import { guestMode } from "../../hart/effective-mode.ts";
import type { Issue } from "../../hart/handler-table.ts";
import type { Hart } from "../../hart/hart.ts";
import { hypervisorBit } from "../../hart/hypervisor-status.ts";
import { enabledPending } from "../../hart/interrupts.ts";
import { isFloatOn, markFloatDirty, statusBit } from "../../hart/status.ts";
import { returnFromTrap } from "../../hart/trap-entry.ts";
import { type Vaddr, vaddr } from "../../isa/address.ts";
import { CSRS, type CsrName, csrAt } from "../../isa/csr-map.ts";
import type { FloatRegisterFile, FloatRegisterIndex } from "../../isa/float-register.ts";
import type { ExecContext, GuestLoad } from "../../isa/insn.ts";
import { MODE_NUMBER, type ModeNumber, privilegeOf } from "../../isa/mode.ts";
import type { RegisterFile, RegisterIndex } from "../../isa/register.ts";
import { boxed } from "../../isa/softfloat/conversion.ts";
import type { ExceptionName, Trap } from "../../isa/trap.ts";
import type { AddressSpace, Found } from "../../mmu/address-space.ts";
import type { Rights, TranslationFault } from "../../mmu/translate.ts";
import { AtomicMemory } from "./atomic-memory.ts";

const OFFSET_MASK = BigInt(PAGE_BYTES - 1);
const { VMID } = CSRS.hgatp.fields;

/** Loads that sign-extend, or not. */
type Extension = "signed" | "unsigned";

/**
 * The hart as instructions see it. Loads and stores first ask the translation cache where the access goes; what it does not
 * know takes the long way, which is also the whole truth. Each width has a method of its own, so that the short way is one
 * read or write of a typed array.
 *
 * Misaligned accesses: RAM performs them, within a page and across two, as on QEMU (a store across pages writes nothing
 * unless both halves are allowed; the half that fails is reported). A device answers naturally aligned accesses only; any
 * other is an access fault.
 * @spec norm:misaligned_ldst_eei_dependent_behavior
 */
export class ReferenceContext implements ExecContext {
  readonly x: RegisterFile;
  readonly f: FloatRegisterFile;
  readonly #atomics: AtomicMemory;
  readonly #pc: BigUint64Array;
  /** Where the next instruction is, if this one does not trap. */
  readonly nextPc = new BigUint64Array(1);
  readonly #hart: Hart;
  readonly #bus: Bus;
  readonly #space: AddressSpace;
  readonly #u8: Uint8Array;
  readonly #i8: Int8Array;
  readonly #u16: Uint16Array;
  readonly #i16: Int16Array;
  readonly #u32: Uint32Array;
  readonly #i32: Int32Array;
  readonly #i64: BigInt64Array;
  readonly #pageFlags: Uint8Array;
  readonly #issue: Issue;
  /** Rings behind an instruction that took the time of several, so that the board counts anew. */
  readonly #recount: Alarm;

  constructor(hart: Hart, bus: Bus, space: AddressSpace, issue: Issue) {
    const { ram } = bus;
    this.#hart = hart;
    this.#bus = bus;
    this.#space = space;
    this.#issue = issue;
    this.#recount = hart.clock.alarm(() => {});
    this.x = hart.state.registers;
    this.f = hart.state.floatRegisters;
    this.#atomics = new AtomicMemory(hart.state, hart.reservations, bus, space);
    this.#pc = hart.state.pcWord;
    this.#u8 = ram.u8;
    this.#i8 = new Int8Array(ram.u8.buffer, ram.u8.byteOffset, ram.sizeBytes);
    this.#u16 = ram.u16;
    this.#i16 = new Int16Array(ram.u8.buffer, ram.u8.byteOffset, ram.sizeBytes / 2);
    this.#u32 = ram.u32;
    this.#i32 = new Int32Array(ram.u8.buffer, ram.u8.byteOffset, ram.sizeBytes / 4);
    this.#i64 = ram.i64;
    this.#pageFlags = ram.pageFlags;
  }

  /** Address of the instruction that is executing. */
  get pc(): bigint {
    return this.#pc[0] as bigint;
  }

  get mode(): ModeNumber {
    return this.#hart.state.modeNumber;
  }

  /** Until a jump changes it, `nextPc` is the address behind this instruction. */
  get followingPc(): bigint {
    return this.nextPc[0] as bigint;
  }

  jump(target: bigint): undefined {
    this.nextPc[0] = target;
  }

  load8(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 1);
    if (at < 0) return this.#load(rd, address, 1, "signed");
    this.x[rd] = BigInt(this.#i8[at] as number);
    return undefined;
  }

  load8U(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 1);
    if (at < 0) return this.#load(rd, address, 1, "unsigned");
    this.x[rd] = BigInt(this.#u8[at] as number);
    return undefined;
  }

  load16(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 2);
    if (at < 0) return this.#load(rd, address, 2, "signed");
    this.x[rd] = BigInt(this.#i16[at >>> 1] as number);
    return undefined;
  }

  load16U(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 2);
    if (at < 0) return this.#load(rd, address, 2, "unsigned");
    this.x[rd] = BigInt(this.#u16[at >>> 1] as number);
    return undefined;
  }

  load32(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 4);
    if (at < 0) return this.#load(rd, address, 4, "signed");
    this.x[rd] = BigInt(this.#i32[at >>> 2] as number);
    return undefined;
  }

  load32U(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 4);
    if (at < 0) return this.#load(rd, address, 4, "unsigned");
    this.x[rd] = BigInt(this.#u32[at >>> 2] as number);
    return undefined;
  }

  load64(rd: RegisterIndex, address: bigint): Trap | undefined {
    const at = this.#space.cache.locateLoad(address, 8);
    if (at < 0) return this.#load(rd, address, 8, "signed");
    this.x[rd] = this.#i64[at >>> 3] as bigint;
    return undefined;
  }

  store8(address: bigint, rs2: RegisterIndex): Trap | undefined {
    const at = this.#space.cache.locateStore(address, 1);
    if (at < 0) return this.#store(address, this.x[rs2], 1);
    this.#announce(at, 1);
    this.#u8[at] = Number(BigInt.asUintN(8, this.x[rs2]));
    return undefined;
  }

  store16(address: bigint, rs2: RegisterIndex): Trap | undefined {
    const at = this.#space.cache.locateStore(address, 2);
    if (at < 0) return this.#store(address, this.x[rs2], 2);
    this.#announce(at, 2);
    this.#u16[at >>> 1] = Number(BigInt.asUintN(16, this.x[rs2]));
    return undefined;
  }

  store32(address: bigint, rs2: RegisterIndex): Trap | undefined {
    const at = this.#space.cache.locateStore(address, 4);
    if (at < 0) return this.#store(address, this.x[rs2], 4);
    this.#announce(at, 4);
    this.#i32[at >>> 2] = Number(BigInt.asIntN(32, this.x[rs2]));
    return undefined;
  }

  store64(address: bigint, rs2: RegisterIndex): Trap | undefined {
    const at = this.#space.cache.locateStore(address, 8);
    if (at < 0) return this.#store(address, this.x[rs2], 8);
    this.#announce(at, 8);
    this.#i64[at >>> 3] = this.x[rs2];
    return undefined;
  }

  /** A page with a flag has somebody who wants to hear of the store first. */
  #announce(at: number, widthBytes: number): void {
    const page = at >>> PAGE_SHIFT;
    if (this.#pageFlags[page] !== 0) this.#bus.ram.beforeStore(page, at, widthBytes);
  }

  /** Any load: devices, misaligned addresses, first touches of a page, faults. */
  #load(rd: RegisterIndex, address: bigint, width: Width, extension: Extension): Trap | undefined {
    const value = this.#read(address, width, undefined);
    if (typeof value !== "bigint") return value;
    const extend = extension === "signed" ? BigInt.asIntN : BigInt.asUintN;
    this.x[rd] = extend(width * 8, value);
    return undefined;
  }

  #read(address: bigint, width: Width, rights: Rights | undefined): bigint | Trap {
    const from = vaddr(address);
    return isInsidePage(from, width)
      ? this.#loadInPage(from, width, rights)
      : this.#loadAcross(from, width, rights);
  }

  /** With the hart's own rights, or with others. */
  #translate(
    address: Vaddr,
    kind: "load" | "store",
    lengthBytes: number,
    rights: Rights | undefined,
  ): Found | TranslationFault {
    return rights === undefined
      ? this.#space.translate(address, kind, lengthBytes)
      : this.#space.translateAs(rights, address, kind, lengthBytes);
  }

  #loadInPage(from: Vaddr, width: Width, rights: Rights | undefined): bigint | Trap {
    const found = this.#translate(from, "load", width, rights);
    if (found.kind !== "translation") return this.#space.refusal(found, "load", from, rights?.mode);
    if (rights?.needsExecute && typeof this.#bus.fetch(Number(found.paddr)) !== "bigint")
      return this.#space.refusal(undefined, "load", from, rights.mode);
    const value = this.#bus.load(Number(found.paddr), width, this.#hart.id);
    return typeof value === "bigint" ? value : this.#space.refusal(undefined, "load", from, rights?.mode);
  }

  /** A load that spans two pages; both halves must be RAM. The address of the half that fails is reported. */
  #loadAcross(from: Vaddr, width: Width, rights: Rights | undefined): bigint | Trap {
    const halves = this.#bothPages(from, width, "load", rights);
    if (!("low" in halves)) return halves;
    let value = 0n;
    for (let index = width - 1; index >= 0; index--) {
      const offset = index < halves.lowBytes ? halves.low + index : halves.high + index - halves.lowBytes;
      value = (value << 8n) | this.#bus.ram.load(offset, 1);
    }
    return value;
  }

  #store(address: bigint, value: bigint, width: Width, rights?: Rights): Trap | undefined {
    const to = vaddr(address);
    if (!isInsidePage(to, width)) return this.#storeAcross(to, value, width, rights);
    const found = this.#translate(to, "store", width, rights);
    if (found.kind !== "translation") return this.#space.refusal(found, "store", to, rights?.mode);
    const refused = this.#bus.store(Number(found.paddr), width, value, this.#hart.id);
    return refused === undefined ? undefined : this.#space.refusal(undefined, "store", to, rights?.mode);
  }

  /** A store that spans two pages writes nothing unless it may write both halves. */
  #storeAcross(to: Vaddr, value: bigint, width: Width, rights: Rights | undefined): Trap | undefined {
    const halves = this.#bothPages(to, width, "store", rights);
    if (!("low" in halves)) return halves;
    for (let index = 0; index < width; index++) {
      const offset = index < halves.lowBytes ? halves.low + index : halves.high + index - halves.lowBytes;
      this.#bus.ram.store(offset, 1, (value >> BigInt(index * 8)) & 0xffn);
    }
    return undefined;
  }

  /** Offsets in RAM of the two halves of an access that spans two pages. */
  #bothPages(
    first: Vaddr,
    width: Width,
    kind: "load" | "store",
    rights: Rights | undefined,
  ): { low: number; high: number; lowBytes: number } | Trap {
    const second = vaddr((first | OFFSET_MASK) + 1n); // norm:H_straddle
    const lowBytes = Number(BigInt.asUintN(64, second - first));
    const low = this.#ramOffset(first, lowBytes, kind, rights);
    if (typeof low !== "number") return low;
    const high = this.#ramOffset(second, width - lowBytes, kind, rights);
    if (typeof high !== "number") return high;
    return { low, high, lowBytes };
  }

  #ramOffset(
    address: Vaddr,
    lengthBytes: number,
    kind: "load" | "store",
    rights: Rights | undefined,
  ): number | Trap {
    const { ram } = this.#bus;
    const found = this.#translate(address, kind, lengthBytes, rights);
    if (found.kind !== "translation") return this.#space.refusal(found, kind, address, rights?.mode);
    const offset = Number(found.paddr) - ram.base;
    const isRam = offset >= 0 && offset + lengthBytes <= ram.sizeBytes;
    return isRam ? offset : this.#space.refusal(undefined, kind, address, rights?.mode);
  }

  /** @spec norm:hlsv_op @spec norm:hlsv_priv */
  loadAsGuest(rd: RegisterIndex, address: bigint, shape: GuestLoad): Trap | undefined {
    const { widthBytes, signed, right } = shape;
    const rights = { mode: guestMode(this.#hart.state), needsExecute: right === "execute" };
    const value = this.#read(address, widthBytes, rights);
    if (typeof value !== "bigint") return value;
    this.x[rd] = signed ? BigInt.asIntN(widthBytes * 8, value) : BigInt.asUintN(widthBytes * 8, value);
    return undefined;
  }

  /** @spec norm:hlsv_op @spec norm:hlsv_priv */
  storeAsGuest(address: bigint, rs2: RegisterIndex, widthBytes: Width): Trap | undefined {
    const rights = { mode: guestMode(this.#hart.state), needsExecute: false };
    return this.#store(address, this.x[rs2], widthBytes, rights);
  }

  loadReserved(rd: RegisterIndex, address: bigint, widthBytes: 4 | 8): Trap | undefined {
    const value = this.#atomics.loadReserved(address, widthBytes);
    if (typeof value !== "bigint") return value;
    this.x[rd] = value;
    return undefined;
  }

  storeConditional(
    rd: RegisterIndex,
    address: bigint,
    rs2: RegisterIndex,
    widthBytes: 4 | 8,
  ): Trap | undefined {
    const isStored = this.#atomics.storeConditional(address, this.x[rs2], widthBytes);
    if (typeof isStored !== "boolean") return isStored;
    this.x[rd] = isStored ? 0n : 1n; // norm:sc_failure_code
    return undefined;
  }

  modifyMemory(
    rd: RegisterIndex,
    address: bigint,
    widthBytes: 4 | 8,
    change: (old: bigint) => bigint,
  ): Trap | undefined {
    const old = this.#atomics.modify(address, widthBytes, change);
    if (typeof old !== "bigint") return old;
    this.x[rd] = old;
    return undefined;
  }

  get floatIsOn(): boolean {
    return isFloatOn(this.#hart.state);
  }

  get dynamicRounding(): number {
    return Number(readCsr(this.#hart, "frm"));
  }

  setFloat(rd: FloatRegisterIndex, word: bigint): void {
    this.f[rd] = word;
    markFloatDirty(this.#hart.state);
  }

  accrueFlags(flags: number): void {
    if (flags === 0) return;
    const { state } = this.#hart;
    state.setStored("fcsr", state.stored("fcsr") | BigInt(flags));
    markFloatDirty(state);
  }

  /** @spec norm:fsw_flw_op @spec norm:fld_op */
  loadFloat(rd: FloatRegisterIndex, address: bigint, widthBytes: 4 | 8): Trap | undefined {
    const value = this.#read(address, widthBytes, undefined);
    if (typeof value !== "bigint") return value;
    this.setFloat(rd, widthBytes === 4 ? boxed(value) : value);
    return undefined;
  }

  storeFloat(address: bigint, rs2: FloatRegisterIndex, widthBytes: 4 | 8): Trap | undefined {
    return this.#store(address, this.f[rs2], widthBytes);
  }

  csrDenied(csr: number, writes: boolean): ExceptionName | undefined {
    return csrDenied(this.#hart, csr, writes);
  }

  readCsr(csr: number): bigint {
    return readVisibleCsr(this.#hart, knownCsr(csr));
  }

  readCsrToModify(csr: number): bigint {
    return readCsrToModify(this.#hart, knownCsr(csr));
  }

  writeCsr(csr: number, value: bigint): void {
    const { events, clock, id, state, isa } = this.#hart;
    if (privilegeOf(state.modeNumber) !== MODE_NUMBER.U) {
      events.record(
        EventKind.CSR_WRITE,
        id,
        state.modeNumber,
        clock.retired,
        BigInt(csr),
        asU64(value),
        state.pc,
      );
    }
    if (!isLeak(isa, state.modeNumber, csr)) writeVisibleCsr(this.#hart, knownCsr(csr), value);
  }

  get hasHypervisor(): boolean {
    return this.#hart.isa.hypervisor;
  }

  status(bit: "TVM" | "TW" | "TSR"): boolean {
    return statusBit(this.#hart.state.stored("mstatus"), bit);
  }

  hypervisorStatus(bit: "VTVM" | "VTW" | "VTSR" | "HU"): boolean {
    return hypervisorBit(this.#hart.state, bit);
  }

  returnFromTrap(handler: "M" | "S"): Trap | undefined {
    this.nextPc[0] = returnFromTrap(this.#hart, handler);
    return undefined;
  }

  /** The sleep ends when an interrupt is pending and enabled in `mie`; then the engine stops waiting. */
  waitForInterrupt(): void {
    if (enabledPending(this.#hart.state) === 0n) this.#hart.state.waiting = true;
  }

  /** Where translations never outlive the entries that they were read from, there is nothing to do. @spec norm:sfence_vma_op */
  fenceTranslations(address: bigint | undefined, id: bigint | undefined): void {
    const { remembered } = this.#hart;
    if (remembered === undefined) return;
    remembered.fenceSupervisor({ address, id });
    this.#hart.attention |= Attention.TRANSLATIONS;
  }

  /** The same for a guest's. HFENCE.GVMA has its address shifted right by 2. @spec norm:hfence-vvma_hfence-gvma_op */
  fenceGuestTranslations(stage: "vs" | "g", address: bigint | undefined, id: bigint | undefined): void {
    const { remembered, state } = this.#hart;
    if (remembered === undefined) return;
    if (stage === "vs") remembered.fenceGuest(getField(state.stored("hgatp"), VMID), { address, id });
    else remembered.fenceSecondStage({ address: address === undefined ? undefined : address << 2n, id });
    this.#hart.attention |= Attention.TRANSLATIONS;
  }

  /** Nothing to do: fetches always see the newest bytes. */
  fenceInstructions(): void {}

  hasHandler(number: number): boolean {
    return this.#hart.handlers.get(number) !== undefined;
  }

  /** The handler's own instructions retire one by one, within this step. One that is not at its end is called again by the same `hx`. */
  callHandler(number: number): Trap | undefined {
    const { events, clock, id, state, handlers } = this.#hart;
    events.record(EventKind.HX_CALL, id, state.modeNumber, clock.retired, BigInt(number), state.pc, 0n);
    const outcome = handlers.get(number)?.({ hart: this.#hart, issue: this.#issue });
    this.#recount.set(clock.now);
    return outcome === "unfinished" ? this.jump(this.pc) : outcome;
  }
}

const isInsidePage = (address: Vaddr, widthBytes: number): boolean =>
  (address & OFFSET_MASK) + BigInt(widthBytes) <= BigInt(PAGE_BYTES);

/** The CSR that `csrDenied` has let pass. */
function knownCsr(csr: number): CsrName {
  const name = csrAt(csr);
  if (name === undefined) throw new RangeError(`no CSR at ${csr}`);
  return name;
}
