/** Boards whose instruction set is not quite the manual's: without the hypervisor extension, and with CSRs that leak into user mode. */
import { describe, expect, it } from "vitest";
import { openImage } from "../../../lib/board/open-image.ts";
import { type BoardConfig, buildBoard } from "../../../lib/board/virt.ts";
import { assemble } from "../../../lib/isa/assembler/text.ts";
import { variantFrom, variantText } from "../../../lib/isa/variant.ts";

const NO_H = { hypervisor: false };
const LEAKY = { leaks: ["sstatus", "sepc"] } as const;

/** Runs a few lines in machine mode with a trap handler that leaves `mcause` in a0 (99 when nothing traps), and stops. */
function causeOf(line: string, isa: NonNullable<BoardConfig["isa"]>, mode: "M" | "S" | "U" = "M") {
  const board = buildBoard({ isa, ramBytes: 1 << 20 });
  const level = { M: 3, S: 1, U: 0 }[mode];
  board.load(
    assemble(
      `la t0, trap\n csrw mtvec, t0\n li t0, -1\n csrw pmpaddr0, t0\n li t0, 0x1f\n csrw pmpcfg0, t0
      li t0, 7\n csrw mcounteren, t0\n li t0, 0x1800\n csrc mstatus, t0\n li t0, ${level << 11}\n csrs mstatus, t0
      li s0, 0x100\n csrs sstatus, s0\n la t0, there\n csrw mepc, t0\n mret
      there: ${line}\n li a7, 1\n stay: j stay
      .align 2\n trap: csrr a0, mcause\n j trap2\n trap2: j trap2`,
      { origin: 0x8000_0000n },
    ),
  );
  board.hart.write("a0", 99n);
  board.run({ instructions: 60 });
  return { cause: board.hart.read("a0"), board };
}

/** A loop in user mode that names CSRs of each level; a handler in machine mode counts what traps and writes CSRs of its own. */
const BUSY = `la t0, trap
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, 0x1800
  csrc mstatus, t0
  la t0, user
  csrw mepc, t0
  mret
  user: csrr s1, sstatus
  csrw sstatus, zero
  csrr s1, sepc
  csrr s1, hstatus
  add s3, s3, s1
  j user
  .align 2
  trap: addi s2, s2, 1
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
  csrs mstatus, s2
  csrw sepc, s2
  li t0, 0x81800
  csrc mstatus, t0
  csrr t1, mideleg
  add s3, s3, t1
  mret`;

describe("a board without the hypervisor extension", () => {
  it.each(["csrr a1, hstatus", "csrw vsatp, zero", "csrr a1, mtval2", "hlv.d a1, (a2)", "hfence.gvma"])(
    "refuses %s in machine mode as illegal, and the full board does not",
    (line) => {
      expect(causeOf(line, NO_H).cause).toBe(2n);
      expect(causeOf(line, {}).cause).not.toBe(2n);
    },
  );

  it("says so in misa and in its device tree, and has no bits of guests in machine mode's CSRs", () => {
    const lines =
      "csrr s1, misa\n li t0, -1\n csrw mideleg, t0\n csrr s2, mideleg\n csrw medeleg, t0\n csrr s3, medeleg";
    const { board } = causeOf(`${lines}\n li t0, 0xc000000000\n csrs mstatus, t0\n csrr s4, mstatus`, NO_H);
    const H = 1n << 7n;
    expect(board.hart.read("s1") & H).toBe(0n);
    expect(causeOf(lines, {}).board.hart.read("s1") & H).toBe(H);
    expect(board.hart.read("s2")).toBe(0x222n);
    expect(board.hart.read("s3") & 0xf0_0400n).toBe(0n);
    expect(board.hart.read("s4") & 0xc0_0000_0000n).toBe(0n);
    expect(new TextDecoder().decode(board.deviceTree)).toMatch(/rv64[a-gi-z]+_/);
    expect(new TextDecoder().decode(buildBoard().deviceTree)).toMatch(/rv64[a-z]*h[a-z]*_/);
  });

  it("never enters a guest: MRET with MPV stays in the mode that MPP names", () => {
    const line = "li t0, 0x8000000000\n csrs mstatus, t0\n la t1, on\n csrw mepc, t1\n mret\n on: nop";
    expect(causeOf(line, NO_H).board.hart.mode).toBe("U");
  });
});

describe("a CSR that leaks", () => {
  it("is read in user mode as it really is, and keeps its value whatever is written", () => {
    const { cause, board } = causeOf("csrr a1, sstatus\n csrci sstatus, 31\n csrw sstatus, zero", LEAKY, "U");
    expect(cause).toBe(99n);
    expect(board.hart.read("a1") & 0x100n).toBe(0x100n);
    expect(board.hart.csr("sstatus") & 0x100n).toBe(0x100n);
  });

  it("is alone in that: other CSRs trap, and supervisor mode writes it as ever", () => {
    expect(causeOf("csrr a1, sie", LEAKY, "U").cause).toBe(2n);
    expect(causeOf("csrc sstatus, s0", LEAKY, "S").board.hart.csr("sstatus") & 0x100n).toBe(0n);
  });

  it("makes another machine: the trace says so, and an image keeps it", () => {
    const { board } = causeOf("csrr a1, sstatus", LEAKY, "U");
    expect(board.trace.hash()).not.toBe(causeOf("csrr a1, sstatus", {}, "U").board.trace.hash());
    const reopened = openImage(board.saveImage());
    if ("kind" in reopened) throw new Error(reopened.message);
    expect(reopened.hart.isa).toEqual({ hypervisor: true, leaks: ["sstatus", "sepc"] });
    expect(reopened.trace.hash()).toBe(board.trace.hash());
  });
});

it.each([NO_H, LEAKY, { ...NO_H, ...LEAKY }])("%j is the same machine on both engines", (isa) => {
  const found = (["reference", "translator"] as const).map((engine) => {
    const board = buildBoard({ isa, engine, ramBytes: 1 << 20, translating: { heatThreshold: 4 } });
    board.load(assemble(BUSY, { origin: 0x8000_0000n }));
    board.run({ instructions: 5_000 });
    return [board.trace.hash(), ...["s1", "s2", "s3"].map((name) => board.hart.read(name as "s1"))];
  });
  expect(found[1]).toEqual(found[0]);
});

it("variants have names that can be read back", () => {
  for (const isa of [
    { hypervisor: true, leaks: [] },
    { hypervisor: false, leaks: [] },
    { hypervisor: false, leaks: ["sie"] },
    { hypervisor: true, leaks: ["sstatus", "sepc"] },
  ] as const)
    expect(variantFrom(variantText(isa))).toEqual(isa);
  expect(variantFrom("leaks=nothing")).toBeUndefined();
});
