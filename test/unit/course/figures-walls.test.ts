/**
 * Figures of notebook 02: the numbers that they show are those of the machine, read here word by word out of its memory; what they
 * show is also said; every label can be read in both themes; and what color says, something else says too.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { Board } from "../../../lib/board/board.ts";
import { buildBoard } from "../../../lib/board/virt.ts";
import { fenceTable } from "../../../lib/course/fence-table.ts";
import type { FigureBundle } from "../../../lib/course/figure.ts";
import { ladder } from "../../../lib/course/ladder.ts";
import { stepsOf } from "../../../lib/course/run-steps.ts";
import { walkPicture } from "../../../lib/course/walk-picture.ts";
import { setBit } from "../../../lib/course/walls/leaf.ts";
import { pageMap } from "../../../lib/course/walls/page-map.ts";
import { pageTree } from "../../../lib/course/walls/page-tree.ts";
import { permissionQuilt } from "../../../lib/course/walls/quilt.ts";
import { REMAP, runRemap } from "../../../lib/course/walls/remap.ts";
import { rememberedPicture } from "../../../lib/course/walls/remembered-picture.ts";
import { addressScatter } from "../../../lib/course/walls/scatter.ts";
import { trapPaths } from "../../../lib/course/walls/trap-paths.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import type { Item } from "../../../lib/isa/assembler/item.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { labelContrasts } from "./figure-inks.ts";
import { allElements, parseXml, type XmlElement } from "./markup.ts";

/** A page as the tables in memory say it. */
interface Mapped {
  readonly vaddr: bigint;
  readonly paddr: bigint;
  /** Flags of the leaf, eight bits. */
  readonly flags: bigint;
}

const word = (board: Board, paddr: bigint): bigint => {
  const value = board.memory.load(paddr, 8);
  return typeof value === "bigint" ? value : 0n;
};

/** Follows every entry of Sv39 tables by the manual's rules; the test's own reading, without the kit's walk. */
function tablesInMemory(board: Board): { readonly tables: Map<bigint, number>; readonly pages: Mapped[] } {
  const tables = new Map<bigint, number>();
  const pages: Mapped[] = [];
  const follow = (table: bigint, level: bigint, from: bigint): void => {
    let used = 0;
    for (let index = 0n; index < 512n; index += 1n) {
      const entry = word(board, table + index * 8n);
      if ((entry & 1n) === 0n) continue;
      used += 1;
      const vaddr = from + (index << (12n + 9n * level));
      const paddr = ((entry >> 10n) & ((1n << 44n) - 1n)) << 12n;
      if ((entry & 14n) === 0n) follow(paddr, level - 1n, vaddr);
      else pages.push({ vaddr, paddr, flags: entry & 255n });
    }
    tables.set(table, used);
  };
  follow((board.hart.csr("satp") & ((1n << 44n) - 1n)) << 12n, 2n, 0n);
  return { tables, pages };
}

const svgOf = (figure: FigureBundle): string => String(figure["image/svg+xml"]);
const textOf = (figure: FigureBundle): string => String(figure["text/plain"]);
const marksOf = (figure: FigureBundle): XmlElement[] => allElements(parseXml(svgOf(figure)));
const labelsOf = (figure: FigureBundle): string[] =>
  marksOf(figure)
    .filter(({ name }) => name === "text")
    .map(({ text }) => text.replaceAll("&gt;", ">").replaceAll("&lt;", "<"));
const hex = (value: bigint): string =>
  `0x${value
    .toString(16)
    .padStart(8, "0")
    .replace(/(?<=.)(?=(?:.{4})+$)/g, "_")}`;
const isWritableCode = ({ flags }: Mapped): boolean => (flags & 12n) === 12n;

/** What the machine in its states says, for every figure that the notebook shows. */
interface Scene {
  readonly board: Board;
  readonly memory: ReturnType<typeof tablesInMemory>;
  readonly figures: Readonly<Record<string, FigureBundle>>;
  readonly careless: readonly Mapped[];
  readonly paths: FigureBundle;
  readonly trapsOfUser: number;
}

let scene: Scene;
const remap = (...fence: Item[]) =>
  runRemap([asm.ld("a0", 0, "s0"), asm.sd("s2", 0, "s1"), ...fence, asm.ld("a1", 0, "s0"), asm.wfi()]).board;
const lazy = remap();
const careful = remap(asm.sfence_vma("s0", "zero"));

beforeAll(() => {
  const board = buildBoard({ seed: 1 });
  board.loadElf(new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf"))));
  const scribbler = board.symbols.addressOf("scribbler") ?? 0n;
  board.run({ instructions: 22_000_000, until: { pc: scribbler } });
  const memory = tablesInMemory(board);
  const map = pageMap(board);
  const before = board.snapshot();
  const trip = board.run({ instructions: 4_000, log: true });
  const paths = trapPaths(trip, board);
  const steps = ladder(trip, "scribbler, jumper, and what the kernel made of it");
  board.revert(before);
  const blocked = explainTranslation(board.hart, scribbler, "store", "U");
  setBit(board, scribbler, "W", true);
  const careless = tablesInMemory(board).pages;
  const oneBitLater = permissionQuilt(pageMap(board), "One bit later");
  board.revert(before);
  scene = {
    ...{ board, memory, careless, paths },
    trapsOfUser: stepsOf(trip).filter(({ modeBefore, trap }) => modeBefore === "U" && trap !== undefined)
      .length,
    figures: {
      tree: pageTree(map),
      scatter: addressScatter(map),
      quilt: permissionQuilt(map),
      "one bit later": oneBitLater,
      walk: walkPicture(blocked, "scribbler writes over its own code"),
      ladder: steps,
      "without a fence": rememberedPicture(lazy, REMAP.page, "Without a fence"),
      "with a fence": rememberedPicture(careful, REMAP.page, "With a fence"),
    },
  };
});

const figure = (name: string): FigureBundle => scene.figures[name] ?? {};

describe("the tree", () => {
  it("has a box for each table, with as many used entries as are valid in memory", () => {
    const labels = labelsOf(figure("tree"));
    for (const [paddr, used] of scene.memory.tables) {
      const at = labels.indexOf(hex(paddr));
      expect(labels[at + 1], hex(paddr)).toBe(`${used} of 512 used`);
    }
    expect(labels.filter((text) => text.endsWith("of 512 used"))).toHaveLength(scene.memory.tables.size);
  });

  it("counts every page in its runs, and says the totals", () => {
    const { tables, pages } = scene.memory;
    const counts = labelsOf(figure("tree")).flatMap((text) => /^(\d+) pages?$/.exec(text)?.slice(1) ?? []);
    expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(pages.length);
    expect(labelsOf(figure("tree"))).toContain(
      `${tables.size} tables lead to ${pages.length} pages in ${counts.length} runs.`,
    );
  });
});

describe("the quilt", () => {
  it.each([
    ["quilt", () => scene.memory.pages],
    ["one bit later", () => scene.careless],
  ])("%s has one cell for each page, with the rights of its entry", (name, pagesOf) => {
    const rights = ({ flags }: Mapped): string =>
      [
        [2n, "R"],
        [4n, "W"],
        [8n, "X"],
      ]
        .map(([bit, letter]) => ((flags & (bit as bigint)) === 0n ? "" : letter))
        .join("");
    const wanted = pagesOf().map((page) => (isWritableCode(page) ? "WX" : rights(page)));
    const cells = labelsOf(figure(name)).filter((text) => /^(?:R|RW|RX|WX)$/.test(text));
    const inKey = wanted.includes("WX") ? ["R", "RW", "RX", "WX"] : ["R", "RW", "RX"];
    expect(cells.toSorted()).toEqual([...wanted, ...inKey].toSorted());
    const bad = pagesOf().filter(isWritableCode).length;
    expect(textOf(figure(name))).toContain(`${bad} both writable and executable.`);
  });

  it("frames a page that is both in ink, and nothing else: not its color alone", () => {
    const frames = (name: string) =>
      marksOf(figure(name)).filter(({ attributes }) => attributes["stroke-width"] === "3").length;
    expect(frames("quilt")).toBe(0);
    expect(frames("one bit later")).toBe(2); // the page and the key
  });
});

describe("the scatter", () => {
  interface Trace {
    readonly name: string;
    readonly text: readonly string[];
    readonly x: readonly number[];
    readonly y: readonly number[];
  }
  const traces = (): readonly Trace[] =>
    (figure("scatter")["application/vnd.plotly.v1+json"] as { data: readonly Trace[] }).data;

  it("has one point for each page, that names where it leads, for the mode that it belongs to", () => {
    for (const { name, text } of traces()) {
      const isUser = name.startsWith("U");
      const wanted = scene.memory.pages
        .filter(({ flags }) => ((flags & 16n) !== 0n) === isUser)
        .map(({ vaddr, paddr }) => `${hex(vaddr)} \u2192 ${hex(paddr)}`);
      expect(text.map((line) => line.replace(/ [A-Z]+$/, "")).toSorted()).toEqual(wanted.toSorted());
    }
  });

  it("puts a higher address farther right, and a higher physical one farther up", () => {
    const points = traces().flatMap(({ text, x, y }) =>
      text.map((line, index) => ({ line, x: x[index] ?? 0, y: y[index] ?? 0 })),
    );
    const [byVirtual, byPhysical] = [/^\S+/, /(?<=\u2192 )\S+/].map((part) =>
      points.toSorted((one, other) =>
        (part.exec(one.line)?.[0] ?? "") < (part.exec(other.line)?.[0] ?? "") ? -1 : 1,
      ),
    );
    for (const [order, axis] of [
      [byVirtual, "x"],
      [byPhysical, "y"],
    ] as const)
      order?.forEach((point, index) => {
        expect(point[axis]).toBeGreaterThanOrEqual(order[index - 1]?.[axis] ?? 0);
      });
  });

  it("draws the same points in the picture, squares for user mode", () => {
    const marks = marksOf(figure("scatter"));
    const users = scene.memory.pages.filter(({ flags }) => (flags & 16n) !== 0n).length;
    const isSquare = ({ name, attributes }: XmlElement) => name === "rect" && attributes["width"] === "9";
    expect(marks.filter(isSquare)).toHaveLength(users + 1); // and one in the key
    expect(marks.filter(({ name }) => name === "circle")).toHaveLength(scene.memory.pages.length - users + 1);
    const frames = Map.groupBy(scene.memory.pages, ({ paddr }) => paddr);
    const shared = [...frames.values()].filter((pages) => pages.length > 1).length;
    expect(textOf(figure("scatter"))).toContain(`${shared} physical pages are seen at two addresses.`);
  });
});

describe("the walk", () => {
  it("shows the eight flags of each entry as they lie in memory", () => {
    const labels = labelsOf(figure("walk"));
    const entries = labels.flatMap((text) => /^entry \d+, at (0x[0-9a-f_]+)$/.exec(text)?.slice(1) ?? []);
    expect(entries).toHaveLength(3);
    const bits = labels.filter((text) => /^[01]$/.test(text)).slice(-24);
    const wanted = entries.flatMap((at) =>
      (word(scene.board, BigInt(at.replaceAll("_", ""))) & 255n).toString(2).padStart(8, "0").split(""),
    );
    expect(bits).toEqual(wanted);
  });
});

describe("the two answers of a hart that remembers", () => {
  it("are the entry in memory, and the one that the load went by", () => {
    const leads = (entry: bigint): string => hex((entry >> 10n) << 12n);
    const labels = labelsOf(figure("without a fence"));
    const now = word(lazy, REMAP.leaf);
    expect(labels).toContain(`entry ${hex(now)}`);
    expect(labels).toContain(leads(now));
    expect(word(lazy, REMAP.before)).toBe(lazy.hart.read("a1"));
    expect(textOf(figure("without a fence"))).toContain(`${hex(REMAP.before)}  <- the hart uses this`);
    expect(word(careful, REMAP.after)).toBe(careful.hart.read("a1"));
    expect(textOf(figure("with a fence"))).toContain(`Both say ${leads(word(careful, REMAP.leaf))}.`);
  });

  it("differ by weight and dashes, not by color alone", () => {
    const strokes = marksOf(figure("without a fence")).filter(({ name }) => name === "line");
    expect(
      strokes.map(({ attributes }) => [attributes["stroke-width"], attributes["stroke-dasharray"]]),
    ).toEqual([
      ["3", undefined],
      ["1.5", "4 4"],
    ]);
  });

  it("come with a report of the use, the change and the fence", () => {
    const [report] = lazy.fenceReports();
    const table = textOf(fenceTable(lazy.fenceReports()));
    expect(table).toContain(`load ${hex(REMAP.page)}`);
    expect(table).toContain(
      `entry at ${hex(REMAP.leaf)}: ${hex(report?.oldPte ?? 0n)} \u2192 ${hex(word(lazy, REMAP.leaf))}`,
    );
    expect(table).toContain("Missing: sfence.vma 0x4000_0000");
    expect(textOf(fenceTable(careful.fenceReports()))).not.toContain("0x");
  });
});

describe("the table of ways into the kernel", () => {
  it("counts every trap of user mode that came back", () => {
    const rows = textOf(scene.paths).split("\n").slice(2);
    const times = rows.map((row) => Number(/ {2,}(\d+) {2,}/.exec(row)?.[1]));
    expect(times.reduce((sum, count) => sum + count, 0)).toBe(scene.trapsOfUser);
  });
});

const NAMES = [
  "tree",
  "scatter",
  "quilt",
  "one bit later",
  "walk",
  "ladder",
  "without a fence",
  "with a fence",
];

describe("every figure of the notebook", () => {
  it.each(NAMES)("%s is well-formed and says in words what it shows", (name) => {
    const root = parseXml(svgOf(figure(name)));
    expect(root.attributes["role"]).toBe("img");
    expect(root.attributes["aria-label"]?.length).toBeGreaterThan(30);
    expect(root.children.slice(0, 2).map((child) => child.name)).toEqual(["title", "desc"]);
    expect(textOf(figure(name)).split("\n").length).toBeGreaterThan(2);
    expect(svgOf(figure(name))).not.toMatch(/NaN|Infinity|undefined/);
  });

  it.each(NAMES)("%s has a contrast of 4.5:1 under every label, on light and on dark paper", (name) => {
    const faint = labelContrasts(svgOf(figure(name))).filter(({ ratio }) => ratio < 4.5);
    expect(faint).toEqual([]);
  });

  it.each(NAMES)("%s keeps every mark inside its view", (name) => {
    const root = parseXml(svgOf(figure(name)));
    const [, , width = 0, height = 0] = (root.attributes["viewBox"] ?? "").split(" ").map(Number);
    const numbers = ["x", "x1", "x2", "cx", "y", "y1", "y2", "cy"] as const;
    for (const { attributes } of root.children)
      for (const key of numbers) {
        const limit = key.includes("x") ? width : height;
        const extent = Number(attributes[key === "x" ? "width" : key === "y" ? "height" : "r"] ?? 0);
        const value = Number(attributes[key] ?? 0);
        expect(value, key).toBeGreaterThanOrEqual(0);
        expect(value + extent, key).toBeLessThanOrEqual(limit);
      }
  });
});
