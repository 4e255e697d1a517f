/**
 * Markdown and HTML of a notebook as clean HTML: sanitised first, then formulas and code drawn into it.
 */
import type { Element, ElementContent, Nodes, Root } from "hast";
import { sanitize } from "hast-util-sanitize";
import katex from "katex";
import type { Root as MarkdownRoot } from "mdast";
import rehypeRaw from "rehype-raw";
import rehypeStringify from "rehype-stringify";
import remarkRehype from "remark-rehype";
import { unified } from "unified";
import { allowedMarkup } from "./allowed-markup.ts";
import { normalDisplayMath, parseMarkdown, splitDisplayMath, walkMarkdown } from "./markdown-tree.ts";

/** Highlights code; the language may be unknown to it. */
export type Highlight = (code: string, language: string) => string;

/** A heading of the page, for its contents. */
export interface Heading {
  readonly depth: number;
  readonly text: string;
  readonly id: string;
}

/** What text cells need to become HTML, and what they leave behind. */
export interface TextContext {
  readonly highlight: Highlight;
  /** A picture that the text names, as a `data:` address; `undefined` leaves it out. */
  readonly picture?: ((address: string) => string | undefined) | undefined;
  /** Filled in reading order. */
  readonly headings: Heading[];
  /** Set when a formula was drawn: the page then needs KaTeX's style sheet. */
  usesMath: boolean;
}

const toHtml = unified().use(remarkRehype, { allowDangerousHtml: true }).use(rehypeRaw).freeze();
const printer = unified()
  .use(rehypeStringify, { allowDangerousHtml: true, closeSelfClosing: false })
  .freeze();

/** Markdown as clean HTML. `attachment` finds pictures that lie in the cell itself. */
export function htmlFromMarkdown(
  markdown: string,
  context: TextContext,
  attachment: (address: string) => string | undefined = () => undefined,
): string {
  const tree = parseMarkdown(normalDisplayMath(markdown));
  splitDisplayMath(tree);
  walkMarkdown(tree, (node) => {
    if (node.type === "image" || node.type === "definition") {
      node.url = attachment(node.url) ?? context.picture?.(node.url) ?? node.url;
    }
  });
  const dirty = toHtml.runSync(tree as MarkdownRoot) as Root;
  const clean = sanitize(dirty, allowedMarkup) as Root;
  drawInside(clean, context);
  return printer.stringify(clean);
}

/** HTML or SVG that came from somewhere else, cleaned. */
export function cleanHtml(markup: string): string {
  const raw: Root = { type: "root", children: [{ type: "raw", value: markup }] };
  const parsed = unified().use(rehypeRaw).runSync(raw) as Root;
  return printer.stringify(sanitize(parsed, allowedMarkup) as Root);
}

/** A formula as HTML with MathML beside it; what KaTeX cannot read stays as it was typed. */
export function htmlFromMath(tex: string, isDisplay: boolean, context: TextContext): string {
  context.usesMath = true;
  return katex.renderToString(tex, {
    displayMode: isDisplay,
    output: "htmlAndMathml",
    throwOnError: false,
    strict: "ignore",
  });
}

/** Replaces formulas and code by their drawings, numbers headings for links. */
function drawInside(parent: Element | Root, context: TextContext): void {
  for (const [place, child] of parent.children.entries()) {
    if (child.type !== "element") continue;
    const drawn = drawnElement(child, context);
    if (drawn !== undefined) {
      parent.children[place] = { type: "raw", value: drawn };
      continue;
    }
    if (/^h[1-6]$/.test(child.tagName)) nameHeading(child, context);
    if (child.tagName === "table") child.properties["tabIndex"] = 0;
    drawInside(child, context);
  }
}

function drawnElement(element: Element, context: TextContext): string | undefined {
  const code =
    element.tagName === "pre" ? element.children.find((child) => child.type === "element") : element;
  if (code?.type !== "element" || code.tagName !== "code") return undefined;
  const classes = classesOf(code);
  const text = textOf(code);
  if (
    classes.includes("language-math") &&
    (classes.includes("math-inline") || classes.includes("math-display") || element.tagName === "pre")
  ) {
    return htmlFromMath(text, element.tagName === "pre" || classes.includes("math-display"), context);
  }
  if (element.tagName !== "pre") return undefined;
  const language = classes.find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "text";
  return context.highlight(text.replace(/\n$/, ""), language);
}

function nameHeading(element: Element, { headings }: TextContext): void {
  const text = textOf(element);
  const stem =
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
      .replaceAll(/^-|-$/g, "") || "section";
  let id = stem;
  for (let again = 2; headings.some((heading) => heading.id === id); again++) id = `${stem}-${again}`;
  element.properties["id"] = id;
  headings.push({ depth: Number(element.tagName.slice(1)), text, id });
}

function classesOf(element: Element): readonly string[] {
  const classes = element.properties["className"];
  return Array.isArray(classes) ? classes.map(String) : [];
}

function textOf(node: Nodes | ElementContent): string {
  if (node.type === "text") return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}
