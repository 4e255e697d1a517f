/** Figures of notebook 06: well-formed, told in text as well, legible, and true to the machine's own tables. */
import { beforeAll, describe, expect, it } from "vitest";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import { type Census, frameCensus } from "../../../lib/course/xen-core/census.ts";
import { eventStrip } from "../../../lib/course/xen-core/event-strip.ts";
import { grantGraph } from "../../../lib/course/xen-core/grant-graph.ts";
import { frameMosaic } from "../../../lib/course/xen-core/mosaic.ts";
import { buildOffice } from "../../../lib/course/xen-core/office.ts";
import { measurePrices, priceChart } from "../../../lib/course/xen-core/prices.ts";
import { eventParts, isLeaf } from "../../../lib/course/xen-core/reader-parts.ts";
import { refereeView } from "../../../lib/course/xen-core/referee-view.ts";
import { FrameType } from "../../../lib/vmm/layout.ts";
import { allElements, parseXml } from "./markup.ts";

const PAGE = 0x8001_0000n;
const WINDOW = 0x9000_0000n;
const svgOf = (bundle: FigureBundle): string => String(bundle["image/svg+xml"]);
const textOf = (bundle: FigureBundle): string => String(bundle["text/plain"]);

/** What every picture must be. */
function expectLegible(bundle: FigureBundle): void {
  const root = parseXml(svgOf(bundle));
  const elements = allElements(root);
  expect(root.attributes["role"]).toBe("img");
  expect(root.attributes["aria-label"]?.length).toBeGreaterThan(40);
  expect(elements.some(({ name }) => name === "title")).toBe(true);
  const [width, height] = [Number(root.attributes["width"]), Number(root.attributes["height"])];
  for (const { name, attributes } of elements) {
    if (name !== "text") continue;
    expect(Number(attributes["font-size"])).toBeGreaterThanOrEqual(8);
    expect(Number(attributes["x"])).toBeLessThanOrEqual(width);
    expect(Number(attributes["y"])).toBeLessThanOrEqual(height);
    // Inks of the palette, whose contrast a test computes; paper only on the ink of a part.
    expect(attributes["fill"]).toMatch(/^var\(--dom0-/);
  }
  expect(textOf(bundle).split("\n").length).toBeLessThanOrEqual(30);
}

describe("an office with two guests", () => {
  const scene = buildOffice({ alice: {}, bob: {} });
  const { office, alice, bob } = scene;
  let quiet: Census;
  let frame: bigint;

  beforeAll(() => {
    alice.store(PAGE, "letter");
    quiet = frameCensus(scene);
    alice.call("grant", bob.id, PAGE, 1);
    bob.call("grant_map", alice.id, 0, WINDOW, 1);
    frame = alice.frameOf(PAGE) ?? 0n;
  });

  it("has a mosaic with one cell for each frame, each owned one as the frame table says", () => {
    const { state } = office.vmm;
    const census = frameCensus(scene);
    expect(census).toHaveLength(office.board.bus.ram.pageCount);
    for (const [number, { owner, kind }] of census.entries()) {
      const entry = state.frame(number);
      expect(owner).toBe(["", "alice", "bob"][entry.owner]);
      if (entry.type === FrameType.RAM) expect(kind).toBe("memory");
      if (entry.type === FrameType.G_TABLE) expect(kind).toBe("table");
    }
    const lent = census.filter(({ lentTo }) => lentTo.length > 0);
    expect(lent).toMatchObject([{ address: frame, owner: "alice", lentTo: ["bob"], refs: 3, typed: 2 }]);
  });

  it("marks what has changed since: the frame that is lent, and a table", () => {
    const mosaic = frameMosaic(scene, { since: quiet });
    expectLegible(mosaic);
    expect(textOf(mosaic).match(/\*/g)).toHaveLength(2);
    expect(textOf(frameMosaic(scene, { since: frameCensus(scene) }))).not.toContain("*");
  });

  it("folds rows of equal cells, and loses none", () => {
    const text = textOf(frameMosaic(scene));
    const folded = [...text.matchAll(/ {2}0x\S+ {2}(\d+) frames:/g)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
    const rows = text.split("\n").filter((line) => /^ {2}0x\S+ {2}(?!\d+ frames)/.test(line));
    const cells = rows
      .flatMap((line) => line.trim().split(/ +/).slice(1))
      .reduce((sum, run) => sum + Number(/\u00d7(\d+)$/.exec(run)?.[1] ?? 1), 0);
    expect(folded + cells).toBe(2048);
  });

  it("has a graph of grants with the counts of the frame table", () => {
    const graph = grantGraph(scene);
    expectLegible(graph);
    expect(textOf(graph)).toMatch(
      /3 references, 2 writable\) — grant 0, RW, to bob: mapping 0 at 0x9000_0000, RW/,
    );
    expect(svgOf(graph)).toContain("stroke-dasharray");
  });

  it("has strips of event bits, masked ones with a bar", () => {
    const port = alice.call("event_allocate", bob.id);
    const bobs = bob.call("event_bind", alice.id, port);
    alice.call("event_send", port);
    bob.call("event_mask", bobs, 1);
    const strip = eventStrip(scene);
    expectLegible(strip);
    const { eventsPending, eventsMasked } = office.vmm.state.domain(2);
    expect([eventsPending, eventsMasked]).toEqual([2n, 2n]);
    expect(textOf(strip)).toMatch(/bob +0#0+ {2}port 1 \u2194 alice's 1/);
  });

  it("prices bytes as the guest's own counter does: one line each", () => {
    const prices = measurePrices(alice, bob, 0x8001_1000n, [64, 128, 1024]);
    const [a, b, c] = prices;
    if (a === undefined || b === undefined || c === undefined) throw new Error("no prices");
    for (const price of ["copy", "map"] as const)
      expect((c[price] - a[price]) / (c.bytes - a.bytes)).toBe((b[price] - a[price]) / (b.bytes - a.bytes));
    const chart = priceChart(prices);
    expectLegible(chart);
    for (const { bytes, copy, map } of prices) {
      expect(textOf(chart)).toContain(bytes.toLocaleString("en-US"));
      expect(textOf(chart)).toContain(copy.toLocaleString("en-US"));
      expect(textOf(chart)).toContain(map.toLocaleString("en-US"));
    }
    expect(chart["application/vnd.plotly.v1+json"]).toMatchObject({
      layout: { xaxis: { title: { text: "bytes" } }, yaxis: { title: { text: /instructions/ } } },
    });
  });

  it("breaks no invariant, and says so", () => {
    expect(office.judge.check()).toEqual([]);
    expect(textOf(refereeView(scene))).toMatch(/no invariant is broken/);
  });
});

describe("a hypervisor with a reader's parts", () => {
  it("rings a reader's bells, on tables in RAM", () => {
    const asked: string[] = [];
    const { alice, bob, office } = buildOffice(
      { alice: {}, bob: {} },
      {
        parts: eventParts((domains, me, call, a, b) => {
          asked.push(`${me} ${call} ${a} ${b}`);
          const mine = domains[me];
          if (call === "send" && domains[2] !== undefined) domains[2].pending |= 4n;
          if (call === "take" && mine !== undefined) mine.pending = 0n;
          return { value: call === "take" ? 4n : 0n, domains };
        }),
      },
    );
    alice.call("event_send", 9);
    expect(office.vmm.state.domain(2).eventsPending).toBe(4n);
    expect(bob.call("event_take")).toBe(4);
    expect(office.vmm.state.domain(2).eventsPending).toBe(0n);
    expect(asked.map((each) => each.replace(/take .*/, "take"))).toEqual(["1 send 9 0", "2 take"]);
    expect(office.judge.check()).toEqual([]);
  });

  it("stops with a sentence when a reader's function gives nothing", () => {
    const { alice } = buildOffice({ alice: {} }, { parts: eventParts(() => undefined as never) });
    expect(() => alice.call("event_take")).toThrow(/eventCall must return/);
  });

  it("without the line about large pages gives a guest its own tables; with it none", () => {
    for (const isCareless of [true, false]) {
      const scene = buildOffice(
        { mallory: { kind: "paravirtual", pages: 464 }, alice: {} },
        isCareless
          ? { parts: { meaningOf: (entry, level, reference) => reference(entry, isLeaf(entry) ? 0 : level) } }
          : {},
      );
      const { mallory, office } = scene;
      const before = frameCensus(scene);
      const middle = mallory.entryFor(0x8000_0000n, 1) & ~0xfffn;
      expect(mallory.update(middle + 800n, (0x8040_0000n >> 2n) | 0xc7n)).toBe(isCareless ? 1 : -22);
      const broken = frameCensus(scene).filter(({ isBroken }) => isBroken);
      expect(broken.map(({ letters }) => letters).sort()).toEqual(
        isCareless ? ["Ag", "Ag", "M0", "M1", "M2"] : [],
      );
      expect(office.judge.violations.some(({ invariant }) => invariant === "I2")).toBe(isCareless);
      const mosaic = frameMosaic(scene, { since: before });
      expectLegible(mosaic);
      expect(svgOf(mosaic).includes("M0!")).toBe(isCareless);
      expect(textOf(refereeView(scene)).split("\n").length).toBeLessThanOrEqual(30);
    }
  });
});
