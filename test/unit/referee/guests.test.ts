/** The referee beside whole guests: kernels that page, print and switch, on either kind of memory of translations. And I10: two runs. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { answerHypercall, type HypervisorModule } from "../../../lib/hs/hypervisor.ts";
import { compareAmnesia, referee, violationText } from "../../../lib/index.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { guestThatCalls, sceneWith } from "../hs/hypervisor-scene.ts";
import { miniHypervisor } from "../hs/mini-hypervisor.ts";
import { vmmScene } from "../vmm/vmm-scene.ts";

const image = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const guest = { image, begins: "machine" as const };

describe("two kernels that take turns", () => {
  it.each(["coherent", "sticky"] as const)("break no invariant where translations are %s", (translations) => {
    const here = vmmScene(
      { guests: [guest, guest], slice: 20_000, scheduler: "CREDIT" },
      {},
      { translations },
    );
    const judge = referee(here.board, here.vmm);
    for (let piece = 0; piece < 8; piece++) {
      here.board.run({ instructions: 500_000 });
      expect(judge.check().map(violationText)).toEqual([]);
    }
    expect(judge.violations.map(violationText)).toEqual([]);
    expect(judge.looks.traps).toBeGreaterThan(1000);
  });
});

describe("a kernel whose page is somebody else's", () => {
  it("is named with the whole way: its own tables first, then the second stage", () => {
    const here = vmmScene({ guests: [guest, guest], slice: 20_000 });
    const judge = referee(here.board, here.vmm);
    const explain = () => explainTranslation(here.board.hart, here.board.hart.pc, "fetch");
    let pc = explain();
    for (let tries = 0; tries < 50 && !(pc.ok && here.board.hart.mode === "VU"); tries++) {
      here.board.run({ instructions: 20_000, until: { mode: "VU" } });
      pc = explain();
    }
    expect(judge.violations).toEqual([]);
    const domain = Number((here.board.hart.csr("hgatp") >> 44n) & 0x3fffn);
    const frame = Number(((pc.paddr ?? 0n) - 0x8000_0000n) >> 12n);
    here.vmm.state.frame(frame).owner = 3 - domain;
    const violation = judge.check().find(({ invariant }) => invariant === "I1");
    expect(violation?.object).toContain(`frame ${frame} `);
    expect(violation?.walk.map(({ register, level }) => `${register} ${level}`)).toEqual([
      "vsatp 2",
      "vsatp 1",
      "vsatp 0",
      "hgatp 2",
      "hgatp 1",
      "hgatp 0",
    ]);
    expect(violation?.walk.slice(3).map(({ at, entry }) => [at, entry])).toEqual(
      pc.guest?.access?.levels.map(({ pteAddress, pte }) => [pteAddress, pte]),
    );
  });
});

/** Keeps its count where it must not: beside the handlers. */
function forgetfulCounter(): HypervisorModule {
  let calls = 0n;
  return {
    ...miniHypervisor(),
    hypercalls: {
      count(context) {
        calls += 1n;
        answerHypercall(context, calls);
      },
    },
  };
}

describe("I10", () => {
  const GUEST = `li s0, 40\n loop: li a7, 0\n ecall\n csrw sscratch, a0\n addi s0, s0, -1\n bnez s0, loop\n stay: j stay`;
  const compare = (module: () => HypervisorModule) =>
    compareAmnesia({
      build: (handlers) => sceneWith(GUEST, { handlers }, { module }).board,
      instructions: 5_000,
      seed: 1,
    });

  it("holds for a hypervisor that counts in machine RAM", () => {
    expect(compare(miniHypervisor)).toBeUndefined();
  });

  it("names the first event that differs, where one counts in a closure", () => {
    const violation = compare(forgetfulCounter);
    expect(violation?.sentence).toMatch(
      /sscratch := 0x1 at .* where handlers forget, and .*sscratch := 0x2 /,
    );
    expect(violation?.lastEvents.split("\n").at(-1)).toContain("sscratch := 0x1 ");
    expect(violationText(violation as never)).toMatch(/^I10 does not hold/);
  });

  it("holds for the reference hypervisor with a kernel", () => {
    const build = (handlers: { amnesia?: { seed: number } }) =>
      vmmScene({ guests: [guest] }, { handlers }).board;
    expect(compareAmnesia({ build, instructions: 200_000, seed: 5 })).toBeUndefined();
  });
});

describe("I7", () => {
  const [COUNT, WRITE] = [0, 1];
  const here = (mayCall: (domain: number, hypercall: number) => boolean, calls: readonly string[]) => {
    const scene = sceneWith(guestThatCalls(...calls));
    const judge = referee(scene.board, scene.hypervisor, { mayCall });
    scene.board.run({ instructions: 5_000 });
    return judge.violations;
  };
  const writes = (word: number): string => `li a7, ${WRITE}\n li a0, ${word}\n li a1, 7`;

  it("names a call that had success though the domain may not make it", () => {
    const found = here((_, call) => call !== COUNT, [writes(0), `li a7, ${COUNT}`]);
    expect(found.map(({ invariant, object, after }) => [invariant, object, after])).toEqual([
      ["I7", "hypercall 0 of domain 0", 'hypercall "count" (hx 64)'],
    ]);
  });

  it("has nothing against one that was refused, or that is allowed", () => {
    expect(here((_, call) => call !== WRITE, [writes(9)])).toEqual([]);
    expect(here(() => true, [writes(0), `li a7, ${COUNT}`])).toEqual([]);
  });

  it("and I4 name an entry of the hypercall table that leads elsewhere", () => {
    const scene = sceneWith(guestThatCalls(`li a7, ${COUNT}`));
    const judge = referee(scene.board, scene.hypervisor);
    const table = scene.hypervisor.map.addressOf("hypercall_table");
    scene.board.memory.store(table + 8n, 8, 0x8080_0000n);
    scene.board.run({ instructions: 2_000 });
    expect(judge.violations.map(({ invariant, object }) => [invariant, object])).toEqual([
      ["I4", "hypercall table"],
    ]);
  });
});
