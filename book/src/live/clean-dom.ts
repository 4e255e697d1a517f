import { isAllowedAttribute, isAllowedElement, isDroppedWhole } from "./allowed-markup.ts";

/** Cleans the markup of an output in the page; returns HTML text that is safe to insert. */
export function cleanDom(markup: string): string {
  const parsed = new DOMParser().parseFromString(markup, "text/html");
  cleanChildren(parsed.body);
  return parsed.body.innerHTML;
}

function cleanChildren(parent: Element): void {
  for (const node of [...parent.childNodes]) {
    if (node.nodeType === Node.TEXT_NODE) continue;
    if (!(node instanceof Element) || isDroppedWhole(node.localName)) {
      node.remove();
      continue;
    }
    cleanChildren(node);
    if (!isAllowedElement(node.localName)) {
      node.replaceWith(...node.childNodes);
      continue;
    }
    for (const { name, value } of [...node.attributes]) {
      if (!isAllowedAttribute(name, value)) node.removeAttribute(name);
    }
  }
}
