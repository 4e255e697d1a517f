import { describe, expect, it } from "vitest";
import { ACCESS_FAULT, type Width } from "../../../lib/bus/device.ts";
import { IrqLine } from "../../../lib/bus/irq-line.ts";
import { Plic } from "../../../lib/devices/plic.ts";
import { boardWith } from "../../support/assembled.ts";

// The SiFive map, as numbers: priority word s at 4·s, pending bits at 0x1000, enable bits of context c at 0x2000 + 0x80·c,
// threshold and claim of context c at 0x200000 + 0x1000·c. Contexts: hart 0 M, hart 0 S, hart 1 M, hart 1 S.
const [M0, S0, M1] = [0, 1, 2];

function controller(hartCount = 2) {
  const plic = new Plic(hartCount);
  const wires = new Map<number, IrqLine>();
  const wire = (source: number): IrqLine => {
    const line = wires.get(source) ?? new IrqLine(`source${source}`);
    if (!wires.has(source)) plic.connect(source, line);
    wires.set(source, line);
    return line;
  };
  return {
    plic,
    raise: (source: number) => wire(source).set(true),
    lower: (source: number) => wire(source).set(false),
    priority: (source: number, value: number) => plic.store(4 * source, 4, BigInt(value)),
    enable: (context: number, ...sources: number[]) => {
      for (let word = 0; word < 4; word++) {
        const bits = sources.filter((source) => source >> 5 === word).map((source) => 2 ** (source & 31));
        plic.store(0x2000 + 0x80 * context + 4 * word, 4, BigInt(bits.reduce((sum, bit) => sum + bit, 0)));
      }
    },
    threshold: (context: number, value: number) => plic.store(0x20_0000 + 0x1000 * context, 4, BigInt(value)),
    claim: (context: number) => Number(plic.load(0x20_0004 + 0x1000 * context, 4)),
    complete: (context: number, source: number) =>
      plic.store(0x20_0004 + 0x1000 * context, 4, BigInt(source)),
    isPending: (source: number) =>
      ((Number(plic.load(0x1000 + 4 * (source >> 5), 4)) >>> (source & 31)) & 1) === 1,
  };
}

describe("a source of the PLIC", () => {
  it("interrupts a context that enabled it, when its priority is above the threshold", () => {
    const { plic, raise, priority, enable, threshold } = controller();
    priority(10, 3);
    enable(S0, 10);
    raise(10);
    expect([plic.machineLine(0).level, plic.supervisorLine(0).level]).toEqual([false, true]);
    threshold(S0, 3);
    expect(plic.supervisorLine(0).level).toBe(false);
    threshold(S0, 2);
    expect(plic.supervisorLine(0).level).toBe(true);
  });

  it("never interrupts with priority 0, nor can it be claimed", () => {
    const { plic, raise, enable, claim, isPending } = controller();
    enable(M0, 5);
    raise(5);
    expect([plic.machineLine(0).level, claim(M0), isPending(5)]).toEqual([false, 0, true]);
  });

  it("is claimed once, and pending again after completion as long as its wire is high", () => {
    const { plic, raise, lower, priority, enable, claim, complete, isPending } = controller();
    priority(1, 1);
    enable(M0, 1);
    raise(1);
    expect([claim(M0), claim(M0), isPending(1), plic.machineLine(0).level]).toEqual([1, 0, false, false]);
    complete(M0, 1);
    expect([isPending(1), plic.machineLine(0).level]).toEqual([true, true]);
    expect(claim(M0)).toBe(1);
    lower(1);
    complete(M0, 1);
    expect([isPending(1), plic.machineLine(0).level, claim(M0)]).toEqual([false, false, 0]);
  });

  it("keeps a request that was made, even if the wire falls before the claim", () => {
    const { raise, lower, priority, enable, claim, complete } = controller();
    priority(96, 7);
    enable(M1, 96);
    raise(96);
    lower(96);
    expect(claim(M1)).toBe(96);
    raise(96);
    lower(96);
    complete(M1, 96);
    expect(claim(M1)).toBe(0); // What happened while it was served is for its driver to see.
  });

  it("is not completed by a context that has not enabled it", () => {
    const { raise, priority, enable, claim, complete } = controller();
    priority(2, 1);
    enable(M0, 2);
    raise(2);
    claim(M0);
    complete(S0, 2);
    expect(claim(M0)).toBe(0);
    complete(M0, 2);
    expect(claim(M0)).toBe(2);
  });
});

describe("a claim", () => {
  it("takes the highest priority, the lowest number among equals", () => {
    const { raise, priority, enable, claim } = controller();
    for (const [source, value] of [
      [40, 2],
      [7, 2],
      [3, 1],
      [64, 5],
    ] as const) {
      priority(source, value);
      raise(source);
    }
    enable(S0, 40, 7, 3, 64);
    expect([claim(S0), claim(S0), claim(S0), claim(S0), claim(S0)]).toEqual([64, 7, 40, 3, 0]);
  });

  it("is not affected by the threshold", () => {
    const { plic, raise, priority, enable, threshold, claim } = controller();
    priority(9, 4);
    enable(S0, 9);
    threshold(S0, 7);
    raise(9);
    expect([plic.supervisorLine(0).level, claim(S0)]).toEqual([false, 9]);
  });

  it("of one context takes the request away from all", () => {
    const { plic, raise, priority, enable, claim } = controller();
    priority(9, 4);
    enable(S0, 9);
    enable(M1, 9);
    raise(9);
    expect([plic.supervisorLine(0).level, plic.machineLine(1).level]).toEqual([true, true]);
    expect([claim(M1), claim(S0)]).toEqual([9, 0]);
    expect([plic.supervisorLine(0).level, plic.machineLine(1).level]).toEqual([false, false]);
  });
});

describe("registers of the PLIC", () => {
  it("have three bits of priority and threshold, no source 0, and 96 enables", () => {
    const { plic } = controller();
    for (const offset of [0, 4, 4 * 96, 4 * 97, 0x2000, 0x200c, 0x2010, 0x20_0000, 0x1000])
      plic.store(offset, 4, 0xffff_ffffn);
    const read = [0, 4, 4 * 96, 4 * 97, 0x2000, 0x200c, 0x2010, 0x20_0000, 0x1000].map((offset) =>
      plic.load(offset, 4),
    );
    expect(read).toEqual([0n, 7n, 7n, 0n, 0xffff_fffen, 1n, 0n, 7n, 0n]);
  });

  it("answer words only", () => {
    const { plic } = controller();
    for (const width of [1, 2, 8] satisfies Width[]) {
      expect([plic.load(0, width), plic.store(0, width, 1n)]).toEqual([ACCESS_FAULT, ACCESS_FAULT]);
    }
  });

  it("of contexts that a board lacks read as zero and keep nothing", () => {
    const { plic } = controller(1);
    for (const offset of [0x2100, 0x20_2000, 0x20_2004, 0x20_0008, 0x5f_fffc]) {
      expect(plic.store(offset, 4, 0xffff_ffffn)).toBeUndefined();
      expect(plic.load(offset, 4)).toBe(0n);
    }
  });
});

describe("the serial port's interrupt", () => {
  it("reaches S-mode through the PLIC: claim, read the byte, complete", () => {
    const board = boardWith(
      `
      li   s0, 0x0c000000
      li   t0, 1
      sw   t0, 40(s0)        # priority of source 10
      li   t1, 0x0c002080
      li   t0, 0x400
      sw   t0, 0(t1)         # enabled for hart 0 in S-mode
      li   s1, 0x10000000
      li   t0, 1
      sb   t0, 1(s1)         # IER: received data
      li   t0, 0x200
      csrs mideleg, t0
      csrs mie, t0
      la   t0, handler
      csrw stvec, t0
      li   t0, 0x800         # MPP = S
      csrw mstatus, t0
      csrsi sstatus, 2
      li   t0, -1
      csrw pmpaddr0, t0
      li   t0, 0x1f
      csrw pmpcfg0, t0
      la   t0, idle
      csrw mepc, t0
      mret
      idle: wfi
      j    idle
      .balign 4
      handler: li t1, 0x0c201004
      lw   s2, 0(t1)
      lbu  s3, 0(s1)
      csrr s4, scause
      csrr s5, sip
      sw   s2, 0(t1)
      csrr s6, sip
      sret`,
    );
    expect(board.run({ instructions: 1000 }).reason).toBe("wfi");
    board.type("Q");
    expect(board.run({ instructions: 1000 }).reason).toBe("wfi");
    const registers = (["s2", "s3", "s4", "s5", "s6"] as const).map((name) => board.hart.read(name));
    expect(registers).toEqual([10n, 81n, (1n << 63n) | 9n, 0n, 0n]);
  });
});
