/** MDX export, judged by the MDX compiler itself: what comes out must compile, and say what the notebook said. */
import { evaluate } from "@mdx-js/mdx";
import fc from "fast-check";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { describe, expect, it } from "vitest";
import { exportDocument, type NotebookContent } from "../../lib/notebook/export/document.ts";
import { mdxFromDocument } from "../../lib/notebook/export/mdx.ts";
import { mdxText } from "../../lib/notebook/export/mdx-text.ts";

interface Element {
  readonly tag: string;
  readonly props: Readonly<Record<string, unknown>>;
}

const flat = (node: unknown): (Element | string)[] => {
  if (Array.isArray(node)) return node.flatMap(flat);
  if (typeof node === "string") return [node];
  if (typeof node !== "object" || node === null) return [];
  const element = node as Element;
  return [element, ...flat(element.props["children"])];
};

/** Compiles MDX and renders it with components that keep their properties. */
async function rendered(mdx: string): Promise<(Element | string)[]> {
  const component = (name: string) => (props: Readonly<Record<string, unknown>>) => ({ tag: name, props });
  const jsx = (type: unknown, props: Readonly<Record<string, unknown>>): unknown =>
    typeof type === "function" ? (type as (p: unknown) => unknown)(props) : { tag: String(type), props };
  const body = mdx.replace(/^---\n[\s\S]*?\n---\n/, "");
  const { default: Content } = await evaluate(body, {
    Fragment: "fragment",
    jsx: jsx as never,
    jsxs: jsx as never,
    remarkPlugins: [remarkGfm, remarkMath],
  });
  const components = { Cell: component("Cell"), Output: component("Output"), Folded: component("Folded") };
  return flat((Content as unknown as (props: unknown) => unknown)({ components }));
}

const textIn = (nodes: readonly (Element | string)[]): string =>
  nodes.filter((node) => typeof node === "string").join("");
const tagged = (nodes: readonly (Element | string)[], tag: string): Element[] =>
  nodes.filter((node): node is Element => typeof node !== "string" && node.tag === tag);

const markdown = (source: string, metadata = {}) => ({ cell_type: "markdown", id: "text", metadata, source });
const code = (
  source: string,
  outputs: readonly Record<string, unknown>[] = [],
  tags: readonly string[] = [],
) => ({
  cell_type: "code",
  id: "run-it",
  metadata: { tags },
  source,
  outputs,
});
const notebook = (...cells: NotebookContent["cells"]): NotebookContent => ({ metadata: {}, cells });
const converted = (content: NotebookContent) =>
  mdxFromDocument(exportDocument(content), { filesFolder: "./files" });

describe("Markdown made safe for MDX", () => {
  it.each([
    ["braces stay braces", "The set {a, b} and a \\{ too."],
    ["a smaller-than sign stays one", "If a < b then <b is fine."],
    ["a paragraph that begins with import is prose", "import is a word\n\nexport default is another"],
    ["an address in angle brackets is a link", "See <https://example.org/a?b={c}> now."],
    ["indented code stays code", "Look:\n\n    const a = {b: 1};\n    <tag>\n\nend"],
    ["an unclosed tag is text", "Type Map<string here"],
    ["a generic type is text", "Map<string, number> and Array<T>"],
    ["a comment vanishes", "before <!-- {never} */ --> after"],
  ])("%s", async (_, source) => {
    const nodes = await rendered(mdxText(source));
    const plain = source
      .replace(/<!--[\s\S]*?-->/g, "")
      .replaceAll("\\{", "{")
      .replaceAll(/[<](https[^>]*)[>]/g, "$1")
      .replaceAll(/\s+/g, "");
    expect(textIn(nodes).replaceAll(/\s+/g, "")).toBe(plain);
  });

  it("puts display math on lines of its own, wherever the dollars stood", async () => {
    for (const source of [
      "$$ x^{2} $$",
      "Let\n$$x^{2}$$\nbe",
      "Let $$x^{2}$$ be",
      "\\begin{align}\nx^{2}\n\\end{align}",
      "$$\nx^{2}\n$$",
    ]) {
      const nodes = await rendered(mdxText(source));
      const math = tagged(nodes, "code").find((node) =>
        String(node.props["className"]).includes("math-display"),
      );
      expect(math?.props["children"], source).toMatch(/^(\\begin\{align\}\n)?x\^\{2\}/);
    }
  });

  it("leaves inline math and dollars in code alone", async () => {
    const nodes = await rendered(mdxText("With $a_{i}$ and `$$b{c}$$` and\n\n```sh\n$$ {x} $$\n```\n"));
    const texts = tagged(nodes, "code").map((node) => node.props["children"]);
    expect(texts).toEqual(["a_{i}", "$$b{c}$$", "$$ {x} $$\n"]);
  });

  it("keeps details that span several blocks and drops scripts and handlers", async () => {
    const source =
      '<details><summary onclick="x()">Hint</summary>\n\nUse *it*.<br>\n\n</details>\n\n<script>alert({})</script>';
    const nodes = await rendered(mdxText(source));
    expect(tagged(nodes, "summary")[0]?.props).not.toHaveProperty("onclick");
    expect(tagged(nodes, "em")).toHaveLength(1);
    expect(tagged(nodes, "details")).toHaveLength(1);
    expect(textIn(nodes)).not.toContain("alert");
  });

  it("compiles whatever is thrown at it", async () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "<",
      ">",
      "a",
      " ",
      "\n",
      "\n\n",
      "$",
      "$$",
      "`",
      "```\n",
      "*",
      "<b>",
      "</b>",
      "<br>",
      "<!--",
      "-->",
      "\\",
      "import ",
      "| a |\n",
      "- ",
      "> ",
      "    ",
      "[",
      "](",
      ")",
      "&lt;",
      "#",
      "1. ",
      "<https://a.b>",
      "</",
      "/>",
      "=",
      '"',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 24 }), async (pieces) => {
        await rendered(mdxText(pieces.join("")));
      }),
      { seed: 1, numRuns: process.env["DOM0_TEST_FULL"] === "1" ? 20_000 : 1_500 },
    );
  });
});

describe("A notebook as MDX", () => {
  it("takes the first heading as the title and keeps it out of the text", async () => {
    const { text } = converted(
      notebook(markdown("# Landing on *the* island\n\nHello."), markdown("# Another")),
    );
    expect(text).toMatch(/^---\ntitle: "Landing on the island"\n---\n/);
    const nodes = await rendered(text);
    expect(tagged(nodes, "h1").map((node) => node.props["children"])).toEqual(["Another"]);
  });

  it("gives each code cell its id, its number, its tags and its text, whatever is in it", async () => {
    const source = "const fence = `\n```\n`;\nif (1 < 2) { show({}); }";
    const nodes = await rendered(
      converted(notebook(code("1"), code(source, [], ["exercise", "hide-input"]))).text,
    );
    const cells = tagged(nodes, "Cell");
    expect(cells.map(({ props }) => [props["id"], props["index"], props["tags"]])).toEqual([
      ["run-it", 1, undefined],
      ["run-it", 2, ["exercise", "hide-input"]],
    ]);
    const block = tagged(flat(cells[1]?.props["children"]), "code")[0];
    expect(block?.props["children"]).toBe(`${source}\n`);
    expect(block?.props["className"]).toBe("language-typescript");
  });

  it("hands every output on unchanged, in order", async () => {
    const outputs = [
      { output_type: "stream", name: "stdout", text: ["a {b}\n", "</Output> `x` \u2028"] },
      {
        output_type: "display_data",
        metadata: {},
        data: { "image/svg+xml": ["<svg>", "</svg>"], "text/plain": "p" },
      },
      { output_type: "error", ename: "RangeError", evalue: "too {big}", traceback: ["at <anonymous>"] },
    ];
    const nodes = await rendered(converted(notebook(code("x", outputs))).text);
    expect(tagged(nodes, "Output").map((node) => node.props)).toEqual([
      { type: "stream", name: "stdout", text: "a {b}\n</Output> `x` \u2028" },
      { type: "display_data", data: { "image/svg+xml": "<svg></svg>", "text/plain": "p" } },
      { type: "error", name: "RangeError", message: "too {big}", traceback: ["at <anonymous>"] },
    ]);
  });

  it("moves charts and bitmaps to files that carry the cell's id", async () => {
    const figure = { data: [{ x: [1] }], layout: {} };
    const plotly = {
      output_type: "display_data",
      metadata: {},
      data: { "application/vnd.plotly.v1+json": figure },
    };
    const png = {
      output_type: "display_data",
      metadata: {},
      data: { "image/png": "iVBO\nRw==", "text/plain": "A [dot]" },
    };
    const { text, files } = converted(notebook(code("x", [plotly, png])));
    expect(files).toEqual([
      { name: "run-it-1.plotly.json", content: `${JSON.stringify(figure)}\n` },
      { name: "run-it-2.png", content: Uint8Array.of(0x89, 0x50, 0x4e, 0x47) },
    ]);
    const nodes = await rendered(text);
    expect(tagged(nodes, "Output")[0]?.props["data"]).toEqual({
      "application/vnd.plotly.v1+json": { chart: "./files/run-it-1.plotly.json" },
    });
    expect(tagged(nodes, "img")[0]?.props).toMatchObject({ src: "./files/run-it-2.png", alt: "A [dot]" });
  });

  it("moves pictures attached to text to files", async () => {
    const cell = {
      ...markdown("![map](attachment:map.png)"),
      attachments: { "map.png": { "image/png": "iVBORw==" } },
    };
    const { text, files } = converted(notebook(cell));
    expect(files.map((file) => file.name)).toEqual(["text-map.png"]);
    expect(tagged(await rendered(text), "img")[0]?.props["src"]).toBe("./files/text-map.png");
  });

  it("removes what the tags remove and folds solutions", async () => {
    const stream = [{ output_type: "stream", name: "stdout", text: "printed" }];
    const content = notebook(
      code("gone", stream, ["remove-cell"]),
      code("seen", stream, ["remove-output"]),
      code("unseen", stream, ["remove-input"]),
      code("answer", stream, ["solution"]),
      { ...code("custom", stream, ["draft"]) },
    );
    const document = exportDocument(content, { removeCellTags: ["draft"] });
    const nodes = await rendered(mdxFromDocument(document, { filesFolder: "." }).text);
    expect(tagged(nodes, "code").map((node) => node.props["children"])).toEqual(["seen\n", "answer\n"]);
    expect(tagged(nodes, "Output")).toHaveLength(2);
    expect(tagged(nodes, "Folded")[0]?.props).toMatchObject({ kind: "solution", id: "run-it" });
  });
});
