/** What guests print: kept in RAM for each, and one guest's goes to the board's serial port, where somebody may also type to it. */
import { VIRT_IRQ, VIRT_MAP } from "../board/memory-map.ts";
import { PlicOffset } from "../devices/plic.ts";
import { Fcr, Ier, Lsr, UartOffset } from "../devices/uart-registers.ts";
import { beyond, type HPA, hpa } from "../hs/address.ts";
import type { HsContext } from "../hs/context.ts";
import type { Host, Visit } from "./host.ts";
import {
  CONSOLE_BYTES,
  DOMAINS,
  DomainFlag,
  DomainState,
  type DomainView,
  MigrationPhase,
  MigrationRole,
  TYPED_BYTES,
} from "./layout.ts";

const UART = hpa(BigInt(VIRT_MAP.uart.base));
const PLIC = hpa(BigInt(VIRT_MAP.plic.base));
/** The context of the hart that runs guests: hart 0's supervisor mode. */
const CONTEXT = 1;
const CLAIM: HPA = beyond(PLIC, PlicOffset.CONTEXT + CONTEXT * PlicOffset.CONTEXT_STRIDE + PlicOffset.CLAIM);

/**
 * Lets the board's serial port interrupt when somebody types. A byte that has come before is lost: to turn the FIFOs on is to empty them.
 *
 * @spec PC16550D "FIFO Control Register", bit 0
 */
export function openTerminal({ context }: Host): void {
  context.store(beyond(PLIC, PlicOffset.PRIORITY + 4 * VIRT_IRQ.uart), 4, 1n);
  context.store(
    beyond(PLIC, PlicOffset.ENABLE + CONTEXT * PlicOffset.ENABLE_STRIDE),
    4,
    1n << BigInt(VIRT_IRQ.uart),
  );
  context.store(beyond(UART, UartOffset.FCR), 1, BigInt(Fcr.ENABLE));
  context.store(beyond(UART, UartOffset.IER), 1, BigInt(Ier.RECEIVED));
}

type Printer = Pick<Visit, "context" | "domain">;

/** A guest prints a byte. */
export const printByte = (printer: Printer, byte: number): void => printBytes(printer, Uint8Array.of(byte));

/** A guest prints. */
export function printBytes({ context, domain }: Printer, bytes: Uint8Array): void {
  const log = domain.console;
  const { written } = log;
  const goesOut =
    (domain.flags & (DomainFlag.HAS_TERMINAL | DomainFlag.HOLDS_OUTPUT)) === DomainFlag.HAS_TERMINAL;
  for (const [index, byte] of bytes.entries()) {
    log.bytes.set(Number((written + BigInt(index)) % BigInt(CONSOLE_BYTES)), byte);
    if (goesOut) context.store(beyond(UART, UartOffset.THR), 1, BigInt(byte));
  }
  log.written = written + BigInt(bytes.length);
}

/** Lets bytes of the console out that were held, by number from the beginning. */
export function letOut({ context, domain }: Printer, from: bigint, to: bigint): void {
  if ((domain.flags & DomainFlag.HAS_TERMINAL) === 0) return;
  for (let number = from; number < to; number += 1n) {
    const byte = domain.console.bytes.get(Number(number % BigInt(CONSOLE_BYTES)));
    context.store(beyond(UART, UartOffset.THR), 1, BigInt(byte));
  }
}

/**
 * What somebody has typed goes to the guest at the terminal, if it runs here: what is typed to nobody is lost.
 *
 * @returns  Who should hear of it now. One that stands still hears of it when it goes on, wherever that is.
 */
export function takeTyped({ context, state }: Host): DomainView | undefined {
  const source = context.load(CLAIM, 4);
  const domain = domainAtTerminal(state);
  for (let byte = typedByte(context); byte !== undefined; byte = typedByte(context))
    if (domain !== undefined) typeTo(domain, byte);
  if (source !== 0n) context.store(CLAIM, 4, source);
  return domain === undefined || standsStill(state, domain) ? undefined : domain;
}

/** A byte more that a guest has not read. One that does not fit is lost. */
export function typeTo({ uart }: DomainView, byte: number): void {
  if (uart.typed - uart.read >= TYPED_BYTES) return;
  uart.received.set(uart.typed % TYPED_BYTES, byte);
  uart.typed += 1;
}

/** Whether a domain stands still to be sent: its devices must stay as they are, for some of it may be on its way. */
function standsStill({ migration: { role, domain, phase } }: Host["state"], { id }: DomainView): boolean {
  const isSent = role === MigrationRole.SOURCE || role === MigrationRole.PRIMARY;
  return isSent && domain === id && STANDING.includes(phase);
}

const STANDING: readonly number[] = [MigrationPhase.STOPPED, MigrationPhase.PREPARED, MigrationPhase.ASKING];

function domainAtTerminal(state: Host["state"]): DomainView | undefined {
  for (let id = 1; id < DOMAINS; id++) {
    const domain = state.domain(id);
    const isThere = domain.state === DomainState.RUNNING;
    if ((domain.flags & DomainFlag.HAS_TERMINAL) !== 0) return isThere ? domain : undefined;
  }
  return undefined;
}

function typedByte(context: HsContext): number | undefined {
  const status = Number(context.load(beyond(UART, UartOffset.LSR), 1));
  return (status & Lsr.DATA_READY) === 0 ? undefined : Number(context.load(beyond(UART, UartOffset.RBR), 1));
}

/** How many bytes were typed to a guest that it has not read. */
export const typedCount = ({ uart }: DomainView): number => uart.typed - uart.read;

/** The next byte that was typed to a guest; `undefined` when there is none. */
export function readTyped({ uart }: DomainView): number | undefined {
  const { read } = uart;
  if (read === uart.typed) return undefined;
  uart.read = read + 1;
  return uart.received.get(read % TYPED_BYTES);
}
