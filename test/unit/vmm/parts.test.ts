/** The hypervisor with parts replaced: a part that only calls its reference changes nothing, and one that does else changes just that. */
import { describe, expect, it } from "vitest";
import { keeper as working } from "../../../lib/course/sharing/guests.ts";
import { FIRST_HYPERCALL, HYPERCALLS } from "../../../lib/vmm/hypercalls.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import type { LoadOptions } from "../../../lib/vmm/loader.ts";
import type { VmmParts } from "../../../lib/vmm/parts.ts";
import { GUEST_BASE, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const RAM = 64 * 4096;
const UART = 0x1000_0000;
const call = (name: string): bigint => FIRST_HYPERCALL + BigInt(Object.keys(HYPERCALLS).indexOf(name));

/** Prints the letter in `s0` at each beat of a timer that it asks for by SBI calls. */
const beating = (letter: string, ticks: number): Uint8Array =>
  guestBytes(`li s0, ${letter.charCodeAt(0)}\n la t0, beat\n csrw stvec, t0\n li t0, 0x20\n csrw sie, t0\n csrr s1, time
    li s2, ${ticks}\n add s1, s1, s2\n mv a0, s1\n li a7, 0x54494d45\n li a6, 0\n ecall\n csrsi sstatus, 2
    work: addi s3, s3, 1\n j work
    .balign 4
    beat: li t0, ${UART}\n sb s0, (t0)\n addi s4, s4, 1\n add s1, s1, s2\n mv a0, s1\n li a7, 0x54494d45\n li a6, 0\n ecall\n sret`);
/** Writes `sscratch`, lets others run, and prints `y` or `n`: whether it is still there. */
const keeper = (value: number): Uint8Array =>
  guestBytes(`li s1, ${value}\n again: csrw sscratch, s1\n li a7, ${call("yield")}\n ecall\n csrr t1, sscratch
    li a0, 121\n beq t1, s1, print\n li a0, 110\n print: li a7, 1\n ecall\n j again`);
const BUSY = guestBytes("again: addi s0, s0, 1\n j again");

const run = (
  load: LoadOptions,
  parts: VmmParts | (() => VmmParts),
  insns = 300_000,
): VmmScene & { message: string } => {
  const scene = vmmScene(load, { parts });
  const stop = scene.board.run({ instructions: insns });
  return { ...scene, message: stop.reason === "handler-error" ? stop.message : "" };
};
const guests = (...images: readonly Uint8Array[]): LoadOptions => ({
  guests: images.map((image) => ({ image, ramBytes: RAM, timer: "call" })),
  scheduler: "CREDIT",
  slice: 1_000,
  period: 3_000,
});

const PASSED_ON: VmmParts = {
  guestPageFault: (_visit, _address, _wish, reference) => reference(),
  decodeAccess: (_visit, reference) => reference(),
  emulateMmio: (_visit, _device, _address, _access, reference) => reference(),
  saveVcpu: (_host, _vcpu, reference) => reference(),
  restoreVcpu: (_host, _vcpu, reference) => reference(),
  choose: (_host, _turn, reference) => reference(),
  charge: (_host, _vcpu, _ran, reference) => reference(),
  pay: (_host, _turn, reference) => reference(),
  setTimer: (_visit, _deadline, reference) => reference(),
  answerTimer: (_host, _vcpu, _now, reference) => reference(),
  inject: (_host, _vcpu, _bits, _isPending, reference) => reference(),
  hypercalls: { yield: (_visit, reference) => reference() },
};

describe("parts", () => {
  const load = guests(beating("a", 700), keeper(7), keeper(8));

  it("that call their references change nothing, to the last event", () => {
    const plain = run(load, {});
    const passed = run(load, PASSED_ON);
    expect(passed.board.trace.hash()).toBe(plain.board.trace.hash());
    expect(printedBy(plain.vmm, 2)).toMatch(/^y{9,}$/);
  });

  it("are each asked", () => {
    const asked = new Set<string>();
    const noting = Object.entries(PASSED_ON).map(([name, part]) => [
      name,
      typeof part === "function"
        ? (...args: readonly unknown[]) => {
            asked.add(name);
            return Reflect.apply(part, undefined, args);
          }
        : part,
    ]);
    run(load, Object.fromEntries(noting));
    expect([...asked].sort()).toEqual(
      Object.keys(PASSED_ON)
        .filter((name) => name !== "hypercalls")
        .sort(),
    );
  });

  it("that forget a CSR let one guest see the other's", () => {
    const { vmm } = run(guests(keeper(7), keeper(8)), {
      saveVcpu: (_host, vcpu, reference) => {
        const { vsscratch } = vcpu.vs;
        reference();
        vcpu.vs.vsscratch = vsscratch;
      },
    });
    expect(printedBy(vmm, 1)).toContain("n");
  });

  it("may leave a page away: the guest has an access fault there", () => {
    const trapped =
      guestBytes(`la t0, trap\n csrw stvec, t0\n li t1, ${GUEST_BASE + 0x4000n}\n ld t2, (t1)\n j .
      .balign 4
      trap: csrr s0, scause\n csrr s1, stval\n stay: j stay`);
    const { board } = run(guests(trapped), {
      guestPageFault: (_visit, address, _wish, reference) => address >> 12n !== 0x8000_4n && reference(),
    });
    expect([board.hart.read("s0"), board.hart.read("s1")]).toEqual([5n, GUEST_BASE + 0x4000n]);
  });

  it("may read another register out of a trapped store: that is what is printed", () => {
    const { vmm } = run(guests(beating("a", 700)), {
      decodeAccess: (_visit, reference) => {
        const access = reference();
        return access === undefined ? undefined : { ...access, register: 0 };
      },
    });
    expect(printedBy(vmm, 1)).toMatch(/^\0+$/);
  });

  it("answer hypercalls by name, and new ones behind the reference's", () => {
    const size = Object.keys(HYPERCALLS).length;
    const caller =
      guestBytes(`li a7, ${call("version")}\n ecall\n mv s0, a0\n li a7, ${FIRST_HYPERCALL + BigInt(size)}\n ecall
      mv s1, a0\n stay: j stay`);
    const { board } = run(guests(caller), {
      hypercalls: {
        version: (_visit, reference) => reference() + 41n,
        mine: (_visit, reference) => reference(),
      },
    });
    expect([board.hart.read("s0"), BigInt.asIntN(64, board.hart.read("s1"))]).toEqual([42n, -2n]);
  });

  it("may choose another each time they are asked: they are asked once in a trap, and nobody goes on with another's registers", () => {
    const { vmm } = run(guests(...[7, 8].map((number) => guestBytes(working(number, 700)))), {
      choose: (_host, { vcpus, current }) => vcpus.find((vcpu) => vcpu.domain !== current?.domain),
    });
    for (const domain of [1, 2]) expect(printedBy(vmm, domain)).toMatch(/^y{9,}$/);
  });

  it("may choose: who is never chosen never runs", () => {
    const { vmm } = run(guests(BUSY, BUSY), {
      choose: (_host, { vcpus }) => vcpus.find((vcpu) => vcpu.domain === 2),
    });
    expect([0, 1].map((index) => vmm.state.vcpu(index).schedule.ran > 0n)).toEqual([false, true]);
  });
});

describe("a part that is wrong", () => {
  it.each<[string, VmmParts, string]>([
    ["chooses somebody who waits", { choose: (_host, { vcpus }) => vcpus.at(-1) }, "which is not ready"],
    ["chooses what is nobody", { choose: (host) => host.state.vcpu(9) }, "what is no virtual CPU"],
    [
      "throws",
      {
        pay: () => {
          throw new Error("no money");
        },
      },
      "no money",
    ],
    [
      "does not come to an end",
      {
        charge: (_host, vcpu) => {
          for (;;) vcpu.schedule.credit = 0n;
        },
      },
      "100000",
    ],
  ])("is named when it %s", (_, parts, words) => {
    const sleeper = guestBytes("csrw sie, zero\n wfi\n j .");
    const { message } = run(guests(BUSY, sleeper), parts);
    expect(message).toContain(words);
  });

  it("and chooses nobody is asked again; the machine idles, and its budget ends", () => {
    const { board, message, vmm } = run(guests(BUSY), { choose: () => undefined });
    expect([message, vmm.state.vcpu(0).schedule.ran]).toEqual(["", 0n]);
    expect(board.clock.now).toBeGreaterThan(100_000);
  });
});

describe("a timer that a guest has to call for", () => {
  it("beats as often as it asked, whoever runs when it is due", () => {
    const ticks = 700;
    const { board, vmm } = run(guests(beating("a", ticks), beating("b", 900)), {}, 600_000);
    for (const [domain, every] of [
      [1, ticks],
      [2, 900],
    ] as const) {
      const beats = printedBy(vmm, domain).length;
      expect(Math.abs(beats - board.clock.now / 10 / every)).toBeLessThanOrEqual(3);
    }
  });

  it("that is set to what has been rings at once", () => {
    const past = guestBytes(`la t0, beat\n csrw stvec, t0\n li t0, 0x20\n csrw sie, t0\n csrsi sstatus, 2
      li a0, 0\n li a7, 0x54494d45\n li a6, 0\n ecall\n li s1, 1\n stay: j stay
      .balign 4
      beat: li s0, 7\n halt: j halt`);
    const { board } = run(guests(past), {}, 20_000);
    expect([board.hart.read("s0"), board.hart.read("s1")]).toEqual([7n, 0n]);
  });
});
