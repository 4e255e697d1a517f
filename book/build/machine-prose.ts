import type { Element, ElementContent, Root, Text } from "hast";
import { SKIP, visit } from "unist-util-visit";
import { machinePart, proseModes } from "../src/live/machine-words.ts";

/** Colors inline code and mode names in prose by the part of the machine that they name. */
export function rehypeMachineWords() {
  return (tree: Root): void => {
    visit(tree, "element", (node) => {
      if (node.tagName === "pre" || node.tagName === "a") return SKIP;
      if (node.tagName === "strong") markMode(node);
      if (node.tagName === "code") {
        markCode(node);
        return SKIP;
      }
      if (/^(p|li|td|th|em|strong|h[2-6]|figcaption|dd)$/.test(node.tagName)) {
        node.children = node.children.flatMap((child) =>
          child.type === "text" ? splitModes(child) : [child],
        );
      }
      return undefined;
    });
  };
}

function markCode(node: Element): void {
  const [only] = node.children;
  const part = only?.type === "text" ? machinePart(only.value) : undefined;
  if (part) node.properties["className"] = [`part-${part}`];
}

/** A bold M, S or U alone is a mode. */
function markMode(node: Element): void {
  const [only] = node.children;
  const mode = only?.type === "text" ? /^(?:V?[SU]|HS|M)$/.exec(only.value)?.[0] : undefined;
  if (mode) node.properties["className"] = [`part-mode-${mode.toLowerCase()}`];
}

function splitModes(text: Text): ElementContent[] {
  const pieces: ElementContent[] = [];
  let from = 0;
  for (const match of text.value.matchAll(proseModes)) {
    if (match.index > from) pieces.push({ type: "text", value: text.value.slice(from, match.index) });
    pieces.push({
      type: "element",
      tagName: "span",
      properties: { className: [`part-mode-${match[1]?.toLowerCase()}`] },
      children: [{ type: "text", value: match[0] }],
    });
    from = match.index + match[0].length;
  }
  if (from === 0) return [text];
  if (from < text.value.length) pieces.push({ type: "text", value: text.value.slice(from) });
  return pieces;
}
