/**
 * Figures of notebook 03: their numbers are those of the machine, read here out of the monitor's memory and the guest's; what they show
 * is also said; every label can be read in both themes.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import {
  type Classification,
  classificationPicture,
  classifyMachine,
} from "../../../lib/course/popek-goldberg/classification.ts";
import { slowdownChart } from "../../../lib/course/popek-goldberg/curve.ts";
import { exitsChart } from "../../../lib/course/popek-goldberg/exits-chart.ts";
import {
  type ExitSlice,
  exitsOverTime,
  type GuestMachine,
  guestMachine,
} from "../../../lib/course/popek-goldberg/guest-machine.ts";
import { shadowPicture } from "../../../lib/course/popek-goldberg/shadow-picture.ts";
import { twoTruths } from "../../../lib/course/popek-goldberg/two-truths.ts";
import { setBit } from "../../../lib/course/walls/leaf.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import { labelContrasts } from "./figure-inks.ts";
import { allElements, parseXml } from "./markup.ts";

const image = new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf")));
const svgOf = (figure: FigureBundle): string => String(figure["image/svg+xml"]);
const textOf = (figure: FigureBundle): string => String(figure["text/plain"]);
const labelsOf = (figure: FigureBundle): string[] =>
  allElements(parseXml(svgOf(figure)))
    .filter(({ name }) => name === "text")
    .map(({ text }) => text);

/** Valid entries of Sv48 or Sv39 tables, by their own rules; the test's own reading. */
function leavesIn(machine: GuestMachine, satp: bigint, shift: bigint): Map<bigint, bigint> {
  const leaves = new Map<bigint, bigint>();
  const follow = (table: bigint, level: bigint, from: bigint): void => {
    for (let index = 0n; index < 512n; index += 1n) {
      const entry = machine.board.memory.load(table + shift + 8n * index, 8);
      if (typeof entry !== "bigint" || (entry & 1n) === 0n) continue;
      const vaddr = from + (index << (12n + 9n * level));
      if ((entry & 14n) === 0n) follow(((entry >> 10n) & ((1n << 44n) - 1n)) << 12n, level - 1n, vaddr);
      else leaves.set(vaddr, entry);
    }
  };
  follow((satp & ((1n << 44n) - 1n)) << 12n, satp >> 60n === 9n ? 3n : 2n, 0n);
  return leaves;
}

let guest: GuestMachine;
let slices: ExitSlice[];
let ended: GuestMachine;
let leaky: Classification;
let figures: Record<string, FigureBundle>;
const POINTS = [
  { perThousand: 0, slowdown: 1 },
  { perThousand: 10, slowdown: 2.08 },
  { perThousand: 998, slowdown: 108.8 },
];

beforeAll(() => {
  ended = guestMachine(image);
  slices = exitsOverTime(ended, 100_000);
  leaky = classifyMachine(["scause"]);
  guest = guestMachine(image);
  const scribbler = guest.board.symbols.addressOf("scribbler") ?? 0n;
  guest.board.run({ instructions: 22_000_000, until: { pc: scribbler } });
  guest.board.run({ instructions: 200 });
  const before = shadowPicture(guest);
  setBit(guest.board, scribbler, "W", true);
  figures = {
    exits: exitsChart(slices),
    classification: classificationPicture(leaky),
    shadow: before,
    "one bit later": shadowPicture(guest, "Two tables that do not agree"),
    curve: slowdownChart([
      { name: "trap and emulate", points: POINTS },
      { name: "with the hypervisor extension", points: POINTS.map((point) => ({ ...point, slowdown: 1 })) },
    ]),
  };
});

const figure = (name: string): FigureBundle => figures[name] ?? {};

describe("the numbers", () => {
  it("of exits are those that the monitor counted, in stretches without a gap", () => {
    const counts = ended.exits();
    const labels = labelsOf(figure("exits"));
    const kinds = Object.entries(counts).filter(([, count]) => count > 0);
    expect(kinds.length).toBeGreaterThanOrEqual(5);
    for (const [kind, count] of kinds) {
      const sum = slices.reduce((total, { exits }) => total + exits[kind as keyof typeof exits], 0);
      expect([kind, sum]).toEqual([kind, count]);
      expect(labels.some((text) => text.startsWith(`${count.toLocaleString("en-US")}: `))).toBe(true);
    }
    for (const [index, slice] of slices.entries()) expect(slice.from).toBe(slices[index - 1]?.to ?? 0);
    const chart = figure("exits")["application/vnd.plotly.v1+json"] as { data: { y: number[] }[] };
    const total = chart.data.reduce((sum, { y }) => sum + y.reduce((all, one) => all + one, 0), 0);
    expect(total).toBe(kinds.reduce((sum, [, count]) => sum + count, 0));
  });

  it("of instructions sum up to all that were tried, each in one field", () => {
    const counts = [...textOf(figure("classification")).matchAll(/privileged +(\d+) {2}/gi)].map(([, n]) =>
      Number(n),
    );
    expect(counts).toHaveLength(4);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(leaky.instructions.length);
    expect(counts[1]).toBe(leaky.breaking.length);
  });

  it("of pages are those of both tables, read entry by entry", () => {
    const own = leavesIn(guest, guest.csr("satp") ?? 0n, 0x20_0000n);
    const shadow = leavesIn(guest, guest.board.hart.csr("satp"), 0n);
    expect(textOf(figure("shadow"))).toContain(
      `maps ${own.size} pages; its shadow has ${shadow.size} of them`,
    );
    for (const [vaddr, entry] of shadow) {
      // A shadow leads 2 MiB higher than the guest's own leaf.
      expect((entry >> 10n) - ((own.get(vaddr) ?? 0n) >> 10n)).toBe(0x200n);
      expect(textOf(figure("one bit later"))).toMatch(
        /0x4000_0000 {2}guest U R-X 1 page {5}shadow RWX 1 of them/,
      );
      expect([entry & 0x1en, (own.get(vaddr) ?? 0n) & 0x1en]).toEqual([0x1en, 0x1an]);
    }
  });

  it("of CSRs are the monitor's words on one side, the hart's on the other", () => {
    const text = textOf(twoTruths(guest, ["satp", "scause"]));
    const { state, board } = guest;
    expect(text.replaceAll("_", "")).toContain(
      `0x${state.csrs.satp.toString(16)}  0x${board.hart.csr("satp").toString(16)}`,
    );
    expect(text).toMatch(new RegExp(`mode +${guest.mode()} +${board.hart.mode}`));
  });

  it("of the curve are its points", () => {
    for (const text of ["×2.08", "×108.8"]) expect(labelsOf(figure("curve"))).toContain(text);
    expect(textOf(figure("curve"))).toContain("  10 in a thousand  ×2.08");
    const chart = figure("curve")["application/vnd.plotly.v1+json"] as {
      layout: { xaxis: { title: { text: string } }; yaxis: { title: { text: string } } };
    };
    expect(chart.layout.xaxis.title.text).toMatch(/in a thousand/);
    expect(chart.layout.yaxis.title.text).toMatch(/times/);
  });
});

const NAMES = ["exits", "classification", "shadow", "one bit later", "curve"];

describe("every figure of the notebook", () => {
  it.each(NAMES)("%s is well-formed and says in words what it shows", (name) => {
    const root = parseXml(svgOf(figure(name)));
    expect(root.attributes["role"]).toBe("img");
    expect(root.attributes["aria-label"]?.length).toBeGreaterThan(30);
    expect(textOf(figure(name)).split("\n").length).toBeGreaterThan(2);
    expect(svgOf(figure(name))).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each(NAMES)("%s has a contrast of 4.5:1 under every label, on light and on dark paper", (name) => {
    expect(labelContrasts(svgOf(figure(name))).filter(({ ratio }) => ratio < 4.5)).toEqual([]);
  });

  it.each(NAMES)("%s keeps every mark inside its view", (name) => {
    const root = parseXml(svgOf(figure(name)));
    const [, , width = 0, height = 0] = (root.attributes["viewBox"] ?? "").split(" ").map(Number);
    for (const { attributes } of root.children) {
      const [x, y] = [Number(attributes["x"] ?? 0), Number(attributes["y"] ?? 0)];
      expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      expect(x + Number(attributes["width"] ?? 0)).toBeLessThanOrEqual(width);
      expect(y + Number(attributes["height"] ?? 0)).toBeLessThanOrEqual(height);
    }
  });
});
