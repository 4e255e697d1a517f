/** The kernel of the bare board as a guest: the image is the same, and so is what it prints. The oracle is QEMU's console. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { assetFile } from "../../../lib/host/node-assets.ts";
import type { HypervisorOptions } from "../../../lib/hs/hypervisor.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { printedBy } from "../../../lib/vmm/hypervisor.ts";
import { DomainState, FrameType } from "../../../lib/vmm/layout.ts";
import { frameMistakes, type VmmScene, vmmScene } from "./vmm-scene.ts";

const image = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const CONSOLE = readFileSync(join(import.meta.dirname, "../../golden/mini-kernel-console.txt"), "utf8");
const PLENTY = { instructions: 5_000_000 };

const kernels = (count: number, options: HypervisorOptions = {}, slice = 20_000): VmmScene =>
  vmmScene(
    { guests: Array.from({ length: count }, () => ({ image, begins: "machine" as const })), slice },
    options,
  );

describe("the bare mini kernel as a guest", () => {
  let scene: VmmScene;
  let hash: string;
  beforeAll(() => {
    scene = kernels(1);
    expect(scene.board.run(PLENTY)).toMatchObject({ reason: "poweroff", exitCode: 0 });
    hash = scene.board.trace.hash();
  });

  it("prints what it prints on a bare board, and switches itself off", () => {
    expect(scene.board.console.text).toBe(CONSOLE);
    expect(printedBy(scene.vmm, 1)).toBe(CONSOLE);
    expect(scene.vmm.state.domain(1)).toMatchObject({ state: DomainState.OFF, exitCode: 0n });
  });

  it("has the frames that the tables say, and no others", () => {
    expect(frameMistakes(scene)).toEqual([]);
    expect(scene.vmm.state.domain(1).frames).toBeGreaterThan(30);
  });

  it("leaves the same trace when the hypervisor's handlers forget everything between traps", () => {
    const forgetful = kernels(1, { handlers: { amnesia: { seed: 3 } } });
    forgetful.board.run(PLENTY);
    expect(forgetful.board.trace.hash()).toBe(hash);
  });

  it("finds its code, at each of many moments, in frames that are its own", () => {
    const { board, vmm } = kernels(1);
    let inGuest = 0;
    for (let moment = 0; moment < 60; moment++) {
      board.run({ instructions: 1_777, until: { mode: "VU" } });
      const { mode, pc } = board.hart;
      if (mode !== "VS" && mode !== "VU") continue;
      const explained = explainTranslation(board.hart, pc, "fetch");
      if (explained.paddr === undefined) continue; // it is about to fault
      const frame = vmm.state.frame(Number((explained.paddr - 0x8000_0000n) >> 12n));
      expect(frame).toMatchObject({ owner: 1, type: FrameType.RAM });
      inGuest++;
    }
    expect(inGuest).toBeGreaterThan(20);
  });
});

describe("two mini kernels", () => {
  it("print the same side by side, taking turns, and each has its own frames", () => {
    const scene = kernels(2);
    expect(scene.board.run(PLENTY)).toMatchObject({ reason: "poweroff" });
    expect(printedBy(scene.vmm, 1)).toBe(CONSOLE);
    expect(printedBy(scene.vmm, 2)).toBe(CONSOLE);
    expect(scene.board.console.text).toBe(CONSOLE);
    expect(Number(scene.vmm.state.pcpu(0).switches)).toBeGreaterThan(10);
    expect(frameMistakes(scene)).toEqual([]);
  });
});
