/** The picture of a guest's walk says, in drawing and in words, every read that the manual's algorithm makes. */
import { describe, expect, it } from "vitest";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import { walkPicture } from "../../../lib/course/walk-picture.ts";
import { vaddr } from "../../../lib/isa/address.ts";
import { MODE_NUMBER } from "../../../lib/isa/mode.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { StageWalker } from "../../../lib/mmu/stage-walker.ts";
import { translate } from "../../../lib/mmu/translate.ts";
import { GUEST_ADDRESS, type GuestScene, guestScene } from "../../support/guest-scene.ts";

const drawn = (scene: GuestScene): FigureBundle =>
  walkPicture(explainTranslation(guestScene(scene), GUEST_ADDRESS, "store", "VU"));
const textOf = (figure: FigureBundle): string => String(figure["text/plain"]);
const svgOf = (figure: FigureBundle): string => String(figure["image/svg+xml"]);
/** Entries that carry a number, in the drawing. */
const numbersIn = (svg: string): number[] =>
  [...svg.matchAll(/text-anchor="end"[^>]*>(\d+)</g)].map(([, number]) => Number(number));

describe("a guest's walk", () => {
  it.each([
    // (levels + 1) walks of the second stage, and the guest's own entries: 4 × 3 + 3, 5 × 4 + 4.
    ["Sv39", {}, 15],
    ["Sv48", { wide: true }, 24],
    // Guest-physical 0x1008 is no RAM.
    ["Sv39 over Bare", { hostBare: true }, 0],
    ["the second stage alone", { guestBare: true }, 1],
  ] as const)("of %s numbers each read once, in order", (_, scene, reads) => {
    const figure = drawn(scene);
    const numbers = numbersIn(svgOf(figure));
    expect(numbers).toEqual(numbers.map((_number, index) => index + 1));
    expect(numbers).toHaveLength(reads);
    expect(textOf(figure)).toMatch(
      reads === 0
        ? /No page-table entry was read\.$/
        : reads === 1
          ? /1 page-table entry was read\.$/
          : new RegExp(`${reads} page-table entries were read\\.$`),
    );
    for (let number = 1; number <= reads; number++) expect(textOf(figure)).toContain(` ${number}. `);
  });

  it("says the same in the alternative text: each row, each entry, and the outcome", () => {
    const svg = svgOf(drawn({}));
    const description = /<desc>([\s\S]*?)<\/desc>/.exec(svg)?.[1] ?? "";
    for (const row of ["guest's PTE 2", "guest's PTE 1", "guest's PTE 0", "the access"])
      expect(description).toContain(`For ${row}: `);
    expect(description.match(/G-stage PTE/g)).toHaveLength(12);
    expect(description.match(/VS-stage PTE/g)).toHaveLength(3);
    expect(description).toContain("leads to 0x8002_0123");
  });

  it("frames the one entry that said no, and names the fault of its stage", () => {
    const frames = (figure: FigureBundle) => svgOf(figure).match(/stroke-width="3.5"/g)?.length ?? 0;
    for (const [scene, fault] of [
      [{ guestLeaf: 0xcfn }, "the walk ends here: page fault"],
      [{ hostLeaf: 0xdbn }, "the walk ends here: guest-page fault"],
      [{ tableLeaf: 0xden }, "the walk ends here: guest-page fault"],
    ] as const) {
      expect(frames(drawn(scene))).toBe(1);
      expect(textOf(drawn(scene))).toContain(fault);
    }
    expect(frames(drawn({}))).toBe(0);
  });

  it("shows what the hart remembers as dashed, and reads nothing", () => {
    const hart = guestScene({ sticky: true });
    const walker = new StageWalker(hart.remembered, {});
    const rights = { mode: MODE_NUMBER.VU, needsExecute: false };
    translate(hart.state, hart.bus, vaddr(GUEST_ADDRESS), "load", 8, rights, {}, walker);
    walker.keep();
    const figure = walkPicture(explainTranslation(hart, GUEST_ADDRESS, "load", "VU"));
    expect(numbersIn(svgOf(figure))).toEqual([]);
    expect(svgOf(figure).match(/>remembered</g)).toHaveLength(2);
    expect(textOf(figure)).toMatch(/No page-table entry was read\.$/);
  });
});
