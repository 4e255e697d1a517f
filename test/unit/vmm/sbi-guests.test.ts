/** Guests that begin in supervisor mode: what the hypervisor's SBI, devices and interrupts do for them. Expectations from the manuals. */
import { describe, expect, it } from "vitest";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState, ExitKind } from "../../../lib/vmm/layout.ts";
import type { Guest } from "../../../lib/vmm/loader.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const RUN = { instructions: 400_000 };

function run(text: string, guest: Partial<Guest> = {}, budget = RUN): VmmScene {
  const scene = vmmScene({ guests: [{ image: guestBytes(text), ...guest }] });
  scene.board.run(budget);
  return scene;
}
const OFF = "off: li a7, 0x53525354\n li a6, 0\n li a0, 0\n li a1, 0\n ecall";
const results = "0x80010000";
/** Runs a guest that leaves words at {@link results}, and reads them through the second stage from outside. */
function words(scene: VmmScene, count: number): bigint[] {
  const page = 0x8001_0000n;
  const { state } = scene.vmm;
  let table: bigint = state.root(1);
  const read = (at: bigint): bigint => scene.board.memory.load(at, 8) as bigint;
  for (const level of [2n, 1n, 0n]) {
    const entry = read(table + 8n * ((page >> (12n + 9n * level)) & (level === 2n ? 2047n : 511n)));
    if ((entry & 1n) === 0n) throw new Error("the guest has not written its results");
    table = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
  }
  return Array.from({ length: count }, (_, index) => read(table + BigInt(8 * index)));
}
const MINUS = (error: bigint): bigint => 2n ** 64n - error;

/** Makes calls and stores `a0` and `a1` of each. */
const calls = (list: readonly (readonly [extension: number, fn: number, ...args: bigint[]])[]): string =>
  [
    `li s0, ${results}`,
    ...list.flatMap(([extension, fn, ...args]) => [
      ...args.map((value, index) => `li a${index}, ${BigInt.asIntN(64, value)}`),
      `li a7, ${extension}`,
      `li a6, ${fn}`,
      "ecall",
      "sd a0, (s0)",
      "sd a1, 8(s0)",
      "addi s0, s0, 16",
    ]),
    OFF,
  ].join("\n");

describe("the SBI of the hypervisor", () => {
  it("answers the base extension, and refuses what it does not have", () => {
    const scene = run(
      calls([
        [0x10, 0],
        [0x10, 3, 0x4442_434en],
        [0x10, 3, 0x1234n],
        [0x1234, 0],
        [0x10, 99],
      ]),
    );
    expect(words(scene, 10)).toEqual([0n, 2n << 24n, 0n, 1n, 0n, 0n, MINUS(2n), 0n, MINUS(2n), 0n]);
    expect(scene.vmm.state.domain(1).state).toBe(DomainState.OFF);
    expect(frameMistakes(scene)).toEqual([]);
  });

  it("prints by the debug console and by the old call, across pages, and only the guest's own memory", () => {
    const text = `la a1, text\n li a0, 5\n li a2, 0\n li a7, 0x4442434e\n li a6, 0\n ecall\n mv s1, a1
      li a0, 33\n li a7, 1\n ecall
      li s0, ${results}\n sd s1, (s0)\n li a0, 8\n li a1, 0x80200000\n slli a1, a1, 4\n li a2, 0\n li a7, 0x4442434e\n li a6, 0\n ecall\n sd a0, 8(s0)
      ${OFF}\n .align 12\n .zero 4093\n text: .ascii "hello"`;
    const scene = run(text);
    expect(printedBy(scene.vmm, 1)).toBe("hello!");
    expect(scene.board.console.text).toBe("hello!");
    expect(words(scene, 2)).toEqual([5n, MINUS(3n)]);
  });

  it("stops the guest alone when it does what cannot be made good, and says why", () => {
    // Long enough for the wait for memory that nobody gives back.
    const scene = run(
      "li t0, 0x80000000\n li t1, 4096\n loop: sd t0, (t0)\n add t0, t0, t1\n j loop",
      { ramBytes: 16 * 1024 * 1024 },
      { instructions: 4_000_000 },
    );
    const { state, crashCause, crashValue } = scene.vmm.state.domain(1);
    expect(state).toBe(DomainState.CRASHED);
    expect(crashCause).toBe(23n);
    expect(crashValue).toBeGreaterThan(0x8000_0000n);
    expect(frameMistakes(scene)).toEqual([]);
  });
});

describe("a guest's timer", () => {
  it.each([
    ["by its own CSR", "csrw stimecmp, t0"],
    ["by the SBI", "mv a0, t0\n li a7, 0x54494d45\n li a6, 0\n ecall"],
  ])("set %s interrupts it, also out of WFI, and not before its time", (_, set) => {
    const scene =
      run(`la t0, handler\n csrw stvec, t0\n csrr s2, time\n li t1, 3000\n add t0, s2, t1\n mv s3, t0
      ${set}\n li t0, 0x20\n csrw sie, t0\n csrsi sstatus, 2\n wait: wfi\n j wait
      .align 2\n handler: csrr s4, time\n li s0, ${results}\n csrr t0, scause\n sd t0, (s0)\n sub t0, s4, s3\n sd t0, 8(s0)
      ${OFF}`);
    const [cause, late] = words(scene, 2);
    expect(cause).toBe((1n << 63n) | 5n);
    expect(Number(late)).toBeGreaterThanOrEqual(0);
    expect(Number(late)).toBeLessThan(500);
    expect(scene.vmm.state.vcpu(0).exits.get(ExitKind.WAIT)).toBeGreaterThan(0n);
  });
});

describe("devices of a guest", () => {
  const WIDTHS = ["lb", "lbu", "lh", "lhu", "lw", "lwu", "ld"];
  it("give loads of each width what the board's own port gives", () => {
    const load = (insn: string): string => `li t0, 0x10000007\n li t1, 0xa5\n sb t1, (t0)
      li t0, 0x10000000\n ${insn === "lb" || insn === "lbu" ? `${insn} t2, 7(t0)` : `${insn} t2, (t0)`}\n li s0, ${results}\n sd t2, (s0)\n`;
    for (const insn of WIDTHS) {
      const guest = run(`${load(insn)}${OFF}`);
      const [found] = words(guest, 1);
      const expected = insn === "lb" ? 0xffff_ffff_ffff_ffa5n : insn === "lbu" ? 0xa5n : 0n;
      expect([insn, found]).toEqual([insn, expected]);
    }
  });

  it("are reached by compressed instructions, and where htinst says nothing", () => {
    const scene = run(`li a0, 0x10000000\n li a1, 65\n c.sw a1, 0(a0)\n li a1, 66\n sb a1, (a0)\n ${OFF}`);
    expect(printedBy(scene.vmm, 1)).toBe("AB");
  });

  it("raise access faults where there are none, as on the board", () => {
    const scene = run(`la t0, handler\n csrw stvec, t0\n li t1, 0x20000000\n ld t2, 5(t1)\n ${OFF}
      .align 2\n handler: li s0, ${results}\n csrr t0, scause\n sd t0, (s0)\n csrr t0, stval\n sd t0, 8(s0)\n j off`);
    expect(words(scene, 2)).toEqual([5n, 0x2000_0005n]);
  });

  it("interrupt through the virtual PLIC when somebody types", () => {
    const scene = vmmScene({
      guests: [
        {
          image: guestBytes(`la t0, handler\n csrw stvec, t0\n li t0, 0x0c000028\n li t1, 3\n sw t1, (t0)
      li t0, 0x0c002080\n li t1, 0x400\n sw t1, (t0)\n li t0, 0x10000001\n li t1, 1\n sb t1, (t0)
      li t0, 0x200\n csrw sie, t0\n csrsi sstatus, 2\n wait: wfi\n j wait
      .align 2\n handler: li t0, 0x0c201004\n lw s1, (t0)\n li t1, 0x10000000\n lbu s2, (t1)\n addi s2, s2, 1\n sb s2, (t1)\n sw s1, (t0)
      li t3, 0x63\n bne s2, t3, back\n j off\n back: sret\n ${OFF}`),
        },
      ],
    });
    scene.board.run(RUN);
    expect(scene.vmm.state.domain(1).state).toBe(DomainState.RUNNING);
    scene.board.type("a");
    scene.board.run(RUN);
    scene.board.type("b");
    expect(scene.board.run(RUN)).toMatchObject({ reason: "poweroff" });
    expect(scene.board.console.text).toBe("bc");
  });
});

describe("several virtual CPUs", () => {
  it("are started by the first, interrupt each other and stop", () => {
    const scene = run(
      `bnez a0, second\n la t0, handler\n csrw stvec, t0\n li a0, 1\n la a1, second\n li a2, 77\n li a7, 0x48534d\n li a6, 0\n ecall
      li t0, 2\n csrw sie, t0\n csrsi sstatus, 2\n wait: wfi\n j wait
      second: li s0, ${results}\n sd a0, (s0)\n sd a1, 8(s0)\n li a0, 1\n li a1, 0\n li a7, 0x735049\n li a6, 0\n ecall\n li a7, 0x48534d\n li a6, 1\n ecall
      .align 2\n handler: csrr t0, scause\n li s0, ${results}\n sd t0, 16(s0)\n li a0, 1\n li a7, 0x48534d\n li a6, 2\n ecall\n sd a1, 24(s0)\n ${OFF}`,
      { vcpus: 2 },
    );
    const [number, argument, cause, status] = words(scene, 4);
    expect([number, argument, cause]).toEqual([1n, 77n, (1n << 63n) | 1n]);
    expect([0n, 1n]).toContain(status);
    expect(scene.vmm.state.domain(1).state).toBe(DomainState.OFF);
  });
});
