/** The hypervisor keeps nothing but what is in RAM: with handlers made afresh between traps each run is the same, to the last event. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { Board } from "../../../lib/board/board.ts";
import { openImage } from "../../../lib/board/open-image.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { attachHypervisor } from "../../../lib/hs/hypervisor.ts";
import { vmmModule } from "../../../lib/vmm/hypervisor.ts";
import type { LoadOptions } from "../../../lib/vmm/loader.ts";
import { guestProgram } from "../../support/guest-programs.ts";
import { guestBytes, vmmScene } from "./vmm-scene.ts";

const kernel = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const machine = { begins: "machine" as const };
const SLEEPER =
  guestBytes(`li t0, 0x20\n csrw sie, t0\n again: csrr t1, time\n addi t1, t1, 700\n csrw stimecmp, t1\n wfi
  li a0, 46\n li a7, 1\n ecall\n j again`);
const YIELDER = guestBytes("li a7, 0x0a000002\n again: ecall\n addi s0, s0, 1\n j again");

const SCENES: Readonly<Record<string, LoadOptions>> = {
  "two kernels in turns": {
    guests: [
      { image: kernel, ...machine },
      { image: kernel, ...machine },
    ],
    slice: 9_000,
  },
  "random programs": {
    guests: [1, 2, 3].map((seed) => ({ image: guestBytes(guestProgram(seed)), ...machine })),
  },
  "credit, a cap, sleepers and hypercalls": {
    guests: [{ image: SLEEPER, weight: 512 }, { image: YIELDER, cap: 25 }, { image: SLEEPER }],
    scheduler: "CREDIT",
    slice: 1_500,
    period: 4_500,
  },
  "tick sampling": {
    guests: [{ image: SLEEPER }, { image: YIELDER }],
    scheduler: "TICK_SAMPLING",
    slice: 1_500,
    period: 4_500,
  },
};
const RUN = { instructions: 400_000 };

it.each(Object.entries(SCENES))("%s: forgetting makes no difference", (_, load) => {
  const plain = vmmScene(load);
  plain.board.run(RUN);
  for (const seed of [1, 2]) {
    const forgetful = vmmScene(load, { handlers: { amnesia: { seed } } });
    forgetful.board.run(RUN);
    expect(forgetful.board.trace.hash()).toBe(plain.board.trace.hash());
  }
});

it.each(Object.entries(SCENES))(
  "%s: a machine that was saved and opened elsewhere goes on as it would have",
  (_, load) => {
    const { board } = vmmScene(load);
    board.run({ instructions: 150_000 });
    const opened = openImage(board.saveImage(), {
      prepare: (copy) => void attachHypervisor(copy, () => vmmModule(copy.bus.ram.sizeBytes)),
    });
    if (!(opened instanceof Board)) throw new Error("the image cannot be opened");
    for (const either of [board, opened]) either.run({ instructions: 150_000 });
    expect(opened.trace.hash()).toBe(board.trace.hash());
  },
);
