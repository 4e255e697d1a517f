/** Step records of atomic, compressed and floating-point instructions. */
import { expect, it } from "vitest";
import type { StepRecord } from "../../../lib/board/step-record.ts";
import { boardWith } from "../../support/assembled.ts";

const DATA = 0x8000_0100n;

/** Records of all instructions of a text, with a data word at 0x8000_0100 and its address in s0. */
function recordsOf(text: string): StepRecord[] {
  const board = boardWith(text);
  board.memory.store(DATA, 8, 0x3ff0_0000_0000_0005n);
  board.hart.write("s0", DATA);
  board.hart.write("a1", 7n);
  return text
    .trim()
    .split("\n")
    .map(() => board.step());
}

it("shows the word that an atomic operation leaves in memory", () => {
  const [record] = recordsOf("amoadd.w a0, a1, (s0)");
  expect(record?.memory).toEqual({ kind: "store", vaddr: DATA, paddr: DATA, width: 4, value: 12n });
  expect(record?.writes).toEqual([{ register: "a0", before: 0n, after: 5n }]);
});

it("shows a store-conditional as a store only when it stores", () => {
  const [load, store, failed] = recordsOf("lr.w a0, (s0)\n sc.w a2, a1, (s0)\n sc.w a2, a1, (s0)");
  expect(load?.memory).toMatchObject({ kind: "load", value: 5n });
  expect(store?.memory).toMatchObject({ kind: "store", value: 7n });
  expect(failed?.memory).toBeUndefined();
});

it("shows floating-point registers beside the others, and what a load brought", () => {
  const [, , record] = recordsOf("lui a5, 6\n csrs mstatus, a5\n fld fa0, 0(s0)");
  expect(record?.writes).toEqual([{ register: "fa0", before: 0n, after: 0x3ff0_0000_0000_0005n }]);
  expect(record?.memory).toMatchObject({ kind: "load", width: 8, value: 0x3ff0_0000_0000_0005n });
});

it("shows the 16 bits of a compressed instruction, wherever it stands", () => {
  const [first, second] = recordsOf("c.lw a0, 0(s0)\n c.addi a0, 1");
  expect([first?.word, first?.text]).toEqual([0x4008, "c.lw a0, 0(s0)"]);
  expect(first?.memory).toMatchObject({ kind: "load", width: 4, value: 5n });
  expect([second?.pc, second?.word, second?.text]).toEqual([0x8000_0002n, 0x0505, "c.addi a0, 1"]);
});
