/** Which architectural events the engine reports, in which order and with which words. */
import { describe, expect, it } from "vitest";
import { EVENT_WORDS, EventKind, type EventSink } from "../../../lib/bus/event-sink.ts";
import { CSRS } from "../../../lib/isa/csr-map.ts";
import { bareMachine, loadText, runToWfi, SWITCH_POSITIONS } from "../../support/bare-machine.ts";

/** A sink that writes events down as text. */
class Notebook implements EventSink {
  readonly lines: string[] = [];
  record(
    kind: EventKind,
    hart: number,
    detail: number,
    retired: number,
    a: bigint,
    b: bigint,
    c: bigint,
  ): void {
    this.lines.push(
      [EVENT_WORDS[kind][0], hart, detail, retired, ...[a, b, c].map((word) => word.toString(16))].join(" "),
    );
  }
}

const PROGRAM = `
  la t0, trap            # 2 instructions
  csrw mtvec, t0         # event after 2
  csrr t1, mtvec         # a read is no event
  li t0, -1
  csrw pmpaddr0, t0      # event after 5
  li t0, 0x1f
  csrw pmpcfg0, t0       # event after 7
  la t0, user
  csrw mepc, t0          # event after 10
  mret                   # return to user mode after 11
user:
  rdcycle t0             # not open to user mode: exception after 12
  nop
trap:
  wfi`;

describe("events", () => {
  it("are CSR writes by privileged code, traps and returns; each with what had retired before it", () => {
    for (const switches of SWITCH_POSITIONS) {
      const events = new Notebook();
      const machine = bareMachine({ ...switches, events });
      const { symbols } = loadText(machine, PROGRAM);
      const at = (label: string): bigint => symbols.get(label) ?? 0n;
      runToWfi(machine);
      const write = (csr: keyof typeof CSRS, retired: number, value: bigint, pc: bigint): string =>
        `csr-write 0 3 ${retired} ${CSRS[csr].address.toString(16)} ${value.toString(16)} ${pc.toString(16)}`;
      const start = 0x8000_0000n;
      expect(events.lines, switches.title).toEqual([
        write("mtvec", 2, at("trap"), start + 8n),
        write("pmpaddr0", 5, 2n ** 64n - 1n, start + 20n),
        write("pmpcfg0", 7, 0x1fn, start + 28n),
        write("mepc", 10, at("user"), start + 40n),
        `trap-return 0 48 11 ${(start + 44n).toString(16)} ${at("user").toString(16)} 0`,
        `exception 0 3 12 2 ${at("user").toString(16)} c00022f3`,
      ]);
    }
  });

  it("are interrupts with the address that they interrupted", () => {
    const events = new Notebook();
    const machine = bareMachine({ events });
    loadText(machine, "la t0, trap\n csrw mtvec, t0\n csrwi mie, 8\n csrwi mstatus, 8\n nop\n trap: wfi");
    machine.engine.run(4); // everything but the global enable
    machine.hart.state.wiresPending = 8n;
    machine.hart.stateReplaced();
    machine.engine.run(2);
    expect(events.lines.at(-1)).toBe("interrupt 0 51 5 3 80000014 0");
  });

  it("have numbers that stay", () => {
    expect([EventKind.EXCEPTION, EventKind.INTERRUPT, EventKind.TRAP_RETURN, EventKind.CSR_WRITE]).toEqual([
      1, 2, 3, 4,
    ]);
  });
});
