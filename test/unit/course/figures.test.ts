/** Figures: well-formed, repeatable, told in text as well, and true to the steps they were made from. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SymbolTable } from "../../../lib/board/symbols.ts";
import { climb, type LadderStep } from "../../../lib/course/climb.ts";
import { drawCsr } from "../../../lib/course/csr-picture.ts";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import { countHeat } from "../../../lib/course/heat-count.ts";
import { heatMap } from "../../../lib/course/heat-map.ts";
import { buildIsland } from "../../../lib/course/island.ts";
import { ladder } from "../../../lib/course/ladder.ts";
import { spreadBadges } from "../../../lib/course/ladder-picture.ts";
import { countTicks, linearScale } from "../../../lib/course/marks/scale.ts";
import { INK_PAIRS, MODE_INK, PAPER_INK, paletteCss } from "../../../lib/course/palette.ts";
import { walkPicture } from "../../../lib/course/walk-picture.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { allElements, parseXml } from "./markup.ts";

type Mode = "M" | "S" | "U";
type Step = LadderStep & { readonly pc: bigint; readonly text: string };

const MODES = fc.constantFrom<Mode>("M", "S", "U");
const hostile = fc.string({ unit: "grapheme", maxLength: 12 });

/** A run as the machine could log it: each step begins in the mode where the last one ended. */
const runs: fc.Arbitrary<Step[]> = fc
  .array(
    fc.record({
      to: fc.option(MODES, { nil: undefined, freq: 6 }),
      traps: fc.boolean(),
      pc: fc.nat(4000),
      text: hostile,
    }),
    {
      minLength: 1,
      maxLength: 120,
    },
  )
  .map((moves) => {
    let mode: Mode = "M";
    let retired = 0;
    return moves.map(({ to, traps, pc, text }) => {
      const trap = to !== undefined && traps ? { isInterrupt: false, cause: 13 } : undefined;
      const step: Step = {
        retired,
        pc: 0x8000_0000n + BigInt(pc) * 4n,
        modeBefore: mode,
        modeAfter: to ?? mode,
        text,
        ...(trap === undefined ? {} : { trap }),
      };
      if (trap === undefined) retired += 1;
      mode = to ?? mode;
      return step;
    });
  });

const FIXED = { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 1_000 : 60 };

const svgOf = (figure: FigureBundle): string => String(figure["image/svg+xml"]);

/** What the machine explains after user code reached for page 1 of the vault, and after the kernel did. */
const ISLAND = buildIsland({ seed: 3 });
const THEFT = ISLAND.land([asm.li("a1", 0x8001_1000n), asm.ld("a0", 0, "a1")]);
const BLOCKED = explainTranslation(ISLAND.board.hart, 0x8001_1000n, "load", "U");
const ALLOWED = explainTranslation(ISLAND.board.hart, 0x8001_1000n, "load", "S");

const MSTATUS = {
  name: "mstatus",
  value: 0xa_0000_1880n,
  fields: [
    { name: "MPIE", low: 7, high: 7, value: 1n },
    { name: "MPP", low: 11, high: 12, value: 3n, meaning: "from M-mode" },
    { name: "UXL", low: 32, high: 33, value: 2n },
  ],
};

describe("every figure", () => {
  const figures: [string, (steps: Step[]) => FigureBundle][] = [
    ["the ladder", (steps) => ladder(steps)],
    ["the heat map", (steps) => heatMap(steps)],
    ["the walk", () => walkPicture(BLOCKED)],
    ["the CSR picture", () => drawCsr(MSTATUS)],
  ];

  it.each(figures)(
    "%s is well-formed, has title and description, and no id, script or style sheet",
    (_name, draw) => {
      fc.assert(
        fc.property(runs, (steps) => {
          const root = parseXml(svgOf(draw(steps)));
          const names = allElements(root).map((element) => element.name);
          expect(root.name).toBe("svg");
          expect(root.attributes["role"]).toBe("img");
          expect(root.children[0]?.name).toBe("title");
          expect(root.children[1]?.name).toBe("desc");
          expect(root.children[1]?.text.length).toBeGreaterThan(20);
          expect(names).not.toContain("style");
          expect(names).not.toContain("script");
          expect(allElements(root).filter((element) => "id" in element.attributes)).toEqual([]);
        }),
        FIXED,
      );
    },
  );

  it.each(figures)("%s is the same bytes for the same data, with numbers that are numbers", (_name, draw) => {
    fc.assert(
      fc.property(runs, (steps) => {
        const once = JSON.stringify(draw(steps));
        expect(JSON.stringify(draw(structuredClone(steps)))).toBe(once);
        expect(once).not.toMatch(/NaN|Infinity|undefined/);
        expect(String(draw(steps)["text/plain"]).split("\n").length).toBeLessThanOrEqual(45);
      }),
      FIXED,
    );
  });

  it("names the unit of its axis in the chart, the picture and the text", () => {
    const steps: Step[] = [{ retired: 0, pc: 0n, modeBefore: "M", modeAfter: "M", text: "nop" }];
    for (const figure of [ladder(steps), heatMap(steps)]) {
      expect(JSON.stringify(figure["application/vnd.plotly.v1+json"])).toContain("retired instructions");
      expect(svgOf(figure)).toContain("retired instructions");
      expect(String(figure["text/plain"])).toContain("retired instructions");
    }
  });
});

describe("the privilege ladder", () => {
  it("has a stay that covers every retired instruction in the mode it ran in", () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const { spans, length } = climb(steps);
        const modes = spans.flatMap((span) => new Array<string>(span.to - span.from).fill(span.mode));
        const retired = steps.filter((step) => step.trap === undefined);
        expect(modes).toEqual(retired.map((step) => step.modeBefore));
        expect(length).toBe(retired.length);
      }),
      FIXED,
    );
  });

  it("has one arrow for each trap and each change of mode, and tells traps from returns", () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const { crossings } = climb(steps);
        expect(crossings.filter((crossing) => crossing.isTrap)).toHaveLength(
          steps.filter((step) => step.trap !== undefined).length,
        );
        expect(crossings.filter((crossing) => !crossing.isTrap)).toHaveLength(
          steps.filter((step) => step.trap === undefined && step.modeBefore !== step.modeAfter).length,
        );
      }),
      FIXED,
    );
  });

  it("keeps badges apart, in order and on the picture", () => {
    const wanted = fc
      .array(fc.integer({ min: 100, max: 700 }), { minLength: 1, maxLength: 20 })
      .map((list) => list.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(wanted, (places) => {
        const placed = spreadBadges(places, 22, 100, 700);
        placed.forEach((x, index) => {
          expect(x).toBeGreaterThanOrEqual(100);
          expect(x).toBeLessThanOrEqual(700);
          if (index > 0) expect(x - (placed[index - 1] ?? 0)).toBeGreaterThanOrEqual(22);
        });
      }),
      FIXED,
    );
  });

  it("shows an empty run as an empty ladder", () => {
    expect(String(ladder([])["text/plain"])).toContain("0 retired instructions");
    parseXml(svgOf(ladder([])));
  });
});

describe("the heat map", () => {
  it("counts every retired instruction once", () => {
    fc.assert(
      fc.property(runs, (steps) => {
        const { rows, length } = countHeat(steps);
        expect(rows.reduce((sum, row) => sum + row.total, 0)).toBe(length);
        for (const row of rows) expect(row.counts.reduce((sum, count) => sum + count, 0)).toBe(row.total);
      }),
      FIXED,
    );
  });

  it("never has more rows than fit, and names functions when it knows them", () => {
    const steps: Step[] = Array.from({ length: 900 }, (_, index) => ({
      retired: index,
      pc: 0x8000_0000n + BigInt(index) * 4n,
      modeBefore: "S",
      modeAfter: "S",
      text: "nop",
    }));
    expect(countHeat(steps).rows.length).toBeLessThanOrEqual(28);
    const named = countHeat(
      steps,
      new SymbolTable([
        { name: "start", address: 0x8000_0000n, sizeBytes: 0x400n },
        { name: "middle", address: 0x8000_0400n, sizeBytes: 0xa10n },
        { name: "end", address: 0x8000_0e10n, sizeBytes: 4n },
      ]),
    );
    expect(named.rows.map((row) => [row.label.split("  ")[1], row.total])).toEqual([
      ["start", 256],
      ["middle", 644],
    ]);
  });
});

describe("the walk picture", () => {
  it("frames the bit that said no, and only in a walk that failed", () => {
    const frames = (figure: FigureBundle): number =>
      allElements(parseXml(svgOf(figure))).filter((element) => element.attributes["stroke-width"] === "3.5")
        .length;
    expect(frames(walkPicture(BLOCKED))).toBe(1);
    expect(frames(walkPicture(THEFT))).toBe(1);
    expect(frames(walkPicture(ALLOWED))).toBe(0);
  });

  it("spells the flags of each entry in the manual's order", () => {
    expect(String(walkPicture(BLOCKED)["text/plain"])).toContain("entry  17  DA---WRV");
  });
});

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function contrast(left: string, right: string): number {
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5]
      .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [high = 0, low = 0] = [luminance(left), luminance(right)].toSorted((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

describe("the palette", () => {
  it.each(["light", "dark"] as const)(
    "has a contrast of at least 4.5:1 for every ink on %s paper",
    (theme) => {
      for (const [name, pair] of INK_PAIRS) {
        if (name === "paper" || name === "rule") continue;
        expect(contrast(pair[theme], PAPER_INK.paper[theme]), name).toBeGreaterThanOrEqual(4.5);
      }
    },
  );

  it("declares every color for both themes", () => {
    expect(paletteCss("light")).toContain(`--dom0-mode-vs: ${MODE_INK.VS.light};`);
    expect(paletteCss("dark").split("\n")).toHaveLength(INK_PAIRS.length);
  });
});

describe("scales", () => {
  it("puts ticks at round whole numbers inside the domain", () => {
    expect(countTicks([0, 1000], 7)).toEqual([0, 200, 400, 600, 800, 1000]);
    expect(countTicks([0, 3], 7)).toEqual([0, 1, 2, 3]);
    expect(linearScale([0, 10], [100, 200])(5)).toBe(150);
  });
});
