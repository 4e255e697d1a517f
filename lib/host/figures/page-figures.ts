/** What runs inside an exported page: it waits for the charts, then measures every figure and its labels. */
import type { PageBox } from "./chromium-tab.ts";

/** A figure as it stands on the page. */
export interface PageFigure {
  /** Id of its cell in the notebook. */
  readonly cell: string;
  readonly kind: "chart" | "picture" | "table";
  /** What a reader hears who does not see it; empty when it has nothing to say. */
  readonly alternative: string;
  readonly box: PageBox;
  /** What is wrong with it, in words. */
  readonly faults: readonly string[];
}

/** Waits until fonts and charts are there. Runs in the page and refers to nothing outside itself. */
export async function settle(): Promise<void> {
  await document.fonts.ready;
  const isDone = () =>
    document.querySelector("[data-chart]") === null || document.documentElement.dataset["charts"] === "done";
  for (let turn = 0; turn < 600 && !isDone(); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 100));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  // A chart's buttons fade away while nobody points at it; here nobody does.
  for (const bar of document.querySelectorAll<HTMLElement>(".modebar")) bar.style.display = "none";
}

/** Measures every figure, in reading order. Runs in the page and refers to nothing outside itself. */
export function measureFigures(): PageFigure[] {
  const isShown = (element: Element): boolean => element.getClientRects().length > 0;
  /** Labels on one line that are nearer than this read as one word, CSS pixels. */
  const leastGap = 1;
  /** A drawing's labels with their boxes: which leave the paper, which lie on one another or touch? */
  const faultsOf = (drawing: Element): string[] => {
    const labels = [...drawing.querySelectorAll("svg text")].filter(isShown).map((text) => ({
      text: text.textContent ?? "",
      box: text.getBoundingClientRect(),
      paper: (text.closest("svg") ?? drawing).getBoundingClientRect(),
      isSlanted: /rotate/.test(text.closest("[transform]")?.getAttribute("transform") ?? ""),
    }));
    const leaves = labels.filter(
      ({ box, paper }) =>
        box.left < paper.left - 1 ||
        box.right > paper.right + 1 ||
        box.top < paper.top - 1 ||
        box.bottom > paper.bottom + 1,
    );
    const upright = labels.filter((one) => !one.isSlanted && one.text.trim() !== "");
    const pairs = upright.flatMap((one, at) =>
      upright.slice(at + 1).flatMap((other) => {
        const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (high <= 4 || wide <= -leastGap) return [];
        return [`"${one.text}" and "${other.text}" ${wide > 1 ? "overlap" : "touch"}`];
      }),
    );
    return [...leaves.map(({ text }) => `"${text}" leaves the paper`), ...pairs];
  };
  return [...document.querySelectorAll(".cell div.output")].flatMap((output): PageFigure[] => {
    const figure = output.querySelector("figure, .rich, img");
    if (figure === null) return [];
    const svgs = [...figure.querySelectorAll("svg")].filter(isShown);
    const isChart = figure.classList.contains("chart");
    const { left, top, width, height } = output.getBoundingClientRect();
    const named = figure.querySelector("[aria-label]")?.getAttribute("aria-label") ?? "";
    const spoken = figure.querySelector("caption")?.textContent ?? figure.getAttribute("alt") ?? "";
    const kind = isChart
      ? "chart"
      : figure.classList.contains("rich") && svgs.length === 0
        ? "table"
        : "picture";
    const wide = [figure, ...figure.querySelectorAll(".drawing, table, .plot, .rich pre, pre.text")].find(
      (part) => isShown(part) && part.scrollWidth > part.clientWidth + 1,
    );
    return [
      {
        cell: (output.closest(".cell")?.id ?? "").replace(/^cell-/, ""),
        kind,
        alternative: (named || spoken || (kind === "table" ? (figure.textContent ?? "") : "")).trim(),
        box: { x: left + scrollX, y: top + scrollY, width, height },
        faults: [
          ...[...figure.querySelectorAll(".drawing, .plot, .rich")].filter(isShown).flatMap(faultsOf),
          ...(isChart && svgs.length === 0 ? ["no chart was drawn"] : []),
          ...(wide === undefined
            ? []
            : [`is ${wide.scrollWidth - wide.clientWidth} px wider than its place on the page`]),
        ],
      },
    ];
  });
}
