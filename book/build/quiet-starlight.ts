/** Starlight's own styles, taken away: its skeleton stays, its look is ours. */
import { readFile } from "node:fs/promises";

const styleSheet = /@astrojs\/starlight\/dist\/style\/(props|reset|util|asides|markdown|anchor-links)\.css/;
const component = /@astrojs\/starlight\/dist\/(?:user-)?components\/\w+\.astro$/;

/**
 * A Vite plugin that serves Starlight's style sheets empty and its components without their style blocks.
 *
 * The blocks would also put a digest of the place of `node_modules` into every page, and so make two builds of the
 * same sources differ from machine to machine.
 */
export function quietStarlightStyles() {
  return {
    name: "book:quiet-starlight",
    enforce: "pre" as const,
    async load(id: string): Promise<string | undefined> {
      if (styleSheet.test(id)) return "/* replaced by book/src/styles */";
      if (!component.test(id)) return undefined;
      return (await readFile(id, "utf8")).replace(/<style[^>]*>[\s\S]*?<\/style>/g, "");
    },
  };
}
