/**
 * Markdown of a notebook as Markdown that MDX reads the same way.
 *
 * MDX reads `{` as an expression, `<` as a component, a line that starts with `import` as code, and knows neither
 * indented code nor `<https://…>`. The tree is written out again by a printer that knows MDX; HTML in it becomes JSX
 * where its tags close, else text. What comes out was parsed as MDX before it is returned.
 */
import type { Html, Paragraph, PhrasingContent, Root, RootContent } from "mdast";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import remarkMdx from "remark-mdx";
import remarkParse from "remark-parse";
import remarkStringify from "remark-stringify";
import { unified } from "unified";
import {
  type MarkdownNode,
  normalDisplayMath,
  parseMarkdown,
  splitDisplayMath,
  walkMarkdown,
} from "./markdown-tree.ts";
import { isBalancedMarkup, mdxMarkup } from "./mdx-markup.ts";

/** How addresses of pictures and links change; returns the address to write. */
export type Relink = (address: string) => string;

const printer = unified()
  .use(remarkStringify, { bullet: "-", emphasis: "_", fence: "`", fences: true, rule: "-" })
  .use(remarkGfm)
  .use(remarkMath)
  .use(remarkMdx)
  .freeze();
const reader = unified().use(remarkParse).use(remarkGfm).use(remarkMath).use(remarkMdx).freeze();

/** A change to a cell's tree after it was made safe; `html` nodes that it adds are JSX and stay as they are. */
export type Amend = (tree: Root) => void;

/** Markdown of one cell as MDX. */
export function mdxText(
  markdown: string,
  relink: Relink = (address) => address,
  amend: Amend = () => undefined,
): string {
  // Tried without the two, which may count what they see: each sees a text once.
  const isSafe = isMdx(
    printed(
      markdown,
      (address) => address,
      true,
      () => undefined,
    ),
  );
  return printed(markdown, relink, isSafe, amend);
}

function isMdx(text: string): boolean {
  try {
    reader.parse(text);
    return true;
  } catch {
    return false;
  }
}

function printed(markdown: string, relink: Relink, keepsMarkup: boolean, amend: Amend): string {
  const tree = parseMarkdown(normalDisplayMath(markdown));
  splitDisplayMath(tree);
  walkMarkdown(tree, (node) => {
    if ((node.type === "link" || node.type === "image" || node.type === "definition") && node.url !== "") {
      node.url = relink(node.url);
    }
    if ("children" in node) prepareChildren(node, keepsMarkup);
  });
  amend(tree);
  return printer.stringify(tree);
}

/** Turns the HTML among a node's children into JSX or text, and hides keywords from the eyes of MDX. */
function prepareChildren(node: MarkdownNode & { children: unknown[] }, keepsMarkup: boolean): void {
  const children = node.children as (RootContent | PhrasingContent)[];
  const markup = children.filter((child): child is Html => child.type === "html");
  const isFlow = node.type !== "paragraph" && !isPhrasingParent(node);
  const isJsx = keepsMarkup && isBalancedMarkup(markup.map((child) => child.value).join("\n"));
  for (const [place, child] of children.entries()) {
    if (child.type !== "html") continue;
    if (isJsx) child.value = mdxMarkup(child.value, isFlow);
    else children[place] = isFlow ? paragraphOf(child.value) : { type: "text", value: child.value };
  }
  if (node.type === "paragraph") hideKeyword(children as PhrasingContent[]);
}

const isPhrasingParent = (node: MarkdownNode): boolean =>
  ["heading", "emphasis", "strong", "delete", "link", "linkReference", "tableCell"].includes(node.type);

function paragraphOf(value: string): Paragraph {
  const children: PhrasingContent[] = [{ type: "text", value }];
  hideKeyword(children);
  return { type: "paragraph", children };
}

/** `import` and `export` at the start of a block are code to MDX: the first letter becomes a character reference. */
function hideKeyword(children: PhrasingContent[]): void {
  const [first] = children;
  if (first?.type !== "text" || !/^(import|export)\b/.test(first.value)) return;
  const reference: Html = { type: "html", value: `&#x${first.value.charCodeAt(0).toString(16)};` };
  children.splice(0, 1, reference, { type: "text", value: first.value.slice(1) });
}

/** A fenced code block whose fence is longer than any in its text. */
export function fenced(code: string, language: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${code.replace(/\n$/, "")}\n${fence}`;
}

/** A Markdown picture; its description may hold any text. */
export function mdxPicture(alt: string, address: string): string {
  const tree: Root = {
    type: "root",
    children: [{ type: "paragraph", children: [{ type: "image", url: address, alt }] }],
  };
  return printer.stringify(tree).trim();
}
