/** Interactive charts: Plotly is fetched when a reader first asks to explore a figure. */

import { MODE_INK, PAPER_INK, PART_INK } from "../../../lib/course/palette.ts";

interface PlotlySpec {
  readonly data: readonly Record<string, unknown>[];
  readonly layout: Readonly<Record<string, unknown>>;
}
interface Plotly {
  newPlot(node: HTMLElement, data: readonly unknown[], layout: unknown, config: unknown): Promise<unknown>;
  purge(node: HTMLElement): void;
  react(node: HTMLElement, data: readonly unknown[], layout: unknown, config: unknown): Promise<unknown>;
}

const chartOptions = { responsive: true, displaylogo: false };

let library: Promise<Plotly> | undefined;

function loadPlotly(address: string): Promise<Plotly> {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", () => resolve((window as unknown as { Plotly: Plotly }).Plotly));
    script.addEventListener("error", () => {
      library = undefined;
      reject(new Error("The chart library could not be loaded."));
    });
    document.head.append(script);
  });
  return library;
}

/** Replaces a figure's drawing by an interactive chart, or brings the drawing back. */
export async function drawChart(button: HTMLElement, address: string): Promise<void> {
  const figure = button.closest(".output-figure");
  const drawing = figure?.querySelector<HTMLElement>(".figure-drawing");
  if (!figure || !drawing) return;
  const shown = figure.querySelector<HTMLElement>(".figure-chart");
  if (shown) {
    (await loadPlotly(address)).purge(shown);
    shown.remove();
    drawing.hidden = false;
    button.textContent = "Explore";
    return;
  }
  button.textContent = "Loading…";
  try {
    const [plotly, spec] = await Promise.all([
      loadPlotly(address),
      loadSpec(button.dataset["explore"] ?? ""),
    ]);
    const chart = document.createElement("div");
    chart.className = "figure-chart";
    chart.style.height = `${Math.max(drawing.offsetHeight, 320)}px`;
    drawing.after(chart);
    drawing.hidden = true;
    const themed = themedSpec(spec);
    await plotly.newPlot(chart, themed.data, themed.layout, chartOptions);
    followTheme(plotly, chart, spec);
    button.textContent = "Back to the drawing";
  } catch (error) {
    button.textContent = error instanceof Error ? `${error.message} Try again` : "Try again";
  }
}

async function loadSpec(source: string): Promise<PlotlySpec> {
  if (source.startsWith("{")) return JSON.parse(source) as PlotlySpec;
  const response = await fetch(source);
  if (!response.ok) throw new Error("The chart's data could not be loaded.");
  return (await response.json()) as PlotlySpec;
}

function themeColors(): Record<string, string> {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const rule = style.getPropertyValue("--rule").trim();
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    "font.color": ink,
    "font.family": style.getPropertyValue("--sans").trim(),
    "xaxis.gridcolor": rule,
    "yaxis.gridcolor": rule,
    "xaxis.linecolor": rule,
    "yaxis.linecolor": rule,
    "xaxis.zerolinecolor": rule,
    "yaxis.zerolinecolor": rule,
  };
}

/** The figure in the inks of the page's theme: a chart is written with the inks of light paper. */
function themedSpec(spec: PlotlySpec): PlotlySpec {
  const isDark = document.documentElement.dataset["theme"] === "dark";
  const pairs = [...Object.values(MODE_INK), ...Object.values(PART_INK), ...Object.values(PAPER_INK)];
  let text = JSON.stringify(spec);
  if (isDark) for (const { light, dark } of pairs) text = text.replaceAll(light, dark);
  const { data, layout } = JSON.parse(text) as PlotlySpec;
  return { data, layout: themedLayout(layout) };
}

function themedLayout(layout: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const themed: Record<string, unknown> = structuredClone(layout) as Record<string, unknown>;
  for (const [path, value] of Object.entries(themeColors())) {
    const [first = "", second] = path.split(".");
    if (second === undefined) themed[first] = value;
    else themed[first] = { ...(themed[first] as Record<string, unknown> | undefined), [second]: value };
  }
  delete themed["width"];
  delete themed["height"];
  return { ...themed, autosize: true };
}

function followTheme(plotly: Plotly, chart: HTMLElement, spec: PlotlySpec): void {
  const observer = new MutationObserver(() => {
    if (!chart.isConnected) return observer.disconnect();
    const themed = themedSpec(spec);
    void plotly.react(chart, themed.data, themed.layout, chartOptions);
  });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}
