import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { ACCESS_FAULT } from "../../../lib/bus/device.ts";
import { Ram } from "../../../lib/bus/ram.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { assembled, boardWith } from "../../support/assembled.ts";

const POWER_OFF = "li t0, 0x100000\n li t1, 0x5555\n sw t1, 0(t0)";

describe("loading", () => {
  it("points the hart at a program and changes nothing else", () => {
    const board = boardWith("nop");
    expect([board.hart.pc, board.hart.mode, board.hart.read("a1"), board.clock.retired]).toEqual([
      0x8000_0000n,
      "M",
      0n,
      0,
    ]);
    expect(board.memory.load(0x8000_0000n, 4)).toBe(0x13n);
  });

  it("refuses a program outside RAM, or an empty one, in one line, and leaves RAM alone", () => {
    const board = buildBoard({ ramBytes: 1 << 20 });
    const before = board.trace.hash();
    for (const origin of [0n, 0x7fff_ffffn, 0x8010_0000n - 2n, 2n ** 64n - 4n, -4n]) {
      expect(board.load({ origin, bytes: new Uint8Array(4) })).toMatchObject({
        kind: "load-error",
        reason: "outside-ram",
      });
    }
    expect(board.load({ origin: 0x8000_0000n, bytes: new Uint8Array(0) })).toMatchObject({
      reason: "nothing-to-load",
    });
    expect(board.trace.hash()).toBe(before);
  });

  it("leaves the hart after an ELF file as the boot ROM would, with the device tree where a1 says", () => {
    const board = buildBoard();
    board.loadElf(new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf"))));
    // QEMU 7.2, -m 16M: the registers of its first instruction outside the ROM.
    expect(["t0", "a0", "a1", "a2"].map((name) => board.hart.read(name as "a0"))).toEqual([
      0x8000_0000n,
      0n,
      0x80e0_0000n,
      0x1028n,
    ]);
    expect(board.memory.load(board.hart.read("a1"), 4)).toBe(0xedfe_0dd0n);
    expect(board.memory.bytes(board.hart.read("a1"), board.deviceTree.length)).toEqual(board.deviceTree);
  });

  it("names places in the image", () => {
    const board = boardWith("start: nop\n nop\n target: j target");
    expect(board.symbols.addressOf("target")).toBe(0x8000_0008n);
    expect(board.symbols.nameOf(0x8000_0004n)).toBe("start+0x4");
  });
});

describe("a run", () => {
  it("ends after exactly the instructions asked for, and says how many have retired", () => {
    const board = boardWith("loop: addi a0, a0, 1\n j loop");
    expect(board.run({ instructions: 7 })).toEqual({ reason: "budget", retired: 7 });
    expect(board.run({ instructions: 1 })).toEqual({ reason: "budget", retired: 8 });
    expect(board.run({ instructions: 0 })).toEqual({ reason: "budget", retired: 8 });
    expect(board.hart.read("a0")).toBe(4n);
  });

  it("ends when the guest switches off, with its exit code", () => {
    expect(boardWith(`nop\n ${POWER_OFF}\n nop`).run({ instructions: 100 })).toMatchObject({
      reason: "poweroff",
      exitCode: 0,
    });
    const failing = boardWith("li t0, 0x100000\n li t1, 0x2a3333\n sw t1, 0(t0)\n li a0, 1");
    expect(failing.run({ instructions: 100 })).toMatchObject({ reason: "poweroff", exitCode: 42 });
    expect(failing.hart.read("a0")).toBe(0n); // nothing runs after the store
  });

  it("ends when the guest asks for a reset, and reset makes the machine new", () => {
    const board = boardWith("li t0, 0x100000\n li t1, 0x7777\n sw t1, 0(t0)");
    expect(board.run({ instructions: 100 })).toMatchObject({ reason: "reset" });
    board.reset();
    const fresh = buildBoard();
    expect([board.clock.now, board.hart.pc, board.trace.hash()]).toEqual([
      0,
      fresh.hart.pc,
      fresh.trace.hash(),
    ]);
    expect(Buffer.compare(board.bus.ram.u8, fresh.bus.ram.u8)).toBe(0);
  });

  it("is reset without a copy of what RAM held, unless there is a snapshot to go back to", () => {
    const board = boardWith("li a0, 7\n li t0, 0x80002000\n sd a0, 0(t0)");
    const reset = (): number => {
      const copies = vi.spyOn(Ram.prototype, "bytes");
      board.reset();
      const count = copies.mock.calls.length;
      copies.mockRestore();
      return count;
    };
    board.run({ instructions: 10 });
    expect(reset()).toBe(0);
    board.load(assembled("li a0, 8\n li t0, 0x80003000\n sd a0, 0(t0)"));
    board.run({ instructions: 10 });
    const snapshot = board.snapshot();
    const hash = board.trace.hash();
    expect(reset()).toBeGreaterThan(0);
    expect(board.memory.load(0x8000_3000n, 8)).toBe(0n);
    board.revert(snapshot);
    expect([board.memory.load(0x8000_3000n, 8), board.hart.read("a0")]).toEqual([8n, 8n]);
    expect(board.trace.hash()).toBe(hash);
  });

  it("ends when the hart waits for what will never come", () => {
    const board = boardWith("wfi\n li a0, 1");
    expect(board.run({ instructions: 100 })).toMatchObject({ reason: "wfi", retired: 1 });
    expect(board.run({ instructions: 100 })).toMatchObject({ reason: "wfi", retired: 1 });
  });

  it("sleeps to the timer in no time of the host, and goes on after WFI", () => {
    const board = boardWith(`
      li t0, 0x2004000
      li t1, 1000000
      sd t1, 0(t0)        # mtimecmp: a tenth of a second
      li t1, 0x80
      csrw mie, t1        # MTIE, but mstatus.MIE is off: WFI ends, no trap is taken
      wfi
      li t0, 0x200bff8
      ld a0, 0(t0)
      ${POWER_OFF}`);
    expect(board.run({ instructions: 100 })).toMatchObject({ reason: "poweroff" });
    expect(board.hart.read("a0")).toBe(1_000_000n);
    expect(board.clock.retired).toBeLessThan(30);
  });

  it("ends when a trap handler itself traps for ever: at the same trap, however the run is cut", () => {
    const text = "csrw mtvec, zero\n nop\n ecall";
    const whole = boardWith(text);
    expect(whole.run({ instructions: 1_000_000 })).toEqual({ reason: "trap-loop", retired: 2 });
    const pieces = boardWith(text);
    while (pieces.run({ instructions: 1 }).reason === "budget");
    const stepped = boardWith(text);
    for (let step = 0; step < 1002; step++) stepped.step();
    const returned = boardWith(text);
    for (let step = 0; step < 500; step++) returned.step();
    const halfway = returned.snapshot();
    returned.run({ instructions: 1 });
    returned.revert(halfway);
    returned.run({ instructions: 1 });
    expect([pieces, stepped, returned].map(({ trace }) => trace.hash())).toEqual(
      new Array(3).fill(whole.trace.hash()),
    );
    expect(whole.trace.count).toBe(1002); // an image, a CSR write, a thousand traps… and none more when run again
    whole.run({ instructions: 1 });
    expect(whole.trace.count).toBe(1002);
  });

  it("ends at an address, in a mode, or at a trap, and says which", () => {
    const text = `
      la t0, handler
      csrw mtvec, t0
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 0x1f
      csrw pmpcfg0, t0
      la t0, user
      csrw mepc, t0
      csrw mstatus, zero
      mret
      user: li a0, 7
      ecall
      .balign 4
      handler: li a1, 8
      end: j end`;
    const run = (until: Parameters<ReturnType<typeof boardWith>["run"]>[0]["until"]) => {
      const board = boardWith(text);
      const stop = board.run({ instructions: 1000, ...(until === undefined ? {} : { until }) });
      return [
        stop.reason === "breakpoint" ? stop.at : stop.reason,
        board.symbols.nameOf(board.hart.pc),
        board.hart.mode,
      ];
    };
    expect(run({ mode: "U" })).toEqual(["mode", "user", "U"]);
    expect(run({ trap: true })).toEqual(["trap", "handler", "M"]);
    const end = boardWith(text).symbols.addressOf("end") ?? 0n;
    expect(run({ pc: end })).toEqual(["pc", "end", "M"]);
    expect(run(undefined)[0]).toBe("budget");
  });
});

describe("a step", () => {
  it("says which registers, CSRs and bytes of memory an instruction changed", () => {
    const board = boardWith("li a0, 5\n csrw mscratch, a0\n sw a0, 64(sp)\n lbu a1, 64(sp)");
    board.hart.write("sp", 0x8000_1000n);
    const records = [board.step(), board.step(), board.step(), board.step()];
    expect(records.map(({ retired, text }) => [retired, text])).toEqual([
      [0, "addi a0, zero, 5"],
      [1, "csrrw zero, mscratch, a0"],
      [2, "sw a0, 64(sp)"],
      [3, "lbu a1, 64(sp)"],
    ]);
    expect(records[0]?.writes).toEqual([{ register: "a0", before: 0n, after: 5n }]);
    expect(records[1]?.csrs).toEqual([{ csr: "mscratch", before: 0n, after: 5n }]);
    const place = { vaddr: 0x8000_1040n, paddr: 0x8000_1040n };
    expect(records[2]?.memory).toEqual({ kind: "store", width: 4, value: 5n, ...place });
    expect(records[3]?.memory).toEqual({ kind: "load", width: 1, value: 5n, ...place });
  });

  it("is either an instruction or a trap, and a trap retires nothing", () => {
    const board = boardWith("la t0, handler\n csrw mtvec, t0\n ecall\n .balign 4\n handler: nop");
    board.run({ instructions: 3 });
    const record = board.step();
    expect(record).toMatchObject({
      retired: 3,
      text: "ecall",
      trap: { cause: 11, isInterrupt: false },
      modeAfter: "M",
    });
    expect(board.clock.retired).toBe(3);
    expect(record.csrs.map(({ csr }) => csr)).toEqual(expect.arrayContaining(["mepc", "mcause"]));
    expect(board.step().where).toBe("handler");
  });

  it("shows where a hypervisor's access to its guest's memory went", () => {
    const board = boardWith(
      "li t2, -1\n csrw pmpaddr0, t2\n csrwi pmpcfg0, 0x1f\n li t0, 0x80001000\n li t1, 7\n hsv.w t1, (t0)\n hlvx.hu a0, (t0)",
    );
    const records = Array.from({ length: 12 }, () => board.step()).filter(({ text }) => /^h/.test(text));
    const place = { vaddr: 0x8000_1000n, paddr: 0x8000_1000n, value: 7n };
    expect(records.map(({ memory }) => memory)).toEqual([
      { kind: "store", width: 4, ...place },
      { kind: "load", width: 2, ...place },
    ]);
  });

  it("shows a faulting load without a memory access, and an address without code as such", () => {
    const board = boardWith("ld a0, 0(zero)");
    board.hart.write("zero", 1n);
    const [fault, lost] = [board.step(), board.step()];
    expect([fault.memory, fault.trap?.cause]).toEqual([undefined, 5]);
    expect([lost.word, lost.text, lost.trap?.cause]).toEqual([undefined, "(nothing to fetch)", 1]);
  });

  it("takes a sleeping hart to its wake-up, and does nothing once the machine is off", () => {
    const board = boardWith("wfi\n nop");
    board.step();
    expect(board.step()).toMatchObject({ retired: 1, text: "addi zero, zero, 0", writes: [] });
    expect(board.clock.retired).toBe(1);
  });
});

describe("the terminal", () => {
  const ECHO = `
    li s0, 0x10000000
    loop: lbu t0, 5(s0)
    andi t0, t0, 1
    beqz t0, loop
    lbu a0, 0(s0)
    sb a0, 0(s0)
    j loop`;

  it("shows what the guest prints, as text, to whoever listens", () => {
    const board = boardWith(ECHO);
    const heard: string[] = [];
    const stop = board.console.onText((text) => heard.push(text));
    board.type("grüße");
    board.run({ instructions: 1000 });
    expect(board.console.text).toBe("grüße");
    expect(heard.join("")).toBe("grüße");
    stop();
    board.type("!");
    board.run({ instructions: 1000 });
    expect([board.console.text, heard.join("")]).toEqual(["grüße!", "grüße"]);
  });

  it("forgets what was printed after a snapshot when the machine goes back, half a character included", () => {
    const board = boardWith(ECHO);
    board.type("a");
    board.run({ instructions: 100 });
    board.bus.store(0x1000_0000, 1, 0xc3n);
    const half = board.snapshot();
    board.bus.store(0x1000_0000, 1, 0xbcn);
    expect(board.console.text).toBe("aü");
    board.revert(half);
    expect(board.console.text).toBe("a");
    board.bus.store(0x1000_0000, 1, 0xa4n);
    expect(board.console.text).toBe("aä");
  });
});

describe("looking at memory", () => {
  it("changes nothing, reaches RAM only, and writing is an input of the trace", () => {
    const board = buildBoard();
    const before = board.trace.hash();
    expect(board.memory.load(0x1000_0000n, 1)).toBe(ACCESS_FAULT);
    expect(board.memory.bytes(0x8000_0000n, 2 ** 24 + 1)).toBe(ACCESS_FAULT);
    expect(board.memory.store(0x7fff_fff8n, 8, 1n)).toBe(ACCESS_FAULT);
    expect(board.trace.hash()).toBe(before);
    expect(board.memory.store(0x8000_0100n, 2, -2n)).toBeUndefined();
    expect(board.memory.load(0x8000_0100n, 4)).toBe(0xfffen);
    expect(board.trace.hash()).not.toBe(before);
  });
});

describe("a board that cannot be", () => {
  it("is refused at once", () => {
    for (const ramBytes of [0, 1000, 65_537, 2 ** 32])
      expect(() => buildBoard({ ramBytes })).toThrow(RangeError);
    const foreign = buildBoard().snapshot();
    expect(() => buildBoard().revert(foreign)).toThrow(/another board/);
  });
});
