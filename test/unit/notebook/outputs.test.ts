/** The output model and the display protocol. Oracle: nbformat's rules of merging, and the limits as documented. */
import { afterEach, describe, expect, it } from "vitest";
import { createCellConsole } from "../../../lib/notebook/console.ts";
import {
  bundleOf,
  isMimeBundle,
  type MimeBundle,
  setDisplaySink,
  show,
} from "../../../lib/notebook/display.ts";
import type { CellOutput } from "../../../lib/notebook/kernel-protocol.ts";
import { toNotebookOutputs } from "../../../lib/notebook/notebook-outputs.ts";
import { CellOutputs } from "../../../lib/notebook/outputs.ts";
import { tslabModule } from "../../../lib/notebook/tslab-display.ts";

const out = (text: string): CellOutput => ({ type: "stream", name: "stdout", text });
const err = (text: string): CellOutput => ({ type: "stream", name: "stderr", text });
const html = (text: string, more: object = {}): CellOutput => ({
  type: "display_data",
  data: { "text/html": text },
  ...more,
});

describe("outputs of a cell", () => {
  it("merge pieces of one stream, and only neighbours", () => {
    const outputs = new CellOutputs();
    for (const each of [out("a"), out("b\n"), err("c"), out("d"), html("x"), out("e"), out("")])
      outputs.add(each);
    expect(outputs.all).toEqual([out("ab\n"), err("c"), out("d"), html("x"), out("e")]);
  });

  it("say what was really added, so that a relay sends no more than that", () => {
    const outputs = new CellOutputs({ streamLength: 10, bundleLength: 100, outputCount: 100 });
    expect(outputs.add(out("1234567"))).toEqual(out("1234567"));
    expect(outputs.add(out("89ABCDE"))).toMatchObject({
      name: "stderr",
      text: expect.stringMatching(/more than 10 characters/),
    });
    expect(outputs.add(out("more"))).toBeUndefined();
    expect(outputs.all).toHaveLength(2);
    expect(outputs.all[0]).toEqual(out("123456789A"));
  });

  it("keep an error even when the limits are reached", () => {
    const outputs = new CellOutputs({ streamLength: 1, bundleLength: 100, outputCount: 100 });
    const error: CellOutput = { type: "error", ename: "E", evalue: "e", traceback: [] };
    outputs.add(out("too long"));
    outputs.add(error);
    expect(outputs.all.at(-1)).toEqual(error);
  });

  it("leave one oversized bundle out and go on", () => {
    const outputs = new CellOutputs({ streamLength: 1_000, bundleLength: 30, outputCount: 100 });
    outputs.add(html("x".repeat(100)));
    outputs.add(html("small"));
    expect(outputs.all).toMatchObject([
      { name: "stderr", text: expect.stringMatching(/^\[an output of \d+ characters is left out/) },
      html("small"),
    ]);
  });

  it("tell a bundle that is no JSON instead of throwing", () => {
    const outputs = new CellOutputs();
    const loop: { self?: unknown } = {};
    loop.self = loop;
    outputs.add({ type: "display_data", data: { "application/json": loop } });
    expect(outputs.all).toMatchObject([
      { name: "stderr", text: expect.stringMatching(/cannot be sent: Converting circular/) },
    ]);
  });

  it("replace an output in place by its name", () => {
    const outputs = new CellOutputs();
    outputs.add(html("first", { displayId: "a" }));
    outputs.add(out("between"));
    expect(outputs.add(html("second", { displayId: "a", update: true }))).toMatchObject({ update: true });
    expect(outputs.add(html("nobody", { displayId: "b", update: true }))).toBeUndefined();
    expect(outputs.all).toEqual([html("second", { displayId: "a" }), out("between")]);
  });

  it("turn bytes into base64", () => {
    const outputs = new CellOutputs();
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at & 255);
    outputs.add({ type: "display_data", data: { "image/png": bytes } });
    expect(outputs.all).toEqual([
      { type: "display_data", data: { "image/png": Buffer.from(bytes).toString("base64") } },
    ]);
  });

  it("become outputs of a notebook file", () => {
    expect(
      toNotebookOutputs([out("a\n"), html("b"), { type: "execute_result", data: { "text/plain": "1" } }], 7),
    ).toEqual([
      { output_type: "stream", name: "stdout", text: "a\n" },
      { output_type: "display_data", data: { "text/html": "b" }, metadata: {} },
      { output_type: "execute_result", data: { "text/plain": "1" }, metadata: {}, execution_count: 7 },
    ]);
  });
});

describe("show", () => {
  afterEach(() => void setDisplaySink(undefined));

  it("sends bundles and displayables to the host, and text of anything else", () => {
    const sent: MimeBundle[] = [];
    setDisplaySink((bundle) => void sent.push(bundle));
    show({ "text/html": "<b>" });
    show({ toMimeBundle: () => ({ "text/plain": "own" }) });
    show("just text" as unknown as MimeBundle);
    expect(sent).toEqual([{ "text/html": "<b>" }, { "text/plain": "own" }, { "text/plain": "just text" }]);
  });

  it("gives the replaced sink back, so that hosts nest", () => {
    const outer = () => {};
    setDisplaySink(outer);
    expect(setDisplaySink(() => {})).toBe(outer);
  });

  it("takes only MIME types for a bundle", () => {
    expect(
      [{ "text/plain": "x" }, { "image/svg+xml": "" }, { "application/vnd.plotly.v1+json": {} }].every(
        isMimeBundle,
      ),
    ).toBe(true);
    expect([{}, [], { text: 1 }, null, "text/plain", { "text/plain": "x", size: 1 }].some(isMimeBundle)).toBe(
      false,
    );
    expect(bundleOf(5)).toBeUndefined();
  });
});

describe("tslab's display module outside tslab", () => {
  it("sends each kind as its MIME type and updates in place", () => {
    const sent: unknown[] = [];
    setDisplaySink((bundle, options) => void sent.push([bundle, options]));
    const { display, newDisplay } = tslabModule() as {
      display: Record<string, (data: unknown, more?: unknown) => void>;
      newDisplay(): Record<string, (data: unknown) => void>;
    };
    display["html"]?.("<i>");
    display["raw"]?.("application/x", { a: 1 });
    const own = newDisplay();
    own["text"]?.("one");
    own["text"]?.("two");
    setDisplaySink(undefined);
    expect(sent).toEqual([
      [{ "text/html": "<i>" }, undefined],
      [{ "application/x": { a: 1 } }, undefined],
      [{ "text/plain": "one" }, { displayId: "display-1", update: false }],
      [{ "text/plain": "two" }, { displayId: "display-1", update: true }],
    ]);
  });
});

describe("the console of cells", () => {
  const printedBy = (body: (console: ReturnType<typeof createCellConsole>) => void): string => {
    let text = "";
    let now = 0;
    body(
      createCellConsole(
        (name, each) => {
          text += name === "stderr" ? `!${each}` : each;
        },
        () => now++,
      ),
    );
    return text;
  };

  it("counts, asserts, groups and times", () => {
    expect(
      printedBy((console) => {
        console.count();
        console.count("x");
        console.count();
        console.countReset();
        console.count();
        console.assert(true, "unsaid");
        console.assert(false, "said %s", "so");
        console.assert(false);
        console.group("outer");
        console.groupCollapsed("inner");
        console.log("deep");
        console.groupEnd();
        console.log("less");
        console.groupEnd();
        console.groupEnd();
        console.time("t");
        console.timeEnd("t");
        console.dir({ a: 1 });
      }),
    ).toBe(
      "default: 1\nx: 1\ndefault: 2\ndefault: 1\n!Assertion failed: said so\n!Assertion failed\nouter\n  inner\n    deep\n  less\nt: 1.000ms\n{ a: 1 }\n",
    );
  });

  it("draws tables of values and of records", () => {
    expect(printedBy((console) => console.table([1, "b"]))).toBe(
      "┌─────────┬────────┐\n│ (index) │ Values │\n├─────────┼────────┤\n│ 0       │ 1      │\n│ 1       │ 'b'    │\n└─────────┴────────┘\n",
    );
    expect(printedBy((console) => console.table(5))).toBe("5\n");
  });
});
