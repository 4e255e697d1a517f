/** Random changes of a second stage, against the machine's own explainer and a model of who refers to what. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { writeCsr } from "../../../lib/hart/csr-write.ts";
import { type GPA, gpa, type HPA } from "../../../lib/hs/address.ts";
import type { HsContext } from "../../../lib/hs/context.ts";
import { onlooker } from "../../../lib/hs/onlooker.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { buildDomains, buildPool } from "../../../lib/vmm/domain.ts";
import { disown, takeFrame } from "../../../lib/vmm/frames.ts";
import type { Host } from "../../../lib/vmm/host.ts";
import { FrameType } from "../../../lib/vmm/layout.ts";
import { GPA_END, mapPage, protectPage, Right, unmapPage } from "../../../lib/vmm/second-stage.ts";
import { hgatpOf } from "../../../lib/vmm/vcpu.ts";
import { frameMistakes, guestBytes, type VmmScene, vmmScene } from "../../unit/vmm/vmm-scene.ts";

/** Pages that share tables, that share none, and that are none. */
const PAGES: readonly GPA[] = [
  ...[0n, 0x1000n, 0x1f_f000n, 0x20_0000n, 0x8000_0000n, 0x8000_1000n, 0x8fff_f000n],
  ...[0x100_0000_0000n, GPA_END - 0x1000n, GPA_END, GPA_END + 0x1000n],
].map(gpa);
const RIGHTS = [
  Right.READ,
  Right.READ | Right.WRITE,
  Right.READ | Right.EXECUTE,
  Right.READ | Right.WRITE | Right.EXECUTE,
];

const change = fc.record({
  act: fc.constantFrom("map", "map", "map", "unmap", "protect"),
  page: fc.nat({ max: PAGES.length - 1 }),
  rights: fc.nat({ max: RIGHTS.length - 1 }),
});

/** The hypervisor's functions on a board that does not run: loads and stores of an onlooker, and fences that are written down. */
function hostOn({ board, vmm }: VmmScene): { readonly host: Host; readonly fenced: bigint[] } {
  const fenced: bigint[] = [];
  const context = {
    ...onlooker(board),
    fenceSecondStage: (address: bigint, vmid: bigint) => fenced.push(address, vmid),
  } as unknown as HsContext;
  return { host: { context, map: vmm.map, state: vmm.state, parts: {} }, fenced };
}

interface Expected {
  readonly frame: HPA;
  readonly rights: bigint;
}

/** What the hart would do in VS-mode without tables of its own, for each page and kind of access. */
function expectPages(board: Board, model: ReadonlyMap<GPA, Expected>): void {
  for (const page of PAGES)
    for (const [access, right] of [
      ["load", Right.READ],
      ["store", Right.WRITE],
      ["fetch", Right.EXECUTE],
    ] as const) {
      const mapped = model.get(page);
      const { ok, paddr } = explainTranslation(board.hart, page | 0x123n, access, "VS");
      const isAllowed = mapped !== undefined && (mapped.rights & right) !== 0n;
      expect([page, access, ok]).toEqual([page, access, isAllowed]);
      if (ok) expect(paddr).toBe((mapped?.frame ?? 0n) | 0x123n);
    }
}

describe("the second stage", () => {
  it("maps what was mapped, allows what was allowed, counts what refers, and fences what is taken away", () => {
    const program = guestBytes("wfi");
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        const scene = vmmScene({ guests: [{ image: program }] });
        const { board } = scene;
        const { host, fenced } = hostOn(scene);
        buildPool(host);
        buildDomains(host);
        writeCsr(board.hart, "hgatp", hgatpOf(host.state.root(1), 1));
        writeCsr(board.hart, "pmpaddr0", 2n ** 54n - 1n);
        writeCsr(board.hart, "pmpcfg0", 0x1fn);
        const model = new Map<GPA, Expected>();
        let wanted = 0;
        for (const { act, page, rights } of changes) {
          const [at, allowed] = [PAGES[page] as GPA, RIGHTS[rights] as bigint];
          const before = model.get(at);
          if (act === "map") {
            const frame = takeFrame(host, 1, FrameType.RAM) as HPA;
            const done = mapPage(host, 1, at, frame, allowed);
            expect(done).toBe(before === undefined && at < GPA_END);
            if (done) model.set(at, { frame, rights: allowed });
            else disown(host, frame);
          } else if (act === "unmap") {
            expect(unmapPage(host, 1, at)).toBe(before?.frame);
            if (before !== undefined) disown(host, before.frame);
            model.delete(at);
          } else {
            expect(protectPage(host, 1, at, allowed)).toBe(before !== undefined);
            if (before !== undefined) model.set(at, { ...before, rights: allowed });
          }
          if (act !== "map" && before !== undefined) {
            wanted++;
            expect(fenced.slice(-2)).toEqual([at, 1n]);
          }
        }
        expect(fenced.length).toBe(2 * wanted);
        expectPages(board, model);
        expect(frameMistakes(scene)).toEqual([]);
      }),
      { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 300 : 25 },
    );
  });

  it("gives out frames that are clean, the last freed first, and no more than a domain may have", () => {
    const scene = vmmScene({ guests: [{ image: guestBytes("wfi"), ramBytes: 64 * 4096 }] });
    const { host } = hostOn(scene);
    buildPool(host);
    buildDomains(host);
    const first = takeFrame(host, 1, FrameType.RAM) as HPA;
    host.context.store(first, 8, 77n);
    disown(host, first);
    expect(host.state.pool.head).toBe(host.state.frameNumber(first));
    expect(takeFrame(host, 1, FrameType.RAM)).toBe(first);
    expect(host.context.load(first, 8)).toBe(0n);
    let taken = 1;
    while (takeFrame(host, 1, FrameType.RAM) !== undefined) taken++;
    expect(taken).toBe(host.state.domain(1).maxFrames);
    expect(taken).toBe(64 + 9);
  });
});
