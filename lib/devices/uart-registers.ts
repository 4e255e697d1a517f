/**
 * Registers and bits of the 16550, under the names of the data sheet.
 *
 * @spec PC16550D "Registers", tables I and II
 */

/** Register offsets in bytes. Names that share an offset differ by direction or by the DLAB bit of LCR. */
export const UartOffset = {
  RBR: 0, // read, DLAB = 0: receiver buffer
  THR: 0, // write, DLAB = 0: transmitter holding
  DLL: 0, // DLAB = 1: divisor latch, low byte
  IER: 1, // DLAB = 0: interrupt enable
  DLM: 1, // DLAB = 1: divisor latch, high byte
  IIR: 2, // read: interrupt identification
  FCR: 2, // write: FIFO control
  LCR: 3,
  MCR: 4,
  LSR: 5,
  MSR: 6,
  SCR: 7,
} as const;

/** Interrupt enable: one bit a source. */
export const Ier = { RECEIVED: 1, TRANSMITTER_EMPTY: 2, LINE_STATUS: 4, MODEM_STATUS: 8, ALL: 0xf } as const;
/** Interrupt identification: one value a source, and two bits that tell FIFO mode. */
export const Iir = {
  NONE: 0x01,
  LINE_STATUS: 0x06,
  TIMEOUT: 0x0c,
  RECEIVED: 0x04,
  TRANSMITTER_EMPTY: 0x02,
  MODEM_STATUS: 0x00,
  FIFO_ON: 0xc0,
} as const;
/** FIFO control; bits 7:6 are the trigger level. */
export const Fcr = { ENABLE: 1, CLEAR_RECEIVER: 2, CLEAR_TRANSMITTER: 4 } as const;
/** Line control. */
export const Lcr = { WORD_LENGTH: 3, TWO_STOPS: 4, PARITY: 8, DLAB: 0x80 } as const;
/** Modem control. */
export const Mcr = { DTR: 1, RTS: 2, OUT1: 4, OUT2: 8, LOOP: 0x10, ALL: 0x1f } as const;
/** Line status. The error bits stay until LSR is read; of them only an overrun can happen here. */
export const Lsr = { DATA_READY: 1, OVERRUN: 2, ERRORS: 0x1e, TRANSMITTER_IDLE: 0x60 } as const;
/** Modem status: levels in the high half, "changed since MSR was read" in the low half. */
export const Msr = { CTS: 0x10, DSR: 0x20, RI: 0x40, DCD: 0x80, RI_ENDED: 4 } as const;
