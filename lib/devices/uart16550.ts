/**
 * 16550A serial port: all twelve registers, the receive FIFO, five interrupt sources on one line.
 *
 * Sending takes no guest time: a byte is out before the next instruction, so the transmitter is always empty. Word
 * length, parity and break are remembered and otherwise ignored, as on QEMU. Baud rate matters in one place: the
 * character timeout of the receive FIFO.
 *
 * @spec PC16550D (National Semiconductor, June 1995), sections named at each register
 */
import { type Alarm, type Clock, INSNS_PER_SECOND } from "../bus/clock.ts";
import type { AccessFault, Device, DeviceState, Width } from "../bus/device.ts";
import { IrqLine } from "../bus/irq-line.ts";
import { Fcr, Ier, Iir, Lcr, Lsr, Mcr, Msr, UartOffset } from "./uart-registers.ts";

const FIFO_BYTES = 16;
/** Bytes in the FIFO that raise "received", by the top two bits of FCR. */
const TRIGGER_BYTES = [1, 4, 8, 14] as const;
/** Input clock of the baud generator on QEMU's `virt`, in hertz; the device tree says the same. */
export const UART_CLOCK_HERTZ = 3_686_400;
/** The other end of the cable is there and ready. */
const CABLE_LEVELS = Msr.CTS | Msr.DSR | Msr.DCD;

/** Everything that a guest can change, one number each: what `save` returns besides the queues. */
const AT_RESET = {
  ier: 0,
  fifoOn: 0,
  trigger: 1,
  lcr: 0,
  mcr: Mcr.OUT2 as number,
  scr: 0,
  divisor: 12,
  lineErrors: 0,
  modemChanges: 0,
  /** The transmitter-empty interrupt has been earned and not yet seen. */
  emptyPending: 0,
  timeoutPending: 0,
  /** When the character timeout falls due, in instruction times; −1: never. */
  timeoutAtInsns: -1,
  /** Last byte that came in while in 16450 mode; RBR goes on showing it. */
  held: 0,
};

/** The serial port. */
export class Uart16550 implements Device {
  readonly name = "uart";
  readonly sizeBytes = 8;
  /** Interrupt request, active high. */
  readonly line = new IrqLine("uart");
  readonly #clock: Clock;
  readonly #onByte: (byte: number) => void;
  readonly #timeout: Alarm;
  #registers = { ...AT_RESET };
  /** Received and not yet read: one byte in 16450 mode, up to sixteen in FIFO mode. */
  #received: number[] = [];
  /** Sent by the other end, which holds it back until there is room. */
  #onTheWire: number[] = [];

  /** @param onByte  Hears of each byte that leaves the port. */
  constructor(clock: Clock, onByte: (byte: number) => void) {
    this.#clock = clock;
    this.#onByte = onByte;
    this.#timeout = clock.alarm(() => this.#onTimeout());
  }

  /** Sends bytes to the port from outside. None is lost: hardware flow control holds them until the guest reads. */
  receive(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#onTheWire.push(byte & 0xff);
    this.#admit();
  }

  /** Registers are bytes at every offset; a wider access sees the one register at its offset, as on QEMU. */
  load(offset: number, _width: Width): bigint | AccessFault {
    return BigInt(this.#read(offset));
  }

  store(offset: number, _width: Width, value: bigint): AccessFault | undefined {
    this.#write(offset, Number(value & 0xffn));
    return undefined;
  }

  reset(): void {
    this.#registers = { ...AT_RESET };
    this.#received = [];
    this.#onTheWire = [];
    this.#timeout.cancel();
    this.#drive();
  }

  save(): DeviceState {
    return { ...this.#registers, received: [...this.#received], onTheWire: [...this.#onTheWire] };
  }

  restore(state: DeviceState): void {
    const { received, onTheWire, ...registers } = state;
    this.#registers = registers as typeof AT_RESET;
    this.#received = [...(received as number[])];
    this.#onTheWire = [...(onTheWire as number[])];
    if (this.#registers.timeoutAtInsns >= 0) this.#timeout.set(this.#registers.timeoutAtInsns);
    else this.#timeout.cancel();
    this.#drive();
  }

  #read(offset: number): number {
    const registers = this.#registers;
    switch (offset) {
      case UartOffset.RBR:
        return this.#latched() ? registers.divisor & 0xff : this.#take();
      case UartOffset.IER:
        return this.#latched() ? registers.divisor >> 8 : registers.ier;
      case UartOffset.IIR:
        return this.#identify();
      case UartOffset.LCR:
        return registers.lcr;
      case UartOffset.MCR:
        return registers.mcr;
      case UartOffset.LSR:
        return this.#lineStatus();
      case UartOffset.MSR:
        return this.#modemStatus();
      default:
        return registers.scr;
    }
  }

  #write(offset: number, byte: number): void {
    const registers = this.#registers;
    switch (offset) {
      case UartOffset.THR:
        if (this.#latched()) registers.divisor = (registers.divisor & 0xff00) | byte;
        else this.#send(byte);
        break;
      case UartOffset.IER:
        if (this.#latched()) registers.divisor = (registers.divisor & 0xff) | (byte << 8);
        else this.#enable(byte & Ier.ALL);
        break;
      case UartOffset.FCR:
        this.#controlFifo(byte);
        break;
      case UartOffset.LCR:
        registers.lcr = byte;
        break;
      case UartOffset.MCR:
        this.#controlModem(byte & Mcr.ALL);
        break;
      case UartOffset.SCR:
        registers.scr = byte;
        break;
      default: // LSR and MSR take no stores.
    }
    this.#drive();
  }

  #latched(): boolean {
    return (this.#registers.lcr & Lcr.DLAB) !== 0;
  }

  /** THR: the byte is out at once, so the holding register is empty again and may interrupt again. */
  #send(byte: number): void {
    this.#registers.emptyPending = 1;
    if ((this.#registers.mcr & Mcr.LOOP) === 0) this.#onByte(byte);
    else this.#arrive(byte);
  }

  /** RBR: reading frees a place, and more may come in from the wire. */
  #take(): number {
    const registers = this.#registers;
    const next = this.#received.shift();
    registers.timeoutPending = 0;
    const byte = registers.fifoOn === 0 ? registers.held : (next ?? 0);
    this.#armTimeout();
    this.#admit();
    return byte;
  }

  /** IER: turning the transmitter interrupt on while the transmitter is empty (it always is) earns one. */
  #enable(enabled: number): void {
    const changed = this.#registers.ier ^ enabled;
    this.#registers.ier = enabled;
    if ((changed & Ier.TRANSMITTER_EMPTY) !== 0) {
      this.#registers.emptyPending = (enabled & Ier.TRANSMITTER_EMPTY) === 0 ? 0 : 1;
    }
  }

  /** IIR: reading it takes back the transmitter interrupt if that is what it showed ("Interrupt Identification Register"). */
  #identify(): number {
    const source = this.#source();
    if (source === Iir.TRANSMITTER_EMPTY) {
      this.#registers.emptyPending = 0;
      this.#drive();
    }
    return this.#registers.fifoOn === 0 ? source : source | Iir.FIFO_ON;
  }

  /** FCR: turning FIFOs on or off empties them; the other bits count only with bit 0 set ("FIFO Control Register"). */
  #controlFifo(byte: number): void {
    const registers = this.#registers;
    const fifoOn = byte & Fcr.ENABLE;
    const turned = fifoOn !== registers.fifoOn;
    registers.fifoOn = fifoOn;
    if (fifoOn !== 0) registers.trigger = TRIGGER_BYTES[(byte >> 6) as 0 | 1 | 2 | 3];
    const clears = (bit: number): boolean => turned || (fifoOn !== 0 && (byte & bit) !== 0);
    // Emptying the transmitter earns its interrupt ("FIFO Interrupt Mode Operation").
    if (clears(Fcr.CLEAR_TRANSMITTER)) registers.emptyPending = 1;
    if (clears(Fcr.CLEAR_RECEIVER)) this.#clearReceiver();
  }

  #clearReceiver(): void {
    this.#received = [];
    this.#registers.timeoutPending = 0;
    this.#armTimeout();
    this.#admit();
  }

  /** MCR: in loopback its four outputs feed the modem inputs ("Modem Control Register", bit 4). */
  #controlModem(byte: number): void {
    const before = this.#modemLevels();
    this.#registers.mcr = byte;
    const after = this.#modemLevels();
    const changed = ((before ^ after) & ~Msr.RI) >> 4;
    const ringEnded = (before & ~after & Msr.RI) === 0 ? 0 : Msr.RI_ENDED;
    this.#registers.modemChanges |= changed | ringEnded;
    if ((byte & Mcr.LOOP) === 0) this.#admit();
  }

  #lineStatus(): number {
    const ready = this.#received.length > 0 ? Lsr.DATA_READY : 0;
    const status = Lsr.TRANSMITTER_IDLE | this.#registers.lineErrors | ready;
    this.#registers.lineErrors = 0;
    this.#drive();
    return status;
  }

  #modemStatus(): number {
    const status = this.#modemLevels() | this.#registers.modemChanges;
    this.#registers.modemChanges = 0;
    this.#drive();
    return status;
  }

  #modemLevels(): number {
    const { mcr } = this.#registers;
    if ((mcr & Mcr.LOOP) === 0) return CABLE_LEVELS;
    const clearToSend = (mcr & Mcr.RTS) === 0 ? 0 : Msr.CTS;
    const dataSetReady = (mcr & Mcr.DTR) === 0 ? 0 : Msr.DSR;
    const ring = (mcr & Mcr.OUT1) === 0 ? 0 : Msr.RI;
    const carrier = (mcr & Mcr.OUT2) === 0 ? 0 : Msr.DCD;
    return clearToSend | dataSetReady | ring | carrier;
  }

  #capacity(): number {
    return this.#registers.fifoOn === 0 ? 1 : FIFO_BYTES;
  }

  /** Lets bytes in from the wire while there is room. In loopback the wire is cut. */
  #admit(): void {
    while ((this.#registers.mcr & Mcr.LOOP) === 0 && this.#received.length < this.#capacity()) {
      const byte = this.#onTheWire.shift();
      if (byte === undefined) break;
      this.#arrive(byte);
    }
    this.#drive();
  }

  /** A byte is in the receiver. With no room it is lost in FIFO mode and takes the old one's place in 16450 mode. */
  #arrive(byte: number): void {
    if (this.#registers.fifoOn === 0) this.#registers.held = byte;
    if (this.#received.length < this.#capacity()) this.#received.push(byte);
    else {
      this.#registers.lineErrors |= Lsr.OVERRUN;
      if (this.#registers.fifoOn === 0) this.#received = [byte];
    }
    this.#armTimeout();
  }

  /** Starts the character timeout anew: four character times without a byte in or out ("FIFO Interrupt Mode Operation"). */
  #armTimeout(): void {
    const waiting = this.#registers.fifoOn !== 0 && this.#received.length > 0;
    this.#registers.timeoutAtInsns = waiting ? this.#clock.now + 4 * this.#characterInsns() : -1;
    if (waiting) this.#timeout.set(this.#registers.timeoutAtInsns);
    else this.#timeout.cancel();
  }

  #onTimeout(): void {
    this.#registers.timeoutAtInsns = -1;
    this.#registers.timeoutPending = 1;
    this.#drive();
  }

  /** Instruction times of one character at the programmed rate. A divisor of zero, which stops real clocks, counts as one. */
  #characterInsns(): number {
    const { lcr, divisor } = this.#registers;
    const parityBits = (lcr & Lcr.PARITY) === 0 ? 0 : 1;
    const stopBits = (lcr & Lcr.TWO_STOPS) === 0 ? 1 : 2;
    const bits = 1 + 5 + (lcr & Lcr.WORD_LENGTH) + parityBits + stopBits;
    return Math.ceil((bits * 16 * Math.max(1, divisor) * INSNS_PER_SECOND) / UART_CLOCK_HERTZ);
  }

  /** The pending interrupt of highest priority, as IIR shows it. */
  #source(): number {
    const { ier, lineErrors, timeoutPending, emptyPending, modemChanges, fifoOn, trigger } = this.#registers;
    const enough = this.#received.length >= (fifoOn === 0 ? 1 : trigger);
    if ((ier & Ier.LINE_STATUS) !== 0 && (lineErrors & Lsr.ERRORS) !== 0) return Iir.LINE_STATUS;
    if ((ier & Ier.RECEIVED) !== 0 && timeoutPending !== 0) return Iir.TIMEOUT;
    if ((ier & Ier.RECEIVED) !== 0 && enough) return Iir.RECEIVED;
    if ((ier & Ier.TRANSMITTER_EMPTY) !== 0 && emptyPending !== 0) return Iir.TRANSMITTER_EMPTY;
    if ((ier & Ier.MODEM_STATUS) !== 0 && modemChanges !== 0) return Iir.MODEM_STATUS;
    return Iir.NONE;
  }

  #drive(): void {
    this.line.set(this.#source() !== Iir.NONE);
  }
}
