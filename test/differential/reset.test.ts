import { expect, it } from "vitest";
import { buildBoard } from "../../lib/board/virt.ts";
import { assembled } from "../support/assembled.ts";
import { elf } from "../support/elf-file.ts";
import { describeWith } from "../support/optional.ts";
import { ramFromQemu } from "../support/qemu.ts";

const RESULTS = 0x10_0000;

/** Stores x1…x31, then the reset vector, at RESULTS, and switches off. The first store needs a register: x31 is lost. */
const DUMP = `
  li x31, 0x80100000
  ${Array.from({ length: 30 }, (_, index) => `sd x${index + 1}, ${8 * (index + 1)}(x31)`).join("\n")}
  li t0, 0x1000
  li t1, 0x1058
  addi t2, x31, 256
  copy: ld t3, 0(t0)
  sd t3, 0(t2)
  addi t0, t0, 8
  addi t2, t2, 8
  bne t0, t1, copy
  csrr t3, mstatus
  sd t3, 8(t2)
  csrr t3, mcause
  sd t3, 16(t2)
  csrr t3, mie
  sd t3, 24(t2)
  csrr t3, satp
  sd t3, 32(t2)
  csrr t3, mip
  sd t3, 40(t2)
  li t0, 0x2004000
  ld t3, 0(t0)
  sd t3, 48(t2)
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)`;

describeWith(["qemu"], "at the first instruction after reset", () => {
  it("registers, reset vector and control registers are those of QEMU", () => {
    const file = elf([{ paddr: 0x8000_0000n, bytes: assembled(DUMP).bytes }]);
    const board = buildBoard();
    board.loadElf(file);
    expect(board.run({ instructions: 1000 })).toMatchObject({ reason: "poweroff" });
    const words = (ram: Uint8Array) =>
      [...new BigUint64Array(ram.slice(RESULTS, RESULTS + 512).buffer)].map(
        (word) => `0x${word.toString(16)}`,
      );
    const theirs = words(ramFromQemu(file).ram);
    expect(theirs[11]).toBe("0x80e00000"); // a1: something was dumped at all
    expect(words(board.bus.ram.u8)).toEqual(theirs);
  });
});
