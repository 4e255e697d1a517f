/** A hypervisor that takes pages away from its guest, with the fence and without, on harts that remember translations until one. */
import { describe, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { gpa } from "../../../lib/hs/address.ts";
import { answerHypercall, type HypervisorModule, installHypervisor } from "../../../lib/hs/hypervisor.ts";
import { referee } from "../../../lib/index.ts";
import { disown } from "../../../lib/vmm/frames.ts";
import { hostOf } from "../../../lib/vmm/host.ts";
import { vmmModule } from "../../../lib/vmm/hypervisor.ts";
import { loadGuests } from "../../../lib/vmm/loader.ts";
import { unmapPage } from "../../../lib/vmm/second-stage.ts";
import { guestBytes } from "../vmm/vmm-scene.ts";

const CALL = 0x1000;
/** Uses a page, gives it back, uses another, and so on; all but the first use finds a new frame. */
const GUEST = `li s0, 12\n li s1, 0x80010000
  loop: sd s0, (s1)\n ld t0, (s1)\n li a7, ${CALL}\n mv a0, s1\n ecall
  slli t0, s0, 63\n srli t0, t0, 51\n li s1, 0x80010000\n add s1, s1, t0
  addi s0, s0, -1\n bnez s0, loop\n stay: j stay`;

/** The reference hypervisor, and one call more: the guest gives a page back. */
const ballooning = (ramBytes: number): HypervisorModule => ({
  ...vmmModule(ramBytes),
  firstHypercall: BigInt(CALL),
  hypercalls: {
    give_back(context, map) {
      const host = hostOf(context, map);
      const frame = unmapPage(host, 1, gpa(context.registers.a0));
      if (frame !== undefined) disown(host, frame);
      answerHypercall(context, 0n);
    },
  },
});

function run(fences: boolean, translations: "sticky" | "coherent") {
  const board = buildBoard({ translations });
  const hypervisor = installHypervisor(board, () => ballooning(board.bus.ram.sizeBytes));
  if (hypervisor.kind !== "hypervisor") throw new Error(hypervisor.message);
  expect(loadGuests(board, hypervisor.map, { guests: [{ image: guestBytes(GUEST) }] })).toBeUndefined();
  const give = 64;
  const inner = board.handlers.get(give);
  if (inner === undefined) throw new Error("no hypercall");
  if (!fences)
    board.handlers.register(give, ({ hart, issue }) =>
      inner({ hart, issue: (insn) => (insn.mnemonic === "hfence.gvma" ? undefined : issue(insn)) }),
    );
  const judge = referee(board, hypervisor);
  board.run({ instructions: 200_000 });
  expect(board.hart.read("s0")).toBe(0n);
  return judge;
}

describe("a hypervisor that takes pages away", () => {
  it.each(["sticky", "coherent"] as const)(
    "breaks nothing when it fences, on a board whose translations are %s",
    (kind) => {
      const judge = run(true, kind);
      expect(judge.violations).toEqual([]);
      expect(judge.looks.fences).toBe(12);
    },
  );

  it("is caught when it does not fence and the hart remembers", () => {
    const { violations } = run(false, "sticky");
    expect(violations[0]).toMatchObject({ invariant: "I1", after: 'hypercall "give_back" (hx 64)' });
    expect(violations[0]?.sentence).toContain("an HFENCE.GVMA is missing");
    expect(violations[0]?.walk.at(-1)?.level).toBe(0);
  });

  it("has luck where a hart sees the tables as they are", () => {
    expect(run(false, "coherent").violations).toEqual([]);
  });
});
