/**
 * Markdown of a notebook as a tree: CommonMark with GitHub's tables and dollar math as Jupyter has it.
 *
 * Jupyter takes `$$ … $$` in any position, and bare `\begin{…}`, for display math; remark wants the dollars on lines
 * of their own. {@link normalDisplayMath} moves them there first.
 */
import type { Element } from "hast";
import type { Paragraph, PhrasingContent, Root, RootContent } from "mdast";
import type { InlineMath, Math as MathBlock } from "mdast-util-math";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import remarkParse from "remark-parse";
import { unified } from "unified";

const parser = unified().use(remarkParse).use(remarkGfm).use(remarkMath).freeze();

/** Parses Markdown; offsets in the tree count UTF-16 units of this very text. */
export function parseMarkdown(source: string): Root {
  return parser.parse(source);
}

/** Any node of a Markdown tree, with the two fields that a walk needs. */
export type MarkdownNode = Root | RootContent;

/** Calls `visit` for every node, parents first. */
export function walkMarkdown(
  node: MarkdownNode,
  visit: (node: MarkdownNode, parents: readonly MarkdownNode[]) => void,
  parents: readonly MarkdownNode[] = [],
): void {
  visit(node, parents);
  if (!("children" in node)) return;
  for (const child of node.children) walkMarkdown(child, visit, [...parents, node]);
}

const FENCED_CODE = /^([ \t]*)(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^[ \t]*\2[`~]*[ \t]*$|(?![\s\S]))/gm;
const DOLLARS_ALONE = /^([ \t]*)\$\$[ \t]*([^$\n][^$]*?|\n[^$]+?)\s*\$\$[ \t]*$/gm;
const ENVIRONMENT = /^([ \t]*)(\\begin\{([a-z]+\*?)\}[\s\S]*?\\end\{\3\})[ \t]*$/gm;

/** Moves display math to lines of its own, so that `$$` opens and closes a block; code stays as it is. */
export function normalDisplayMath(source: string): string {
  let out = "";
  let from = 0;
  for (const code of source.matchAll(FENCED_CODE)) {
    out += mathBlocks(source.slice(from, code.index)) + code[0];
    from = code.index + code[0].length;
  }
  return out + mathBlocks(source.slice(from));
}

function mathBlocks(text: string): string {
  const block = (indent: string, math: string): string =>
    ["$$", ...math.trim().split("\n"), "$$"].map((line) => `${indent}${line.trim()}`).join("\n");
  const dollars = text.replaceAll(
    DOLLARS_ALONE,
    (_, indent: string, math: string) => `\n${block(indent, math)}\n`,
  );
  if (!dollars.includes("\\begin{")) return dollars;
  const parts = dollars.split(/(^[ \t]*\$\$[\s\S]*?\$\$[ \t]*$)/m);
  return parts
    .map((part, place) =>
      place % 2 === 1
        ? part
        : part.replaceAll(ENVIRONMENT, (_, indent: string, math: string) => `\n${block(indent, math)}\n`),
    )
    .join("");
}

/** Splits paragraphs at math that was written with two dollars: it is display math wherever it stands. */
export function splitDisplayMath(root: Root): void {
  walkMarkdown(root, (node) => {
    if (!("children" in node) || !node.children.some((child) => child.type === "paragraph")) return;
    const children = node.children as RootContent[];
    const split = children.flatMap((child) => (child.type === "paragraph" ? splitParagraph(child) : [child]));
    children.splice(0, children.length, ...split);
  });
}

function splitParagraph(paragraph: Paragraph): RootContent[] {
  const parts: RootContent[] = [];
  let line: PhrasingContent[] = [];
  const endLine = (): void => {
    if (line.some((child) => child.type !== "text" || child.value.trim() !== "")) {
      parts.push({ type: "paragraph", children: trimmed(line) });
    }
    line = [];
  };
  for (const child of paragraph.children) {
    if (child.type !== "inlineMath" || !isDisplayMath(child)) {
      line.push(child);
      continue;
    }
    endLine();
    parts.push(mathBlock(child.value));
  }
  endLine();
  return parts;
}

/** Whether inline math was written with two dollars: the tree keeps only how many characters frame the value. */
function isDisplayMath(node: InlineMath): boolean {
  const start = node.position?.start.offset ?? 0;
  const end = node.position?.end.offset ?? 0;
  return end - start >= node.value.length + 4;
}

function mathBlock(value: string): MathBlock {
  const code: Element = {
    type: "element",
    tagName: "code",
    properties: { className: ["language-math", "math-display"] },
    children: [{ type: "text", value }],
  };
  return { type: "math", value, data: { hName: "pre", hChildren: [code] } };
}

function trimmed(children: PhrasingContent[]): PhrasingContent[] {
  const first = children[0];
  const last = children.at(-1);
  if (first?.type === "text") first.value = first.value.trimStart();
  if (last?.type === "text") last.value = last.value.trimEnd();
  return children;
}
