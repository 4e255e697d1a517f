/** Figures as a browser draws them: strict XML, nothing outside the paper, no label on top of another, in both themes. */
import { readFileSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildBoard } from "../../../lib/board/virt.ts";
import { climbEvents } from "../../../lib/course/climb.ts";
import { csrPicture } from "../../../lib/course/csr-picture.ts";
import { heatMap } from "../../../lib/course/heat-map.ts";
import { buildIsland } from "../../../lib/course/island.ts";
import { drawLadder, ladder } from "../../../lib/course/ladder.ts";
import { paletteCss } from "../../../lib/course/palette.ts";
import { stepsOf } from "../../../lib/course/run-steps.ts";
import { walkPicture } from "../../../lib/course/walk-picture.ts";
import { setBit } from "../../../lib/course/walls/leaf.ts";
import { pageMap } from "../../../lib/course/walls/page-map.ts";
import { pageTree } from "../../../lib/course/walls/page-tree.ts";
import { permissionQuilt } from "../../../lib/course/walls/quilt.ts";
import { REMAP, runRemap } from "../../../lib/course/walls/remap.ts";
import { rememberedPicture } from "../../../lib/course/walls/remembered-picture.ts";
import { addressScatter } from "../../../lib/course/walls/scatter.ts";
import { assetFile } from "../../../lib/host/node-assets.ts";
import type { Item } from "../../../lib/isa/assembler/item.ts";
import { asm } from "../../../lib/isa/assembler/typed.ts";
import { CSR_NAMES } from "../../../lib/isa/csr-map.ts";
import { explainTranslation } from "../../../lib/mmu/explain-translation.ts";
import { GUEST_ADDRESS, type GuestScene, guestScene } from "../../support/guest-scene.ts";
import { describeWith, partPath } from "../../support/optional.ts";

const BROWSER_ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What user code tries. */
const LOOK = [asm.li("a1", 0x8001_0000n), asm.ld("a0", 0, "a1")];

/** Leaves of vault 0 that make a walk end in as many ways: flags and reserved bits, without the page number. */
const LEAVES: readonly bigint[] = [0n, 1n, 0x5n, 0x7n, 0xcfn, 0x4fn, 0xc7n, 0xd7n, (1n << 60n) | 0xcfn];

function drawn(): [name: string, svg: string][] {
  const board = buildBoard();
  board.loadElf(new Uint8Array(readFileSync(assetFile("images/mini-kernel.elf"))));
  const first = board.run({ instructions: 1_000, log: true });
  board.run({ instructions: 22_000_000, until: { pc: board.symbols.addressOf("prober") ?? 0n } });
  const deed = board.run({ instructions: 2_200, log: true });
  board.run({ instructions: 22_000_000, until: { pc: board.symbols.addressOf("scribbler") ?? 0n } });
  const map = pageMap(board);
  setBit(board, 0x4000_0000n, "W", true);
  const careless = pageMap(board);
  setBit(board, 0x4000_0000n, "W", false);
  const trip = board.run({ instructions: 4_000, log: true });
  const stop = board.run({ instructions: 22_000_000 });
  const remap = (...fence: Item[]) =>
    runRemap([asm.ld("a0", 0, "s0"), asm.sd("s2", 0, "s1"), ...fence, asm.ld("a1", 0, "s0"), asm.wfi()])
      .board;
  const ladders = [1, 2, 3].map((length) => ladder(stepsOf(trip).slice(0, length * 700)));
  const island = buildIsland({ seed: 1 });
  const entry = island.pages.find((page) => page.name === "vault 0")?.pteAddress ?? 0n;
  const walks = LEAVES.map((leaf) => {
    island.poke(entry, (0x8_0010n << 10n) | leaf);
    return walkPicture(island.land(LOOK));
  });
  const asKernel = (["load", "store", "fetch"] as const).map((access) =>
    walkPicture(explainTranslation(island.board.hart, 0x4000_0000n, access, "S")),
  );
  const scenes: GuestScene[] = [
    {},
    { wide: true },
    { guestLeaf: 0xcfn },
    { hostLeaf: 0xdbn },
    { tableLeaf: 0xden },
    { hostBare: true },
    { guestBare: true },
    { wide: true, guestLeaf: 0x1_0000_0000_0000_00dfn },
  ];
  const guests = scenes.map((scene) =>
    walkPicture(explainTranslation(guestScene(scene), GUEST_ADDRESS, "store", "VU")),
  );
  const bundles: [string, Readonly<Record<string, unknown>>][] = [
    ["heat of the first thousand", heatMap(first, { symbols: board.symbols })],
    ["heat by block", heatMap(deed)],
    ["ladder of prober", ladder(deed, "prober, from its first instruction")],
    ["ladder of the last events", drawLadder(climbEvents(board.trace.events, stop.retired))],
    ["empty ladder", ladder([])],
    ["ladder of scribbler and jumper", ladder(trip)],
    ...ladders.map((bundle, index): [string, typeof bundle] => [`ladder of ${index + 1} parts`, bundle]),
    ["tree", pageTree(map)],
    ["quilt", permissionQuilt(map)],
    ["quilt with a page that is both", permissionQuilt(careless)],
    ["tree with a page that is both", pageTree(careless)],
    ["scatter", addressScatter(map)],
    ["a hart that remembers", rememberedPicture(remap(), REMAP.page)],
    ["a hart that was told", rememberedPicture(remap(asm.sfence_vma("s0", "zero")), REMAP.page)],
    ["a hart that remembers nothing", rememberedPicture(runRemap([asm.wfi()]).board, REMAP.page)],
    ...walks.map((bundle, index): [string, typeof bundle] => [`walk ${LEAVES[index]}`, bundle]),
    ...asKernel.map((bundle, index): [string, typeof bundle] => [`walk of the kernel ${index}`, bundle]),
    ...guests.map((bundle, index): [string, typeof bundle] => [`walk of a guest ${index}`, bundle]),
    ...CSR_NAMES.map((name): [string, Readonly<Record<string, unknown>>] => [
      name,
      csrPicture(name, (1n << 64n) - 1n),
    ]),
  ];
  return bundles.flatMap(([name, bundle]) =>
    typeof bundle["image/svg+xml"] === "string" ? [[name, bundle["image/svg+xml"]]] : [],
  );
}

interface Fault {
  readonly figure: string;
  readonly what: string;
}

/** Runs in the page: parses each figure as XML, then measures every label. */
function inspect(figures: [string, string][]): Fault[] {
  const faults: Fault[] = [];
  for (const [figure, svg] of figures) {
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
    if (parsed.querySelector("parsererror") !== null) faults.push({ figure, what: "is not XML" });
    document.body.innerHTML = svg;
    const paper = document.querySelector("svg")?.getBoundingClientRect();
    const labels = [...document.querySelectorAll("text")].map((text) => ({
      text: text.textContent ?? "",
      box: text.getBoundingClientRect(),
      isSlanted: text.closest("g[transform]") !== null,
    }));
    for (const { text, box } of labels)
      if (
        paper === undefined ||
        box.left < paper.left ||
        box.right > paper.right ||
        box.top < paper.top ||
        box.bottom > paper.bottom
      )
        faults.push({ figure, what: `"${text}" leaves the paper` });
    const upright = labels.filter((label) => !label.isSlanted);
    for (const [index, one] of upright.entries())
      for (const other of upright.slice(index + 1)) {
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        // Labels on one line with less than a pixel between them read as one word.
        if (wide > -1 && high > 4) faults.push({ figure, what: `"${one.text}" and "${other.text}" touch` });
      }
  }
  return faults;
}

describeWith(["chromium"], "figures in a browser", () => {
  let browser: Browser;
  let page: Page;
  let figures: [string, string][];

  beforeAll(async () => {
    figures = drawn();
    browser = await chromium.launch({ executablePath: partPath("chromium"), args: BROWSER_ARGUMENTS });
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
  });
  afterAll(() => browser?.close());

  it("are XML, stay on their paper and write no label over another", async () => {
    expect(figures.length).toBeGreaterThan(30);
    await page.setContent("<body></body>");
    expect(await page.evaluate(inspect, figures)).toEqual([]);
  });

  it("take paper and ink from a page with a dark theme, and bring their own where there is none", async () => {
    const paint = async (css: string): Promise<string[]> => {
      await page.setContent(`<style>:root { ${css} }</style>${figures[0]?.[1] ?? ""}`);
      return page.evaluate(() => {
        const fillOf = (selector: string): string =>
          getComputedStyle(document.querySelector(selector) ?? document.body).fill;
        return [fillOf("svg > rect"), fillOf("svg > text")];
      });
    };
    expect(await paint("")).toEqual(["rgb(255, 253, 247)", "rgb(34, 37, 42)"]);
    expect(await paint(paletteCss("dark"))).toEqual(["rgb(22, 24, 28)", "rgb(232, 230, 223)"]);
  });
});
