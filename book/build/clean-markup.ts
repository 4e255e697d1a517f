import type { Element, ElementContent, Root, RootContent } from "hast";
import { fromHtml } from "hast-util-from-html";
import { toHtml } from "hast-util-to-html";
import { find, html, svg } from "property-information";
import { isAllowedAttribute, isAllowedElement, isDroppedWhole } from "../src/live/allowed-markup.ts";

/** Cleans the markup of an output at build time: the allow-list of the live page, over a syntax tree. */
export function cleanMarkup(markup: string): string {
  const tree = fromHtml(markup, { fragment: true });
  return toHtml({
    type: "root",
    children: tree.children.flatMap((child) => cleanNode(child, false)),
  } as Root);
}

function cleanNode(node: RootContent, inSvg: boolean): ElementContent[] {
  if (node.type === "text") return [node];
  if (node.type !== "element" || isDroppedWhole(node.tagName)) return [];
  const isSvg = inSvg || node.tagName === "svg";
  const children = node.children.flatMap((child) => cleanNode(child, isSvg));
  if (!isAllowedElement(node.tagName)) return children;
  const schema = isSvg ? svg : html;
  const properties: Element["properties"] = {};
  for (const [property, value] of Object.entries(node.properties)) {
    const text = Array.isArray(value) ? value.join(" ") : String(value);
    if (isAllowedAttribute(find(schema, property).attribute, text)) properties[property] = value;
  }
  return [{ ...node, properties, children }];
}
