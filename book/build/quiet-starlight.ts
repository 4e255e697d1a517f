/** Starlight's own style sheets, replaced by ours in src/styles: its skeleton stays, its look does not. */
const replaced = /@astrojs\/starlight\/dist\/style\/(props|reset|util|asides|markdown|anchor-links)\.css/;

/** A Vite plugin that serves Starlight's style sheets empty. */
export function quietStarlightStyles() {
  return {
    name: "book:quiet-starlight",
    enforce: "pre" as const,
    load(id: string): string | undefined {
      return replaced.test(id) ? "/* replaced by book/src/styles */" : undefined;
    },
  };
}
