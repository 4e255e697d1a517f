/** Several harts on our firmware: started, interrupted, fenced, put to sleep; also in race mode, where turns last 1 to 64 instructions. */
import { describe, expect, it } from "vitest";
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { installFirmware } from "../../../lib/firmware/firmware.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { PAYLOAD, SbiCaller } from "../../support/sbi-caller.ts";

const HSM = 0x48_534dn;
const IPI = 0x73_5049n;
const RFENCE = 0x5246_4e43n;
const ALL_ONES = 2n ** 64n - 1n;

const RACE: BoardConfig = { turns: { min: 1, max: 64 } };

describe.each([
  ["ordinary turns", {}],
  ["race mode", RACE],
])("with %s", (_, config) => {
  it("a hart is stopped, starts where it is told with its argument, and cannot be started twice", () => {
    const caller = new SbiCaller({ ...config, harts: 4 });
    const idle = caller.place("idle");
    for (const hart of [1n, 2n, 3n]) {
      expect(caller.call(HSM, 2n, hart).value).toBe(1n);
      expect(caller.call(HSM, 0n, hart, idle, 0x100n + hart).error).toBe(0n);
      expect(caller.call(HSM, 0n, hart, idle).error).toBe(-6n);
    }
    caller.board.run({ instructions: 200_000 });
    for (const hart of [1n, 2n, 3n]) expect(caller.call(HSM, 2n, hart).value).toBe(0n);
    for (const hart of caller.board.harts.slice(1)) {
      expect([hart.mode, hart.read("a0"), hart.read("a1")]).toEqual([
        "S",
        BigInt(hart.id),
        0x100n + BigInt(hart.id),
      ]);
      expect([hart.csr("satp"), hart.csr("sstatus") & 2n, hart.csr("medeleg")]).toEqual([
        0n,
        0n,
        caller.board.hart.csr("medeleg"),
      ]);
    }
  });

  it("an interrupt reaches the harts of the list that run, and no other", () => {
    const caller = new SbiCaller({ ...config, harts: 4 });
    for (const hart of [1n, 2n]) caller.call(HSM, 0n, hart, caller.place("idle"));
    caller.board.run({ instructions: 200_000 });
    expect(caller.call(IPI, 0n, 0b1110n, 0n).error).toBe(0n); // hart 3 is stopped
    caller.board.run({ instructions: 200_000 });
    expect(caller.board.harts.map((hart) => hart.csr("sip") & 2n)).toEqual([0n, 2n, 2n, 0n]);
    expect(caller.call(HSM, 2n, 3n).value).toBe(1n);
  });

  it.each([0n, 1n, 2n, 3n, 4n, 5n, 6n])("fence %i returns when all harts have done it", (number) => {
    const caller = new SbiCaller({ ...config, harts: 4 });
    for (const hart of [1n, 2n]) caller.call(HSM, 0n, hart, caller.place("idle"));
    caller.board.run({ instructions: 200_000 });
    const calls = caller.board.trace.count;
    expect(caller.call(RFENCE, number, 0n, ALL_ONES, 0x1000n, 0x3000n, 1n).error).toBe(0n);
    // Hart 1 and hart 2 each took the knock: a machine software interrupt.
    const knocked = caller.board.trace.events
      .slice(calls - caller.board.trace.count)
      .filter((event) => event.kind === "interrupt" && event.to === "M")
      .map(({ hart }) => hart);
    expect(knocked.sort()).toEqual([1, 2]);
  });

  it("two harts that fence each other all the time do not wait for ever", () => {
    const board = buildBoard({ ...config, harts: 2, seed: 3 });
    const source = `
      start:
        mv s0, a0
        bnez s0, loop
        li a7, ${HSM}
        li a6, 0
        li a0, 1
        la a1, start
        ecall
      loop: li s1, 200
      again:
        li a7, ${RFENCE}
        li a6, 1
        li a0, 3
        li a1, 0
        li a2, 0
        li a3, 0
        ecall
        bnez a0, end
        addi s1, s1, -1
        bnez s1, again
      end: la t0, left
        slli t1, s0, 3
        add t0, t0, t1
        sd s1, (t0)
      done: wfi
        j done
      .balign 8
      left: .dword 999, 999`;
    const payload = assemble(source, { origin: PAYLOAD });
    if (payload.kind !== "program") throw new Error(payload.message);
    board.memory.write(PAYLOAD, payload.bytes);
    installFirmware(board);
    expect(board.run({ instructions: 5_000_000 })).toMatchObject({ reason: "wfi" });
    const left = payload.symbols.get("left") ?? 0n;
    expect([board.memory.load(left, 8), board.memory.load(left + 8n, 8)]).toEqual([0n, 0n]);
  });

  it("a hart that stops itself can be started again", () => {
    const board = buildBoard({ ...config, harts: 2 });
    const source = `
      start:
        bnez a0, other
      once: li a7, ${HSM}
        li a6, 0
        li a0, 1
        la a1, start
        mv a2, s2
        ecall
        bnez a0, once
        addi s2, s2, 1
        li t0, 20
        bne s2, t0, once
        la t0, count
      wait: lw t1, (t0)
        li t2, 20
        bne t1, t2, wait
        li a7, 8
        ecall
      other: la t0, count
        li t1, 1
        amoadd.w zero, t1, (t0)
        li a7, ${HSM}
        li a6, 1
        ecall
      fail: j fail
      .balign 8
      count: .dword 0`;
    const payload = assemble(source, { origin: PAYLOAD });
    if (payload.kind !== "program") throw new Error(payload.message);
    board.memory.write(PAYLOAD, payload.bytes);
    installFirmware(board);
    expect(board.run({ instructions: 5_000_000 })).toMatchObject({ reason: "poweroff", exitCode: 0 });
  });

  it("is the same run twice, and another one with another seed", () => {
    const run = (seed: number): string => {
      const caller = new SbiCaller({ ...config, harts: 3, seed });
      for (const hart of [1n, 2n]) caller.call(HSM, 0n, hart, caller.place("idle"));
      caller.call(RFENCE, 1n, 7n, 0n);
      caller.call(IPI, 0n, 7n, 0n);
      caller.board.run({ instructions: 50_000 });
      return caller.board.trace.hash();
    };
    expect(run(1)).toBe(run(1));
    expect(run(1)).not.toBe(run(2));
  });
});

describe("a run of three harts on the firmware", () => {
  it("is the same run cut in pieces, and goes on from a snapshot as before", () => {
    const started = (): SbiCaller => {
      const caller = new SbiCaller({ harts: 3, turns: { min: 1, max: 64 } });
      for (const hart of [1n, 2n]) caller.call(HSM, 0n, hart, caller.place("idle"));
      caller.prepare(RFENCE, 1n, 7n, 0n, 0n, 0n);
      return caller;
    };
    const whole = started();
    whole.board.run({ instructions: 3000 });
    const cut = started();
    while (cut.board.clock.retired < whole.board.clock.retired) cut.board.run({ instructions: 1 });
    expect(cut.board.clock.retired).toBe(whole.board.clock.retired);
    expect(cut.board.trace.hash()).toBe(whole.board.trace.hash());

    const resumed = started();
    resumed.board.run({ instructions: 100 });
    const here = resumed.board.snapshot();
    resumed.board.run({ instructions: 500 });
    resumed.board.revert(here);
    resumed.board.run({ instructions: whole.board.clock.retired - resumed.board.clock.retired });
    expect(resumed.board.trace.hash()).toBe(whole.board.trace.hash());
  });
});

describe("a boot hart other than 0", () => {
  it("gets the payload", () => {
    const caller = new SbiCaller({ harts: 3 }, { bootHart: 2 });
    expect(caller.board.harts.map(({ pc }) => pc === PAYLOAD)).toEqual([false, false, true]);
    expect(caller.board.harts[2]?.read("a0")).toBe(2n);
  });
});
