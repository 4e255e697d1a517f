/** Floating-point loads and stores, and SCs, that the classic monitor makes for its guest. The oracle is the bare board. */
import { describe, expect, it } from "vitest";
import type { BoardConfig } from "../../../lib/board/virt.ts";
import { seededNumbers } from "../../support/random.ts";
import { asClassicGuest, classicExits, classicScene, firstDifference, onBareBoard } from "./effects.ts";
import { guestBytes } from "./vmm-scene.ts";

const WITHOUT_H = { isa: { hypervisor: false } } as const;
const LEAKY = { isa: { hypervisor: false, leaks: ["sstatus"] } } as const;
const ACCESS = 2;
const SEEDS = process.env["DOM0_TEST_FULL"] === "1" ? 200 : 2;

/** A machine mode that logs each trap at `s11` and goes on at `ra`; it opens PMP and stands under MPRV in the name of the supervisor. */
const underMprv = (body: string): string => `
  la t0, trap\n csrw mtvec, t0\n li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0
  li s11, 0x80100000\n la s10, data\n li s9, 0x80011000\n li s8, 0x20000\n li s7, 0x6000\n mv sp, s10\n mv s0, s10
  li t0, 0x22800\n csrs mstatus, t0
  ${body}
  la ra, over\n over: csrs mstatus, s7
  ${Array.from({ length: 32 }, (_, index) => `fsd f${index}, ${8 * index}(s11)`).join("\n")}
  li t0, 0x100000\n li t1, 0x5555\n sw t1, (t0)
  .align 2\n trap: csrr t0, mcause\n sd t0, (s11)\n csrr t0, mtval\n sd t0, 8(s11)\n csrr t0, mepc\n sd t0, 16(s11)
  csrr t0, mstatus\n sd t0, 24(s11)\n addi s11, s11, 32\n csrci mip, 0\n li t0, 0x2000000\n sw zero, (t0)\n csrw mepc, ra\n li t0, 0x1800\n csrc mstatus, t0
  li t0, 0x21800\n csrs mstatus, t0\n mret
  .align 3\n data: ${Array.from({ length: 64 }, (_, index) => `.dword 0x3ff${index.toString(16).padStart(2, "0")}00041${(index + 9).toString(16).padStart(6, "0")}`).join("\n")}`;

/** Loads and stores of all shapes, at addresses that are aligned or not, in one page, two or none; now and then with FS Off. */
function floatProgram(seed: number): string {
  const number = seededNumbers(seed);
  const pick = <T>(list: readonly T[]): T => list[number(list.length)] as T;
  const access = (): string => {
    const f = number(32);
    const near = 8 + number(4);
    switch (number(6)) {
      case 0:
        return `c.fld f${near}, ${8 * number(32)}(s0)`;
      case 1:
        return `c.fsd f${near}, ${8 * number(32)}(s0)`;
      case 2:
        return pick([`c.fldsp f${f}, ${8 * number(32)}(sp)`, `c.fsdsp f${f}, ${8 * number(32)}(sp)`]);
      default: {
        const base = pick(["s10", "s10", "s10", "s9", "s9", "zero"]);
        return `${pick(["flw", "fld", "fsw", "fsd"])} f${f}, ${number(300) - (base === "s9" ? 12 : 0)}(${base})`;
      }
    }
  };
  const [FEW, OFF] = [12, 9];
  const status = `csrr t0, mstatus\n sd t0, (s11)\n addi s11, s11, 8`;
  return Array.from({ length: 120 }, (_, index) => {
    const change = number(FEW);
    const floats = change === OFF ? "csrc mstatus, s7" : `li t0, 0x2000\n csrs mstatus, t0`;
    const arithmetic = `fadd.s f${number(32)}, f${number(32)}, f${number(32)}\n csrc mstatus, s7\n li t0, 0x4000\n csrs mstatus, t0`;
    // Behind a trap MPP is machine mode: this access is the hart's own, and the next is not.
    const mprv = `li t0, 0x1800\n csrc mstatus, t0\n li t0, 0x20800\n csrs mstatus, t0`;
    return `la ra, on${index}\n ${mprv}\n ${floats}\n ${access()}\n .align 2\n on${index}: ${status}\n ${number(3) === 0 && change !== OFF ? arithmetic : ""}`;
  }).join("\n");
}

describe("floating-point loads and stores of a guest under MPRV", () => {
  it.each([
    ["without patches", WITHOUT_H, {}],
    ["patched, on a machine that leaks", LEAKY, { patches: true }],
    ["on the other engine", { ...WITHOUT_H, engine: "translator" }, {}],
    ["when handlers forget everything between calls", WITHOUT_H, { handlers: { amnesia: { seed: 3 } } }],
  ] as const)("do what they do on a bare board: %s", (_, config: BoardConfig, options) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const program = guestBytes(underMprv(floatProgram(seed)));
      const bare = onBareBoard(program, config);
      expect([seed, bare.stop]).toEqual([seed, "poweroff"]);
      const guest = asClassicGuest(program, config, options);
      expect([seed, firstDifference(bare, guest)]).toEqual([seed, undefined]);
      expect(classicExits(guest)[ACCESS]).toBeGreaterThan(50);
    }
  });

  it("reach devices, and an interrupt that a store raises comes right behind it", () => {
    const body = `li t0, 8\n csrw mie, t0\n csrsi mstatus, 8\n li t1, 1\n fmv.w.x fa0, t1\n li t2, 0x2000000\n la ra, on
      fsw fa0, (t2)\n nop\n on: li t0, 0x20800\n csrs mstatus, t0\n flw fa1, (t2)\n li t2, 0x2004000\n fld fa2, (t2)`;
    const program = guestBytes(underMprv(body));
    expect(
      firstDifference(onBareBoard(program, WITHOUT_H), asClassicGuest(program, WITHOUT_H)),
    ).toBeUndefined();
  });
});

describe("an SC of a guest under MPRV", () => {
  it("that has no reservation fails as on a bare board", () => {
    const body =
      "li a0, 7\n sc.w a0, a1, (s10)\n li a2, 7\n sc.d a2, a1, (s10)\n sd a0, 512(s11)\n sd a2, 520(s11)";
    const program = guestBytes(underMprv(body));
    expect(
      firstDifference(onBareBoard(program, WITHOUT_H), asClassicGuest(program, WITHOUT_H)),
    ).toBeUndefined();
  });
});

describe("floating-point loads and stores of a page of patched code", () => {
  it("do what they do on a bare board, in user mode, too", () => {
    const body = `la t1, user\n csrw mepc, t1\n li t0, 0x21800\n csrc mstatus, t0\n la ra, over\n mret
      user: fld fa0, (s10)\n flw fa1, 12(s10)\n fsd fa0, 24(s10)\n fsw fa0, 36(s10)\n fsw fa1, 40(s10)\n fsd fa1, 48(s10)\n fld fa2, 13(s10)\n ecall`;
    const program = guestBytes(underMprv(body));
    const guest = asClassicGuest(program, LEAKY, { patches: true });
    expect(firstDifference(onBareBoard(program, LEAKY), guest)).toBeUndefined();
    expect(classicExits(guest)[ACCESS]).toBeGreaterThan(7);
  });
});

describe("a guest that changes its code and does not fence", () => {
  // The hart loads from a device by what the shadow remembers; the monitor finds another instruction there.
  it.each([
    ["a floating-point load without the unit: it is illegal", "fld fa0, (s0)", 2n],
    ["a floating-point store without the unit: it is illegal", "fsd fa0, (s0)", 2n],
    ["no load and no store: an access fault", "addi t6, t6, 1", 5n],
  ])("gets the exception of what is there now, %s", (_, found, cause) => {
    const text = `la t0, trap\n csrw mtvec, t0\n li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0
      li t0, 0x6000\n csrc mstatus, t0
      la t0, root\n la t1, middle\n la t2, leaves\n srli t3, t1, 2\n ori t3, t3, 1\n sd t3, 8(t0)\n srli t3, t2, 2\n ori t3, t3, 1\n sd t3, (t1)
      la t1, first\n srli t3, t1, 2\n ori t3, t3, 0xcf\n sd t3, (t2)\n la t1, second\n srli s3, t1, 2\n ori s3, s3, 0xcf\n mv s2, t2
      srli t0, t0, 12\n li t1, 8\n slli t1, t1, 60\n or t0, t0, t1\n csrw satp, t0\n li t0, 0x800\n csrs mstatus, t0
      li t0, 0x40000000\n csrw mepc, t0\n li s0, 0x10000000\n mret
      .align 2\n trap: csrr s5, mcause\n li t0, 0x100000\n li t1, 0x5555\n sw t1, (t0)
      .align 12\n root: .dword 0xc7, 0, 0x200000cf\n .zero 4072\n middle: .zero 4096\n leaves: .zero 4096
      first: sd s3, (s2)\n sd s3, (s2)\n lb t6, 5(s0)\n ecall\n .align 12\n second: nop\n nop\n ${found}\n ecall`;
    const { board } = classicScene(guestBytes(text));
    expect(board.run({ instructions: 100_000 }).reason).toBe("poweroff");
    expect(board.hart.read("s5")).toBe(cause);
  });
});
