/**
 * The display protocol: what a cell calls to show something richer than text.
 *
 * The sink hangs on `globalThis` under a registered symbol, so that every copy of this module in one process (the
 * sources under test, the built package that a cell imports, a bundle) reaches the same host. No host, no sink:
 * then the plain text goes to the console.
 */

/** MIME type → content of one output; strings for text types, plain JSON data for `application/…+json`. */
export type MimeBundle = { readonly [mime: string]: unknown };

/** Anything that knows how to show itself. */
export interface Displayable {
  /** The bundle to send; called once for each `show`. */
  toMimeBundle(): MimeBundle;
}

/** What a host does with one bundle. `displayId` names an output that a later bundle may replace in place. */
export type DisplaySink = (bundle: MimeBundle, options?: DisplayOptions) => void;

/** How a bundle is shown. */
export interface DisplayOptions {
  /** Names this output, so that a later call with `update` replaces it. */
  readonly displayId?: string;
  /** Replace the output of that name instead of adding one. */
  readonly update?: boolean;
}

const SINK = Symbol.for("dom0-kit.display-sink");
const holder = globalThis as { [SINK]?: DisplaySink | undefined };

/** Whether a value shows itself through {@link Displayable}. */
export function isDisplayable(value: unknown): value is Displayable {
  return (
    typeof value === "object" &&
    value !== null &&
    "toMimeBundle" in value &&
    typeof value.toMimeBundle === "function"
  );
}

/** Whether a value is a MIME bundle: a plain object whose every key looks like a MIME type. */
export function isMimeBundle(value: unknown): value is MimeBundle {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^[a-z]+\/[a-z0-9][a-z0-9.+-]*$/.test(key));
}

/** The bundle that a value shows itself as, or `undefined` when it is neither a bundle nor displayable. */
export function bundleOf(value: unknown): MimeBundle | undefined {
  if (isDisplayable(value)) return value.toMimeBundle();
  return isMimeBundle(value) ? value : undefined;
}

/**
 * Shows a figure, a MIME bundle or a displayable as an output of the running cell.
 *
 * Under a host without a sink the bundle's `text/plain` is printed.
 */
export function show(value: Displayable | MimeBundle, options?: DisplayOptions): void {
  const bundle = bundleOf(value) ?? { "text/plain": String(value) };
  const sink = holder[SINK];
  if (sink !== undefined) sink(bundle, options);
  else console.log(String(bundle["text/plain"] ?? `[${Object.keys(bundle).join(", ")}]`));
}

/** Installs the host's sink and returns the one it replaces; `undefined` takes the sink away. */
export function setDisplaySink(sink: DisplaySink | undefined): DisplaySink | undefined {
  const before = holder[SINK];
  holder[SINK] = sink;
  return before;
}

/** The current sink, for a host that wants to know whether another one is there already. */
export function displaySink(): DisplaySink | undefined {
  return holder[SINK];
}
