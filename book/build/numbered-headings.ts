import type { Root } from "hast";
import { visit } from "unist-util-visit";
import type { VFile } from "vfile";

/** Numbers the sections of a chapter (1.1, 1.2 …); the number is drawn in the margin by CSS from the attribute. */
export function rehypeNumberedHeadings() {
  return (tree: Root, file: VFile): void => {
    const chapter = file.data.astro?.frontmatter?.["chapter"];
    if (typeof chapter !== "number") return;
    let section = 0;
    visit(tree, "element", (node) => {
      if (node.tagName !== "h2") return;
      section += 1;
      node.properties["dataNumber"] = `${chapter}.${section}`;
    });
  };
}
