/**
 * A virtual CPU that is stopped and started again begins with another root, under the same ASID. What harts remember of the tables that it
 * had must go with them: else a page that has become a table is still written through them. On a machine that remembers all it may.
 */
import { expect, it } from "vitest";
import { violationText } from "../../../lib/referee/violation.ts";
import { FrameType, VcpuState } from "../../../lib/vmm/layout.ts";
import { entryTo, FLAGS, Puppet, placeOf } from "./paravirtual-scene.ts";

const SV39 = 8n << 60n;
/** @spec SBI 2.0 "Hart State Management Extension" */
const START = { a0: 1n, a6: 0n, a7: 0x48534dn };
/** Pages of the second CPU's tables, by level, and one that they let it write. */
const [ROOT, MIDDLE, LOW, TARGET] = [30, 31, 32, 20];
const TURNS = { instructions: 3_000_000 };

/** Tables of the second CPU: its code, and page 20 writable. Written by hand: nobody has said yet that they are tables. */
function tablesOfTheSecond(puppet: Puppet): bigint {
  const low = puppet.tables[0] ?? 0;
  const readOnly = [TARGET, ROOT, MIDDLE, LOW].map((page) => ({
    at: puppet.entryAt(low, page),
    entry: entryTo(puppet.frame(page), FLAGS.readOnly),
  }));
  expect(puppet.update(...readOnly)).toBe(4n);
  puppet.setWord(puppet.entryAt(LOW, 0), entryTo(puppet.frame(0), FLAGS.all));
  puppet.setWord(puppet.entryAt(LOW, TARGET), entryTo(puppet.frame(TARGET), FLAGS.readWrite));
  puppet.setWord(puppet.entryAt(MIDDLE, 0), entryTo(puppet.frame(LOW), FLAGS.table));
  puppet.setWord(puppet.entryAt(ROOT, 2), entryTo(puppet.frame(MIDDLE), FLAGS.table));
  return SV39 | (puppet.frame(ROOT) >> 12n);
}

it("a virtual CPU that begins again cannot write through the tables that it had", () => {
  const puppet = new Puppet({ vcpus: 2, config: { translations: "sticky" } });
  const { board, vmm } = puppet.scene;
  const both = (): void => {
    board.run(TURNS);
    puppet.run();
  };
  const satp = tablesOfTheSecond(puppet);
  expect(puppet.tell("call", { ...START, a1: placeOf("visitor"), a2: satp })).toEqual({ value: 0n });
  both();
  expect(vmm.state.vcpu(1).state).toBe(VcpuState.STOPPED);
  expect(puppet.tell("call", { ...START, a1: placeOf("returner"), a2: 0n })).toEqual({ value: 0n });
  both();
  // Asked for as what they are not, the three lose what they held; then the page may become a table.
  for (const [page, level] of [
    [ROOT, 0n],
    [MIDDLE, 0n],
    [LOW, 1n],
  ] as const)
    expect(puppet.call("pv_pin", puppet.frame(page), level)).toBeLessThan(0n);
  expect(puppet.call("pv_pin", puppet.frame(TARGET), 0n)).toBe(0n);
  expect(vmm.state.frame(puppet.frameNumber(TARGET)).type).toBe(FrameType.PAGE_TABLE_0);

  puppet.setWord(puppet.frame(3), 0x123_4567n);
  board.run(TURNS);
  expect(puppet.word(puppet.frame(TARGET))).toBe(0n);
  expect(puppet.judge.violations.map((violation) => violationText(violation))).toEqual([]);
});
