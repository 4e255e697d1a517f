/**
 * Shows figures under plain tslab, the kernel that a student may have installed without us.
 *
 * tslab's own `display` sends one MIME type a call; a figure is a bundle of several. Its Jupyter module, already loaded
 * by the kernel, keeps the function that writes the current cell's bundles: we look it up there.
 */
import { createRequire } from "node:module";
import { type DisplaySink, displaySink, type MimeBundle, setDisplaySink } from "../../notebook/display.ts";

/** What tslab 1.0.22 holds in `dist/jupyter.js` while a cell runs. */
interface TslabDisplay {
  readonly lastWriteDisplayData: ((message: TslabDisplayData, update: boolean) => void) | null;
}

interface TslabDisplayData {
  readonly data: MimeBundle;
  readonly metadata: object;
  readonly transient: { readonly display_id?: string };
}

/** Installs the sink when this process is a plain tslab kernel and no other host has one. */
export function installPlainTslabSink(): void {
  if (displaySink() !== undefined) return;
  const tslab = loadedTslab();
  if (tslab !== undefined) setDisplaySink(tslabSink(tslab));
}

/** tslab's Jupyter module, if this process has loaded it. */
function loadedTslab(): TslabDisplay | undefined {
  const { cache } = createRequire(import.meta.url);
  for (const [file, module] of Object.entries(cache)) {
    if (!/[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file)) continue;
    const held: unknown = module?.exports;
    if (typeof held === "object" && held !== null && "lastWriteDisplayData" in held)
      return held as TslabDisplay;
  }
  return undefined;
}

/** A sink that asks for the writer at each call: tslab replaces it with each cell. */
function tslabSink(tslab: TslabDisplay): DisplaySink {
  return (bundle, options) => {
    const transient = options?.displayId === undefined ? {} : { display_id: options.displayId };
    const data = Object.fromEntries(Object.entries(bundle).map(([mime, value]) => [mime, asJson(value)]));
    tslab.lastWriteDisplayData?.({ data, metadata: {}, transient }, options?.update === true);
  };
}

/** Bytes travel as base64, as nbformat has them. */
function asJson(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
