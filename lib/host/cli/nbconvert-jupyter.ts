/** Formats that only Jupyter makes: its nbconvert in `.venv`, with a template that draws Plotly figures offline. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { PROJECT_ROOT } from "../node-assets.ts";
import { type ConvertOptions, OWN_FORMATS } from "./nbconvert-options.ts";

const JUPYTER = path.join(PROJECT_ROOT, ".venv", process.platform === "win32" ? "Scripts" : "bin", "jupyter");
const TEMPLATES = path.join(PROJECT_ROOT, "lib/host/kernel/templates");

/** Formats that Jupyter makes from HTML, with the template of ours that fits. */
const HTML_TEMPLATES: Readonly<Record<string, string>> = {
  slides: "dom0-slides",
  webpdf: "dom0",
  qtpdf: "dom0",
  qtpng: "dom0",
};

/** Runs `jupyter nbconvert` with what was typed. @returns Its exit code. */
export function handToJupyter({ to, typed, execute }: ConvertOptions): Promise<number> {
  if (!existsSync(JUPYTER)) {
    process.stderr.write(
      `nbconvert-cli: --to ${to} is made by Jupyter, which is not installed: npm run lab -- --prepare installs it. ` +
        `Without it: ${OWN_FORMATS.join(", ")}.\n`,
    );
    return Promise.resolve(1);
  }
  const template = HTML_TEMPLATES[to];
  const args = [
    "nbconvert",
    ...typed,
    ...(execute ? ["--ExecutePreprocessor.kernel_name=dom0"] : []),
    ...(template === undefined ? [] : templateFlags(template)),
  ];
  const child = spawn(JUPYTER, args, { stdio: "inherit" });
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stderr.write(`nbconvert-cli: Jupyter could not be started: ${error.message}\n`);
      resolve(1);
    });
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** Our template, the folder of plotly.js for it to include, and Plotly before the other kinds of output. */
function templateFlags(template: string): string[] {
  const plotly = path.dirname(createRequire(import.meta.url).resolve("plotly.js-cartesian-dist-min"));
  const kinds = [
    "application/vnd.plotly.v1+json",
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/markdown",
    "text/latex",
    "text/plain",
  ];
  return [
    `--template=${template}`,
    `--TemplateExporter.extra_template_basedirs=${TEMPLATES}`,
    `--TemplateExporter.extra_template_paths=${plotly}`,
    `--NbConvertBase.display_data_priority=${JSON.stringify(kinds)}`,
  ];
}
