/** Each SBI function beside the specification's tables of errors: SBI 2.0, chapter by chapter. */
import { describe, expect, it } from "vitest";
import { RAM_BASE } from "../../../lib/board/memory-map.ts";
import { decodeCsr } from "../../../lib/isa/csr-map.ts";
import { PAYLOAD, SbiCaller } from "../../support/sbi-caller.ts";

const [SUCCESS, FAILED, NOT_SUPPORTED, INVALID_PARAM, INVALID_ADDRESS, ALREADY_AVAILABLE] = [
  0n,
  -1n,
  -2n,
  -3n,
  -5n,
  -6n,
];
const ALL_ONES = 2n ** 64n - 1n;
const BASE = 0x10n;
const TIME = 0x5449_4d45n;
const IPI = 0x73_5049n;
const RFENCE = 0x5246_4e43n;
const HSM = 0x48_534dn;
const SRST = 0x5352_5354n;
const DBCN = 0x4442_434en;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("when supervisor mode begins", () => {
  const caller = new SbiCaller();
  const { hart } = caller.board;

  it("a0 is the hart, a1 the device tree, translation and interrupts are off", () => {
    expect([hart.mode, hart.pc, hart.read("a0"), hart.read("a1")]).toEqual([
      "S",
      PAYLOAD,
      0n,
      caller.firmware.deviceTree,
    ]);
    expect(hart.csr("satp")).toBe(0n);
    expect(decodeCsr("sstatus", hart.csr("sstatus"))).toMatchObject({ SIE: 0n, SPIE: 0n });
    expect(decodeCsr("mstatus", hart.csr("mstatus"))).toMatchObject({ MPRV: 0n, TVM: 0n, TW: 0n, TSR: 0n });
  });

  it("counters and the timer are its own, and so are its traps", () => {
    expect(hart.csr("mcounteren")).toBe(7n);
    expect(decodeCsr("menvcfg", hart.csr("menvcfg"))).toMatchObject({ STCE: 1n, ADUE: 1n });
    expect(hart.csr("mideleg") & 0x222n).toBe(0x222n);
    expect(hart.csr("medeleg")).toBe(0xf0_b5ffn); // 0–8, 10, 12, 13, 15, 20–23
  });

  it.each([
    ["the firmware's code", BigInt(RAM_BASE)],
    ["the firmware's data", BigInt(RAM_BASE) + 0xfff8n],
    ["the CLINT", 0x200_bff8n],
  ])("PMP keeps it out of %s, for loads, stores and fetches", (_, address) => {
    for (const [insn, cause] of [
      ["ld a0, (t0)", 5n],
      ["sd a0, (t0)", 7n],
      ["jr t0", 1n],
    ] as const) {
      const board = new SbiCaller().board;
      const at = 0x8030_0000n;
      const words = { "ld a0, (t0)": 0x0002_b503, "sd a0, (t0)": 0x00a2_b023, "jr t0": 0x0002_8067 }[insn];
      board.memory.store(at, 4, BigInt(words));
      board.hart.write("t0", address);
      board.hart.pc = at;
      board.hart.stateReplaced();
      board.run({ instructions: 10, until: { trap: true } });
      expect(board.hart.csr("scause"), insn).toBe(cause);
    }
  });

  it("the first word behind the firmware is open", () => {
    expect(caller.board.memory.store(BigInt(RAM_BASE) + 0x1_0000n, 8, 1n)).toBeUndefined();
    expect(caller.call(DBCN, 0n, 1n, BigInt(RAM_BASE) + 0x1_0000n, 0n)).toEqual({
      error: SUCCESS,
      value: 1n,
    });
  });
});

describe("any call", () => {
  it("leaves all registers alone but a0 and a1", () => {
    const caller = new SbiCaller();
    const { hart } = caller.board;
    caller.prepare(BASE, 0n);
    for (let index = 1; index < 32; index++)
      if (![10, 11, 16, 17].includes(index))
        hart.write(`x${index}` as "x1", BigInt(index) * 0x0101_0101_0101_0101n);
    const before = hart.state.x.slice();
    caller.runTo("back");
    const changed = [...before.keys()].filter((index) => before[index] !== hart.state.x[index]);
    expect(changed).toEqual([11]); // a0 was 0 and is 0
  });

  it.each([
    ["an extension that nobody has", 0x1234_5678n, 0n],
    ["an extension with garbage above bit 31", BASE | (1n << 40n), 0n],
    ["a reserved legacy number", 9n, 0n],
    ["a function that the extension lacks", HSM, 4n],
    ["a function number with garbage above", TIME, 1n << 32n],
    ["a negative function number", IPI, ALL_ONES],
    ["a huge function number", DBCN, 2n ** 63n],
  ])("of %s is not supported", (_, extension, number) => {
    expect(new SbiCaller().call(extension, number)).toMatchObject({ error: NOT_SUPPORTED });
  });
});

describe("BASE", () => {
  const caller = new SbiCaller();

  it("is specification 2.0, and an implementation that the specification does not list", () => {
    expect(caller.call(BASE, 0n)).toEqual({ error: SUCCESS, value: 0x200_0000n });
    expect(caller.call(BASE, 1n).value).toBe(
      BigInt(`0x${[..."dom0"].map((c) => c.charCodeAt(0).toString(16)).join("")}`),
    );
    expect(caller.call(BASE, 2n)).toEqual({ error: SUCCESS, value: 1n });
    for (const number of [4n, 5n, 6n])
      expect(caller.call(BASE, number)).toEqual({ error: SUCCESS, value: 0n });
  });

  it("probes exactly what is there", () => {
    const probe = (id: bigint): bigint => caller.call(BASE, 3n, id).value;
    expect([BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN].map(probe)).toEqual([1n, 1n, 1n, 1n, 1n, 1n, 1n]);
    expect([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n].map(probe)).toEqual(Array.from({ length: 9 }, () => 1n));
    // 9, PMU, SUSP, NACL, −1
    expect([9n, 0x50_4d55n, 0x5355_5350n, 0x4e41_434cn, ALL_ONES].map(probe)).toEqual([0n, 0n, 0n, 0n, 0n]);
  });
});

describe("TIME", () => {
  it.each([
    ["TIME", TIME],
    ["legacy", 0n],
  ])("%s sets the timer of supervisor mode", (_, extension) => {
    const caller = new SbiCaller();
    const { hart } = caller.board;
    expect(caller.call(extension, 0n, 0n).error).toBe(SUCCESS);
    expect(hart.csr("sip") & 0x20n).toBe(0x20n);
    expect(caller.call(extension, 0n, ALL_ONES).error).toBe(SUCCESS);
    expect(hart.csr("sip") & 0x20n).toBe(0n);
    expect(hart.csr("stimecmp")).toBe(ALL_ONES);
  });
});

describe("DBCN", () => {
  it("writes bytes of the caller's memory, at most 1024 a call", () => {
    const caller = new SbiCaller();
    const data = caller.place("data");
    caller.board.memory.write(data, bytesOf("hello, world\n"));
    expect(caller.call(DBCN, 0n, 13n, data, 0n)).toEqual({ error: SUCCESS, value: 13n });
    expect(caller.board.console.text).toBe("hello, world\n");
    expect(caller.call(DBCN, 0n, 2000n, data, 0n)).toEqual({ error: SUCCESS, value: 1024n });
    expect(caller.call(DBCN, 0n, 0n, data, 0n)).toEqual({ error: SUCCESS, value: 0n });
  });

  it("reads what was typed, and no more than there is room for", () => {
    const caller = new SbiCaller();
    const data = caller.place("data");
    expect(caller.call(DBCN, 1n, 10n, data, 0n)).toEqual({ error: SUCCESS, value: 0n });
    caller.board.type("a");
    expect(caller.call(DBCN, 1n, 10n, data, 0n)).toEqual({ error: SUCCESS, value: 1n });
    expect(caller.board.memory.load(data, 1)).toBe(97n);
  });

  it("writes one byte, the low one", () => {
    const caller = new SbiCaller();
    expect(caller.call(DBCN, 2n, 0xff41n)).toEqual({ error: SUCCESS, value: 0n });
    expect(caller.board.console.text).toBe("A");
  });

  const ramEnd = BigInt(RAM_BASE) + 16n * 1024n * 1024n;
  it.each([
    ["the firmware's own memory", 8n, BigInt(RAM_BASE) + 0x1000n, 0n],
    ["memory that begins before the firmware and ends behind it", 0x2_0000n, BigInt(RAM_BASE), 0n],
    ["one byte of the firmware's", 8n, BigInt(RAM_BASE) + 0xffffn, 0n],
    ["a device", 1n, 0x1000_0000n, 0n],
    ["memory that ends behind RAM", 9n, ramEnd - 8n, 0n],
    ["a size that wraps around", ALL_ONES, ramEnd - 8n, 0n],
    ["an address above 2^64", 1n, PAYLOAD, 1n],
    ["address zero", 1n, 0n, 0n],
  ])("refuses %s, for writing and reading", (_, size, low, high) => {
    const caller = new SbiCaller();
    caller.board.type("secret");
    for (const number of [0n, 1n])
      expect(caller.call(DBCN, number, size, low, high).error).toBe(INVALID_PARAM);
    expect(caller.board.console.text).toBe("");
  });
});

describe("SRST", () => {
  it.each([
    [0n, 0n, { reason: "poweroff", exitCode: 0 }],
    [0n, 1n, { reason: "poweroff", exitCode: 1 }],
    [1n, 0n, { reason: "reset" }],
    [2n, 1n, { reason: "reset" }],
    [1n << 32n, 0n, { reason: "poweroff", exitCode: 0 }], // parameters have 32 bits
  ])("type %i with reason %i ends the machine", (type, reason, stop) => {
    const caller = new SbiCaller();
    caller.prepare(SRST, 0n, type, reason);
    expect(caller.board.run({ instructions: 10_000 })).toMatchObject(stop);
  });

  it.each([
    [3n, 0n],
    [0xefff_ffffn, 0n],
    [0xf000_0000n, 0n],
    [0n, 2n],
    [1n, 0xe000_0000n],
    [0n, 0xffff_ffffn],
  ])("type %i with reason %i is refused, and the machine goes on", (type, reason) => {
    expect(new SbiCaller().call(SRST, 0n, type, reason).error).toBe(INVALID_PARAM);
  });
});

describe("a list of harts", () => {
  const caller = new SbiCaller({ harts: 2 });
  it.each([
    [0b11n, 0n, SUCCESS],
    [0b01n, 1n, SUCCESS],
    [0n, 0n, SUCCESS],
    [0b1111n, ALL_ONES, SUCCESS], // base −1: all harts, whatever the mask
    [0b100n, 0n, INVALID_PARAM],
    [0b11n, 1n, INVALID_PARAM],
    [0n, 2n, INVALID_PARAM],
    [1n, ALL_ONES - 1n, INVALID_PARAM],
    [2n ** 63n, ALL_ONES - 62n, INVALID_PARAM], // base + bit would wrap to hart 1
  ])("mask %i from hart %i", (mask, base, error) => {
    expect(caller.call(IPI, 0n, mask, base).error).toBe(error);
    expect(caller.call(RFENCE, 0n, mask, base).error).toBe(error);
  });
});

describe("RFENCE on the calling hart alone", () => {
  const caller = new SbiCaller();
  it.each([0n, 1n, 2n, 3n, 4n, 5n, 6n])("function %i succeeds for every range that has an end", (number) => {
    for (const [start, size] of [
      [0n, 0n],
      [0n, ALL_ONES],
      [0x8000_0123n, 0x2000n],
      [0x8000_0000n, 2n ** 40n],
      [ALL_ONES - 0xfffn, 0x1000n],
      [5n, ALL_ONES],
    ] as const)
      expect(caller.call(RFENCE, number, 1n, 0n, start, size, 3n)).toEqual({ error: SUCCESS, value: 0n });
  });

  it.each([1n, 2n, 3n, 4n, 5n, 6n])(
    "function %i refuses a range that goes on behind the last address",
    (number) => {
      expect(caller.call(RFENCE, number, 1n, 0n, ALL_ONES, 2n).error).toBe(INVALID_ADDRESS);
    },
  );

  it("puts hgatp back after fencing a guest", () => {
    const { hart } = caller.board;
    hart.state.setStored("hgatp", (8n << 60n) | (5n << 44n) | 0x8_0400n);
    const before = hart.csr("hgatp");
    caller.call(RFENCE, 5n, 1n, 0n, 0x1000n, 0x1000n, 7n);
    expect(hart.csr("hgatp")).toBe(before);
    hart.state.setStored("hgatp", 0n);
  });
});

describe("HSM", () => {
  it("says what cannot be started: harts that do not exist, run already, or would begin where they may not", () => {
    const caller = new SbiCaller({ harts: 2 });
    const idle = caller.place("idle");
    expect(caller.call(HSM, 0n, 2n, idle).error).toBe(INVALID_PARAM);
    expect(caller.call(HSM, 0n, ALL_ONES, idle).error).toBe(INVALID_PARAM);
    expect(caller.call(HSM, 0n, 0n, idle).error).toBe(ALREADY_AVAILABLE);
    for (const address of [
      0n,
      0x1000_0000n,
      BigInt(RAM_BASE),
      BigInt(RAM_BASE) + 0xfffen,
      idle + 1n,
      2n ** 63n,
    ])
      expect(caller.call(HSM, 0n, 1n, address).error).toBe(INVALID_ADDRESS);
    expect(caller.call(HSM, 2n, 1n)).toEqual({ error: SUCCESS, value: 1n }); // stopped still
    expect(caller.call(HSM, 2n, 2n).error).toBe(INVALID_PARAM);
  });

  it("refuses kinds of sleep that are reserved or another platform's", () => {
    const caller = new SbiCaller();
    for (const kind of [1n, 0x0fff_ffffn, 0x1000_0000n, 0x8000_0001n, 0x9000_0000n, 0xffff_ffffn])
      expect(caller.call(HSM, 3n, kind, caller.place("idle")).error).toBe(INVALID_PARAM);
    expect(caller.call(HSM, 3n, 0x8000_0000n, 3n).error).toBe(INVALID_ADDRESS);
  });

  it("sleeps until an interrupt that the hart has enabled, and returns behind the call with all registers", () => {
    const caller = new SbiCaller();
    const { board } = caller;
    caller.call(TIME, 0n, board.clock.mtime + 5000n);
    caller.prepare(HSM, 3n, 0n, 0n, 0n);
    board.hart.state.setStored("mie", board.hart.csr("mie") | 0x20n); // sie.STIE
    board.hart.write("s3", 0x77n);
    board.hart.stateReplaced();
    const asleepBefore = board.clock.sleptInsns;
    expect(caller.runTo("back")).toMatchObject({ reason: "breakpoint" });
    expect(board.clock.sleptInsns - asleepBefore).toBeGreaterThan(40_000);
    expect([board.hart.read("a0"), board.hart.read("s3"), board.hart.mode]).toEqual([0n, 0x77n, "S"]);
  });

  it("resumes elsewhere from a sleep that loses registers", () => {
    const caller = new SbiCaller();
    const { board } = caller;
    caller.call(TIME, 0n, board.clock.mtime + 100n);
    caller.prepare(HSM, 3n, 0x8000_0000n, caller.place("trapped"), 0x55n);
    board.hart.state.setStored("mie", board.hart.csr("mie") | 0x20n);
    board.hart.stateReplaced();
    expect(caller.runTo("trapped")).toMatchObject({ reason: "breakpoint" });
    expect([board.hart.read("a0"), board.hart.read("a1"), board.hart.csr("satp")]).toEqual([0n, 0x55n, 0n]);
  });

  it("stops the only hart for good", () => {
    const caller = new SbiCaller();
    caller.prepare(HSM, 1n);
    expect(caller.board.run({ instructions: 100_000 })).toMatchObject({ reason: "wfi" });
  });
});

describe("legacy calls", () => {
  it("answer in a0 alone", () => {
    const caller = new SbiCaller();
    caller.prepare(1n, 0n, 0x142n, 0x99n);
    caller.runTo("back");
    expect([caller.board.hart.read("a0"), caller.board.hart.read("a1")]).toEqual([0n, 0x99n]);
    expect(caller.board.console.text).toBe("B");
  });

  it("read a byte, or −1", () => {
    const caller = new SbiCaller();
    expect(caller.call(2n, 0n).error).toBe(FAILED);
    caller.board.type("z");
    expect(caller.call(2n, 0n).error).toBe(122n);
  });

  it("send and clear a software interrupt", () => {
    const caller = new SbiCaller();
    const { hart, memory } = caller.board;
    expect(caller.call(3n, 0n).error).toBe(0n);
    memory.store(caller.place("data"), 8, ALL_ONES); // harts that do not exist are left out
    expect(caller.call(4n, 0n, caller.place("data")).error).toBe(SUCCESS);
    expect(hart.csr("sip") & 2n).toBe(2n);
    expect(caller.call(3n, 0n).error).toBe(1n);
    expect(hart.csr("sip") & 2n).toBe(0n);
    expect(caller.call(4n, 0n, 0n).error).toBe(SUCCESS);
    expect(hart.csr("sip") & 2n).toBe(2n);
  });

  it.each([4n, 5n, 6n, 7n])(
    "%i: a list where the caller may not read gives the caller the fault, at its call",
    (extension) => {
      const caller = new SbiCaller();
      const { hart } = caller.board;
      hart.state.setStored("stvec", caller.place("trapped"));
      caller.prepare(extension, 0n, BigInt(RAM_BASE) + 0x1000n);
      expect(caller.runTo("trapped", 10_000)).toMatchObject({ reason: "breakpoint" });
      expect([hart.mode, hart.csr("scause"), hart.csr("stval"), hart.csr("sepc")]).toEqual([
        "S",
        5n,
        BigInt(RAM_BASE) + 0x1000n,
        caller.place("call"),
      ]);
      expect(decodeCsr("mstatus", hart.csr("mstatus"))).toMatchObject({ MPRV: 0n, SPP: 1n, SIE: 0n });
    },
  );

  it("shut down", () => {
    const caller = new SbiCaller();
    caller.prepare(8n, 0n);
    expect(caller.board.run({ instructions: 10_000 })).toMatchObject({ reason: "poweroff", exitCode: 0 });
  });
});

describe("the firmware itself", () => {
  it("stops the machine with a sentence when its own memory is corrupted under it", () => {
    const caller = new SbiCaller();
    const { board } = caller;
    board.hart.state.setStored("mscratch", 0x4000_0000n); // a save area where nothing answers
    board.hart.stateReplaced();
    caller.prepare(BASE, 0n);
    const stop = board.run({ instructions: 10_000 });
    expect(["handler-error", "trap-loop"]).toContain(stop.reason);
  });

  it("counts instructions while it works: a call takes guest time", () => {
    const caller = new SbiCaller();
    const before = caller.board.clock.retired;
    caller.call(BASE, 0n);
    const taken = caller.board.clock.retired - before;
    expect(taken).toBeGreaterThan(70);
    expect(taken).toBeLessThan(150);
  });

  it("does the same in amnesia mode", () => {
    const hashes = [{}, { amnesia: { seed: 1 } }].map((options) => {
      const caller = new SbiCaller({ harts: 2 }, options);
      for (let round = 0n; round < 300n; round++) {
        caller.call(BASE, 3n, round);
        caller.call(DBCN, 2n, 65n + (round % 26n));
        caller.call(RFENCE, round % 7n, 3n, 0n, 0x1000n, 0x1000n, 1n);
        caller.call(TIME, 0n, round * 100n);
      }
      return caller.board.trace.hash();
    });
    expect(hashes[1]).toBe(hashes[0]);
  });
});
