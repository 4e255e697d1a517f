/** Mutants of the hypervisor: one store to its tables is lost, whichever it is, and the referee notices. Without, it finds nothing. */
import { describe, expect, it } from "vitest";
import { SeededNumbers } from "../../../lib/bits/seeded-numbers.ts";
import { referee } from "../../../lib/index.ts";
import { Frame } from "../../../lib/vmm/layout.ts";
import { guestBytes, vmmScene } from "../vmm/vmm-scene.ts";

const RUNS = process.env["DOM0_TEST_FULL"] === "1" ? 200 : 16;
const WIDTHS: ReadonlyMap<string, 1 | 2 | 4 | 8> = new Map([
  ["sb", 1],
  ["sh", 2],
  ["sw", 4],
  ["sd", 8],
] as const);
const GUEST = `li t0, 0x80010000\n li t1, 4096\n li t2, 8
  loop: sd t0, (t0)\n add t0, t0, t1\n addi t2, t2, -1\n bnez t2, loop
  again: li a7, 0x10\n li a6, 0\n ecall\n j again`;

/** Runs two guests; the store number `lost` that changes something in the frame table does not happen. How many there were. */
function run(lost: number) {
  const image = guestBytes(GUEST);
  const { board, vmm } = vmmScene({ guests: [{ image }, { image }], slice: 2_000 });
  const begin = vmm.map.addressOf("frame_table") as bigint;
  const end = begin + BigInt(Frame.sizeBytes * (board.bus.ram.sizeBytes / 4096));
  let stores = 0;
  for (const number of board.handlers.numbers) {
    const inner = board.handlers.get(number);
    if (inner === undefined) continue;
    board.handlers.register(number, ({ hart, issue }) =>
      inner({
        hart,
        issue: (insn) => {
          const width = WIDTHS.get(insn.mnemonic ?? "");
          const at = BigInt.asUintN(64, (hart.state.x[insn.rs1] ?? 0n) + BigInt(insn.imm));
          if (width === undefined || at < begin || at >= end) return issue(insn);
          const value = BigInt.asUintN(8 * width, hart.state.x[insn.rs2] ?? 0n);
          if (board.memory.load(at, width) === value) return issue(insn);
          return stores++ === lost ? undefined : issue(insn);
        },
      }),
    );
  }
  const judge = referee(board, vmm);
  board.run({ instructions: 60_000 });
  return { judge, stores };
}

describe("a hypervisor that loses one store to its frame table", () => {
  const whole = run(-1);

  it("is caught, whichever it is", () => {
    expect(whole.judge.violations).toEqual([]);
    expect(whole.stores).toBeGreaterThan(50);
    const numbers = new SeededNumbers(1);
    for (let each = 0; each < RUNS; each++) {
      const lost = numbers.between(0, whole.stores - 1);
      const { judge } = run(lost);
      expect([lost, judge.violations.length > 0]).toEqual([lost, true]);
      expect(judge.violations[0]?.invariant).toMatch(/^I[1239]$/);
    }
  });
});
