/**
 * Figures of notebook 05: what they show is what the machine did, by counts that no figure had a hand in; what they show is also said; and
 * every label can be read in both themes.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import { shareHart } from "../../../lib/course/sharing/experiments.ts";
import { gantt } from "../../../lib/course/sharing/gantt.ts";
import { BUSY, keeper, sleeper } from "../../../lib/course/sharing/guests.ts";
import { lineChart } from "../../../lib/course/sharing/line-chart.ts";
import { csrsInHart, whoseCsrs } from "../../../lib/course/sharing/switch-table.ts";
import { type Watched, watch } from "../../../lib/course/sharing/watch.ts";
import type { VmHost } from "../../../lib/course/vm-host.ts";
import { labelContrasts } from "./figure-inks.ts";
import { allElements, parseXml } from "./markup.ts";

const textOf = (figure: FigureBundle): string => String(figure["text/plain"]);
const svgOf = (figure: FigureBundle): string => String(figure["image/svg+xml"]);
const labelsOf = (figure: FigureBundle): string[] =>
  allElements(parseXml(svgOf(figure)))
    .filter(({ name }) => name === "text")
    .map(({ text }) => text);

/** Every label has at least 4.5:1 against what is behind it, on light and on dark paper. */
function expectReadable(figure: FigureBundle): void {
  const contrasts = labelContrasts(svgOf(figure));
  expect(contrasts.length).toBeGreaterThan(4);
  expect(contrasts.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
}

describe("who has the hart", () => {
  let host: VmHost;
  let seen: Watched;
  let before: readonly bigint[];
  const TICKS = 20_000;
  const ranOf = (machine: VmHost): readonly bigint[] => machine.vcpus().map(({ schedule }) => schedule.ran);

  beforeAll(() => {
    host = shareHart([BUSY, sleeper(600, 3_000), BUSY], { slices: 3 });
    before = ranOf(host);
    seen = watch(host, TICKS);
  });

  it("adds up: stays follow each other without gaps, and what guests had is what the hypervisor has charged", () => {
    const { spans } = seen;
    for (const [index, span] of spans.entries()) {
      expect(span.to).toBeGreaterThan(span.from);
      expect(span.from).toBe(spans[index - 1]?.to ?? span.from);
    }
    const all = (spans.at(-1)?.to ?? 0) - (spans[0]?.from ?? 0);
    expect(Math.abs(all - TICKS)).toBeLessThan(20);
    for (const [index, ran] of ranOf(host).entries()) {
      const had = spans
        .filter(({ domain }) => domain === index + 1)
        .reduce((sum, { from, to }) => sum + to - from, 0);
      // The hypervisor charges its own way in, too, and the stay that goes on is not charged yet.
      const charged = Number(ran - (before[index] ?? 0n));
      expect(Math.abs(charged - had), `domain ${index + 1}`).toBeLessThan(0.04 * TICKS + 2_000);
    }
  });

  it("changes nothing: a machine that is watched runs as one that is not", () => {
    const [watched, alone] = [0, 1].map(() => shareHart([BUSY, sleeper(600, 3_000)], { slices: 2 }));
    watch(watched as VmHost, 5_000);
    alone?.board.run({ instructions: 50_000, untilInsns: alone.board.clock.now + 50_000 });
    expect(watched?.board.trace.hash()).toBe(alone?.board.trace.hash());
  });

  it("draws a bar for each stay, says every share, and can be read", () => {
    const figure = gantt(seen, { title: "Three" });
    const labels = labelsOf(figure);
    for (const row of ["domain 1", "domain 2", "domain 3", "hypervisor"]) expect(labels).toContain(row);
    const text = textOf(figure);
    const shares = [...text.matchAll(/\| +(\d+) %/g)].map(([, share]) => Number(share));
    expect(shares).toHaveLength(4);
    expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 100)).toBeLessThanOrEqual(4);
    const bars = allElements(parseXml(svgOf(figure))).filter(({ name }) => name === "rect").length - 1;
    const counted = [...text.matchAll(/ran (\d+) times/g)].reduce((sum, [, count]) => sum + Number(count), 0);
    expect(bars).toBeGreaterThanOrEqual(counted);
    expect(svgOf(figure)).toMatch(/aria-label="Three\. Time from left to right/);
    expectReadable(figure);
  });
});

describe("a curve", () => {
  const figure = lineChart(
    "A <curve>",
    { x: "ticks", y: "%", most: 100 },
    [
      {
        name: "measured",
        kind: "measured",
        points: [
          [1, 10],
          [2, 90],
        ],
      },
      {
        name: "other",
        kind: "other",
        points: [
          [1, 12],
          [2, 88],
        ],
      },
      {
        name: "limit",
        kind: "limit",
        points: [
          [1, 50],
          [2, 50],
        ],
      },
    ],
    "It rises.",
  );
  it("says its numbers in the text, names its lines, and can be read; lines differ by more than color", () => {
    expect(textOf(figure)).toMatch(/1 +10\.0 +12\.0 +50\.0\n +2 +90\.0 +88\.0 +50\.0/);
    expect(labelsOf(figure)).toEqual(expect.arrayContaining(["measured", "other", "limit"]));
    expect(svgOf(figure)).toContain("stroke-dasharray");
    expectReadable(figure);
  });
});

describe("CSRs of a world switch", () => {
  it("are each somebody's", () => {
    const text = textOf(whoseCsrs());
    for (const name of ["vsatp", "hvip", "htimedelta", "hgatp", "sepc", "sstatus", "stimecmp"])
      expect(text).toContain(name);
  });
  it("are shown as the hart and the RAM have them", () => {
    const host = shareHart([keeper(7), keeper(8)], { slice: 700, slices: 5 });
    const hart = host.board.hart.csr("vsscratch");
    expect(textOf(csrsInHart(host))).toMatch(new RegExp(`vsscratch +0x[078] +0x${hart.toString(16)}`));
  });
});
