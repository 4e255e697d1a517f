/** A guest whose trap handler traps for ever retires nothing, and time is counted in instructions: it must not stand still for the others. */
import { expect, it } from "vitest";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState } from "../../../lib/vmm/layout.ts";
import { guestBytes, vmmScene } from "./vmm-scene.ts";

/** Nothing is legal where its traps go. */
const LOOPING = guestBytes("la t0, nothing\n csrw stvec, t0\n .balign 4\n nothing: .word 0");
const PRINTING =
  guestBytes(`li s0, 12\n again: li a0, 46\n li a7, 1\n ecall\n li t0, 800\n wait: addi t0, t0, -1
  bnez t0, wait\n addi s0, s0, -1\n bnez s0, again\n stay: j stay`);
const RUN = 60_000;

const scene = () => vmmScene({ guests: [{ image: LOOPING }, { image: PRINTING }], slice: 300 });

it("a guest in a loop of traps takes its turns, and leaves the others theirs", () => {
  const here = scene();
  expect(here.board.run({ instructions: RUN })).toMatchObject({ reason: "budget" });
  expect(printedBy(here.vmm, 2)).toBe("............");
  expect(here.vmm.state.domain(1).state).toBe(DomainState.RUNNING);
  const [looping, printing] = [0, 1].map((index) => here.vmm.state.vcpu(index).schedule.ran);
  expect(looping).toBeGreaterThan(1_500n);
  expect(printing).toBeGreaterThan(1_500n);
});

it("is the same run cut in pieces, step by step, and after going back", () => {
  const whole = scene();
  whole.board.run({ instructions: RUN });
  const hash = whole.board.trace.hash();
  const pieces = scene();
  for (let done = 0; done < RUN; done += 77)
    pieces.board.run({ instructions: Math.min(77, RUN - pieces.board.clock.retired) });
  expect(pieces.board.trace.hash()).toBe(hash);
  const stepped = scene();
  stepped.board.run({ instructions: 3_000 });
  while (stepped.board.clock.retired < 12_000) stepped.board.step();
  stepped.board.goTo(5_000);
  stepped.board.run({ instructions: RUN - stepped.board.clock.retired });
  expect(stepped.board.trace.hash()).toBe(hash);
});
