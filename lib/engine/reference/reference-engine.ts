/**
 * The reference engine: the CPU that you read.
 *
 * One step: take an interrupt if one is due, else fetch an instruction, execute its record, and retire it or take the trap
 * that it raised. Two accelerations stand beside it, each switchable: the decode memo and the translation cache.
 */
import type { Bus } from "../../bus/bus.ts";
import { Attention } from "../../hart/attention.ts";
import type { AccessKind } from "../../hart/effective-mode.ts";
import type { Hart } from "../../hart/hart.ts";
import { enabledPending, interruptToTake } from "../../hart/interrupts.ts";
import { enterTrap } from "../../hart/trap-entry.ts";
import { type Vaddr, vaddr } from "../../isa/address.ts";
import { type Decoded, decodeOrIllegal } from "../../isa/decode.ts";
import { instructionBytes } from "../../isa/encoding.ts";
import { isVirtual } from "../../isa/mode.ts";
import { withInstruction } from "../../isa/transformed.ts";
import { exception, inGuest, interrupt, type Trap } from "../../isa/trap.ts";
import type { AccessWatch } from "../../mmu/access-watch.ts";
import { AddressSpace } from "../../mmu/address-space.ts";
import type { FenceChecker } from "../../mmu/fence-checker.ts";
import type { TranslationMemory } from "../../mmu/translation-memory.ts";
import type { EngineStop, SlowPath, StopCondition } from "../engine.ts";
import { ReferenceContext } from "./context.ts";
import type { InstructionSource } from "./decode-memo.ts";

/** What a reference engine works with. */
export interface ReferenceParts {
  readonly hart: Hart;
  readonly bus: Bus;
  /** Shared by all harts of a board. */
  readonly memo: InstructionSource;
  /** What remembers its translations. */
  readonly translations: TranslationMemory;
  /** Looks at each use of a remembered translation. Shared by all harts of a board. */
  readonly checker?: FenceChecker | undefined;
}

/** What a fetch reads at once: instructions consist of one or two parcels. */
const PARCEL_BYTES = 2;

/** One hart's reference engine. Make it with `createReferenceEngines`. */
export class ReferenceEngine implements SlowPath {
  readonly name = "reference";
  readonly #hart: Hart;
  readonly #bus: Bus;
  readonly #memo: InstructionSource;
  readonly #space: AddressSpace;
  readonly #context: ReferenceContext;
  readonly #x: BigInt64Array;
  readonly #pc: BigUint64Array;
  readonly #pcHalves: Int32Array;
  readonly #nextPc: BigUint64Array;
  readonly #instret: BigUint64Array;
  /** The exception that the last fetch raised when it gave no instruction; undefined where a debugger stopped it. */
  #fetchTrap: Trap | undefined;

  constructor({ hart, bus, memo, translations, checker }: ReferenceParts) {
    this.#hart = hart;
    this.#bus = bus;
    this.#memo = memo;
    this.#space = new AddressSpace(hart, bus, translations, checker);
    this.#context = new ReferenceContext(hart, bus, this.#space, (insn) => this.#issue(insn));
    this.#x = hart.state.x;
    this.#pc = hart.state.pcWord;
    this.#pcHalves = hart.state.pcHalves;
    this.#nextPc = this.#context.nextPc;
    this.#instret = hart.state.instretWord;
  }

  run(budgetSteps: number, until?: StopCondition): EngineStop {
    const { reservations, state } = this.#hart;
    reservations.storing = state;
    const stop = this.#steps(budgetSteps, until);
    reservations.storing = undefined;
    return stop;
  }

  #steps(budgetSteps: number, until: StopCondition | undefined): EngineStop {
    const { clock } = this.#hart;
    let steps = 0;
    while (steps < budgetSteps) {
      if (clock.retired >= clock.alarmAtRetired) return { reason: "alarm", steps };
      if (this.#hart.state.waiting && this.#staysAsleep()) return { reason: "waiting", steps };
      const trap = this.#step();
      steps += 1;
      if (until !== undefined && this.#holds(until, trap)) return { reason: "condition", steps };
    }
    return { reason: "steps", steps };
  }

  step(): Trap | undefined {
    const { reservations, state } = this.#hart;
    if (state.waiting && this.#staysAsleep()) return undefined;
    reservations.storing = state;
    const trap = this.#step();
    reservations.storing = undefined;
    return trap;
  }

  watch(watch: AccessWatch | undefined): void {
    this.#space.watch = watch;
  }

  isAsleep(): boolean {
    return this.#hart.state.waiting && enabledPending(this.#hart.state) === 0n;
  }

  settle(): boolean {
    if (this.#hart.attention === 0) return true;
    this.#attendToTranslations();
    const isInterrupted = interruptToTake(this.#hart.state) !== undefined;
    this.#hart.attention = isInterrupted ? Attention.INTERRUPTS : 0;
    return !isInterrupted;
  }

  foresee(address: bigint): void {
    this.#space.foresee(vaddr(address));
  }

  lookUp(address: bigint, kind: AccessKind): void {
    this.#space.lookUp(vaddr(address), kind);
  }

  /** An instruction, or a trap. */
  #step(): Trap | undefined {
    const trap = this.#attend() ?? this.#instruction();
    if (trap !== undefined) enterTrap(this.#hart, trap);
    return trap;
  }

  /** Fetches, executes, retires. What it returns is the exception instead. */
  #instruction(): Trap | undefined {
    const insn = this.#fetch();
    if (insn === undefined) return this.#fetchTrap;
    this.#nextPc[0] = (this.#pc[0] as bigint) + (insn.sizeBytes === 4 ? 4n : 2n);
    const trap = insn.execute(this.#context, insn);
    this.#x[0] = 0n; // norm:x0eq0
    if (trap === undefined) {
      this.#retire();
      return undefined;
    }
    return withInstruction(trap, insn, this.#x[insn.rs1] as bigint);
  }

  /** One instruction of a handler, which stands where the `hx` does that called it; `pc` stays. Alarms ring, interrupts wait. */
  #issue(insn: Decoded): Trap | undefined {
    this.#attendToTranslations();
    const trap = insn.execute(this.#context, insn);
    this.#x[0] = 0n;
    if (trap !== undefined) return withInstruction(trap, insn, this.#x[insn.rs1] as bigint);
    this.#instret[0] = (this.#instret[0] as bigint) + 1n;
    this.#hart.clock.retired += 1;
    this.#ringDue();
    return undefined;
  }

  /** What devices store while they ring is no store of this hart. */
  #ringDue(): void {
    const { clock, reservations, state } = this.#hart;
    if (clock.retired < clock.alarmAtRetired) return;
    reservations.storing = undefined;
    clock.ringDue();
    reservations.storing = state;
  }

  #retire(): void {
    this.#pc[0] = this.#nextPc[0] as bigint;
    this.#instret[0] = (this.#instret[0] as bigint) + 1n;
    this.#hart.clock.retired += 1;
  }

  #fetch(): Decoded | undefined {
    const offset = this.#space.cache.locateFetch(this.#pcHalves[0] as number, this.#pcHalves[1] as number);
    return (offset < 0 ? undefined : this.#memo.at(offset)) ?? this.#fetchSlowly();
  }

  /**
   * Fetches parcel by parcel: each is translated by itself, for the second may be in another page. A fault names the
   * parcel that could not be read.
   * @spec norm:mtval_varlen_wr
   */
  #fetchSlowly(): Decoded | undefined {
    const address = vaddr(this.#pc[0] as bigint);
    // No instruction leads to an odd address; a debugger or an image may.
    if ((address & 1n) !== 0n) {
      const { modeNumber } = this.#hart.state;
      const trap = exception("instructionAddressMisaligned", address);
      return this.#fetchFails(inGuest(trap, isVirtual(modeNumber)));
    }
    const first = this.#fetchParcel(address);
    if (first === undefined) return undefined;
    if (this.#space.stopsHere()) return this.#fetchFails(undefined);
    if (instructionBytes(first) === PARCEL_BYTES) return decodeOrIllegal(first);
    const second = this.#fetchParcel(vaddr(address + BigInt(PARCEL_BYTES)));
    return second === undefined ? undefined : decodeOrIllegal((second << 16) | first);
  }

  /** 16 bits from RAM or from whatever device holds instructions there. */
  #fetchParcel(address: Vaddr): number | undefined {
    const found = this.#space.translate(address, "fetch", PARCEL_BYTES);
    if (found.kind !== "translation") return this.#fetchFails(this.#space.refusal(found, "fetch", address));
    const parcel = this.#bus.fetch(Number(found.paddr));
    return typeof parcel === "bigint"
      ? Number(parcel)
      : this.#fetchFails(this.#space.refusal(undefined, "fetch", address));
  }

  #fetchFails(trap: Trap | undefined): undefined {
    this.#fetchTrap = trap;
  }

  /** Looks at what has changed since the last step; the interrupt that is due, if any. */
  #attend(): Trap | undefined {
    if (this.#hart.attention === 0) return undefined;
    this.#attendToTranslations();
    this.#hart.attention = 0;
    const code = interruptToTake(this.#hart.state);
    return code === undefined ? undefined : interrupt(code);
  }

  #attendToTranslations(): void {
    const { attention, state } = this.#hart;
    if ((attention & Attention.TRANSLATIONS) !== 0) this.#space.forget();
    if ((attention & Attention.ADDRESS_SPACE) !== 0) this.#space.cache.changeAddressSpace();
    if ((attention & Attention.ACCESS_CONTEXT) !== 0) this.#space.cache.selectContext(state);
    this.#hart.attention &= Attention.INTERRUPTS;
  }

  /** Whether nothing ends the sleep of a waiting hart. @spec norm:wfi_intr_dis */
  #staysAsleep(): boolean {
    if (enabledPending(this.#hart.state) === 0n) return true;
    this.#hart.state.waiting = false;
    return false;
  }

  #holds({ pc, mode, trap: stopsAtTrap }: StopCondition, trap: Trap | undefined): boolean {
    const { state } = this.#hart;
    return (
      (pc !== undefined && state.pc === pc) ||
      (mode !== undefined && state.mode === mode) ||
      (stopsAtTrap === true && trap !== undefined)
    );
  }
}
