/** The serial port that guests see: a 16550 whose transmitter is always empty. @spec PC16550D (National Semiconductor, June 1995) */
import { VIRT_IRQ } from "../board/memory-map.ts";
import { Fcr, Ier, Iir, Lcr, Lsr, Mcr, Msr, UartOffset } from "../devices/uart-registers.ts";
import type { Host, Visit } from "./host.ts";
import { setLine } from "./interrupts.ts";
import type { DomainView } from "./layout.ts";
import { printByte, readTyped } from "./terminal.ts";

/** The other end of the cable is there and ready. */
const CABLE_LEVELS = Msr.CTS | Msr.DSR | Msr.DCD;

const hasTyped = ({ uart }: DomainView): boolean => uart.typed !== uart.read;
const isLatched = ({ uart }: DomainView): boolean => (uart.lineControl & Lcr.DLAB) !== 0;

/** The pending interrupt of highest priority, as IIR shows it. */
function sourceOf(domain: DomainView): number {
  const { interruptEnable, transmitterPending } = domain.uart;
  if ((interruptEnable & Ier.RECEIVED) !== 0 && hasTyped(domain)) return Iir.RECEIVED;
  if ((interruptEnable & Ier.TRANSMITTER_EMPTY) !== 0 && transmitterPending !== 0)
    return Iir.TRANSMITTER_EMPTY;
  return Iir.NONE;
}

/** Sets the port's interrupt line to what its registers say. */
export const driveUart = (visit: Pick<Visit, keyof Host | "domain">): void =>
  setLine(visit, VIRT_IRQ.uart, sourceOf(visit.domain) !== Iir.NONE);

/** A load of one register. */
export function loadUart(visit: Visit, offset: number): number {
  const { domain } = visit;
  const { uart } = domain;
  switch (offset) {
    case UartOffset.RBR:
      return isLatched(domain) ? uart.divisorLow : take(visit);
    case UartOffset.IER:
      return isLatched(domain) ? uart.divisorHigh : uart.interruptEnable;
    case UartOffset.IIR:
      return identify(visit);
    case UartOffset.LCR:
      return uart.lineControl;
    case UartOffset.MCR:
      return uart.modemControl;
    case UartOffset.LSR:
      return Lsr.TRANSMITTER_IDLE | (hasTyped(domain) ? Lsr.DATA_READY : 0);
    case UartOffset.MSR:
      return modemStatus(uart.modemControl);
    default:
      return uart.scratch;
  }
}

function take(visit: Visit): number {
  const byte = readTyped(visit.domain) ?? 0;
  driveUart(visit);
  return byte;
}

/** Reading IIR takes back the transmitter's interrupt if that is what it showed. */
function identify(visit: Visit): number {
  const { uart } = visit.domain;
  const source = sourceOf(visit.domain);
  if (source === Iir.TRANSMITTER_EMPTY) {
    uart.transmitterPending = 0;
    driveUart(visit);
  }
  return (uart.fifoControl & Fcr.ENABLE) === 0 ? source : source | Iir.FIFO_ON;
}

/** In loopback the four outputs feed the inputs. */
function modemStatus(control: number): number {
  if ((control & Mcr.LOOP) === 0) return CABLE_LEVELS;
  const wire = (output: number, input: number): number => ((control & output) === 0 ? 0 : input);
  return wire(Mcr.RTS, Msr.CTS) | wire(Mcr.DTR, Msr.DSR) | wire(Mcr.OUT1, Msr.RI) | wire(Mcr.OUT2, Msr.DCD);
}

/** A store of one register. */
export function storeUart(visit: Visit, offset: number, byte: number): void {
  const { domain } = visit;
  const { uart } = domain;
  switch (offset) {
    case UartOffset.THR:
      if (isLatched(domain)) uart.divisorLow = byte;
      else send(visit, byte);
      break;
    case UartOffset.IER:
      if (isLatched(domain)) uart.divisorHigh = byte;
      else enable(domain, byte & Ier.ALL);
      break;
    case UartOffset.FCR:
      uart.fifoControl = byte & Fcr.ENABLE;
      break;
    case UartOffset.LCR:
      uart.lineControl = byte;
      break;
    case UartOffset.MCR:
      uart.modemControl = byte & Mcr.ALL;
      break;
    case UartOffset.SCR:
      uart.scratch = byte;
      break;
    default: // LSR and MSR take no stores.
  }
  driveUart(visit);
}

/** The byte is out at once, so the transmitter is empty again and may interrupt again. */
function send(visit: Visit, byte: number): void {
  visit.domain.uart.transmitterPending = 1;
  if ((visit.domain.uart.modemControl & Mcr.LOOP) === 0) printByte(visit, byte);
}

/** Turning the transmitter's interrupt on while the transmitter is empty earns one. */
function enable({ uart }: DomainView, enabled: number): void {
  const changed = uart.interruptEnable ^ enabled;
  uart.interruptEnable = enabled;
  if ((changed & Ier.TRANSMITTER_EMPTY) !== 0)
    uart.transmitterPending = (enabled & Ier.TRANSMITTER_EMPTY) === 0 ? 0 : 1;
}
