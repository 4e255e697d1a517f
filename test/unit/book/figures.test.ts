/** Numbers, captions and references of figures, as notebooks write them and as a chapter shows them. */
import { describe, expect, it } from "vitest";
import { type CellContent, exportDocument } from "../../../lib/notebook/export/document.ts";
import {
  numberFigures,
  type ReferenceTargets,
  resolveReferences,
} from "../../../lib/notebook/export/figures.ts";
import { mdxFromDocument } from "../../../lib/notebook/export/mdx.ts";

const text = (id: string, source: string): CellContent => ({
  cell_type: "markdown",
  id,
  metadata: {},
  source,
});
const output = (data: Readonly<Record<string, unknown>>) => ({
  output_type: "display_data",
  data,
  metadata: {},
});
const drawing = output({ "image/svg+xml": "<svg/>", "text/plain": "a drawing" });
const table = output({ "text/html": "<table></table>", "text/plain": "a table" });
const chart = output({ "application/vnd.plotly.v1+json": { data: [] }, "text/plain": "a chart" });
const code = (id: string, ...outputs: readonly Record<string, unknown>[]): CellContent => ({
  cell_type: "code",
  id,
  metadata: {},
  source: "show(1)",
  outputs,
});

const numbered = (...cells: readonly CellContent[]) =>
  numberFigures(exportDocument({ metadata: {}, cells: [text("title", "# T"), ...cells] }), 2);

/** The chapter's text, its references resolved, and what was wrong. */
function chapter(
  cells: readonly CellContent[],
  others: Readonly<Record<string, ReturnType<typeof numbered>>> = {},
) {
  const own = numbered(...cells);
  const of = (name: string) => (name === "" ? own : others[name]);
  const targets: ReferenceTargets = {
    figures: (name, cell) => of(name)?.figures.find((figure) => figure.cell === cell),
    hasCell: (name, cell) => of(name)?.document.cells.some(({ id }) => id === cell) ?? false,
    page: (name) => `/chapters/${name}/`,
  };
  const problems = [...own.problems];
  const { text: mdx } = mdxFromDocument(own.document, {
    filesFolder: "/f",
    figures: own.figures,
    amend: (tree) => problems.push(...resolveReferences(tree, targets)),
  });
  return { mdx, problems };
}

describe("figures of a notebook", () => {
  it("are its drawings and charts, counted through the chapter; tables are none", () => {
    const { figures } = numbered(code("a", table, drawing), code("b", table), code("c", chart, drawing));
    expect(figures.map(({ cell, output: place, number, anchor }) => [cell, place, number, anchor])).toEqual([
      ["a", 1, "2.1", "fig-a"],
      ["c", 0, "2.2", "fig-c"],
      ["c", 1, "2.3", "fig-c-2"],
    ]);
  });

  it("take the paragraphs marked as captions off the head of the next text cell, in order", () => {
    const { figures, document, problems } = numbered(
      code("a", drawing, drawing),
      text("after", "**Figure.** One,\nstill one.\n\n**Figure.** Two.\n\nProse stays."),
    );
    expect(problems).toEqual([]);
    expect(figures.map(({ caption }) => caption)).toEqual(["One,\nstill one.", "Two."]);
    expect(document.cells.at(-1)?.source).toBe("Prose stays.");
  });

  it.each([
    ["after a cell without a drawing", [code("a", table), text("t", "**Figure.** Alone.")]],
    [
      "that are more than the drawings",
      [code("a", drawing), text("t", "**Figure.** One.\n\n**Figure.** Two.")],
    ],
    ["in the middle of a text", [code("a", drawing), text("t", "Prose.\n\n**Figure.** Late.")]],
    ["one text cell later", [code("a", drawing), text("s", "Prose."), text("t", "**Figure.** Late.")]],
  ])("are refused captions %s", (_, cells) => {
    const { problems } = numbered(...cells);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('cell "t"');
  });

  it("say number, anchor and caption where they are shown", () => {
    const { mdx } = chapter([code("a", drawing), text("t", "**Figure.** The `satp` of *one* program.")]);
    expect(mdx).toMatch(/<Output type="display_data" [^\n]* number=\{"2\.1"\} anchor="fig-a">/);
    expect(mdx).toContain("The `satp` of _one_ program.\n\n</Output>");
    expect(mdx).not.toContain("**Figure.**");
  });
});

describe("references to figures", () => {
  const wall = [code("a", drawing), code("quiet"), code("b", drawing)];
  it("by the word Figure become its number, by other words get the number behind them", () => {
    const { mdx, problems } = chapter([
      ...wall,
      text("t", "See [Figure](#cell-id=b), and [the *tree*](#cell-id=a)."),
    ]);
    expect(problems).toEqual([]);
    expect(mdx).toContain("See [Figure\u00a02.2](#fig-b), and [the _tree_ (Figure\u00a02.1)](#fig-a).");
  });

  it("lead into other chapters, with their numbers", () => {
    const there = chapter([...wall, text("t", "[Figure](01-one.ipynb#cell-id=x)")], {
      "01-one": numberFigures(exportDocument({ metadata: {}, cells: [code("x", drawing)] }), 1),
    });
    expect(there.mdx).toContain("[Figure\u00a01.1](/chapters/01-one/#fig-x)");
  });

  it("to a cell without a drawing lead to the cell, when they do not ask for a figure", () => {
    const { mdx, problems } = chapter([...wall, text("t", "Run [the cell](#cell-id=quiet) again.")]);
    expect(problems).toEqual([]);
    expect(mdx).toContain("[the cell](#cell-quiet)");
  });

  it("in captions count too", () => {
    const { mdx } = chapter([...wall, text("t", "**Figure.** As [Figure](#cell-id=a), a bit later.")]);
    expect(mdx).toContain("As [Figure\u00a02.1](#fig-a), a bit later.");
  });

  it.each([
    ["a cell that there is not", "[Figure](#cell-id=nowhere)", /a cell "nowhere", which there is not/],
    ["a cell that draws nothing", "[Figure](#cell-id=quiet)", /"quiet", which draws nothing/],
    ["a chapter that there is not", "[Figure](09-none.ipynb#cell-id=a)", /of 09-none, which there is not/],
    ["a number written by hand", "As in Figure 2.1.", /written by hand/],
  ])("to %s are refused", (_, markdown, problem) => {
    const { problems } = chapter([...wall, text("t", markdown)]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });
});
