/** The same machine-mode program on our board and on QEMU, and what each left in RAM. */
import { expect } from "vitest";
import { type BoardConfig, buildBoard } from "../../lib/board/virt.ts";
import { assembled } from "./assembled.ts";
import { elf, type Load } from "./elf-file.ts";
import { ramFromQemu } from "./qemu.ts";

export const RAM_START = 0x8000_0000;
/** Where probes store their results, through `s1`. */
export const RESULTS = 0x8018_0000;
/** More than any of the programs takes. */
const BUDGET = 10_000_000;

const PREPARE = `
  la t0, handler
  csrw mtvec, t0
  li s1, ${RESULTS}`;

/**
 * Switches the machine off; and the trap handler. It leaves the cause plus one in a1 and mtval in a2, and goes on in
 * M-mode at s5, or behind the instruction that trapped if s5 is zero.
 */
const FINISH = `
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
  .balign 4
  handler: csrr a1, mcause
  addi a1, a1, 1
  csrr a2, mtval
  mv t3, s5
  bnez t3, resume
  csrr t3, mepc
  addi t3, t3, 4
  resume: csrw mepc, t3
  li t3, 0x1800
  csrw mstatus, t3
  mret`;

/** RAM of both machines after a program. */
export interface Twice {
  readonly ours: Uint8Array;
  readonly theirs: Uint8Array;
}

/** Runs `body`, with more bytes in RAM if wanted, on both machines until it ends. */
export function runTwice(
  body: readonly string[],
  more: readonly Load[] = [],
  qemuArguments: readonly string[] = [],
  config: BoardConfig = {},
): Twice {
  const { bytes } = assembled([PREPARE, ...body, FINISH].join("\n"));
  expect(bytes.length).toBeLessThan(RESULTS - RAM_START);
  const file = elf([{ paddr: BigInt(RAM_START), bytes }, ...more]);
  const board = buildBoard(config);
  expect(board.loadElf(file).kind).toBe("elf");
  expect(board.run({ instructions: BUDGET })).toMatchObject({ reason: "poweroff" });
  return { ours: board.bus.ram.u8, theirs: ramFromQemu(file, qemuArguments).ram };
}

/** 64-bit words at a physical address, in hexadecimal. */
export function wordsAt(ram: Uint8Array, paddr: number, count: number): string[] {
  const offset = paddr - RAM_START;
  return [...new BigUint64Array(ram.slice(offset, offset + 8 * count).buffer)].map((word) =>
    word.toString(16),
  );
}
