import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Clock } from "../../../lib/bus/clock.ts";
import type { Width } from "../../../lib/bus/device.ts";
import { Uart16550 } from "../../../lib/devices/uart16550.ts";

// Offsets and bits as numbers on purpose: they are the data sheet's, not the code's.
const [DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

function port() {
  const clock = new Clock();
  const sent: number[] = [];
  const uart = new Uart16550(clock, (byte) => sent.push(byte));
  return {
    clock,
    sent,
    uart,
    read: (offset: number) => Number(uart.load(offset, 1)),
    write: (offset: number, value: number) => uart.store(offset, 1, BigInt(value)),
    text: () => String.fromCharCode(...sent),
  };
}

describe("sending", () => {
  it("passes each byte written to THR on and stays ready", () => {
    const { read, write, text } = port();
    for (const char of "hi!") {
      expect(read(LSR) & 0x60).toBe(0x60);
      write(DATA, char.charCodeAt(0));
    }
    expect(text()).toBe("hi!");
  });

  it("takes the low byte of a wider store", () => {
    const { uart, sent } = port();
    uart.store(DATA, 4, 0x1234_5641n);
    expect(sent).toEqual([0x41]);
  });
});

describe("the divisor latch", () => {
  it("hides behind DLAB, and what it hides keeps its value", () => {
    const { read, write, sent } = port();
    write(IER, 0x05);
    write(LCR, 0x83);
    write(DATA, 0x34);
    write(IER, 0x12);
    expect([read(DATA), read(IER), read(LCR)]).toEqual([0x34, 0x12, 0x83]);
    write(LCR, 0x03);
    expect(read(IER)).toBe(0x05);
    expect(sent).toEqual([]);
  });
});

describe("receiving", () => {
  it("holds one byte in 16450 mode and lets the next in when it was read", () => {
    const { uart, read } = port();
    uart.receive([1, 2, 3]);
    const bytes = [];
    while ((read(LSR) & 1) !== 0) bytes.push(read(DATA));
    expect(bytes).toEqual([1, 2, 3]);
    expect(read(LSR) & 2).toBe(0); // no overrun
  });

  it("gives 60 bytes in order through the FIFO, never losing one", () => {
    const { uart, read, write } = port();
    write(IIR_FCR, 0x01);
    uart.receive(Array.from({ length: 60 }, (_, index) => index));
    const bytes = [];
    while ((read(LSR) & 1) !== 0) bytes.push(read(DATA));
    expect(bytes).toEqual(Array.from({ length: 60 }, (_, index) => index));
  });

  it("drops what is in the FIFO when bit 1 of FCR is written", () => {
    const { uart, read, write } = port();
    write(IIR_FCR, 0x01);
    uart.receive([1, 2]);
    write(IIR_FCR, 0x03);
    expect(read(LSR) & 1).toBe(0);
    uart.receive([3]);
    expect(read(DATA)).toBe(3);
  });

  it("goes on showing the last byte that came in, in 16450 mode, when there is no new one", () => {
    const { uart, read } = port();
    uart.receive([7, 8]);
    expect([read(DATA), read(DATA), read(DATA), read(DATA)]).toEqual([7, 8, 8, 8]);
    expect(read(LSR) & 1).toBe(0);
  });
});

describe("the interrupt line", () => {
  it("is low when nothing is enabled, whatever happens", () => {
    const { uart, write } = port();
    uart.receive([1]);
    write(DATA, 1);
    expect(uart.line.level).toBe(false);
  });

  it("rises for a received byte and falls when it is read (IIR 0x04)", () => {
    const { uart, read, write } = port();
    write(IER, 1);
    expect(read(IIR_FCR)).toBe(0x01);
    uart.receive([9]);
    expect(uart.line.level).toBe(true);
    expect(read(IIR_FCR)).toBe(0x04);
    read(DATA);
    expect(uart.line.level).toBe(false);
  });

  it("waits in FIFO mode for the trigger level of FCR bits 7:6", () => {
    for (const [code, bytes] of [1, 4, 8, 14].entries()) {
      const { uart, read, write } = port();
      write(IIR_FCR, (code << 6) | 1);
      write(IER, 1);
      for (let sent = 1; sent <= bytes; sent++) {
        uart.receive([sent]);
        expect(uart.line.level, `${sent} of ${bytes}`).toBe(sent === bytes);
      }
      expect(read(IIR_FCR)).toBe(0xc4);
      read(DATA);
      expect(uart.line.level).toBe(false);
    }
  });

  it("rises by timeout four character times after the last byte below the trigger level (IIR 0x0C)", () => {
    const { uart, clock, read, write } = port();
    write(LCR, 0x83); // 8 data bits, no parity, 1 stop bit: 10 bit times
    write(DATA, 2); // 3,686,400 / 16 / 2 = 115,200 baud
    write(IER, 0);
    write(LCR, 0x03);
    write(IIR_FCR, 0xc1);
    write(IER, 1);
    uart.receive([1, 2]);
    const fourCharactersInsns = Math.ceil((4 * 10 * 100_000_000) / 115_200);
    clock.retired = fourCharactersInsns - 8;
    clock.ringDue();
    expect(uart.line.level).toBe(false);
    clock.retired = fourCharactersInsns + 8;
    clock.ringDue();
    expect(uart.line.level).toBe(true);
    expect(read(IIR_FCR)).toBe(0xcc);
    expect(read(DATA)).toBe(1);
    expect(uart.line.level).toBe(false);
    clock.retired += fourCharactersInsns + 8;
    clock.ringDue();
    expect(read(IIR_FCR)).toBe(0xcc);
  });

  it("rises when the transmitter interrupt is enabled, falls when IIR shows it, and rises again after THR is written", () => {
    const { uart, read, write } = port();
    write(IER, 2);
    expect(uart.line.level).toBe(true);
    expect(read(IIR_FCR)).toBe(0x02);
    expect(uart.line.level).toBe(false);
    expect(read(IIR_FCR)).toBe(0x01);
    write(DATA, 65);
    expect(uart.line.level).toBe(true);
    write(IER, 0);
    expect(uart.line.level).toBe(false);
  });

  it("rises again when FIFOs are turned on or off, or the transmitter is emptied by bit 2 of FCR", () => {
    const { uart, read, write } = port();
    write(IER, 2);
    for (const command of [0x01, 0x05, 0x05, 0x00]) {
      expect([read(IIR_FCR) & 0xf, uart.line.level]).toEqual([0x02, false]);
      write(IIR_FCR, command);
      expect(uart.line.level, command.toString(16)).toBe(true);
    }
    read(IIR_FCR);
    write(IIR_FCR, 0x04); // FIFOs are off: bit 2 means nothing
    expect(uart.line.level).toBe(false);
  });

  it("shows sources by priority: line status, received, transmitter, modem", () => {
    const { uart, read, write } = port();
    write(IER, 0x0f);
    write(MCR, 0x10); // loopback: all modem inputs fall
    write(DATA, 1);
    write(DATA, 2); // overrun
    const seen = [read(IIR_FCR)];
    expect(read(LSR) & 0x1e).toBe(0x02);
    seen.push(read(IIR_FCR));
    expect(read(DATA)).toBe(2); // 16450 mode: the newer byte took the place
    seen.push(read(IIR_FCR), read(IIR_FCR));
    read(MSR);
    seen.push(read(IIR_FCR));
    expect(seen).toEqual([0x06, 0x04, 0x02, 0x00, 0x01]);
    expect(uart.line.level).toBe(false);
  });
});

describe("modem control", () => {
  it("feeds the four outputs back as inputs in loopback, with change bits that MSR clears", () => {
    const { read, write } = port();
    expect(read(MSR)).toBe(0xb0);
    write(MCR, 0x1f);
    expect(read(MSR)).toBe(0xf0); // RI began, which is not a trailing edge
    write(MCR, 0x1b);
    expect(read(MSR)).toBe(0xb4); // RI ended
    write(MCR, 0x10);
    expect(read(MSR)).toBe(0x0b);
    expect(read(MSR)).toBe(0x00);
  });

  it("sends nothing out in loopback; FIFO mode keeps the first sixteen bytes and reports the overrun", () => {
    const { read, write, sent } = port();
    write(IIR_FCR, 1);
    write(MCR, 0x10);
    for (let byte = 0; byte < 20; byte++) write(DATA, byte);
    expect(sent).toEqual([]);
    expect(read(LSR) & 3).toBe(3);
    expect(read(LSR) & 3).toBe(1);
    const bytes = [];
    while ((read(LSR) & 1) !== 0) bytes.push(read(DATA));
    expect(bytes).toEqual(Array.from({ length: 16 }, (_, index) => index));
  });
});

describe("any guest", () => {
  const step = fc.record({
    isStore: fc.boolean(),
    offset: fc.nat(7),
    width: fc.constantFrom<Width>(1, 2, 4, 8),
    value: fc.bigInt(0n, 2n ** 64n - 1n),
    insns: fc.nat(1_000_000),
    typed: fc.array(fc.nat(255), { maxLength: 3 }),
  });

  it("can do anything in any order: every register answers a byte, and save then restore changes nothing that follows", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.array(step, { maxLength: 40 }), (before, after) => {
        const original = port();
        const copy = port();
        const play = ({ uart, clock, sent }: ReturnType<typeof port>, steps: typeof before) =>
          steps.map(({ isStore, offset, width, value, insns, typed }) => {
            clock.retired += insns;
            clock.ringDue();
            uart.receive(typed);
            const answer = isStore ? uart.store(offset, width, value) : uart.load(offset, width);
            if (!isStore) expect(Number(answer)).toBeLessThan(256);
            return [answer, uart.line.level, sent.length];
          });
        play(original, before);
        const state = original.uart.save();
        copy.clock.restore(original.clock.save());
        copy.uart.restore(state);
        original.sent.length = 0;
        expect(play(copy, after)).toEqual(play(original, after));
        copy.clock.restore(original.clock.save());
        copy.uart.restore(state);
        expect(copy.uart.save()).toEqual(state);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it("finds the power-on values again after reset", () => {
    const { uart, read, write } = port();
    for (let offset = 0; offset < 8; offset++) write(offset, 0xff);
    uart.receive([1, 2, 3]);
    uart.reset();
    expect(uart.save()).toEqual(port().uart.save());
    expect([read(IER), read(IIR_FCR), read(LCR), read(LSR), read(SCR)]).toEqual([0, 1, 0, 0x60, 0]);
  });
});
