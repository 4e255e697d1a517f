/** A hart: its state block, and the outside that it can ask or tell. */
import type { Bus } from "../bus/bus.ts";
import type { Clock } from "../bus/clock.ts";
import { type EventSink, NO_EVENTS } from "../bus/event-sink.ts";
import type { IrqLine } from "../bus/irq-line.ts";
import type { CsrName } from "../isa/csr-map.ts";
import type { FloatRegisterName } from "../isa/float-register.ts";
import type { Mode } from "../isa/mode.ts";
import type { RegisterName } from "../isa/register.ts";
import { INTERRUPT, type InterruptName } from "../isa/trap.ts";
import { type IsaVariant, STANDARD_ISA } from "../isa/variant.ts";
import { Attention } from "./attention.ts";
import { readCsr } from "./csr-read.ts";
import { HandlerTable } from "./handler-table.ts";
import type { RememberedTranslations } from "./remembered-translations.ts";
import { Reservations } from "./reservations.ts";
import { HartState } from "./state.ts";
import { SupervisorTimer } from "./supervisor-timer.ts";
import type { TrapEvent } from "./trap-event.ts";

/** What a hart is wired to. */
export interface HartWiring {
  /** The machine's memory. */
  readonly buffer: ArrayBuffer;
  /** First byte of this hart's state block. */
  readonly base?: number;
  /** `mhartid`. */
  readonly id?: number;
  /** How it differs from the manual's; not at all when left out. */
  readonly isa?: IsaVariant;
  readonly clock: Clock;
  /** The memory that it sees. Engines and explainers reach it through the hart; the hart itself does not. */
  readonly bus: Bus;
  readonly events?: EventSink;
  /** Shared by all harts of a board; one of its own when left out. */
  readonly reservations?: Reservations;
  /** What `hx` calls, shared by all harts of a board; none of its own when left out. */
  readonly handlers?: HandlerTable;
  /** The translations that it keeps until a fence; without, every access sees the tables as they are. */
  readonly remembered?: RememberedTranslations | undefined;
}

/**
 * One hart.
 *
 * @invariant Guest-visible state is in `state`, and in `remembered` where there is one. `attention` and the observers
 *            belong to the host and are not part of a snapshot; after replacing the state, call `stateReplaced`.
 */
export class Hart {
  readonly id: number;
  readonly isa: IsaVariant;
  readonly state: HartState;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly events: EventSink;
  /** Supervisor mode's timer; look at it again when `stimecmp` or `menvcfg` has changed. */
  readonly timer: SupervisorTimer;
  readonly reservations: Reservations;
  readonly handlers: HandlerTable;
  /** What a guest can see of translations that are older than the tables. */
  readonly remembered: RememberedTranslations | undefined;
  /** Bits of {@link Attention}; engines clear what they have attended to. */
  attention: number = Attention.ALL;
  readonly #trapObservers: ((event: TrapEvent) => void)[] = [];

  constructor(wiring: HartWiring) {
    const { buffer, base = 0, id = 0, clock, bus, events = NO_EVENTS, reservations } = wiring;
    this.id = id;
    this.isa = wiring.isa ?? STANDARD_ISA;
    this.state = new HartState(buffer, base);
    this.clock = clock;
    this.bus = bus;
    this.events = events;
    this.handlers = wiring.handlers ?? new HandlerTable();
    this.remembered = wiring.remembered;
    this.state.reset();
    this.reservations = reservations ?? new Reservations(bus.ram);
    this.reservations.join(this.state);
    this.timer = new SupervisorTimer(this.state, clock, () => {
      this.attention |= Attention.INTERRUPTS;
    });
  }

  /** Address of the next instruction. */
  get pc(): bigint {
    return this.state.pc;
  }
  set pc(address: bigint) {
    this.state.pc = address;
  }

  /** Privilege mode. */
  get mode(): Mode {
    return this.state.mode;
  }

  /** Instructions retired since reset. */
  get retired(): number {
    return Number(this.state.instret);
  }

  /** A register by name, unsigned. */
  read(register: RegisterName): bigint {
    return this.state.register(register);
  }

  /** Sets a register by name; x0 stays zero. */
  write(register: RegisterName, value: bigint): void {
    this.state.setRegister(register, value);
  }

  /** A floating-point register by name: 64 bits, with single precision boxed in the lower half. */
  readFloat(register: FloatRegisterName): bigint {
    return this.state.floatRegister(register);
  }

  /** Sets a floating-point register by name; `mstatus.FS` stays as it is. */
  writeFloat(register: FloatRegisterName, word: bigint): void {
    this.state.setFloatRegister(register, word);
  }

  /** A CSR as machine mode would read it, unsigned, with no side effect. */
  csr(name: CsrName): bigint {
    return readCsr(this, name);
  }

  /** Back to reset; the clock is the board's. */
  reset(pc?: bigint): void {
    const { wiresPending, guestExternal } = this.state;
    this.state.reset(pc);
    this.remembered?.forgetAll();
    this.state.wiresPending = wiresPending;
    this.state.guestExternal = guestExternal;
    this.stateReplaced();
  }

  /** Must be called after the state block was written from outside: by a restore or a debugger. */
  stateReplaced(): void {
    this.timer.compare();
    this.reservations.watch(this.state);
    this.attention = Attention.ALL;
  }

  /** Connects a wire to a bit of `mip`. */
  connect(line: IrqLine, name: InterruptName): void {
    const bit = 1n << BigInt(INTERRUPT[name]);
    line.connect((level) => {
      const { wiresPending } = this.state;
      this.state.wiresPending = level ? wiresPending | bit : wiresPending & ~bit;
      this.attention |= Attention.INTERRUPTS;
    });
  }

  /** Connects a wire to a bit of `hgeip`: an interrupt for the guest whose `hstatus.VGEIN` is this number. */
  connectGuestExternal(line: IrqLine, number: number): void {
    const bit = 1n << BigInt(number);
    line.connect((level) => {
      const { guestExternal } = this.state;
      this.state.guestExternal = level ? guestExternal | bit : guestExternal & ~bit;
      this.attention |= Attention.INTERRUPTS;
    });
  }

  /** Tells `observer` of each trap that this hart takes, after its CSRs are written. Returns how to stop. */
  onTrap(observer: (event: TrapEvent) => void): () => void {
    this.#trapObservers.push(observer);
    return () => {
      const index = this.#trapObservers.indexOf(observer);
      if (index >= 0) this.#trapObservers.splice(index, 1);
    };
  }

  /** Whether anybody listens to traps; building the event costs something. */
  get hasTrapObservers(): boolean {
    return this.#trapObservers.length > 0;
  }

  /** Hands a trap to the observers. */
  announceTrap(event: TrapEvent): void {
    for (const observer of [...this.#trapObservers]) observer(event);
  }
}
