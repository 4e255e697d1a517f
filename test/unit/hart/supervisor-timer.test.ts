/** Sstc: the timer that supervisor mode sets by itself. */
import { beforeEach, describe, expect, it } from "vitest";
import { INSNS_PER_TICK } from "../../../lib/bus/clock.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { encodeCsr } from "../../../lib/isa/csr-map.ts";
import { MODE_NUMBER, type Mode } from "../../../lib/isa/mode.ts";
import { EXCEPTION, INTERRUPT } from "../../../lib/isa/trap.ts";
import { boardWith } from "../../support/assembled.ts";
import { type BareMachine, bareMachine, loadText } from "../../support/bare-machine.ts";

const STIP = 1n << BigInt(INTERRUPT.supervisorTimer);
const NEVER = 2n ** 64n - 1n;
let machine: BareMachine;

beforeEach(() => {
  machine = bareMachine();
});

const pending = (): bigint => machine.hart.csr("mip") & STIP;
const switchOn = (): void => writeCsr(machine.hart, "menvcfg", encodeCsr("menvcfg", { STCE: 1 }));

function causeIn(mode: Mode, line: string): number | undefined {
  loadText(machine, line);
  writeCsr(machine.hart, "pmpaddr0", 2n ** 54n - 1n);
  writeCsr(machine.hart, "pmpcfg0", 0x1fn);
  machine.hart.state.modeNumber = MODE_NUMBER[mode];
  machine.hart.stateReplaced();
  return machine.engine.step()?.cause;
}

describe("stimecmp", () => {
  it("is supervisor mode's only with both menvcfg.STCE and mcounteren.TM, machine mode's always (norm:menvcfg_stce_op2 norm:mcounteren_tm_clr norm:mcounteren_tm_set norm:stimecmp_exist)", () => {
    const causes = [0n, 1n].flatMap((STCE) =>
      [0n, 1n].map((TM) => {
        machine = bareMachine();
        writeCsr(machine.hart, "menvcfg", encodeCsr("menvcfg", { STCE }));
        writeCsr(machine.hart, "mcounteren", encodeCsr("mcounteren", { TM }));
        return [causeIn("S", "csrr a0, stimecmp"), causeIn("M", "csrr a0, stimecmp")];
      }),
    );
    const illegal = EXCEPTION.illegalInstruction;
    expect(causes).toEqual([
      [illegal, undefined],
      [illegal, undefined],
      [illegal, undefined],
      [undefined, undefined],
    ]);
  });

  it("makes STIP pending exactly while time has reached it (norm:mip_stip_stimecmp_op2 norm:mip_sip_stip_op norm:sstc_purpose norm:mip_stip_stimecmp_clr)", () => {
    switchOn();
    expect(pending()).toBe(0n);
    writeCsr(machine.hart, "stimecmp", 0n);
    expect(pending()).toBe(STIP);
    writeCsr(machine.hart, "stimecmp", NEVER);
    expect(pending()).toBe(0n);
  });

  it("plans an alarm for the moment when time will reach it", () => {
    switchOn();
    writeCsr(machine.hart, "stimecmp", 3n);
    expect(machine.clock.alarmAtRetired).toBe(3 * INSNS_PER_TICK);
    loadText(machine, "loop: j loop");
    expect(machine.engine.run(1000)).toEqual({ reason: "alarm", steps: 3 * INSNS_PER_TICK });
    expect(pending()).toBe(0n);
    machine.clock.ringDue();
    expect(pending()).toBe(STIP);
  });

  it("is compared again when somebody writes mtime", () => {
    switchOn();
    writeCsr(machine.hart, "stimecmp", 1000n);
    machine.clock.mtime = 1000n;
    expect(pending()).toBe(STIP);
    machine.clock.mtime = 999n;
    expect(pending()).toBe(0n);
  });
});

describe("STIP", () => {
  it("is software's while STCE is 0, whatever stimecmp holds (norm:menvcfg_stce_op1 norm:mip_stip_no_stimecmp_acc)", () => {
    writeCsr(machine.hart, "stimecmp", 0n);
    expect(pending()).toBe(0n);
    writeCsr(machine.hart, "mip", STIP);
    expect(pending()).toBe(STIP);
    writeCsr(machine.hart, "mip", 0n);
    expect(pending()).toBe(0n);
  });

  it("is read-only while STCE is 1, and belongs to software again afterwards (norm:mip_stip_stimecmp_acc norm:sip_stip_sie_stie)", () => {
    writeCsr(machine.hart, "mip", STIP);
    switchOn();
    expect(pending()).toBe(0n);
    writeCsr(machine.hart, "mip", STIP);
    expect(pending()).toBe(0n);
    writeCsr(machine.hart, "stimecmp", 0n);
    writeCsr(machine.hart, "mip", 0n);
    expect(pending()).toBe(STIP);
    writeCsr(machine.hart, "menvcfg", 0n);
    expect(pending()).toBe(0n);
  });
});

/** Machine mode opens the timer; supervisor mode sets it and sleeps; its handler leaves the time in s1 and switches off. */
const TICKING = `
  li t0, -1
  srli t0, t0, 10
  csrw pmpaddr0, t0
  csrwi pmpcfg0, 31
  csrwi mcounteren, 2
  li t0, 1
  slli t0, t0, 63
  csrw menvcfg, t0
  li t0, 32
  csrw mideleg, t0
  la t0, handler
  csrw stvec, t0
  li t0, 0x800
  csrw mstatus, t0
  la t0, supervisor
  csrw mepc, t0
  mret
supervisor:
  rdtime s0
  addi s0, s0, 500
  csrw stimecmp, s0
  li t0, 32
  csrw sie, t0
  csrsi sstatus, 2
sleep: wfi
  j sleep
handler:
  rdtime s1
  csrr s2, scause
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
`;

describe("a supervisor", () => {
  it("is woken by its own timer without machine mode, and time jumps while it sleeps", () => {
    const board = boardWith(TICKING);
    const stop = board.run({ instructions: 10_000 });
    expect(stop.reason).toBe("poweroff");
    expect(board.hart.read("s1") - board.hart.read("s0")).toBeLessThan(3n);
    expect(board.hart.read("s1")).toBeGreaterThanOrEqual(board.hart.read("s0"));
    expect(board.hart.read("s2")).toBe((1n << 63n) | 5n);
  });

  it("is woken the same after a return to a snapshot that was taken when it had set its timer", () => {
    const board = boardWith(TICKING);
    while (board.hart.csr("stimecmp") === NEVER) board.run({ instructions: 1 });
    const snapshot = board.snapshot();
    board.run({ instructions: 10_000 });
    const first = [board.hart.read("s1"), board.trace.hash()];
    board.revert(snapshot);
    board.run({ instructions: 10_000 });
    expect([board.hart.read("s1"), board.trace.hash()]).toEqual(first);
  });
});
