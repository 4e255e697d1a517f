import type { Element, ElementContent, Root } from "hast";
import { fromHtml } from "hast-util-from-html";
import katex from "katex";
import { SKIP, visit } from "unist-util-visit";

/**
 * Renders the formulas that remark-math found, as HTML with MathML beside it.
 *
 * One KaTeX does markup and style sheet: a plugin that nests its own version draws full-size subscripts.
 */
export function rehypeMath() {
  return (tree: Root): void => {
    visit(tree, "element", (node, index, parent) => {
      const formula = formulaIn(node);
      if (formula === undefined || index === undefined || parent === undefined) return undefined;
      const markup = katex.renderToString(formula.tex, {
        displayMode: formula.isDisplay,
        output: "htmlAndMathml",
        throwOnError: true,
      });
      parent.children.splice(
        index,
        1,
        ...(fromHtml(markup, { fragment: true }).children as ElementContent[]),
      );
      return SKIP;
    });
  };
}

function formulaIn(node: Element): { tex: string; isDisplay: boolean } | undefined {
  const code = node.tagName === "pre" ? node.children.find((child) => child.type === "element") : node;
  if (code?.type !== "element" || code.tagName !== "code") return undefined;
  const classes = code.properties["className"];
  if (!Array.isArray(classes) || !classes.includes("language-math")) return undefined;
  const [text] = code.children;
  if (text?.type !== "text") return undefined;
  return { tex: text.value, isDisplay: node.tagName === "pre" || classes.includes("math-display") };
}
