/** The glossary: which words of a text become terms, and which mistakes in it stop the build. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Glossary, GlossaryMarker } from "../../../book/build/glossary.ts";
import { GLOSSARY, type GlossaryTerm } from "../../../book/src/glossary.ts";
import { mdxText } from "../../../lib/notebook/export/mdx-text.ts";

const term = (id: string, forms: readonly string[], chapter = 1): GlossaryTerm => ({
  id,
  term: id,
  forms,
  definition: "What it is.",
  chapter,
});

const small = new Glossary([
  term("page", ["page", "pages"]),
  term("pte", ["page table entry", "PTE"]),
  term("satp", ["`satp`"]),
]);

/** Cells of a chapter, marked in order. */
function marked(cells: readonly string[], glossary = small): { texts: string[]; used: readonly string[] } {
  const marker = new GlossaryMarker(glossary);
  const texts = cells.map((cell) => mdxText(cell, undefined, (tree) => marker.mark(tree)).trim());
  return { texts, used: marker.used };
}

describe("terms in a text", () => {
  it("are marked at their first use in a section, and again in the next", () => {
    const { texts } = marked(["A page is a page.", "No page here.", "## Next\n\nPages again."]);
    expect(texts).toEqual([
      'A <Term id="page">page</Term> is a page.',
      "No page here.",
      '## Next\n\n<Term id="page">Pages</Term> again.',
    ]);
  });

  it("are the longest that stand there, and whole words", () => {
    expect(marked(["A page table entry; a pager, web-page."]).texts).toEqual([
      'A <Term id="pte">page table entry</Term>; a pager, web-page.',
    ]);
  });

  it("are found in inline code where they are code, and not in prose", () => {
    expect(marked(["satp, then `satp` and `page`."]).texts).toEqual([
      'satp, then <Term id="satp">`satp`</Term> and `page`.',
    ]);
  });

  it("keep an abbreviation's letters", () => {
    expect(marked(["A pte is no PTE."]).texts).toEqual(['A pte is no <Term id="pte">PTE</Term>.']);
  });

  it("are left alone in headings, links, code and where the text itself explains them", () => {
    const text = "### A page\n\n[page](#x)\n\n```\npage\n```\n\nA _page_ has bytes. A page.";
    const { texts, used } = marked([text]);
    expect(texts[0]).not.toContain("<Term");
    expect(used).toEqual(["page"]);
  });

  it("are left alone in a chapter's question", () => {
    expect(marked(["**Whose page?**", "A page."]).texts).toEqual([
      "**Whose page?**",
      'A <Term id="page">page</Term>.',
    ]);
  });

  it("are found in lists, tables, quotations and bold text", () => {
    const { texts } = marked(["- page", "## A\n\n| a |\n|---|\n| page |", "## B\n\n> **page**"]);
    for (const text of texts) expect(text).toContain('<Term id="page">page</Term>');
  });
});

describe("mistakes in a glossary", () => {
  const rules = new Set(["a_rule"]);
  it.each([
    ["a term twice", [term("a", ["x"]), term("a", ["y"])], /"a" is there twice/],
    ["a form of two terms", [term("a", ["Same"]), term("b", ["same"])], /"same" is a form of a and of b/],
    ["a term without a form", [term("a", [])], /no form/],
    ["a rule that there is not", [{ ...term("a", ["x"]), rule: "none" }], /no rule [a-z]+:none/],
  ])("%s is told", (_, terms, problem) => {
    const problems = new Glossary(terms).problems(rules);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  it("a term that nobody uses is dead once the chapter that introduces it is here", () => {
    const glossary = new Glossary([term("a", ["x"], 1), term("b", ["y"], 3)]);
    expect(glossary.dead(new Set(["a"]), [1, 4])).toEqual([]);
    expect(glossary.dead(new Set(["a"]), [1, 3])).toEqual([
      expect.stringMatching(/^glossary, b: no chapter uses it/),
    ]);
    expect(glossary.dead(new Set(), [1, 2])).toEqual([expect.stringMatching(/^glossary, a: /)]);
  });
});

describe("the book's glossary", () => {
  it("has no mistakes, and every term says where its definition comes from or is this book's own", () => {
    const table = readFileSync("datasets/riscv-normative-tags/riscv-normative-tags.csv", "utf8");
    const rules = new Set(table.split("\n").map((line) => line.split(",")[0] ?? ""));
    expect(new Glossary(GLOSSARY).problems(rules)).toEqual([]);
    const own = GLOSSARY.filter(({ rule, source }) => rule === undefined && source === undefined);
    expect(own.length).toBeLessThanOrEqual(GLOSSARY.length / 3);
  });

  it("defines in one to three sentences", () => {
    for (const { id, definition } of GLOSSARY) {
      expect(definition, id).toMatch(/^[A-Z\d].*\.$/s);
      expect(definition.length, id).toBeLessThanOrEqual(260);
      expect(definition.split("`").length % 2, id).toBe(1);
    }
  });
});
