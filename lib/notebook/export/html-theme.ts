/** The looks of an exported page: one style sheet for light, dark and print, and code colors as its variables. */
import type { ThemeRegistration } from "shiki";

/** Code colors are variables of the page, so one rendering serves light, dark and print. */
export const CODE_THEME: ThemeRegistration = {
  name: "inks",
  type: "light",
  fg: "var(--ink)",
  bg: "var(--code-ground)",
  colors: { "editor.foreground": "var(--ink)", "editor.background": "var(--code-ground)" },
  settings: [
    { settings: { foreground: "var(--ink)", background: "var(--code-ground)" } },
    {
      scope: ["comment", "punctuation.definition.comment"],
      settings: { foreground: "var(--code-comment)", fontStyle: "italic" },
    },
    {
      scope: ["keyword", "storage", "constant.language", "variable.language"],
      settings: { foreground: "var(--code-keyword)" },
    },
    { scope: ["keyword.operator"], settings: { foreground: "var(--ink)" } },
    { scope: ["string", "punctuation.definition.string"], settings: { foreground: "var(--code-string)" } },
    { scope: ["constant.numeric"], settings: { foreground: "var(--code-number)" } },
    {
      scope: ["entity.name.type", "support.type", "entity.name.class"],
      settings: { foreground: "var(--code-type)" },
    },
    { scope: ["entity.name.function", "support.function"], settings: { foreground: "var(--code-call)" } },
  ],
};

/** The style sheet. Fonts, figure colors and KaTeX's sheet are put in front of it. */
export const PAGE_CSS = `
:root {
  color-scheme: light dark;
  --paper: #fffdf7; --ink: #22252a; --quiet: #5d636b; --rule: #d9d5c8; --accent: #1c5fa6; --shade: #f4f0e4;
  --code-ground: #f6f2e7; --code-comment: #686658; --code-keyword: #7a3b10; --code-string: #2c6136;
  --code-number: #70379a; --code-type: #046873; --code-call: #1c4f86; --bad: #a32020;
  --serif: "Page Serif", "Iowan Old Style", "Palatino Linotype", Charter, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: "Page Mono", ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
}
@media screen and (prefers-color-scheme: dark) { :root {
  --paper: #16181c; --ink: #e8e6df; --quiet: #a3a9b1; --rule: #3a3e45; --accent: #7fb8f8; --shade: #1e2127;
  --code-ground: #1d2026; --code-comment: #9c9a90; --code-keyword: #e5a778; --code-string: #9ccfa6;
  --code-number: #cfa3f2; --code-type: #6dd2dc; --code-call: #9cc4f2; --bad: #ff9c94;
} }
*, ::before, ::after { box-sizing: border-box; }
html { font-size: 112.5%; -webkit-text-size-adjust: 100%; scroll-padding-top: 1.5rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 var(--serif); font-kerning: normal; text-rendering: optimizeLegibility; }
.page { display: grid; grid-template-columns: minmax(1.25rem, 1fr) minmax(0, 68ch) minmax(1.25rem, 1fr); padding-block: 4rem 6rem; }
.page > * { grid-column: 2; min-width: 0; }
h1, h2, h3, h4 { line-height: 1.2; font-weight: 600; text-wrap: balance; }
h1 { font-size: 2.4rem; letter-spacing: -.012em; margin: 0 0 1.5rem; }
h2 { font-size: 1.5rem; margin: 2.6rem 0 .9rem; }
h3 { font-size: 1.18rem; font-style: italic; margin: 2.2rem 0 .6rem; }
h4 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, ul, ol, dl, blockquote { margin: 0 0 1rem; text-wrap: pretty; hanging-punctuation: first last; }
li { margin-block: .25rem; } li > p { margin-bottom: .4rem; }
a { color: var(--accent); text-decoration-thickness: .06em; text-underline-offset: .16em; }
blockquote { padding-left: 1.1rem; border-left: 2px solid var(--rule); color: var(--quiet); }
hr { border: 0; border-top: 1px solid var(--rule); margin: 2.5rem 0; }
code, pre, kbd, samp { font-family: var(--mono); font-size: .82em; font-variant-ligatures: none; }
:not(pre) > code { padding: .08em .3em; background: var(--shade); border-radius: 3px; overflow-wrap: anywhere; }
pre { margin: 0; padding: .85rem 1.1rem; overflow-x: auto; line-height: 1.55; font-size: .8rem; tab-size: 2; }
pre code { font-size: inherit; }
pre.shiki { background: var(--code-ground); border-radius: 5px; margin-bottom: 1rem; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; margin: 0 0 1.2rem; display: block; overflow-x: auto; }
th, td { padding: .35rem .8rem .35rem 0; text-align: left; border-bottom: 1px solid var(--rule); vertical-align: top; }
caption { padding-bottom: .3rem; font: .78rem/1.4 var(--sans); color: var(--quiet); text-align: left; }
td > code { overflow-wrap: normal; } td > code:only-child { padding: 0; background: none; font-size: .86em; }
th { font: 600 .78rem/1.4 var(--sans); color: var(--quiet); }
img, .drawing svg, .rich svg { max-width: 100%; height: auto; }
.katex-display { overflow-x: auto; overflow-y: hidden; padding-block: .2rem; margin: 1.2rem 0; }
nav.contents { font: .82rem/1.5 var(--sans); margin-bottom: 2.5rem; padding-block: .9rem; border-block: 1px solid var(--rule); }
nav.contents ol { margin: 0; padding: 0; list-style: none; columns: 2 14rem; column-gap: 2rem; } nav.contents li { margin: 0; break-inside: avoid; }
nav.contents a { color: var(--quiet); text-decoration: none; } nav.contents a:hover, nav.contents a:focus { color: var(--accent); text-decoration: underline; }
.cell { position: relative; margin: 1.4rem -1.1rem 1.6rem; }
.cell > .shiki { margin: 0; }
.cell .number { position: absolute; right: 100%; top: .95rem; margin-right: .8rem; font: .72rem/1 var(--sans); color: var(--quiet); font-variant-numeric: tabular-nums; }
.cell.exercise { border-left: 3px solid var(--accent); } .label { margin: 0; padding: .1rem 1.1rem .45rem; font: 600 .72rem/1.4 var(--sans); color: var(--accent); letter-spacing: .04em; text-transform: uppercase; }
.output { margin-top: .7rem; }
pre.output, .output > pre.text { padding-block: .2rem; max-height: 32rem; overflow: auto; }
pre.stderr { border-left: 2px solid var(--bad); }
.output.error { margin: .7rem 0 0; padding: .1rem 1.1rem; border-left: 2px solid var(--bad); } .output.error p { margin: .3rem 0; font: .82rem/1.5 var(--mono); overflow-wrap: anywhere; } .output.error strong { color: var(--bad); }
.rich { padding-inline: 1.1rem; overflow-x: auto; font-size: .92rem; line-height: 1.5; } .rich > :last-child { margin-bottom: 0; } .rich ul, .rich ol { padding-left: 1.4rem; }
figure { margin: 1.1rem 0; padding-inline: 1.1rem; } .drawing { overflow-x: auto; } .drawing svg { display: block; margin-inline: auto; }
.chart.drawn .still { display: none; } .plot { min-height: 0; } .chart.drawn .plot { min-height: 20rem; }
details { margin: .4rem 0; } summary { cursor: pointer; font: .78rem/1.6 var(--sans); color: var(--quiet); } summary:hover { color: var(--accent); }
details.fold { margin: 1.2rem 0; } details.fold > summary { color: var(--accent); font-weight: 600; }
.as-text pre { padding: .4rem 0; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); font: .78rem/1.5 var(--sans); color: var(--quiet); }
@media (max-width: 50rem) { html { font-size: 104%; } .page { padding-block: 2rem 3rem; } .cell { margin-inline: 0; } .cell .number { display: none; } h1 { font-size: 1.9rem; } }
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #444; --rule: #bbb; --code-ground: #f4f4f4; --shade: #f4f4f4; color-scheme: light; }
  html { font-size: 10pt; } .page { display: block; padding: 0; } nav.contents, .as-text { display: none; }
  pre, figure, table, .output { break-inside: avoid; } h2, h3 { break-after: avoid; } pre { white-space: pre-wrap; }
  .chart.drawn .still { display: block; } .chart.drawn .still + .plot { display: none; } a { color: inherit; }
}
`;

/**
 * Draws the charts: once, in order, in the page's own inks, and again when the reader changes the theme.
 * A function whose source goes into the page; it refers to nothing outside itself.
 */
export const CHART_SCRIPT = `(() => {
  const specs = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = () => ({ gridcolor: ink("--rule"), linecolor: ink("--rule"), zerolinecolor: ink("--rule"), tickcolor: ink("--rule"), automargin: true });
  const themed = (layout) => {
    const out = { ...layout, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true };
    delete out.width;
    out.font = { ...layout.font, color: ink("--ink"), family: ink("--sans") };
    for (const name of new Set(["xaxis", "yaxis", ...Object.keys(layout).filter((key) => /^[xy]axis/.test(key))])) out[name] = { ...axis(), ...layout[name] };
    return out;
  };
  const inks = JSON.parse(document.getElementById("inks").textContent);
  const inked = (spec) => {
    let text = JSON.stringify(spec);
    if (dark.matches) for (const { light, dark } of inks) text = text.replaceAll(light, dark);
    return JSON.parse(text);
  };
  const draw = async () => {
    await document.fonts.ready; // the width of a line, and so of a chart, depends on the face
    for (const figure of document.querySelectorAll("[data-chart]")) {
      const { data = [], layout = {} } = inked(specs[Number(figure.dataset.chart)] ?? {});
      const place = figure.querySelector(".plot");
      figure.classList.add("drawn");
      try {
        await Plotly.react(place, data, themed(layout), { responsive: true, displaylogo: false, displayModeBar: "hover", modeBarButtonsToRemove: ["sendDataToCloud", "lasso2d", "select2d"] });
        figure.dataset.state = "drawn";
      } catch (error) {
        figure.classList.remove("drawn");
        figure.dataset.state = "failed";
        console.error(error);
      }
    }
    document.documentElement.dataset.charts = "done";
  };
  dark.addEventListener("change", draw);
  draw();
})();`;
